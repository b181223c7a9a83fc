"""An objective, expanded to what the training loop needs."""

from __future__ import annotations

__all__ = ["Plan"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from unweave.likelihoods import Likelihood
from unweave.nn.initialise import construct
from unweave.objectives.base import Inputs, Latent, Method, Player, Step, Term
from unweave.objectives.needs import Needs, Setup
from unweave.vae import VAE, no_encoder


@final
@dataclass(frozen=True)
class Plan:
    """An objective, expanded: what the loop needs and nothing else.

    Attributes:
        method: Whose forward pass it is.
        needs: What its batches must hold.
        terms: Summands of the model's loss, by name.
        players: Further players, in order.
        sources: Methods and terms, which may bring parts.
    """

    method: Method
    needs: Needs
    terms: Mapping[str, Term]
    players: tuple[Player, ...]
    sources: tuple[Method | Term, ...]

    @property
    def latent(self) -> Latent:
        """Where the latents come from that are decoded."""
        return self.method.latent

    @property
    def encodes(self) -> bool:
        """Whether its model has an encoder."""
        return self.latent != "given"

    def check_encodes(self, asker: str) -> None:
        """Refuse what needs codes of images, of a model without an encoder.

        Args:
            asker: What needs them.

        Raises:
            SpecError: There are none; the message says what can be done instead.
        """
        if not self.encodes:
            raise no_encoder(asker)

    @property
    def min_batch(self) -> int:
        """Smallest batch that every term can work with."""
        return max(term.min_batch for term in self.terms.values())

    @property
    def needs_float32(self) -> bool:
        """Whether a method or term repeats published numbers."""
        return any(source.needs_float32 for source in self.sources)

    @property
    def watched(self) -> tuple[str, ...]:
        """Names of further numbers that terms have logged."""
        return tuple(name for term in self.terms.values() for name in term.watched)

    def check(self, setup: Setup) -> None:
        """Refuse what a method or term cannot be trained with, before any work.

        Raises:
            SpecError: The message says why, and what to change.
        """
        self.needs.draws(setup.batch_size)
        if self.encodes:
            setup.architecture.check_encodes(self.method.name)
        for source in self.sources:
            source.check(setup)
        needs = self.needs
        if needs.factors or needs.sampler or needs.labelled or needs.codes:
            names = [s.name for s in self.sources if s.needs != Needs(second=s.needs.second)]
            setup.labels(" + ".join(dict.fromkeys(names)))

    def make_model(self, setup: Setup, likelihood: Likelihood, generator: torch.Generator) -> VAE:
        """A new model on the CPU whose weights are drawn from `generator`.

        Args:
            setup: What the model is trained for.
            likelihood: p(x given z).
            generator: Where first weights are drawn; on the CPU.
        """
        given = None
        if not self.encodes:
            given = self.method.given(setup.whole_space(self.method.name))
        return VAE.create(
            setup.architecture,
            setup.image_shape,
            setup.latents,
            likelihood,
            generator,
            conditions=self.method.conditions(setup),
            given=given,
            deterministic=self.latent == "codes",
        )

    def make_parts(self, setup: Setup, generator: torch.Generator) -> dict[str, nn.Module]:
        """The further networks by name, on the CPU, with weights drawn from `generator`."""

        def make() -> nn.ModuleDict:
            made: dict[str, nn.Module] = {}
            for source in self.sources:
                made.update(source.parts(setup))
            return nn.ModuleDict(made)

        return dict(construct(make, generator).items())

    def forward(self, inputs: Inputs) -> Step:
        """The forward pass of a step."""
        return self.method.forward(inputs)

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

    def watch(self, step: Step) -> list[Tensor]:
        """The numbers of `watched`, from what the losses have computed."""
        return [number for term in self.terms.values() for number in term.watch(step)]
