"""All presets, and how they are looked up."""

from __future__ import annotations

__all__ = ["NUMBERED", "PRESETS", "preset", "presets_of"]

from unweave.errors import SpecError, nearest
from unweave.presets.base import Preset
from unweave.presets.clg import clg_presets
from unweave.presets.dag import dag_presets
from unweave.presets.dag_composition import dag_composition_presets, lls_composition_presets
from unweave.presets.dag_decoders import dag_decoder_presets
from unweave.presets.disvae import disvae_presets
from unweave.presets.dlib import DLIB_MODELS
from unweave.presets.dpt import dpt_presets
from unweave.presets.numbered import NumberedPresets

_ALIASES = {
    "disentangling-vae": "disvae",
    "disentanglement-pytorch": "dpt",
    "disent-and-gen": "dag",
    "lost-in-latent-space": "lls",
    "lie-group-vae": "clg",
    "disentanglement-lib": "dlib",
    "disentanglement_lib": "dlib",
}

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
        *dag_presets(),
        *dag_composition_presets(),
        *lls_composition_presets(),
        *dag_decoder_presets(),
        *clg_presets(),
    )
}
"""The presets that have names of their own."""

NUMBERED: dict[str, NumberedPresets] = {each.source: each for each in (DLIB_MODELS,)}
"""Sources whose presets are told apart by a number; `preset` makes them."""


def preset(name: str) -> Preset:
    """The preset of that name; the long names of sources are aliases.

    Raises:
        SpecError: There is none.
    """
    source, _, experiment = name.partition("/")
    source = _ALIASES.get(source, source)
    found = PRESETS.get(f"{source}/{experiment}" if experiment else name)
    if found is None and source in NUMBERED:
        found = NUMBERED[source].find(experiment)
    if found is None:
        raise SpecError(f"Unknown preset {name!r:.100}. {_advice(source, experiment, name)}")
    return found


def presets_of(name: str) -> tuple[Preset, ...]:
    """The preset of that name, or all that a source has by names of their own.

    Raises:
        SpecError: There is none.
    """
    source = _ALIASES.get(name, name)
    found = tuple(each for each in PRESETS.values() if each.name.startswith(f"{source}/"))
    return found or (preset(name),)


def _advice(source: str, experiment: str, name: str) -> str:
    """What there is instead: of the source, where it is one."""
    if source in NUMBERED:
        return f"Those of {source} are {NUMBERED[source].span}, by model number."
    own = [each for each in PRESETS if each.startswith(f"{source}/")]
    if own:
        return nearest(f"{source}/{experiment}", own)
    every = [*PRESETS, *(each.name for each in NUMBERED.values())]
    return nearest(name, every, otherwise="`unweave presets` lists them.")
