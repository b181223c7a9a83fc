"""Terms that a network judges which predicts labels: of decoded images, and of latents."""

from __future__ import annotations

__all__ = [
    "LABEL_ENCODER",
    "OWN_SCORES",
    "TARGET_FACTORS",
    "AdversarialInformation",
    "LabelAgreement",
    "LabelTerm",
    "predicted_scores",
]

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, final

from torch import Tensor, nn

from unweave.errors import SpecError
from unweave.nn import Conditions, LabelEncoding, LabelPredictor, LatentDiscriminator
from unweave.objectives.base import Player, PlayerOptimizer, Step, Term
from unweave.objectives.needs import Needs, Setup
from unweave.objectives.told import ENCODING_HELP, LABELS_HELP, check_names, told_labels
from unweave.schedules import Schedule, value_at
from unweave.spec import number, option
from unweave.vae import VAE

LABEL_ENCODER = "label_encoder"
AUXILIARY = "auxiliary"
OWN_SCORES = "label_encoder/own"
"""Key of what the label encoder makes of the true images, which a forward pass may know."""
TARGET_FACTORS = "target/factors"
"""Key of the factor indices of the images that should be decoded, where those are others than the
batch has; a forward pass makes them known."""
_LATENT_SCORES = "auxiliary/latents"


class LabelTerm(Term):
    """Family of terms that a network judges which predicts labels.

    How often it is right is logged, as the share of labels over the batch.

    Class attributes:
        part: Name of the network, and of the player that owns it.
    """

    part: ClassVar[str]

    labels: tuple[str, ...] = option(default=(), help=LABELS_HELP)
    encoding: LabelEncoding = option(default="one_hot", help=ENCODING_HELP)
    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")
    lr: float = number(default=1e-4, above=0, help="Learning rate of the network that judges.")

    def validate(self) -> None:
        """Refuse a label that is named twice."""
        check_names(self.name, self.labels)

    @property
    def unit(self) -> str:
        """Nats of cross-entropies; squared errors of continuous labels have none."""
        return "nats an image" if self.encoding == "one_hot" else ""

    @property
    def needs(self) -> Needs:
        """The labels of each image."""
        return Needs(factors=True)

    def check(self, setup: Setup) -> None:
        """Refuse labels that the dataset does not have.

        Raises:
            SpecError: The message names those that it has.
        """
        self.told(setup)

    def told(self, setup: Setup) -> Conditions:
        """The labels that the network predicts."""
        return told_labels(setup, self.name, self.labels, self.encoding)

    def labels_read(self, setup: Setup) -> tuple[str, ...]:
        """The labels that the network predicts."""
        names = setup.labels(self.name).names
        return tuple(names[column] for column in self.told(setup).columns)

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value."""
        return value_at(self.weight, step) * raw

    @property
    def watched(self) -> tuple[str, ...]:
        """The share of labels that the network tells rightly."""
        return (f"{self.part}_accuracy",)

    def watch(self, step: Step) -> tuple[Tensor, ...]:
        """That share over the batch, from 0 to 1."""
        scores = self.judged(step)
        conditions, told = _labels(step, self.part, len(scores))
        return (conditions.right(scores, told).float().mean(),)

    def _player(self, loss: Callable[[Step], Tensor], *, eager: bool = False) -> Player:
        """The network's side, whose errors have the unit of the term."""
        optimizer = PlayerOptimizer(lr=self.lr)
        return Player(self.part, (self.part,), loss, optimizer, eager=eager, unit=self.unit)

    @abstractmethod
    def judged(self, step: Step) -> Tensor:
        """What the network makes of what it is trained on, (B, width)."""

    @abstractmethod
    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The network that predicts."""


@final
class LabelAgreement(LabelTerm):
    """Whether decoded images show their labels to a network that reads them from true images.

    The `label_encoder` is the architecture's trunk with a dense layer. It learns from the true
    images, by cross-entropy summed over labels (squared error of continuous ones), and steps
    before the model in each step. The model minimises its error on the decoded images, and does
    not move it.

    References:
        | Adversarial Information Factorization (Creswell et al.), without its critic
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "label_agreement"
    part: ClassVar[str] = LABEL_ENCODER
    reads: ClassVar[Literal["nothing"]] = "nothing"

    def check(self, setup: Setup) -> None:
        """Refuse labels that the dataset does not have, and a decoder alone, which has no trunk.

        Raises:
            SpecError: The message says what to write.
        """
        super().check(setup)
        setup.architecture.check_encodes(self.name)

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The label encoder."""
        told = self.told(setup)
        trunk, features = setup.architecture.trunk(setup.image_shape)
        network = nn.Sequential(trunk, nn.Linear(features, told.width))
        return {self.part: LabelPredictor(network, told, setup.architecture.initialise)}

    def players(self) -> tuple[Player, ...]:
        """The label encoder's side."""
        return (self._player(label_encoder_loss, eager=True),)

    def judged(self, step: Step) -> Tensor:
        """Scores of the true images."""
        return _own_scores(step)

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the error on decoded images."""
        decoded = step.model.likelihood.mean(step.logits)
        factors = step.once(TARGET_FACTORS, lambda: step.batch.factors)
        return _error(step, self.part, _scores(step, self.part, decoded), factors)


@final
class AdversarialInformation(LabelTerm):
    r"""What a classifier reads of the labels from the latents.

    The `auxiliary` classifier, six dense layers of 1,000 units, learns to tell labels from
    samples of the latents by cross-entropy (squared error of continuous ones). The model minimises

    .. math:: \mathrm{KL}(\bar y \,\|\, A(z))

    summed over labels, where the mean label :math:`\bar y` of the batch is what a classifier says
    that knows nothing: the term is 0 where latents tell nothing. Of continuous labels it is the
    squared distance of the prediction from their mean. The published term is minus the
    classifier's error, which has no lower bound.

    References:
        | Adversarial Information Factorization (Creswell et al.)
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "adversarial_information"
    part: ClassVar[str] = AUXILIARY

    compat: Literal["none", "dpt"] = option(
        default="none",
        help="dpt: minus the classifier's error, as Disentanglement-PyTorch has it.",
    )

    @property
    def min_batch(self) -> int:
        """Two images, since the mean label of one is its own, which latents would be made to tell.

        The published term has no mean.
        """
        return 2 if self.compat == "none" else 1

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The classifier."""
        told = self.told(setup)
        network = LatentDiscriminator(setup.latents, classes=told.width)
        return {self.part: LabelPredictor(network, told)}

    def players(self) -> tuple[Player, ...]:
        """The classifier's side."""
        return (self._player(auxiliary_loss),)

    def judged(self, step: Step) -> Tensor:
        """Scores of the samples."""
        return step.once(_LATENT_SCORES, lambda: _scores(step, self.part, step.z))

    def value(self, step: Step) -> Tensor:
        """Mean over the batch."""
        scores = self.judged(step)
        if self.compat == "dpt":
            return -_error(step, self.part, scores)
        conditions, told = _labels(step, self.part, len(scores))
        return conditions.error(scores, told.mean(0).expand_as(scores)).mean()


def label_encoder_loss(step: Step) -> Tensor:
    """Error of the label encoder on the true images, averaged over the batch."""
    return _error(step, LABEL_ENCODER, _own_scores(step))


def auxiliary_loss(step: Step) -> Tensor:
    """Error of the classifier on the samples, averaged over the batch; they get no gradient."""
    return _error(step, AUXILIARY, _scores(step, AUXILIARY, step.z.detach()))


def predicted_scores(model: VAE, network: nn.Module, values: Tensor) -> Tensor:
    """What a network that predicts labels makes of images or latents, (B, width) float32."""
    with model.autocast():
        scores: Tensor = network(values)
    return scores.float()


def _own_scores(step: Step) -> Tensor:
    """Scores of the true images, computed at most once a step."""
    return step.once(OWN_SCORES, lambda: _scores(step, LABEL_ENCODER, step.batch.images))


def _scores(step: Step, part: str, values: Tensor) -> Tensor:
    return predicted_scores(step.model, step.parts[part], values)


def _labels(
    step: Step, part: str, rows: int, factors: Tensor | None = None
) -> tuple[Conditions, Tensor]:
    """The labels that a network predicts, and what they are of so many rows, (B, width).

    They are those of the batch, or of other factor indices, (B, K).
    """
    network = step.parts[part]
    factors = step.batch.factors if factors is None else factors
    assert isinstance(network, LabelPredictor)
    assert factors is not None
    if len(factors) != rows:
        raise SpecError(
            f"A term that predicts labels wants those of each image that is decoded, but of "
            f"{len(factors)} images {rows} are. Leave out the term of the {part}."
        )
    return network.conditions, network.conditions.encode(factors)


def _error(step: Step, part: str, scores: Tensor, factors: Tensor | None = None) -> Tensor:
    """Error of scores, (B, width), averaged over the batch, whose labels or others they are of."""
    conditions, told = _labels(step, part, len(scores), factors)
    return conditions.error(scores, told).mean()
