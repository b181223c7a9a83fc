"""What a model makes of the images that are scored, each by itself."""

from __future__ import annotations

__all__ = ["Decoded", "check_decodes", "decode_scored"]

import dataclasses
import sys
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Subject
from unweave.analysis.batches import scored_batch
from unweave.errors import DataError
from unweave.objectives import IFCVAE, Composer, Inputs, Method, Needs
from unweave.objectives.composer import OPERATOR
from unweave.objectives.label_terms import LABEL_ENCODER, TARGET_FACTORS
from unweave.randomness import Streams, derive

_PURPOSE: Final = "reconstruction"
_AFTER_ALL_SCHEDULES: Final = sys.maxsize
# Networks beside the model without which nothing can be decoded.
_READ: Final[dict[type[Method], str]] = {Composer: OPERATOR, IFCVAE: LABEL_ENCODER}


@final
@dataclass(frozen=True, eq=False)
class Decoded:
    """A batch of images beside their reconstructions.

    Attributes:
        logits: Decoder output before the sigmoid, (B, C, H, W).
        images: What it should give, (B, C, H, W).
        factors: Factor indices of `images`, as `Subject.told` numbers them, (B, K) int64; None
            where they are not asked for.
    """

    logits: Tensor
    images: Tensor
    factors: Tensor | None


def check_decodes(subject: Subject, name: str) -> None:
    """Refuse a run without the weights of a network that decodes together with the model.

    Args:
        subject: What is scored.
        name: What scores it, for the message.

    Raises:
        DataError: It has none; weights from elsewhere may be those of the model alone.
    """
    network = _READ.get(type(subject.objective.expand().method))
    if network is not None and network not in subject.parts:
        raise DataError(
            f"{name} of {subject.objective} needs the {network}, and the run has no weights of "
            "it. Train on from it with --init-from, which begins with a new one."
        )


def decode_scored(
    subject: Subject, rows: NDArray[np.int64], index: int, *, factors: bool = False
) -> Decoded:
    """A batch of images and what the model makes of them, in the precision that it is in.

    Latents are posterior means, or keyed samples of the posteriors when sampled codes are asked
    for. Each image is encoded by itself, also where pairs were trained on. A decoder alone is
    given the codes of the true factors, a conditional model what it is told in training. Of a
    composer as many triplets are drawn anew from the images to score as there are images, and
    what it composes stands beside their targets.

    Args:
        subject: What is scored.
        rows: Flat indices of the images, (B,).
        index: Number of the batch, which keys what is drawn.
        factors: Whether the factors of the images are asked for.
    """
    model, method = subject.model, subject.objective.expand().method
    streams = Streams(
        derive(subject.seed, _PURPOSE), index + 1, model.device, noiseless=subject.codes == "mean"
    )
    composes = isinstance(method, Composer)
    needs = Needs(factors=factors or method.needs.factors, codes=method.needs.codes)
    if composes:
        needs = dataclasses.replace(method.needs, reconstructed=1)
    batch = scored_batch(subject, needs, rows, rows[:0], index)
    if method.needs.sampler is not None and not composes:
        # What a pair shares is a matter of training.
        posterior = model.encode(batch.images)
        z = posterior.sample(streams.normal("posterior", *posterior.mean.shape))
        return Decoded(model.decode(z), batch.images, batch.factors)
    inputs = Inputs(model, subject.parts, batch, streams, _AFTER_ALL_SCHEDULES, subject.num_train)
    step = method.forward(inputs)
    # Of a composer that reconstructs all three images the composed ones are the last.
    last = slice(-len(rows), None)
    told = step.once(TARGET_FACTORS, lambda: step.batch.factors)
    return Decoded(step.logits[last], step.target[last], None if told is None else told[last])
