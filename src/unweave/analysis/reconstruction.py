"""How far reconstructions are from the images, beyond what the images' own entropy makes of it."""

from __future__ import annotations

__all__ = ["ReconstructionNLL"]

import dataclasses
import math
from typing import ClassVar, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Analysis, Subject, Told
from unweave.analysis.combinations import means_by_combination
from unweave.analysis.decoded import check_decodes, decode_scored
from unweave.analysis.pixels import cross_entropy, pixel_entropy, squared_error
from unweave.encoding import full_precision
from unweave.errors import DataError
from unweave.metrics import Score
from unweave.training.memory import keep_freed_memory

_BATCH: Final = 128


@final
class ReconstructionNLL(Analysis):
    """How badly images are reconstructed, in nats an image, beyond what no decoder can avoid.

    The negative log likelihood is the cross-entropy of the image with the decoder's expected
    pixels, taken as Bernoulli probabilities, summed over pixels and channels. Of images that are
    not black and white it is never below the sum of the entropies of their pixels, whatever the
    model is, and that sum differs between sets of images. So the value is what is above it:

    - `excess`, the value: `nll` less `floor`; 0 is perfect. It is the sum over pixels of the KL
      divergence between Bernoulli distributions, that of the image and that of the decoder;
    - `excess_se`: standard error of that mean over images, as if they had been drawn at random;
    - `nll`: the cross-entropy. At the posterior means it is the reconstruction NLL of the source;
    - `floor`: the entropy of the images, 0 of black and white ones;
    - `squared_error`: sum of the squared differences of expected pixels and image, in which white
      is 1; `mse`: the same as a mean over pixels and channels;
    - `psnr`: peak signal-to-noise ratio in dB, -10 log10 of `mse`, so that of the mean over all
      images and not a mean over images. It is left out where `mse` is 0.

    All are means over every image that is scored. Under every likelihood expected pixels are the
    sigmoid of the decoder's logits, so that models that were trained with different ones can be
    compared. The cross-entropy is computed from logits, which keep what probabilities near 0 and
    1 would lose.

    Latents are the posterior means, or one sample of each posterior when sampled codes are asked
    for. Each image is encoded by itself, also where pairs were trained on. A decoder alone is
    given the codes of the true factors, a conditional model the labels of the image. Of a composer
    as many triplets are drawn anew from the images as there are images, and the composed images
    are compared with their targets: these are not the numbers of an autoencoder.

    A score of images that were held out is to be compared with one of images that are like those
    of training (`part=holdout`): the difference of their `excess` is the gap. Where combinations
    of factors were held out of training, the matrix is the mean excess by the values of two
    factors of their rule (`unweave.conditions.maps.axes_of`), in the whole dataset's numbering,
    NaN in cells without an image that is scored; of composers there is none.
    """

    name: ClassVar[str] = "reconstruction_nll"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)
    higher_is_better: ClassVar[bool] = False
    told: ClassVar[Told] = "method"
    source: ClassVar[str] = (
        "nll: Montero, Ludwig, Costa, Malhotra and Bowers, 2021, ICLR 2021, OpenReview qbH974jKUVy"
    )

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """All rows.

        Raises:
            DataError: A network that makes codes has no weights.
        """
        check_decodes(subject, self.name)
        return subject.flat

    @torch.inference_mode()
    def score(self, subject: Subject) -> Score:
        """The means over images.

        Raises:
            DataError: There is no image, a network that makes codes has no weights, or an error is
                not finite.
        """
        rows = self.rows(subject)
        if len(rows) == 0:
            raise DataError(f"{self.name} needs at least one image, but there are 0 to score.")
        keep_freed_memory()
        found: list[Tensor] = []
        with full_precision(subject.model):
            for index, start in enumerate(range(0, len(rows), _BATCH)):
                batch = rows[start : start + _BATCH]
                decoded = decode_scored(subject, batch, index)
                errors = (
                    cross_entropy(decoded.logits, decoded.images),
                    pixel_entropy(decoded.images),
                    squared_error(decoded.logits, decoded.images),
                )
                found.append(torch.stack(errors))
                if subject.progress is not None:
                    subject.progress("reconstructing", start + len(batch), len(rows))
        nll, floor, mse = torch.cat(found, dim=1).cpu().numpy()
        # Below 0 it is by rounding alone.
        excess = np.maximum(nll - floor, 0.0)
        score = self._summary(excess, nll, floor, mse, math.prod(subject.model.image_shape))
        by = means_by_combination(subject, rows, excess, "mean excess NLL, nats an image")
        return dataclasses.replace(score, matrix=by)

    def _summary(
        self,
        excess: NDArray[np.float64],
        nll: NDArray[np.float64],
        floor: NDArray[np.float64],
        mse: NDArray[np.float64],
        pixels: int,
    ) -> Score:
        """From errors of each image, (N,)."""
        parts = {"excess": float(excess.mean())}
        if len(excess) > 1:
            parts["excess_se"] = float(excess.std(ddof=1) / math.sqrt(len(excess)))
        parts["nll"] = float(nll.mean())
        parts["floor"] = float(floor.mean())
        parts["squared_error"] = pixels * float(mse.mean())
        parts["mse"] = float(mse.mean())
        if parts["mse"] > 0:
            parts["psnr"] = -10 * math.log10(parts["mse"])
        for name, value in parts.items():
            if not math.isfinite(value):
                raise DataError(f"{self.name}: {name} is not finite over these images.")
        units = {"squared_error": "", "mse": "", "psnr": "dB"}
        return Score(
            value=parts["excess"],
            parts=parts,
            unit="nats an image",
            units={name: unit for name, unit in units.items() if name in parts},
        )
