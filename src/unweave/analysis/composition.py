"""How well a composer makes images of two others, by which of them were trained on."""

from __future__ import annotations

__all__ = ["ComposedImages"]

import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Analysis, Subject, Told
from unweave.analysis.pixels import cross_entropy, pixel_entropy, squared_error
from unweave.conditions.split import HELD_OUT, NEITHER
from unweave.conditions.trained_split import trained_split
from unweave.data import Dataset
from unweave.data.samplers import Composition, CompositionRegimes
from unweave.data.samplers.base import varying
from unweave.data.samplers.composition_regimes import REGIMES, Regime
from unweave.encoding import Codes, Part, full_precision
from unweave.errors import DataError, SpecError
from unweave.metrics import Score
from unweave.objectives import Batch, Composer, Inputs
from unweave.objectives.composer import OPERATOR
from unweave.randomness import Streams, derive
from unweave.spec import number
from unweave.splits import keyed_generator
from unweave.training.memory import keep_freed_memory
from unweave.training.source import to_images

log = logging.getLogger("unweave")

_UNIT: Final = "nats an image"
_PURPOSE: Final = "composition"
_BATCH: Final = 64
_AFTER_ALL_SCHEDULES: Final = sys.maxsize
_QUANTITIES: Final = ("excess", "copied", "nll", "floor", "mse")


@final
@dataclass(frozen=True, eq=False)
class _Drawn:
    """Triplets of a whole dataset.

    Attributes:
        images: The images of the whole that take part.
        rows: What flat indices of `images` are in the whole, (N,).
        triplets: References, transforms and targets of each regime that has any, flat indices of
            `images`, (n, 3).
    """

    images: Dataset
    rows: NDArray[np.int64]
    triplets: Mapping[Regime, NDArray[np.int64]]


@final
class ComposedImages(Analysis):
    """How far the images that a composer makes of two others are from the true ones.

    The run's own data say what was held out. Triplets of reference, transform and target are
    drawn anew from the whole dataset, by which of them were held out of training:

    - `id_id`: all three are like those that were trained on;
    - `id_ood`: the target alone was held out, so that both inputs are known and only what they are
      to become is new;
    - `ood_ood`: all three were held out, as in the published test.

    The value is the gap, nats an image: the mean excess of `id_ood` less that of `id_id`. Where
    `id_ood` has no triplets, as when all images with some value of a factor were held out, it is
    the gap of `ood_ood`; and where nothing was held out, the excess of `id_id`. The log says so.

    The parts of a regime are means over its triplets:

    - `excess`: the cross-entropy of the composed image and the target, less the least that it can
      be; 0 is perfect. `nll` is the cross-entropy itself, `floor` its least: the entropy of the
      target's pixels;
    - `copied`: the excess of an image in which nothing is changed, the reference's own
      reconstruction against the target. A composed image that is no closer has gained nothing;
    - `mse`: the squared error of the expected pixels, a mean over pixels;
    - FACTOR`.excess`: that of the triplets in which this factor is taken;
    - `gap`: the excess less that of `id_id`.

    Factors are those that the composer was trained to take. A regime may have triplets of some of
    them alone, so that a gap is best read beside those of single factors. Codes are posterior
    means, or one sample of each posterior when sampled codes are asked for. Cross-entropy is that
    of a Bernoulli, whatever the likelihood that was trained with. Images that the training kept
    apart at random (`holdout`) count as trained on, and images that a condition neither trains on
    nor holds out have no part in it. A regime without triplets is left out.
    """

    name: ClassVar[str] = "composition"
    higher_is_better: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("model", "images", "factors", "operator")
    told: ClassVar[Told] = "method"
    source: ClassVar[str] = "Montero et al., 2021, OpenReview qbH974jKUVy"

    triplets: int = number(default=2000, low=1, help="How many are drawn of each regime.")

    def check(self, part: Part, codes: Codes) -> None:
        """Refuse a part of the run's data.

        Raises:
            SpecError: It is one.
        """
        if part != "all":
            raise SpecError(
                f"part must be all for {self}, but is {part}: triplets are of the whole dataset, "
                "by what was held out of it. Leave --part out."
            )

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """Flat indices of the targets in the whole dataset, those of each regime in turn.

        Raises:
            SpecError: The run is no composer.
            DataError: The images are not the run's own, or there are no triplets.
        """
        drawn = self._drawn(subject)
        return np.concatenate([drawn.rows[each[:, 2]] for each in drawn.triplets.values()])

    @torch.inference_mode()
    def score(self, subject: Subject) -> Score:
        """The gap, and the means of each regime.

        Raises:
            SpecError: The run is no composer.
            DataError: The images are not the run's own, there are no triplets, or an error is not
                finite.
        """
        drawn = self._drawn(subject)
        keep_freed_memory()
        total, done = sum(map(len, drawn.triplets.values())), 0
        found: dict[Regime, dict[str, float]] = {}
        with full_precision(subject.model):
            for regime, triplets in drawn.triplets.items():
                errors: list[Tensor] = []
                for index, start in enumerate(range(0, len(triplets), _BATCH)):
                    batch = triplets[start : start + _BATCH]
                    errors.append(_errors(subject, drawn.images, batch, regime, index))
                    done += len(batch)
                    if subject.progress is not None:
                        subject.progress("composing", done, total)
                actions = Composition().actions(drawn.images, triplets)
                names = drawn.images.factor_space.names
                found[regime] = _means(torch.cat(errors).cpu().numpy(), actions, names)
        return _summary(found)

    def _drawn(self, subject: Subject) -> _Drawn:
        """The triplets, drawn once."""
        return subject.once(str(self), lambda: self._draw(subject))

    def _draw(self, subject: Subject) -> _Drawn:
        """Draw triplets of each regime."""
        names = _taken(subject)
        split = trained_split(subject.trained_on)
        if split is None:
            log.warning(
                "%s: no images are known to be held out of %s, so the value is the excess of "
                "id_id, images like those that were trained on.",
                self.name,
                subject.trained_on,
            )
            images, rng = _unweighted(subject.dataset), self._generator(subject, "id_id")
            triplets = Composition(factors=names).draw(images, self.triplets, rng)
            return _Drawn(images, np.arange(len(images)), {"id_id": triplets})
        rows = np.flatnonzero(split.states != NEITHER)
        images = _unweighted(split.data.open(subject.progress)).select(rows)
        left_out = split.states[rows] == HELD_OUT
        regimes = CompositionRegimes(images, left_out, names)
        if 0 < len(regimes.factors("id_id")) < len(names):
            # What no two images that were trained on differ in alone was never taken.
            regimes = CompositionRegimes(images, left_out, regimes.factors("id_id"))
        found: dict[Regime, NDArray[np.int64]] = {}
        for regime in REGIMES:
            try:
                rng = self._generator(subject, regime)
                found[regime] = regimes.draw(regime, self.triplets, rng)
            except DataError as error:
                if regime == "id_id":
                    raise
                log.warning("%s: %s is left out: %s", self.name, regime, error)
        if "id_ood" not in found:
            what = "gap of ood_ood, where both inputs are new, too"
            log.warning(
                "%s: the value is the %s.",
                self.name,
                what if "ood_ood" in found else "excess of id_id",
            )
        return _Drawn(images, rows, found)

    def _generator(self, subject: Subject, regime: Regime) -> np.random.Generator:
        return keyed_generator(subject.seed, f"{_PURPOSE}, {regime}")


def _taken(subject: Subject) -> tuple[str, ...]:
    """Names of the factors that a composer was trained to take.

    Raises:
        SpecError: The run is no composer.
        DataError: The images are not the run's own, or the operator's weights are missing.
    """
    method = subject.objective.expand().method
    if not isinstance(method, Composer):
        raise SpecError(
            f"composition needs a composer, which makes one image of two, and "
            f"{subject.objective} is none. Train one: unweave train DATASET composer"
        )
    if OPERATOR not in subject.parts:
        raise DataError("composition needs the operator of the composer, and it has no weights.")
    if subject.dataset.spec != subject.trained_on or len(subject.flat) < len(subject.dataset):
        raise DataError(
            f"composition looks at the whole of which the run was trained on a part, not at "
            f"{subject.dataset.spec}: leave out --data and --part."
        )
    space = subject.setup.labels("composition")
    columns = varying(method.sampler, space, method.sampler.factors)
    return tuple(space.names[column] for column in columns.tolist())


def _unweighted(dataset: Dataset) -> Dataset:
    """A dataset whose images are all as likely."""
    return Dataset(
        dataset.spec, dataset.store, factor_space=dataset.factor_space, labels=dataset.labels
    )


def _errors(
    subject: Subject,
    images: Dataset,
    triplets: NDArray[np.int64],
    regime: Regime,
    index: int,
) -> Tensor:
    """What `_QUANTITIES` names of each of some triplets, (n, 5) float64."""
    device = subject.model.device
    flat = triplets.T.reshape(-1)
    pixels, scale = images.gather(flat)
    batch = Batch(
        images=to_images(pixels, scale, device),
        factors=torch.from_numpy(images.factors(flat)).to(device),
    )
    streams = Streams(
        derive(subject.seed, f"{_PURPOSE}, {regime}"),
        index + 1,
        device,
        noiseless=subject.codes == "mean",
    )
    step = subject.objective.expand().forward(
        Inputs(
            subject.model, subject.parts, batch, streams, _AFTER_ALL_SCHEDULES, subject.num_train
        )
    )
    count = len(triplets)
    target, composed = batch.images[2 * count :], step.logits[-count:]
    copied = subject.model.decode(step.z[:count])
    nll, floor = cross_entropy(composed, target), pixel_entropy(target)
    own = cross_entropy(copied, target) - floor
    return torch.stack([nll - floor, own, nll, floor, squared_error(composed, target)], dim=1)


def _means(
    errors: NDArray[np.float64], actions: NDArray[np.int64], names: tuple[str, ...]
) -> dict[str, float]:
    """Means over the triplets of a regime, and those of the excess by factor."""
    means = dict(zip(_QUANTITIES, errors.mean(axis=0).tolist(), strict=True))
    for column, name in enumerate(names):
        if (actions == column).any():
            means[f"{name}.excess"] = float(errors[actions == column, 0].mean())
    return means


def _summary(found: Mapping[Regime, Mapping[str, float]]) -> Score:
    """The score, whose parts begin with what tells most."""
    known = found["id_id"]["excess"]
    new = [regime for regime in REGIMES[1:] if regime in found]
    parts = {f"{regime}.gap": found[regime]["excess"] - known for regime in new}
    value = next(iter(parts.values()), known)
    kinds = dict.fromkeys((*_QUANTITIES, *(kind for each in found.values() for kind in each)))
    for kind in kinds:
        for regime, means in found.items():
            if kind in means:
                parts[f"{regime}.{kind}"] = means[kind]
    for name, part in parts.items():
        if not math.isfinite(part):
            raise DataError(f"composition: {name} is not finite.")
    return Score(
        value=value,
        parts=parts,
        unit=_UNIT,
        units={f"{regime}.mse": "" for regime in found},
    )
