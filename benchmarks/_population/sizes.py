"""How large the populations of the study are."""

from __future__ import annotations

__all__ = ["FULL", "TINY", "Sizes"]

import dataclasses
from dataclasses import dataclass
from typing import Any, Final, final

from unweave.population import Population, make_population
from unweave.population.exploit import NoExploit, Truncation
from unweave.population.recursion.spec import Recursion


@final
@dataclass(frozen=True)
class Sizes:
    """Numbers of the protocol.

    Attributes:
        data: Text of the dataset.
        seeds: One for each repeat.
        members: Of searches.
        rounds: Of searches.
        images: That a model of a search is trained on in a round.
        labels: Images with labels.
        settings: Further settings of all trainings.
        first: Members, models, rounds and images of the first population of a recursion.
        least: Images of a round of a leaf-run.
        leaf_runs: How many.
        levels: At most.
        final: Members, rounds and images of the final population.
    """

    data: str
    seeds: tuple[int, ...]
    members: int
    rounds: int
    images: int
    labels: int
    settings: dict[str, Any]
    first: tuple[int, int, int, int]
    least: int
    leaf_runs: int
    levels: int
    final: tuple[int, int, int]

    def search(self, seed: int, *, exploit: bool) -> Population:
        """Population based training, or random search that begins with the same members."""
        return make_population(
            self.data,
            "beta_tcvae",
            f"mig(labels={self.labels})",
            members=self.members,
            rounds=self.rounds,
            images=self.images,
            tune=(
                "optimizer.lr=log_uniform(low=1e-5, high=0.1)",
                "objective.beta=log_uniform(low=1, high=100)",
            ),
            exploit=Truncation(fraction=0.25) if exploit else NoExploit(),
            seed=seed,
            **self.settings,
        )

    def unsupervised(self, seed: int, rounds: int | None = None) -> Population:
        """The first population of a recursion, or the same with more rounds."""
        members, models, usual, images = self.first
        return make_population(
            self.data,
            "beta_tcvae",
            "udr",
            members=members,
            models=models,
            rounds=usual if rounds is None else rounds,
            images=images,
            tune=_NARROW,
            exploit=Truncation(fraction=0.25),
            seed=seed,
            **self.settings,
        )

    def recursion(self, seed: int) -> Recursion:
        """The recursion."""
        first = self.unsupervised(seed)
        members, rounds, images = self.final
        final_one = make_population(
            self.data,
            "beta_tcvae",
            "leaf_mig",
            members=members,
            rounds=rounds,
            images=images,
            tune=_NARROW,
            exploit=Truncation(fraction=0.25),
            seed=seed + 200,
            **self.settings,
        )
        return Recursion(
            first=first,
            leaf=dataclasses.replace(first, seed=seed + 100),
            final=final_one,
            leaf_runs=self.leaf_runs,
            levels=self.levels,
            least=self.least,
        )


_NARROW: Final = (
    "optimizer.lr=log_uniform(low=3e-4, high=3e-3)",
    "objective.beta=log_uniform(low=2, high=32)",
)

FULL: Final = Sizes(
    data="dsprites(grid=(3, 6, 1, 32, 32))",
    seeds=(1, 2, 3, 4, 5),
    members=8,
    rounds=5,
    images=24_000,
    labels=1000,
    settings={},
    first=(4, 2, 3, 16_000),
    least=8_000,
    leaf_runs=2,
    levels=2,
    final=(6, 4, 16_000),
)
"""Those of the protocol."""

TINY: Final = Sizes(
    data="dsprites(grid=(3, 6, 1, 8, 8))",
    seeds=(1, 2, 3),
    members=3,
    rounds=2,
    images=64,
    labels=50,
    settings={"batch_size": 16, "latents": 4},
    first=(2, 2, 1, 64),
    least=32,
    leaf_runs=1,
    levels=1,
    final=(2, 1, 64),
)
"""So small that all of it runs in a minute."""
