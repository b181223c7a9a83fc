"""Settings of published experiments and of the demo, by name."""

from __future__ import annotations

__all__ = ["PRESETS", "Preset", "preset"]

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

from unweave.errors import SpecError, nearest


@final
@dataclass(frozen=True)
class Preset:
    """A named set of training settings; flags given beside it win.

    Attributes:
        name: `<source>/<experiment>`.
        about: One sentence.
        dataset: Text of the dataset.
        objective: Text of the objective.
        settings: Further arguments of `unweave.train`.
    """

    name: str
    about: str
    dataset: str
    objective: str
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Close the settings: all callers share them."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))


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


_ALIASES = {"disentangling-vae": "disvae"}


def _disvae(experiment: str, objective: str, lr: float) -> Preset:
    """An experiment of disentangling-vae on dSprites: 30 epochs of batches of 64, seed 1234.

    The published FactorVAE runs count a batch of 128, of which half is the second batch, and twice
    the epochs; that is the same number of steps.
    """
    return Preset(
        name=f"disvae/{experiment}",
        about=f"The {experiment} experiment of disentangling-vae, at full length.",
        dataset="dsprites",
        objective=objective,
        settings={"epochs": 30, "batch_size": 64, "latents": 10, "lr": lr, "seed": 1234},
    )


_WARM = "linear(start=0, stop={stop}, steps=10000)"
_TC = f"beta={{beta}}, gamma={_WARM.format(stop=1)}, compat=disvae"

PRESETS: dict[str, Preset] = {
    entry.name: entry
    for entry in (
        Preset(
            name="demo",
            about="A model on rendered dSprites in a few minutes; what `unweave demo` trains.",
            dataset="dsprites",
            objective="beta_tcvae(beta=8)",
            settings={"steps": 4000, "batch_size": 64, "lr": 2e-3, "seed": 0},
        ),
        _disvae("VAE_dsprites", f"vae(kl={_WARM.format(stop=1)})", 5e-4),
        _disvae("betaH_dsprites", f"beta_vae(beta={_WARM.format(stop=4)})", 5e-4),
        _disvae(
            "betaB_dsprites",
            "annealed_vae(gamma=100, capacity=linear(start=0, stop=25, steps=100000))",
            1e-3,
        ),
        _disvae("factor_dsprites", f"factor_vae(gamma={_WARM.format(stop=6.4)}, lr=0.0001)", 1e-4),
        _disvae("btcvae_dsprites", f"beta_tcvae({_TC.format(beta=6.4)})", 5e-4),
        _disvae("best_dsprites", f"beta_tcvae(alpha=-5, {_TC.format(beta=10)})", 5e-4),
    )
}
