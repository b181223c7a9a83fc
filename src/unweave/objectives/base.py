"""The contract between objectives and the training loop: Step, Term, Player, Method, Plan."""

from __future__ import annotations

__all__ = ["Batch", "Method", "Parts", "Plan", "Player", "PlayerOptimizer", "Step", "Term"]

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar, final

from torch import Tensor, nn

from unweave.latents import DiagonalGaussian
from unweave.randomness import Streams
from unweave.spec import Component
from unweave.vae import VAE

T = TypeVar("T")
Parts = Mapping[str, nn.Module]
BatchKind = Literal["single", "second"]


@final
@dataclass(frozen=True)
class Batch:
    """The images of one optimiser step.

    Attributes:
        images: Pixels in [0, 1], (B, C, H, W) float32.
        second: Another independent batch of the same shape, for methods that ask for it.
    """

    images: Tensor
    second: Tensor | None = None


@final
@dataclass(frozen=True)
class Step:
    """All that a term may look at in one optimiser step.

    Attributes:
        batch: The images.
        posterior: q(z given x) of the images that are encoded.
        z: Latents that were decoded, (B, L).
        logits: Decoder output before the sigmoid, (B, C, H, W).
        target: Images that the logits should give, (B, C, H, W).
        model: The VAE.
        parts: Further networks, by name.
        global_step: Optimiser step, from 1.
        dataset_size: Number of images trained on.
        streams: Keyed random draws.
    """

    batch: Batch
    posterior: DiagonalGaussian
    z: Tensor
    logits: Tensor
    target: Tensor
    model: VAE
    parts: Parts
    global_step: int
    dataset_size: int
    streams: Streams
    _shared: dict[str, Any] = field(default_factory=dict, repr=False)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """The value that several terms share, computed at most once a step."""
        if key not in self._shared:
            self._shared[key] = make()
        value: T = self._shared[key]
        return value


@final
@dataclass(frozen=True)
class PlayerOptimizer:
    """Adam settings of a player other than the model."""

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
        loss: From the step to the scalar that it minimises, nats.
        optimizer: Its optimiser.
        eager: Whether it steps before the next player's loss is evaluated.
    """

    name: str
    parts: tuple[str, ...]
    loss: Callable[[Step], Tensor]
    optimizer: PlayerOptimizer
    eager: bool = False


class Term(Component):
    """One summand of an objective.

    Class attributes:
        unit: Unit of the raw value.
        batch: The batch it needs.
        in_elbo: Whether it is part of a method's evidence lower bound.
        min_batch: Smallest batch in which it means something.
    """

    family: ClassVar[str] = "term"
    unit: ClassVar[str] = "nats an image"
    batch: ClassVar[BatchKind] = "single"
    in_elbo: ClassVar[bool] = False
    min_batch: ClassVar[int] = 1

    @property
    def needs_float32(self) -> bool:
        """Whether it repeats published numbers, which automatic precision must not blur."""
        return False

    @abstractmethod
    def value(self, step: Step) -> Tensor:
        """The unweighted value, a scalar averaged over the batch."""

    @abstractmethod
    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """What is minimised, from the unweighted value and the global step."""

    def parts(self, latents: int) -> dict[str, nn.Module]:
        """Networks that the term brings; called with the meta device as default."""
        return {}

    def players(self) -> tuple[Player, ...]:
        """Players that the term brings."""
        return ()


@final
@dataclass(frozen=True)
class Plan:
    """An objective, expanded: what the loop needs and nothing else.

    Attributes:
        batch: Kind of batch.
        forward: From model, parts, batch, streams, global step and dataset size to a `Step`.
        terms: Summands of the model's loss, by name.
        players: Further players, in order.
        sources: Terms and methods that may bring parts.
    """

    batch: BatchKind
    forward: Callable[[VAE, Parts, Batch, Streams, int, int], Step]
    terms: Mapping[str, Term]
    players: tuple[Player, ...]
    sources: tuple[Term | Method, ...]

    @property
    def min_batch(self) -> int:
        """Smallest batch that every term can work with."""
        return max(term.min_batch for term in self.terms.values())

    @property
    def needs_float32(self) -> bool:
        """Whether a term repeats published numbers."""
        return any(term.needs_float32 for term in self.terms.values())

    def make_parts(self, latents: int) -> dict[str, nn.Module]:
        """Build the further networks; called with the meta device as default."""
        made: dict[str, nn.Module] = {}
        for source in self.sources:
            made.update(source.parts(latents))
        return made

    def losses(self, step: Step) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """The model's loss, and the raw and weighted value of each term."""
        raw = {name: term.value(step) for name, term in self.terms.items()}
        weighted = {
            name: term.weigh(raw[name], step.global_step) for name, term in self.terms.items()
        }
        total = next(iter(weighted.values()))
        for name in list(weighted)[1:]:
            total = total + weighted[name]
        return total, raw, weighted


class Method(Component):
    """A published algorithm by name; expands to a forward pass and terms."""

    family: ClassVar[str] = "method"
    batch: ClassVar[BatchKind] = "single"

    @abstractmethod
    def terms(self) -> tuple[Term, ...]:
        """Its terms, the reconstruction first."""

    def parts(self, latents: int) -> dict[str, nn.Module]:
        """Networks that the method brings; called with the meta device as default."""
        return {}

    def players(self) -> tuple[Player, ...]:
        """Players that the method brings."""
        return ()

    @staticmethod
    def forward(
        model: VAE,
        parts: Parts,
        batch: Batch,
        streams: Streams,
        global_step: int,
        dataset_size: int,
    ) -> Step:
        """Encode, sample, decode; a method with another forward pass replaces this."""
        posterior = model.encode(batch.images)
        z = posterior.sample(streams.normal("posterior", *posterior.mean.shape))
        return Step(
            batch=batch,
            posterior=posterior,
            z=z,
            logits=model.decode(z),
            target=batch.images,
            model=model,
            parts=parts,
            global_step=global_step,
            dataset_size=dataset_size,
            streams=streams,
        )
