"""The commutative Lie group VAE: its two configurations, and its ablations."""

from __future__ import annotations

__all__ = ["clg_studies"]

from collections.abc import Iterator
from typing import Final

from unweave.presets import preset
from unweave.studies.axes import seed_axis
from unweave.studies.published.base import PublishedStudy, requested
from unweave.studies.spec import ScoreRequest

_SOURCE: Final = "Zhu, Xu and Tao (2021), arXiv 2106.03375, and its public code"
_RUNS: Final = 10
_TEST_LOSSES: Final = ScoreRequest(metrics=("test_losses",))

_NO_PENALTY: Final = "components_lie_group"
# Study: what it is, and the presets of its rows.
_STUDIES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "dsprites": ("Ten runs on dsprites, as the readme trains them.", ("dsprites",)),
    "shapes3d": ("Ten runs on shapes3d, as the readme trains them.", ("shapes3d",)),
    "components": (
        "Table 1: no group, a bottleneck without the exponential, and the Lie group VAE.",
        ("components_vae", "components_bottleneck", _NO_PENALTY),
    ),
    "group_size": (
        "Table 2: matrices of two to ten rows.",
        (*(f"group_size_{size}" for size in (4, 9, 25, 64, 81)), "commutator_40"),
    ),
    "commutator": (
        "Table 3: weights of the commutator.",
        (_NO_PENALTY, *(f"commutator_{weight}" for weight in (1, 5, 20, 40, 80))),
    ),
    "hessian": (
        "Table 4: weights of the Hessian.",
        (_NO_PENALTY, *(f"hessian_{weight}" for weight in (1, 5, 20, 40, 80))),
    ),
    "beta_vae": (
        "The beta-VAE that the ablations are compared with.",
        tuple(f"beta_vae_{beta}" for beta in (2, 5, 10)),
    ),
}


def clg_studies() -> Iterator[PublishedStudy]:
    """Ten runs of each configuration: those of the readme, and Tables 1 to 4 of the paper.

    The source has no seeds; here runs have 0 to 9. What differs, and what is doubtful, is said of
    the presets, `unweave.presets.clg`.
    """
    for name, (about, rows) in _STUDIES.items():
        presets = [f"clg/{row}" for row in rows]
        yield PublishedStudy(
            name=f"clg/{name}",
            about=about,
            source=_SOURCE,
            axes=(tuple({"preset": each} for each in presets), tuple(seed_axis(_RUNS))),
            scores=(*requested(preset(presets[0])), _TEST_LOSSES),
        )
