"""Whether encoder or decoder is to blame for what images of unseen combinations lose."""

from __future__ import annotations

__all__ = ["Attribution"]

import logging
from typing import ClassVar, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.analysis.base import Analysis, Subject, Told
from unweave.analysis.displacement import displaced
from unweave.analysis.pixels import cross_entropy, pixel_entropy
from unweave.analysis.placing import Placed, place, trained_combinations
from unweave.analysis.positions import Assignment
from unweave.analysis.tables import (
    check_means,
    chosen_rows,
    scored_factors,
)
from unweave.encoding import Codes, Part, full_precision
from unweave.errors import DataError, SpecError
from unweave.metrics import Matrix, Score
from unweave.objectives import Composer
from unweave.spec import number, option
from unweave.training.memory import keep_freed_memory
from unweave.training.source import to_images

log = logging.getLogger("unweave")

_BATCH = 128
_UNIT = "nats an image"


@final
class Attribution(Analysis):
    """Where the error of reconstructions comes from: the encoder's code, or the decoder.

    What is expected of codes is composed of what was seen: of how images that were trained on are
    encoded by their values of each factor. Compared are the factors in the rule of the dataset
    that was trained on, `where` of `without` or `only`; all that vary where it has none.

    The value is the `excess` of the reconstruction from the encoder's own code: cross-entropy of
    the pixels less their own entropy. Then codes are *swapped* for ones without displacement. That
    of the images with one combination of the compared factors is what their codes have in common
    beyond the effects of their values: by least squares, codes of images trained on are a sum of
    effects of all their values, and what this leaves of the codes of scored images is fitted again
    by effects of the compared factors, which are taken away. So, of the images that have an
    expected position, `excess_placed = recovered + excess_swapped`: what the swap recovers was
    lost by where the encoder puts these images, and what remains is the decoder's, or was lost in
    a way that no sum of effects tells. What is recovered convicts the encoder; that little is does
    not acquit it where `nearest_expected` or `factor_r2` say that held-out images are taken for
    others. Below 0 the decoder reads these codes where they are: then what they have in common is
    no displacement but how factors act together, as codes of a model that is not disentangled do,
    the more so the more factors a rule compares. On images like those trained on, codes are not
    displaced, and `recovered` is near 0; compare with it.

    *Expected positions* tell more of models whose latents follow factors. Factors get a latent
    each (`assignment`), and the mean of that latent over images trained on with one value is the
    value's position. The expected code of an image has the positions of its values in the latents
    of the compared factors, and keeps the others. It finds images that are scattered, too; but of
    codes that mix factors it loses what else these latents say, many times what was lost before,
    on all images.

    - `nll`, `excess`: of the encoder's own code, nats an image, of all images; `excess_placed`:
      of the images that have an expected position alone, to be compared with what follows;
      `nll_swapped`, `excess_swapped`, `recovered`: of codes without displacement;
      `nll_expected`, `excess_expected`: of expected codes.
    - `swap_better`: share of images that are reconstructed better without displacement.
    - `distance`: root of the mean square, over images and compared factors, of code less expected
      position in standard deviations of the images trained on with the same value. It is 1 for
      these themselves; `distance.pos_x` is that of one factor.
    - `nearest_expected`: share of images whose code is nearer to their expected position than to
      that of any other trained combination of the compared factors, each latent in units of its
      deviation within values. Where values lie close together it is low for all images; by chance
      it is one of the number of these combinations.
    - `placed`: share of images that have an expected position. A value that fewer than ten of the
      images trained on have has none. Parts that need one are means over the images that have it,
      so that `excess` is `excess_placed` only where `placed` is 1.

    Where no image has one, as in extrapolation, `nll`, `excess` and `placed` are all there is, and
    the log names the values. Not scored are models without an encoder, models whose decoder is
    told labels, and composers that decode composed codes alone.

    References:
        | Lost in Latent Space: Disentangled Models and the Challenge of Combinatorial
        | Generalisation (Montero et al., NeurIPS 2022)
        | https://arxiv.org/abs/2204.02283
    """

    name: ClassVar[str] = "attribution"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)
    higher_is_better: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("model", "images", "factors")
    told: ClassVar[Told] = "nothing"
    source: ClassVar[str] = "after Montero et al., 2022, arXiv 2204.02283"

    train_images: int = number(
        default=20_000, low=2, help="Most images trained on that tell positions, at random."
    )
    images: int = number(default=10_000, low=1, help="Most images that are scored, at random.")
    assignment: Assignment = option(
        default="correlation_ratio",
        help="What factors get their latents by: correlation_ratio, or weights of a lasso.",
    )

    def check(self, part: Part, codes: Codes) -> None:
        """Refuse sampled codes.

        Raises:
            SpecError: They are asked for.
        """
        check_means(self.name, codes)

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """At most `images` of them, drawn by the subject's seed.

        Raises:
            SpecError: The model is a decoder alone, is told labels, or decodes composed codes.
            DataError: Factors are not known, or not those of the images trained on; or there is
                no image.
        """
        self._check_model(subject)
        if not len(subject.flat):
            raise DataError(f"{self.name} needs images, but there are 0 to score.")
        rows = chosen_rows(subject, self.images)
        scored_factors(subject, rows)
        return rows

    def score(self, subject: Subject) -> Score:
        """Errors of reconstructions from each code, and how far codes are from expected ones.

        Raises:
            SpecError: The model is a decoder alone, is told labels, or decodes composed codes.
            DataError: Factors are not known, or not those of the images trained on; none varies
                among these; or there are fewer latents than factors that are compared.
        """
        rows = self.rows(subject)
        placed = place(subject, rows, self.train_images, self.assignment)
        known, test, positions = placed.known, placed.test, placed.positions
        swapped, expected = test.codes.copy(), test.codes.copy()
        if known.any():
            swapped[known] -= displaced(placed.train, test, known, positions.factors)
            expected[known] = positions.moved(test.codes[known], test.factors[known])
        errors = _errors(subject, rows, np.stack([test.codes, swapped, expected]))
        if not np.isfinite(errors).all():
            raise DataError(f"{self.name}: a reconstruction of these images is not finite.")
        own, moved, home, entropy = errors
        parts = {"nll": own.mean(), "excess": (own - entropy).mean(), "placed": known.mean()}
        if known.any():
            parts |= {
                "excess_placed": (own - entropy)[known].mean(),
                "nll_swapped": moved[known].mean(),
                "excess_swapped": (moved - entropy)[known].mean(),
                "recovered": (own - moved)[known].mean(),
                "swap_better": (moved < own)[known].mean(),
                "nll_expected": home[known].mean(),
                "excess_expected": (home - entropy)[known].mean(),
            }
            parts |= self._distances(subject, placed)
        else:
            log.warning(
                "%s has no expected position of any image of %s: few or none that were trained on "
                "have %s. Parts that need one are left out.",
                self.name,
                subject.dataset.spec,
                placed.lacking(),
            )
        numbers = {name: float(value) for name, value in parts.items()}
        return Score(
            value=numbers["excess"],
            parts=numbers,
            matrix=self._matrix(placed),
            unit=_UNIT,
            units={name: unit for name in numbers if (unit := _unit_of(name)) != _UNIT},
        )

    def _check_model(self, subject: Subject) -> None:
        plan = subject.objective.expand()
        plan.check_encodes(self.name)
        if subject.model.conditions is not None:
            raise SpecError(
                f"{self.name} asks where latents put an image, and the decoder of "
                f"{subject.objective} is told labels beside them. Leave {self.name} out."
            )
        if isinstance(plan.method, Composer) and not plan.method.reconstruct:
            raise SpecError(
                f"{self.name} decodes codes of images, and the decoder of {subject.objective} was "
                f"trained on composed codes alone. Leave {self.name} out, or train the composer "
                "with reconstruct=True."
            )

    def _distances(self, subject: Subject, placed: Placed) -> dict[str, float]:
        """How far the images that have an expected position are from it."""
        codes, factors = placed.test.codes[placed.known], placed.test.factors[placed.known]
        positions, names = placed.positions, placed.test.space.names
        squares = (positions.distances(codes, factors) ** 2).mean(axis=0)
        trained = trained_combinations(subject.trained_on)
        near = positions.nearest(codes, factors, trained)
        each = zip(positions.factors, squares, strict=True)
        return {
            "distance": np.sqrt(squares.mean()),
            "nearest_expected": near.mean(),
            **{f"distance.{names[k]}": np.sqrt(square) for k, square in each},
        }

    def _matrix(self, placed: Placed) -> Matrix:
        names, positions = placed.train.space.names, placed.positions
        what = {
            "correlation_ratio": "correlation ratio",
            "lasso": "absolute weight in a lasso",
        }[self.assignment]
        pairs = zip(positions.factors, positions.latents, strict=True)
        given = ", ".join(f"{names[k]} z{latent}" for k, latent in pairs)
        return Matrix(
            values=placed.association,
            rows=tuple(f"z{latent}" for latent in range(len(placed.association))),
            columns=names,
            label=f"{what}; compared by {given}",
        )


@torch.inference_mode()
def _errors(
    subject: Subject, rows: NDArray[np.int64], codes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cross-entropy of images (N,) with what each of S codes is decoded to, and their entropy.

    Args:
        subject: Whose decoder it is.
        rows: Flat indices, (N,).
        codes: (S, N, L).

    Returns:
        (S + 1, N), nats an image.
    """
    keep_freed_memory()
    model, found = subject.model, np.empty((len(codes) + 1, len(rows)))
    with full_precision(model):
        for start in range(0, len(rows), _BATCH):
            now = slice(start, min(start + _BATCH, len(rows)))
            pixels, scale = subject.dataset.gather(rows[now])
            images = to_images(pixels, scale, model.device)
            for each, z in zip(found, codes[:, now].astype(np.float32), strict=False):
                logits = model.decode(torch.from_numpy(z).to(model.device))
                each[now] = cross_entropy(logits, images).cpu().numpy()
            found[-1, now] = pixel_entropy(images).cpu().numpy()
            if subject.progress is not None:
                subject.progress("attribution", now.stop, len(rows))
    return found


def _unit_of(part: str) -> str:
    """The unit of a part; empty for a share."""
    if part.startswith("distance"):
        return "standard deviations"
    return "" if part in ("swap_better", "nearest_expected", "placed") else _UNIT
