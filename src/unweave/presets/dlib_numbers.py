"""Model numbers of disentanglement_lib: the dataset, method, strength and seed of each."""

from __future__ import annotations

__all__ = ["DATASETS", "METHODS", "MODELS", "SEEDS", "DlibModel", "model_num", "model_of"]

from typing import Final, NamedTuple

from unweave.errors import SpecError, nearest

# The library's names, in the order in which it counts.
DATASETS: Final = (
    "dsprites_full",
    "color_dsprites",
    "noisy_dsprites",
    "scream_dsprites",
    "smallnorb",
    "cars3d",
    "shapes3d",
)
METHODS: Final[dict[str, tuple[float, ...]]] = {
    "beta_vae": (1, 2, 4, 6, 8, 16),
    "factor_vae": (10, 20, 30, 40, 50, 100),
    "dip_vae_i": (1, 2, 5, 10, 20, 50),
    "dip_vae_ii": (1, 2, 5, 10, 20, 50),
    "beta_tc_vae": (1, 2, 4, 6, 8, 10),
    "annealed_vae": (5, 10, 25, 50, 75, 100),
}
SEEDS: Final = 50

_STRENGTHS: Final = 6
_SETTINGS: Final = len(METHODS) * _STRENGTHS

MODELS: Final = len(DATASETS) * _SETTINGS * SEEDS
"""How many there are."""


class DlibModel(NamedTuple):
    """One model of the unsupervised study, in the library's words.

    Attributes:
        dataset: One of `DATASETS`.
        method: One of `METHODS`.
        strength: Which of the method's six strengths, from 0.
        seed: 0 to 49.
    """

    dataset: str
    method: str
    strength: int
    seed: int

    @property
    def value(self) -> float:
        """The strength itself: beta, gamma, the off-diagonal weight, or the final capacity."""
        return METHODS[self.method][self.strength]


def model_num(dataset: str, method: str, strength: int, seed: int) -> int:
    """The number under which the library trains, and published, a model.

    It is ((dataset * 36 + method * 6 + strength) * 50 + seed), of places in `DATASETS` and
    `METHODS`: 0 to 12,599. Those below 10,800, all but 3DShapes, were published as checkpoints.

    Args:
        dataset: The library's name of it.
        method: The library's name of it.
        strength: Which of the six, 0 to 5.
        seed: 0 to 49.

    Raises:
        SpecError: There is no such model.

    Example:
        >>> model_num("color_dsprites", "factor_vae", strength=2, seed=7)
        2207
    """
    for word, name, known in (("dataset", dataset, DATASETS), ("method", method, tuple(METHODS))):
        if name not in known:
            raise SpecError(
                f"disentanglement_lib has no {word} {name!r} in this study. {nearest(name, known)}"
            )
    for word, place, count in (("strength", strength, _STRENGTHS), ("seed", seed, SEEDS)):
        if not 0 <= place < count:
            raise SpecError(f"The {word} of a model is 0 to {count - 1}, not {place!r}.")
    model = (
        DATASETS.index(dataset) * _SETTINGS + list(METHODS).index(method) * _STRENGTHS + strength
    )
    return model * SEEDS + seed


def model_of(number: int) -> DlibModel:
    """The model of a number: the inverse of `model_num`.

    Raises:
        SpecError: There is no such number.

    Example:
        >>> model_of(10_799)
        DlibModel(dataset='cars3d', method='annealed_vae', strength=5, seed=49)
    """
    if not 0 <= number < MODELS:
        raise SpecError(f"Models have numbers from 0 to {MODELS - 1}, not {number!r}.")
    model, seed = divmod(number, SEEDS)
    dataset, model = divmod(model, _SETTINGS)
    method, strength = divmod(model, _STRENGTHS)
    return DlibModel(DATASETS[dataset], list(METHODS)[method], strength, seed)
