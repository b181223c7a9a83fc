"""The contract between objectives and the training loop: Step, Term, Player, Method."""

from __future__ import annotations

__all__ = [
    "Inputs",
    "Latent",
    "Method",
    "Parts",
    "Player",
    "PlayerOptimizer",
    "Step",
    "Term",
    "WeightedTerm",
]

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, final

from torch import Tensor, nn

from unweave.data.codes import FactorCodes
from unweave.factors import FactorSpace
from unweave.latents import DiagonalGaussian, Posterior
from unweave.nn import Architecture, Conditions
from unweave.objectives.needs import Batch, Needs, Setup
from unweave.randomness import Streams
from unweave.schedules import Schedule, value_at
from unweave.spec import Component, number
from unweave.vae import VAE

T = TypeVar("T")
Parts = Mapping[str, nn.Module]
Latent: TypeAlias = Literal["posterior", "codes", "given"]
"""Where latents come from: a posterior's samples, an encoder without noise, or the dataset."""


@final
@dataclass(frozen=True)
class Inputs:
    """What a forward pass starts from.

    Attributes:
        model: The VAE.
        parts: Further networks, by name.
        batch: The images.
        streams: Keyed random draws.
        global_step: Optimiser step, from 1.
        dataset_size: Number of images trained on.
    """

    model: VAE
    parts: Parts
    batch: Batch
    streams: Streams
    global_step: int
    dataset_size: int

    def step(
        self,
        *,
        posterior: Posterior | None,
        z: Tensor,
        logits: Tensor,
        target: Tensor,
        kept: Mapping[str, Any] | None = None,
    ) -> Step:
        """The step that a forward pass gives; `kept` is what `Step.once` shall know already.

        Args:
            posterior: Of the batch; None without an encoder.
            z: Latents that were decoded, (B, L).
            logits: What the decoder gave, (B, C, H, W).
            target: Images that these are compared with, (B, C, H, W) from 0 to 1.
            kept: What `Step.once` shall know already, by its keys.
        """
        step = Step(
            batch=self.batch,
            posterior=posterior,
            z=z,
            logits=logits,
            target=target,
            model=self.model,
            parts=self.parts,
            global_step=self.global_step,
            dataset_size=self.dataset_size,
            streams=self.streams,
        )
        for key, value in (kept or {}).items():
            step.once(key, lambda value=value: value)  # type: ignore[misc]
        return step


@final
@dataclass(frozen=True)
class Step:
    """All that a term may look at in one optimiser step.

    Attributes:
        batch: The images.
        posterior: q(z given x) of the images that are encoded; None where nothing is encoded.
        z: Latents that were decoded, or of which what was decoded is made, (B, L).
        logits: Decoder output before the sigmoid, (B, C, H, W).
        target: Images that the logits should give, (B, C, H, W).
        model: The VAE.
        parts: Further networks, by name.
        global_step: Optimiser step, from 1.
        dataset_size: Number of images trained on.
        streams: Keyed random draws.
    """

    batch: Batch
    posterior: Posterior | None
    z: Tensor
    logits: Tensor
    target: Tensor
    model: VAE
    parts: Parts
    global_step: int
    dataset_size: int
    streams: Streams
    _shared: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def gaussian(self) -> DiagonalGaussian:
        """The posterior, for a term that declares that it needs one."""
        assert isinstance(self.posterior, DiagonalGaussian)
        return self.posterior

    @property
    def means(self) -> Tensor:
        """Means of the posterior, or codes without noise, (B, L), for a term that needs codes."""
        assert self.posterior is not None
        return self.posterior.mean

    def once(self, key: str, make: Callable[[], T]) -> T:
        """The value that several terms share, computed at most once a step."""
        if key not in self._shared:
            self._shared[key] = make()
        value: T = self._shared[key]
        return value


@final
@dataclass(frozen=True)
class PlayerOptimizer:
    """Adam settings of a player other than the model.

    Attributes:
        lr: Learning rate.
        beta1: Decay of the mean of gradients.
        beta2: Decay of the mean of their squares.
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999


@final
@dataclass(frozen=True)
class Player:
    """Parameters that minimise a loss of their own.

    Attributes:
        name: Name in logs and checkpoints.
        parts: Names of the parts whose parameters it owns.
        loss: From the step to the scalar that it minimises.
        optimizer: Its optimiser.
        eager: Whether it steps before the next player's loss is evaluated.
        unit: Unit of its loss; empty for a plain number.
    """

    name: str
    parts: tuple[str, ...]
    loss: Callable[[Step], Tensor]
    optimizer: PlayerOptimizer
    eager: bool = False
    unit: str = "nats an image"


class Term(Component):
    """One summand of an objective.

    Class attributes:
        reads: Of latents: `posterior`, their distribution; `codes`, values of them; or `nothing`.
        in_elbo: Whether it is part of a method's evidence lower bound.
    """

    family: ClassVar[str] = "term"
    reads: ClassVar[Literal["posterior", "codes", "nothing"]] = "codes"
    in_elbo: ClassVar[bool] = False

    @property
    def unit(self) -> str:
        """Unit of the raw value; empty for a plain number."""
        return "nats an image"

    @property
    def min_batch(self) -> int:
        """Smallest batch in which it means something."""
        return 1

    @property
    def needs(self) -> Needs:
        """What its batches must hold beside images."""
        return Needs()

    @property
    def needs_float32(self) -> bool:
        """Whether it repeats published numbers, which automatic precision must not blur.

        So it is with any `compat`.
        """
        return _repeats_published(self)

    def check(self, setup: Setup) -> None:
        """Refuse what it cannot be trained with, before any work.

        Raises:
            SpecError: The message says why, and what to change.
        """

    def labels_read(self, setup: Setup) -> tuple[str, ...]:
        """Names of the factors whose values it reads; all of them where it needs factors.

        Images that are scored can only have values of these that were trained on.
        """
        return _labels_of(self, setup)

    @abstractmethod
    def value(self, step: Step) -> Tensor:
        """The unweighted value, a scalar averaged over the batch."""

    @abstractmethod
    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """What is minimised, from the unweighted value and the global step."""

    @property
    def watched(self) -> tuple[str, ...]:
        """Names of further numbers that are logged, and minimised by nobody."""
        return ()

    def watch(self, step: Step) -> tuple[Tensor, ...]:
        """These numbers, scalars in their order; called last, without gradients."""
        return ()

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """Networks that the term brings; called with the meta device as default."""
        return {}

    def players(self) -> tuple[Player, ...]:
        """Players that the term brings."""
        return ()


class WeightedTerm(Term):
    """Family of terms that are minimised times a weight, which may change over time."""

    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value."""
        return value_at(self.weight, step) * raw


class Method(Component):
    """A published algorithm by name; expands to a forward pass and terms.

    Class attributes:
        latent: Where the latents come from that are decoded.
        compares_factors: Whether it reads of factors only which of them differ between images.
    """

    family: ClassVar[str] = "method"
    latent: ClassVar[Latent] = "posterior"
    compares_factors: ClassVar[bool] = False
    """Then those of a dataset that is scored may have other values than in training."""

    @property
    def needs(self) -> Needs:
        """What its batches must hold beside images."""
        return Needs()

    @property
    def needs_float32(self) -> bool:
        """Whether it repeats published numbers by itself, as its terms may, too."""
        return _repeats_published(self)

    @property
    def architecture(self) -> Architecture | None:
        """The architecture that it is trained with when none is named, where it needs its own."""
        return None

    def check(self, setup: Setup) -> None:
        """Refuse what it cannot be trained with, before any work.

        Raises:
            SpecError: The message says why, and what to change.
        """

    def labels_read(self, setup: Setup) -> tuple[str, ...]:
        """Names of the factors whose values it reads; all of them where it needs factors.

        Images that are scored can only have values of these that were trained on. A method that
        compares factors reads no values.
        """
        return () if self.compares_factors else _labels_of(self, setup)

    def conditions(self, setup: Setup) -> Conditions | None:
        """Labels that the model is told, for a conditional method."""
        return None

    def given(self, space: FactorSpace) -> FactorCodes | None:
        """What a decoder alone is given in the place of latents; None where there is an encoder.

        Args:
            space: The factors of the whole dataset, also where a part of it is trained on.
        """
        return None

    @abstractmethod
    def terms(self) -> tuple[Term, ...]:
        """Its terms, the reconstruction first."""

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """Networks that the method brings; called with the meta device as default."""
        return {}

    def players(self) -> tuple[Player, ...]:
        """Players that the method brings."""
        return ()

    def forward(self, inputs: Inputs) -> Step:
        """Encode, sample, decode, with labels where the model is told some.

        A method with another forward pass replaces this.
        """
        model, images = inputs.model, inputs.batch.images
        told = model.condition(inputs.batch.factors)
        posterior = model.encode(images, told)
        z = posterior.sample(inputs.streams.normal("posterior", *posterior.mean.shape))
        logits = model.decode(z, told)
        return inputs.step(posterior=posterior, z=z, logits=logits, target=images)


def _labels_of(source: Method | Term, setup: Setup) -> tuple[str, ...]:
    """Names of all factors, where a method or term needs those of images."""
    needs = source.needs
    if not needs.factors and needs.labelled is None:
        return ()
    return setup.labels(source.name).names


def _repeats_published(component: Component) -> bool:
    return bool(getattr(component, "compat", "none") != "none")
