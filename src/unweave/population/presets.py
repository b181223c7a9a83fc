"""The populations of PBT-VAE and rPU-VAE, by name.

References:
    | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
    | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
"""

from __future__ import annotations

__all__ = ["POPULATION_PRESETS", "PopulationPreset", "population_preset"]

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, final

from unweave.errors import SpecError, nearest
from unweave.population.published import EXPLOIT, EXPLORE, LEAST, SHRINK, STOP, published_tuned

# A population that is judged without labels has no last round of its own: it ends by its rules.
_NEVER = 1000


@final
@dataclass(frozen=True, kw_only=True)
class PopulationPreset:
    """Arguments of `make_population`, by name; what is given beside them wins.

    Attributes:
        name: `<source>/<experiment>`.
        about: One sentence.
        arguments: `dataset`, `objective` and all others.
    """

    name: str
    about: str
    arguments: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Close the arguments: all callers share them."""
        object.__setattr__(self, "arguments", MappingProxyType(dict(self.arguments)))

    def scaled(self, scale: float) -> PopulationPreset:
        """The same with rounds of another length.

        Raises:
            SpecError: The scale is not above 0 and at most 1.
        """
        if not 0 < scale <= 1:
            raise SpecError(f"--scale must be more than 0 and at most 1, but is {scale:g}.")
        scaled = {"passes": self.arguments["passes"] * scale}
        if "least" in self.arguments:
            scaled["least"] = max(1, round(self.arguments["least"] * scale))
        return replace(self, arguments={**self.arguments, **scaled})


_TRAINING: Final = {
    "dataset": "shapes3d",
    "objective": "beta_tcvae(estimator=weighted)",
    "architecture": "pbt_vae",
    "optimizer": "adam(lr=0.001)",
    "latents": 10,
    "precision": "float32",
}
_RULES: Final = {
    "members": 56,
    "passes": 1.0,
    "tune": published_tuned(),
    "fit_batches": True,
    "exploit": EXPLOIT,
    "explore": EXPLORE,
}

POPULATION_PRESETS: Final[dict[str, PopulationPreset]] = {
    preset.name: preset
    for preset in (
        PopulationPreset(
            name="rpu/x_run",
            about="Members of five models that agree, until their agreement grows no more.",
            arguments={
                **_TRAINING,
                **_RULES,
                "fitness": "udr(compat=rpu)",
                "models": 5,
                "rounds": _NEVER,
                "stop": STOP,
                "seed": 2,
            },
        ),
        PopulationPreset(
            name="rpu/leaf_run",
            about="The same on the images of one cell, at least 10,000 images a round.",
            arguments={
                **_TRAINING,
                **_RULES,
                "least": LEAST,
                "fitness": "udr(compat=rpu)",
                "models": 5,
                "rounds": _NEVER,
                "stop": STOP,
                "seed": 0,
            },
        ),
        PopulationPreset(
            name="rpu/final",
            about="Single models, ranked by surrogate labels of leaf-runs: give their files.",
            arguments={
                **_TRAINING,
                **_RULES,
                "fitness": "leaf_mig(compat=rpu)",
                "rounds": 17,
                "seed": 2,
                "further": {"shrink": SHRINK},
            },
        ),
        PopulationPreset(
            name="rpu/reference",
            about="Single models, ranked by MIG with true labels; reference(labels=K) has K of "
            "them.",
            arguments={
                **_TRAINING,
                **_RULES,
                "fitness": "mig(protocol=rpu)",
                "rounds": 28,
                "seed": 0,
                "further": {"shrink": SHRINK},
            },
        ),
    )
}
"""The published populations, for 3DShapes; another dataset can be named beside each."""

_REFERENCE = re.compile(r"(rpu/reference)\(labels=(\d+)\)")


def population_preset(name: str, scale: float = 1.0) -> PopulationPreset:
    """The population of that name.

    Args:
        name: Such as `rpu/x_run`, or `rpu/reference(labels=1000)`.
        scale: Length of its rounds as a part of the published one.

    Raises:
        SpecError: There is none, or the scale is not above 0 and at most 1.
    """
    match = _REFERENCE.fullmatch(name.replace(" ", ""))
    found = POPULATION_PRESETS.get(match[1] if match else name)
    if found is None:
        raise SpecError(
            f"Unknown preset of a population {name!r:.100}. {nearest(name, POPULATION_PRESETS)}"
        )
    if match:
        fitness = f"mig(protocol=rpu, labels={match[2]})"
        found = replace(found, name=name, arguments={**found.arguments, "fitness": fitness})
    return found.scaled(scale)
