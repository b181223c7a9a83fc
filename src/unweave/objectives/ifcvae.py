"""The information-factorised conditional VAE: labels from a network, and none in the latents."""

from __future__ import annotations

__all__ = ["IFCVAE"]

from typing import ClassVar, Literal, final

from unweave.nn import LabelPredictor
from unweave.objectives.base import Inputs, Step, Term
from unweave.objectives.conditional import ConditionalMethod
from unweave.objectives.label_terms import (
    LABEL_ENCODER,
    OWN_SCORES,
    AdversarialInformation,
    LabelAgreement,
    predicted_scores,
)
from unweave.schedules import Schedule
from unweave.spec import number, option


@final
class IFCVAE(ConditionalMethod):
    """A VAE whose latents tell nothing of some labels, and whose decoder is told them.

    The encoder sees the image alone. A second network, the `label_encoder`, predicts the labels
    of the image; the decoder takes its prediction, a softmax over each label's values (a sigmoid
    for a continuous label), which passes no gradient on. To reconstruction and KL, which may have
    a capacity as in `annealed_vae`, come the terms `label_agreement` and
    `adversarial_information`. In each step the label encoder is trained on the true images first;
    then the model and the auxiliary classifier, on the same samples.

    References:
        | Adversarial Information Factorization (Creswell et al.), without its critic
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "ifcvae"

    label: float | Schedule = number(
        default=1.0, low=0, help="Weight of the labels that decoded images should show."
    )
    auxiliary: float | Schedule = number(
        default=20.0, low=0, help="Weight of what latents tell of the labels."
    )
    lr: float = number(
        default=1e-4, above=0, help="Learning rate of the label encoder and of the classifier."
    )
    compat: Literal["none", "dpt"] = option(
        default="none", help="dpt: the adversarial term of Disentanglement-PyTorch, not bounded."
    )

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL, labels in decoded images, labels in latents."""
        agreement = LabelAgreement(
            labels=self.labels, encoding=self.encoding, weight=self.label, lr=self.lr
        )
        adversary = AdversarialInformation(
            labels=self.labels,
            encoding=self.encoding,
            weight=self.auxiliary,
            lr=self.lr,
            compat=self.compat,
        )
        return (*super().terms(), agreement, adversary)

    def forward(self, inputs: Inputs) -> Step:
        """Encode the image, predict its labels, sample, decode with the prediction."""
        model, images = inputs.model, inputs.batch.images
        label_encoder = inputs.parts[LABEL_ENCODER]
        assert isinstance(label_encoder, LabelPredictor)
        scores = predicted_scores(model, label_encoder, images)
        told = label_encoder.conditions.predicted(scores.detach())
        posterior = model.encode(images)
        z = posterior.sample(inputs.streams.normal("posterior", *posterior.mean.shape))
        return inputs.step(
            posterior=posterior,
            z=z,
            logits=model.decode(z, told),
            target=images,
            kept={OWN_SCORES: scores},
        )
