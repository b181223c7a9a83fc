"""How well factors are read from codes, by readouts fitted to images that were trained on."""

from __future__ import annotations

__all__ = ["FactorR2"]

from typing import ClassVar, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.base import Analysis, Subject, Told
from unweave.analysis.readouts import Readout, fit_readout, targets_of
from unweave.analysis.tables import (
    check_means,
    chosen_rows,
    scored_factors,
    scored_table,
    trained_table,
)
from unweave.encoding import Codes, Part
from unweave.errors import DataError
from unweave.metrics import Score
from unweave.randomness import derive
from unweave.spec import number, option

_PURPOSE = "factor_r2"


@final
class FactorR2(Analysis):
    r"""How well factors can be read from codes: R2 of readouts fitted to images trained on.

    Readouts are fitted to codes of images that were trained on, and tested on the images that are
    scored. Asked of images like those trained on and of held-out ones, it tells whether codes
    still say what they said: encoders that misplace unseen combinations are read wrongly. Codes
    are posterior means; a conditional model is told no labels.

    A factor's R2 is

    .. math:: R^2 = 1 - \mathrm{MSE} / \mathrm{Var},

    with the error on the scored images and the variance *over the images that were fitted to*. So
    it is defined, and means the same error, where a factor is constant among the scored images,
    such as shape among held-out squares. Where both variances are equal it is the usual
    coefficient of determination; it is at most 1, and below 0 where the mean of the images fitted
    to would be nearer. An ordinal factor is its value. A circular one is cosine and sine, a
    categorical one an indicator of each value, and R2 is the mean over these, weighted by their
    variances.

    Values are those of the whole dataset. One that no training image has can still be found of an
    ordinal or a circular factor, by extrapolation; of a categorical one it is never found. Factors
    that do not vary among the images fitted to are left out.

    - `linear`: least squares. `mlp`: a network with two hidden layers of 128 units, which takes
      about ten seconds to fit to 20,000 images.
    - The value is the mean R2 of `linear`, of `mlp` where that is the only readout. Parts are the
      mean of each readout, `linear`, and its R2 of each factor, `linear.pos_x`; of categorical
      factors also the share of images whose value has the largest indicator,
      `linear_accuracy.shape`.

    R2 of factors is how Schott et al. (2022) score generalisation; regressors of factors are a
    control in Montero et al. (2022).

    References:
        | Lost in Latent Space: Disentangled Models and the Challenge of Combinatorial
        | Generalisation (Montero et al., NeurIPS 2022)
        | https://arxiv.org/abs/2204.02283
    """

    name: ClassVar[str] = "factor_r2"
    bounds: ClassVar[tuple[float | None, float | None]] = (None, 1.0)
    needs: ClassVar[tuple[str, ...]] = ("model", "images", "factors")
    told: ClassVar[Told] = "nothing"
    source: ClassVar[str] = "Schott et al., 2022; Montero et al., 2022, arXiv 2204.02283"

    train_images: int = number(
        default=20_000, low=2, help="Most images trained on that are fitted to, at random."
    )
    images: int = number(default=10_000, low=1, help="Most images that are scored, at random.")
    readout: Literal["both", "linear", "mlp"] = option(
        default="both", help="linear: least squares; mlp: a small network."
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
            SpecError: The model is a decoder alone.
            DataError: Factors are not known, or not those of the images trained on; or there is
                no image.
        """
        subject.objective.expand().check_encodes(self.name)
        if not len(subject.flat):
            raise DataError(f"{self.name} needs images, but there are 0 to score.")
        rows = chosen_rows(subject, self.images)
        scored_factors(subject, rows)
        return rows

    def score(self, subject: Subject) -> Score:
        """R2 of each readout.

        Raises:
            SpecError: The model is a decoder alone.
            DataError: Factors are not known, or not those of the images trained on, or none varies
                among these.
        """
        test = scored_table(subject, self.rows(subject))
        train = trained_table(subject, self.train_images)
        wanted = targets_of(train, test)
        if not wanted:
            raise DataError(
                f"{self.name} needs a factor that varies among the images that were trained on, "
                f"but every factor is constant in {len(train):,} images of {subject.trained_on}."
            )
        seed = derive(subject.seed, _PURPOSE) % 2**32
        parts: dict[str, float] = {}
        details: dict[str, float] = {}
        readouts: tuple[Readout, ...] = get_args(Readout)
        for readout in readouts if self.readout == "both" else (self.readout,):
            found = fit_readout(readout, train, test, wanted, seed)
            each = {
                target.factor.name: target.r2(numbers)
                for target, numbers in zip(wanted, found, strict=True)
            }
            parts[readout] = float(np.mean(list(each.values())))
            details |= {f"{readout}.{name}": value for name, value in each.items()}
            for target, numbers in zip(wanted, found, strict=True):
                accuracy = target.accuracy(numbers)
                if accuracy is not None:
                    details[f"{readout}_accuracy.{target.factor.name}"] = accuracy
        return Score(value=next(iter(parts.values())), parts=parts | details)
