"""Which factors of images are broken in their reconstructions."""

from __future__ import annotations

__all__ = ["FactorErrors"]

from dataclasses import dataclass
from typing import ClassVar, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Analysis, Subject, Told
from unweave.analysis.decoded import check_decodes, decode_scored
from unweave.analysis.probe import RIGHT, Alike, Probe, ProbeTraining, cached_probe
from unweave.analysis.tables import chosen_rows
from unweave.data import Dataset
from unweave.data.codes import places_of
from unweave.data.views import whole_of
from unweave.encoding import full_precision
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics import Score
from unweave.spec import number
from unweave.training.memory import keep_freed_memory

_BATCH: Final = 128
_STEPS: Final = "steps of the grid"


@final
class FactorErrors(Analysis):
    """Which factors of images are broken in their reconstructions, as a probe tells.

    The probe is a convolutional network that was trained to tell factors on true images of the
    whole dataset, of which what is scored may be a part. It is trained once for each dataset,
    which takes minutes, and kept. It is asked for each factor of the reconstruction, and of the
    true image beside it, since it errs on true images, too: only what is told worse of the
    reconstruction is the model's fault.

    The value is the mean over factors of `true_accuracy` less `accuracy`: the share of factors
    that are right in the image and wrong in its reconstruction, less that of factors that are
    wrong in the image and right in its reconstruction. 0 is that of a perfect reconstruction.

    Parts are, for each factor that has several values in the whole dataset,

    - FACTOR`.accuracy`: the share of reconstructions in which it is right;
    - FACTOR`.true_accuracy`: that of true images, of the same images;
    - FACTOR`.steps`, `.true_steps`: how far it is off on average, in steps of the grid, along the
      circle for circular factors; of categorical factors there are none;

    and `accuracy` and `true_accuracy`, means over factors.

    What looks the same is right, for the shape that the image truly has: the last pose of a closed
    circle is the first, orientations of squares and ellipses of dSprites count modulo a quarter
    and half a turn, and two things that can be exchanged may have either order. A value is right
    when it is nearer to the true one than a step of the grid. So it is where it is the true one,
    and where it is turned by less than a step from what looks the same: half a turn of dSprites
    lies between two poses of the grid, and a quarter turn, too.

    A reconstruction is the expected image of the posterior means, or of one sample of each
    posterior when sampled codes are asked for. A decoder alone is given the codes of the true
    factors, and a conditional model is told what it is told in training. Each image is encoded by
    itself, also where pairs were trained on. Of a composer as many triplets are drawn anew as
    there are images, and the composed images stand beside their targets.

    The probe was trained on images that were blurred at random, so that soft edges do not mislead
    it. Of a reconstruction that shows a sprite half a step off it tells either place: there
    `steps` says more than `accuracy`.
    """

    name: ClassVar[str] = "factor_errors"
    bounds: ClassVar[tuple[float | None, float | None]] = (-1.0, 1.0)
    higher_is_better: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("model", "images", "factors", "objective")
    told: ClassVar[Told] = "method"
    source: ClassVar[str] = "Defined here"

    steps: int = number(default=4000, low=1, help="Optimiser steps of the probe.")
    batch_size: int = number(default=64, low=1, help="Images in a step of the probe's training.")
    seed: int = number(default=0, low=0, help="Seed of the probe, whatever that of the scores.")
    images: int = number(default=10_000, low=1, help="Most images that are scored, at random.")

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """At most `images` of them, drawn by the subject's seed.

        Raises:
            DataError: Factors are not known, there is no image, or weights are missing without
                which nothing is decoded.
        """
        if not len(subject.dataset.factors(subject.flat)):
            raise DataError(f"{self.name} needs images, but there are 0 to score.")
        check_decodes(subject, self.name)
        return chosen_rows(subject, self.images)

    def score(self, subject: Subject) -> Score:
        """Accuracies and steps of each factor.

        Raises:
            DataError: Factors are not known, none has several values, weights are missing without
                which nothing is decoded, or reconstructions are no numbers.
            UnweaveError: The probe cannot be kept.
        """
        rows = self.rows(subject)
        whole, spec = subject.dataset, whole_of(subject.dataset.spec)
        if spec != whole.spec:
            whole = spec.open(subject.progress)
        space = whole.factor_space
        if max(space.sizes) < 2:
            raise DataError(
                f"{self.name} needs a factor with several values, but every factor of {spec} has "
                "one."
            )
        training = ProbeTraining(self.steps, self.batch_size, self.seed)
        probe = cached_probe(whole, training, subject.model.device, subject.progress)
        told = _asked(subject, probe, rows, space)
        alike = Alike(spec, space)
        decoded = alike.steps(told.factors, told.decoded)
        true = alike.steps(told.factors, told.true)
        return _summary(decoded, true, space)


@final
@dataclass(frozen=True, eq=False)
class _Told:
    """Factor indices of images in the whole dataset, each (n, K).

    Attributes:
        factors: Those that are true.
        decoded: Those that the probe tells of reconstructions.
        true: Those that it tells of the images themselves.
    """

    factors: NDArray[np.int64]
    decoded: NDArray[np.int64]
    true: NDArray[np.int64]


@torch.inference_mode()
def _asked(subject: Subject, probe: Probe, rows: NDArray[np.int64], space: FactorSpace) -> _Told:
    """What the probe tells of reconstructions and of images.

    Args:
        subject: What is scored.
        probe: On the model's device.
        rows: Flat indices of the images, (N,).
        space: The factors of the whole dataset.

    Raises:
        DataError: Reconstructions are no numbers.
    """
    keep_freed_memory()
    finite: list[Tensor] = []
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    with full_precision(subject.model):
        for index, start in enumerate(range(0, len(rows), _BATCH)):
            batch = rows[start : start + _BATCH]
            decoded = decode_scored(subject, batch, index, factors=True)
            assert decoded.factors is not None
            images = subject.model.likelihood.mean(decoded.logits)
            finite.append(images.isfinite().all())
            found.append((decoded.factors, probe.tell(images), probe.tell(decoded.images)))
            if subject.progress is not None:
                subject.progress("factor errors", start + len(batch), len(rows))
    if not bool(torch.stack(finite).all()):
        raise DataError("factor_errors: reconstructions of these images are not finite.")
    own, told, true = (torch.cat(each).cpu().numpy() for each in zip(*found, strict=True))
    return _Told(_in_whole(own, subject.told, space), told, true)


def _in_whole(
    factors: NDArray[np.int64], dataset: Dataset, space: FactorSpace
) -> NDArray[np.int64]:
    """Factor indices of a part as those of the whole dataset, (n, K)."""
    pairs = zip(dataset.factor_space.factors, space.factors, factors.T, strict=True)
    return np.stack([places_of(own, whole)[column] for own, whole, column in pairs], axis=1)


def _summary(decoded: NDArray[np.float64], true: NDArray[np.float64], space: FactorSpace) -> Score:
    """The score of steps that reconstructions and images are off, each (n, K)."""
    varying = [column for column, factor in enumerate(space.factors) if factor.size > 1]
    right = (decoded < RIGHT).mean(axis=0)
    true_right = (true < RIGHT).mean(axis=0)
    parts = {
        "accuracy": float(right[varying].mean()),
        "true_accuracy": float(true_right[varying].mean()),
    }
    for column in varying:
        factor = space.factors[column]
        parts[f"{factor.name}.accuracy"] = float(right[column])
        parts[f"{factor.name}.true_accuracy"] = float(true_right[column])
        if factor.kind != "categorical":
            parts[f"{factor.name}.steps"] = float(decoded[:, column].mean())
            parts[f"{factor.name}.true_steps"] = float(true[:, column].mean())
    units = {name: _STEPS for name in parts if name.endswith("steps")}
    return Score(value=float((true_right - right)[varying].mean()), parts=parts, units=units)
