"""Recursions by name: the published one, and a small one.

References:
    | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
    | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
"""

from __future__ import annotations

__all__ = ["RECURSION_PRESETS", "make_recursion"]

from typing import Any, Final

from unweave.data import DatasetSpec
from unweave.errors import SpecError, nearest
from unweave.population.making import make_population
from unweave.population.presets import population_preset
from unweave.population.published import LEAST
from unweave.population.recursion.reduction import Reduction, RpuReduction
from unweave.population.recursion.spec import Recursion
from unweave.spec import build, parse

RECURSION_PRESETS: Final = {
    "rpu/published": "Three leaf-runs, populations of 56 members, rules of the released code.",
    "rpu/tiny": "One leaf-run, four members of two models, three rounds; minutes on two cores.",
}
"""Recursions, each with a sentence."""

_TINY: Final[dict[str, Any]] = {
    "members": 4,
    "rounds": 3,
    "images": 20_000,
    "tune": (
        "optimizer.lr=log_uniform(low=3e-4, high=3e-3)",
        "objective.beta=log_uniform(low=2, high=16)",
    ),
    "batch_size": 64,
    "latents": 6,
}


def make_recursion(
    dataset: DatasetSpec | str | None = None,
    preset: str = "rpu/tiny",
    *,
    scale: float = 1.0,
    seed: int = 0,
    reduction: Reduction | str | None = None,
    **given: Any,
) -> Recursion:
    """A recursion by name, on a dataset.

    Args:
        dataset: What is trained on; None for that of the preset.
        preset: One of `RECURSION_PRESETS`.
        scale: Length of rounds as a part of the preset's.
        seed: Seed of every draw; different ones of the three kinds of populations come of it.
        reduction: From codes to labels and to a cell; None for that of the preset.
        **given: Other fields of `Recursion`, such as `leaf_runs`, in the place of the preset's.

    Raises:
        SpecError: There is no such preset, or a setting is wrong.
    """
    if preset not in RECURSION_PRESETS:
        raise SpecError(
            f"Unknown preset of a recursion {preset!r:.100}. {nearest(preset, RECURSION_PRESETS)}"
        )
    if not 0 < scale <= 1:
        raise SpecError(f"--scale must be more than 0 and at most 1, but is {scale:g}.")
    chosen = parse(reduction, Reduction) if isinstance(reduction, str) else reduction
    make = _published if preset == "rpu/published" else _tiny
    fields = make(dataset, scale, seed)
    if chosen is not None:
        fields["reduction"] = chosen
    return build(Recursion, fields | given)


def _published(dataset: DatasetSpec | str | None, scale: float, seed: int) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for offset, (name, which) in enumerate(
        (("first", "rpu/x_run"), ("leaf", "rpu/leaf_run"), ("final", "rpu/final"))
    ):
        arguments = dict(population_preset(which, scale).arguments)
        arguments["seed"] = seed + offset
        if dataset is not None:
            arguments["dataset"] = dataset
        fields[name] = make_population(**arguments)
    least = max(1, round(LEAST * scale))
    return fields | {"reduction": RpuReduction(), "merge": None, "leaf_runs": 3, "least": least}


def _tiny(dataset: DatasetSpec | str | None, scale: float, seed: int) -> dict[str, Any]:
    images = max(1, round(_TINY["images"] * scale))
    shared = {
        **_TINY,
        "images": images,
        "dataset": "dsprites(grid=(3, 6, 1, 16, 16))" if dataset is None else dataset,
        "objective": "beta_tcvae",
    }
    unlabelled = {**shared, "fitness": "udr", "models": 2, "stop": "hopeless"}
    return {
        "first": make_population(**unlabelled, seed=seed),
        "leaf": make_population(**unlabelled, seed=seed + 1),
        "final": make_population(**shared, fitness="leaf_mig", seed=seed + 2),
        "leaf_runs": 1,
        "levels": 2,
        "least": images,
    }
