"""Which project a checkpoint comes from, and what models of it may hold."""

from __future__ import annotations

__all__ = ["CHECKPOINTS", "PROJECTS", "Project", "candidates", "detect"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.errors import CheckpointError
from unweave.importing.convert import DISVAE_NAMES
from unweave.importing.files import Content
from unweave.importing.lie import is_generator
from unweave.importing.networks import Candidate, fit
from unweave.nn import (
    Architecture,
    BetaCeleb,
    BetaShapes,
    Burgess,
    BurgessV2,
    DeepLinear,
    Higgins,
    Kim,
    Mathieu,
    Mpcnn,
    PadlessConv64,
    Pair,
    ShallowLinear,
    SimpleConv64,
)

Project: TypeAlias = Literal["disvae", "clg", "dpt", "dag"]

PROJECTS: Final[dict[str, str]] = {
    "disvae": "disentangling-vae",
    "clg": "Commutative Lie Group VAE",
    "dpt": "Disentanglement-PyTorch",
    "dag": "disent-and-gen",
}
"""By their short names."""

CHECKPOINTS: Final = "model_states"
"""Where Disentanglement-PyTorch keeps the weights within its checkpoints."""

# What no other project builds, so that layers alone tell whose they are.
_ONLY_DAG: Final = (BurgessV2(), Mathieu(), Mpcnn())
_SHARED: Final = (Burgess(), Kim(), Higgins())


def candidates(project: str, architecture: Architecture | None) -> list[Candidate]:
    """The networks that a model of a project may have; only that of an architecture, if given."""
    if architecture is not None:
        pair = architecture if isinstance(architecture, Pair) else None
        encode = pair.encode if pair else architecture
        decode = pair.decode if pair else architecture
        split = isinstance(encode, ShallowLinear | DeepLinear)
        return [Candidate(encode, decode, each) for each in ((False, True) if split else (False,))]
    if project == "clg":
        return [Candidate(each, each) for each in (BetaCeleb(), BetaShapes())]
    if project == "dag":
        known = (Burgess(), BurgessV2(), Kim(), Mathieu(), Mpcnn(), Higgins())
        return [Candidate(each, each) for each in known]
    simple = SimpleConv64()
    found = []
    for encode in (simple, PadlessConv64(), ShallowLinear(), DeepLinear()):
        dense = isinstance(encode, ShallowLinear | DeepLinear)
        for decode in (simple, ShallowLinear(), DeepLinear()):
            # The decoder of both convolutional architectures is one and the same.
            own = encode if isinstance(encode, PadlessConv64) and decode == simple else decode
            found.append(Candidate(encode, own, split=dense))
    return found


def detect(content: Content, path: Path) -> Project:
    """Whose checkpoint a file is, where that is beyond doubt.

    Raises:
        CheckpointError: Several projects have models of these layers.
    """
    value = content.value
    if isinstance(value, dict) and CHECKPOINTS in value:
        return "dpt"
    tensors = _tensors(value)
    if tensors is None or any(_is_of_disvae(name) for name in tensors):
        return "disvae"
    if any(is_generator(array) for array in tensors.values()):
        return "clg"
    if (path.parent / "args.pt").exists():
        return "clg"
    if _has(tensors, [Candidate(each, each) for each in _ONLY_DAG]):
        return "dag"
    if _has(tensors, [Candidate(each, each) for each in _SHARED]):
        raise CheckpointError(
            f"{path} has layers that models of several projects have, and their heads differ: say "
            "with --from whether it is of clg, dag or disvae."
        )
    return "disvae"


def _tensors(value: Any) -> Mapping[str, NDArray[Any]] | None:
    """A state dict, or None where it is something else."""
    if not isinstance(value, dict):
        return None
    if all(type(k) is str and isinstance(v, np.ndarray) for k, v in value.items()):
        return value
    return None


def _is_of_disvae(name: str) -> bool:
    return name in DISVAE_NAMES or "mu_logvar_gen" in name


def _has(tensors: Mapping[str, NDArray[Any]], known: list[Candidate]) -> bool:
    """Whether a state dict has the layers of one of these."""
    try:
        fit(tensors, known, "any project")
    except CheckpointError:
        return False
    return True
