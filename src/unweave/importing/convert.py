"""From a state dict of disentangling-vae to the weights of our model, each in its place."""

from __future__ import annotations

__all__ = ["DISVAE_NAMES", "Converted", "convert"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.errors import CheckpointError
from unweave.importing.layers import check_numbers
from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture, Burgess
from unweave.vae import VAE

_HEAD = "encoder.mu_logvar_gen"
_KINDS = ("weight", "bias")
_ONLY_64 = ("encoder.conv_64", "decoder.convT_64")
_MOST_NAMED = 6

# In the order in which a batch passes; images of 32x32 pass without those of `_ONLY_64`.
_TRUNK = ("encoder.conv1", "encoder.conv2", "encoder.conv3", "encoder.conv_64", "encoder.lin1",
          "encoder.lin2")  # fmt: skip
_DECODER = ("decoder.lin1", "decoder.lin2", "decoder.lin3", "decoder.convT_64", "decoder.convT1",
            "decoder.convT2", "decoder.convT3")  # fmt: skip

DISVAE_NAMES = frozenset(
    f"{name}.{kind}" for name in (*_TRUNK, _HEAD, *_DECODER) for kind in _KINDS
)
"""What a state dict of disentangling-vae may hold."""


@final
@dataclass(frozen=True)
class Converted:
    """Weights of a `VAE`.

    Attributes:
        image_shape: (H, W, C).
        latents: Number of latents.
        state: What `VAE.load_state_dict` takes, float32.
        architecture: Whose weights they are.
        told: How many numbers stand for labels that the model is told; 0 where it is told none.
        deterministic: Whether the encoder gives codes without noise.
        assumed: What was taken for granted, since neither names nor shapes tell.
    """

    image_shape: tuple[int, int, int]
    latents: int
    state: dict[str, Tensor]
    architecture: Architecture = Burgess()  # noqa: RUF009
    told: int = 0
    deterministic: bool = False
    assumed: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(value.numel() for value in self.state.values())


def convert(tensors: Mapping[str, NDArray[Any]]) -> Converted:
    """Weights under our names, with image shape and number of latents read off their shapes.

    The rows of the published head take turns, mean and log variance of each latent; ours has all
    means first.

    Args:
        tensors: By their published names.

    Raises:
        CheckpointError: They are not those of that architecture, or not finite.
    """
    side = 64 if any(f"{name}.{kind}" in tensors for name in _ONLY_64 for kind in _KINDS) else 32
    trunk, decoder = (
        tuple(name for name in names if side == 64 or name not in _ONLY_64)
        for names in (_TRUNK, _DECODER)
    )
    expected = [f"{name}.{kind}" for name in (*trunk, _HEAD, *decoder) for kind in _KINDS]
    _check_names(tensors, expected)
    channels, latents = _sizes(tensors)
    image_shape = (side, side, channels)
    with torch.device("meta"):
        shapes = VAE(Burgess(), image_shape, latents, Bernoulli()).state_dict()
    ours: dict[str, str] = {}
    for prefix, theirs in (("trunk.", trunk), ("head.", (_HEAD,)), ("decoder.", decoder)):
        layers = dict.fromkeys(
            name.rpartition(".")[0] for name in shapes if name.startswith(prefix)
        )
        for layer, name in zip(layers, theirs, strict=True):
            ours |= {f"{name}.{kind}": f"{layer}.{kind}" for kind in _KINDS}
    _check_tensors(tensors, {name: tuple(shapes[ours[name]].shape) for name in expected}, side)
    state = {}
    for name in expected:
        array = tensors[name]
        if name.startswith(_HEAD):
            array = np.concatenate([array[0::2], array[1::2]])
        state[ours[name]] = torch.from_numpy(np.array(array, np.float32, order="C"))
    return Converted(image_shape, latents, state)


def _check_names(tensors: Mapping[str, Any], expected: Sequence[str]) -> None:
    missing = [name for name in expected if name not in tensors]
    unexpected = [name for name in tensors if name not in expected]
    if missing or unexpected:
        raise CheckpointError(
            "It is not a model of disentangling-vae: "
            + "; ".join(
                f"{word}: {_listed(names)}"
                for word, names in (("missing", missing), ("unexpected", unexpected))
                if names
            )
            + ". It must hold the weights of the Burgess encoder and decoder, all of them and "
            "nothing else."
        )


def _sizes(tensors: Mapping[str, NDArray[Any]]) -> tuple[int, int]:
    """Channels and latents, from the first layer and the head."""
    first, head = tensors["encoder.conv1.weight"], tensors[f"{_HEAD}.bias"]
    if first.ndim != 4 or first.shape[1] not in (1, 3):
        raise CheckpointError(
            f"encoder.conv1.weight has shape {first.shape}; it must be (32, C, 4, 4) for images "
            "of C = 1 or 3 channels."
        )
    if head.ndim != 1 or len(head) % 2:
        raise CheckpointError(
            f"{_HEAD}.bias has shape {head.shape}; it must have two numbers for each latent."
        )
    return first.shape[1], len(head) // 2


def _check_tensors(
    tensors: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]], side: int
) -> None:
    wrong = [
        f"{name} is {tensors[name].shape}, not {shape}"
        for name, shape in shapes.items()
        if tensors[name].shape != shape
    ]
    if wrong:
        raise CheckpointError(
            f"Its layers are not those of the Burgess architecture for {side}x{side} images: "
            f"{_listed(wrong, quoted=False)}."
        )
    for name in shapes:
        array = tensors[name]
        check_numbers(name, array)


def _listed(names: Sequence[str], *, quoted: bool = True) -> str:
    shown = [f"{name!r:.60}" if quoted else name for name in names[:_MOST_NAMED]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
