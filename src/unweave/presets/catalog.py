"""All presets, and how they are looked up."""

from __future__ import annotations

__all__ = ["PRESETS", "preset"]

from unweave.errors import SpecError, nearest
from unweave.presets.base import Preset
from unweave.presets.disvae import disvae_presets
from unweave.presets.dpt import dpt_presets

_ALIASES = {"disentangling-vae": "disvae", "disentanglement-pytorch": "dpt"}

_DEMO = Preset(
    name="demo",
    about="A model on rendered dSprites in a few minutes; what `unweave demo` trains.",
    dataset="dsprites",
    objective="beta_tcvae(beta=4)",
    settings={"steps": 6000, "batch_size": 64, "lr": 2e-3, "seed": 0},
)

PRESETS: dict[str, Preset] = {
    entry.name: entry
    for entry in (
        _DEMO,
        *disvae_presets(),
        *dpt_presets(),
    )
}


def preset(name: str) -> Preset:
    """The preset of that name; the long names of sources are aliases.

    Raises:
        SpecError: There is none.
    """
    source, _, experiment = name.partition("/")
    found = f"{_ALIASES.get(source, source)}/{experiment}" if experiment else name
    if found not in PRESETS:
        raise SpecError(f"Unknown preset {name!r}. {nearest(name, PRESETS)}")
    return PRESETS[found]
