"""Encoders and decoders of other projects as ours, each layer known by its place and shape."""

from __future__ import annotations

__all__ = ["Candidate", "alike", "fit", "stacked"]

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.errors import CheckpointError, SpecError
from unweave.importing.convert import Converted
from unweave.importing.layers import (
    Layer,
    arrangements,
    check_numbers,
    described,
    layers_of,
)
from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture, Conditions, Pair
from unweave.vae import VAE

_SIDE: Final = 64
# Dense layers of each number of the labels, up to its plane.
_PLANES: Final = (1, 64, 256, _SIDE**2)
_HEADS: Final = "order of means and log variances"
_CHANNELS: Final = "order of image and label planes"


@final
@dataclass(frozen=True)
class Candidate:
    """An encoder and a decoder that a file may hold.

    Attributes:
        encode: Whose encoder.
        decode: Whose decoder.
        split: Whether means and log variances come from a dense layer each.
    """

    encode: Architecture
    decode: Architecture
    split: bool = False

    @property
    def architecture(self) -> Architecture:
        """Both as one architecture."""
        if self.encode == self.decode:
            return self.encode
        return Pair(encode=self.encode, decode=self.decode)


def fit(
    tensors: Mapping[str, NDArray[Any]], candidates: Sequence[Candidate], project: str
) -> Converted:
    """The only candidate whose layers a state dict has, all of them and nothing else.

    Encoder, decoder and the networks of label planes may come in any order; within each the order
    is that in which a batch passes. Images have 64x64 pixels.

    Args:
        tensors: By their published names, in the order of the file.
        candidates: What it may be.
        project: Whose names these are, for messages.

    Raises:
        CheckpointError: No candidate fits, or more than one.
    """
    layers, others = layers_of(tensors)
    if others:
        names = ", ".join(repr(name)[:60] for name in list(others)[:3])
        raise CheckpointError(
            f"It has tensors that are no weight or bias of a layer, such as {names}, and no model "
            f"of {project} that is known has any."
        )
    found = [made for each in candidates for made in _fits(layers, each)]
    if not found:
        wanted = sorted({str(each.architecture) for each in candidates})
        raise CheckpointError(
            f"Its layers are not those of {', '.join(wanted)} for images of {_SIDE}x{_SIDE}. In "
            f"order, their weights are: {described(layers)}. Name another with --architecture, or "
            "another project with --from."
        )
    if len(found) > 1:
        fitting = sorted({str(made.architecture) for made in found})
        raise CheckpointError(
            f"Its layers can be read in {len(found)} ways, as {' and as '.join(fitting)}; name "
            "one of them with --architecture."
        )
    for name, array in tensors.items():
        check_numbers(name, array)
    return found[0]


def _fits(layers: Sequence[Layer], candidate: Candidate) -> Iterator[Converted]:
    """The ways in which layers are those of a candidate."""
    told = sum(layer.weight.shape == (_PLANES[1], _PLANES[0]) for layer in layers)
    encoder, decoder = _counts(candidate)
    counts = {"encoder": encoder, "decoder": decoder}
    if told:
        counts["planes"] = told * (len(_PLANES) - 1)
    for noise in (True, False) if not candidate.split else (True,):
        for parts in arrangements(layers, counts):
            made = _made(parts, candidate, told, noise=noise)
            if made is not None:
                yield made


@functools.cache
def _counts(candidate: Candidate) -> tuple[int, int]:
    """How many layers with weights the encoder has, and the decoder."""
    shape = (_SIDE, _SIDE, 1)
    with torch.device("meta"):
        trunk, features = candidate.encode.trunk(shape)
        head = candidate.encode.head(features, 2, 2)
        decoder = candidate.decode.decoder(shape, 2)
    trunk_layers, head_layers, decoder_layers = (
        sum(name.rpartition(".")[2] == "weight" for name in part.state_dict())
        for part in (trunk, head, decoder)
    )
    return trunk_layers + head_layers + candidate.split, decoder_layers


def _made(
    parts: Mapping[str, Sequence[Layer]], candidate: Candidate, told: int, *, noise: bool
) -> Converted | None:
    """Weights of a model, or None where the shapes are others."""
    first, behind = parts["encoder"][0].weight, parts["decoder"][0].weight
    if first.ndim not in (2, 4) or behind.ndim not in (2, 4):
        return None
    pixels = 1 if first.ndim == 4 else _SIDE**2
    channels, rest = divmod(first.shape[1], pixels)
    channels, latents = channels - told, behind.shape[1] - told
    if rest or channels not in (1, 3) or latents < 1:
        return None
    shape = (_SIDE, _SIDE, channels)
    conditions = Conditions((0,), (told,), planes=True) if told else None
    architecture = candidate.architecture
    try:
        architecture.check(shape, latents)
    except SpecError:
        return None
    with torch.device("meta"):
        model = VAE(
            architecture,
            shape,
            latents,
            Bernoulli(),
            conditions=conditions,
            deterministic=not noise,
        )
    encoder, assumed = list(parts["encoder"]), []
    if candidate.split:
        encoder, by_name = _joined(encoder)
        assumed += [] if by_name else [_HEADS]
    ours = {
        name: value
        for name, value in model.state_dict().items()
        if not name.startswith("label_planes.")
    }
    state = stacked(ours, [*encoder, *parts["decoder"]])
    if state is None:
        return None
    if told:
        planes = _planes(parts["planes"], told)
        if planes is None:
            return None
        state |= planes
        assumed.append(_CHANNELS)
    return Converted(
        shape,
        latents,
        state,
        architecture,
        told=told,
        deterministic=not noise,
        assumed=tuple(assumed),
    )


def stacked(ours: Mapping[str, Tensor], layers: Sequence[Layer]) -> dict[str, Tensor] | None:
    """Layers under our names, one after the other; None where a shape differs."""
    names = _weights(ours)
    if len(names) != len(layers):
        return None
    state: dict[str, Tensor] = {}
    for name, layer in zip(names, layers, strict=True):
        bias = ours.get(f"{name}.bias")
        expected = (
            tuple(ours[f"{name}.weight"].shape),
            None if bias is None else tuple(bias.shape),
        )
        if layer.shape != expected:
            return None
        state[f"{name}.weight"] = _tensor(layer.weight)
        if layer.bias is not None:
            state[f"{name}.bias"] = _tensor(layer.bias)
    return state if len(state) == len(ours) else None


def alike(
    layers: Sequence[Layer], is_second: Callable[[str], bool]
) -> tuple[list[Layer], list[Layer]] | None:
    """Two halves of layers by what their names say, or None where they do not say it."""
    second = [layer for layer in layers if is_second(layer.name.lower())]
    first = [layer for layer in layers if not is_second(layer.name.lower())]
    return (first, second) if len(first) == len(second) else None


def _joined(encoder: Sequence[Layer]) -> tuple[list[Layer], bool]:
    """An encoder whose last two layers are one, means first; and whether names say which is."""
    heads = list(encoder[-2:])
    named = alike(heads, lambda name: "var" in name or "std" in name)
    mean, logvar = (named[0][0], named[1][0]) if named else heads
    if mean.bias is None or logvar.bias is None or mean.shape != logvar.shape:
        return list(encoder), False
    joined = replace(
        mean,
        weight=np.concatenate([mean.weight, logvar.weight]),
        bias=np.concatenate([mean.bias, logvar.bias]),
    )
    return [*encoder[:-2], joined], named is not None


def _planes(layers: Sequence[Layer], told: int) -> dict[str, Tensor] | None:
    """Weights of `nn.LabelPlanes`; each number of the labels has dense layers of its own."""
    depth = len(_PLANES) - 1
    state: dict[str, Tensor] = {}
    for index in range(depth):
        same = layers[index::depth]
        shape = ((_PLANES[index + 1], _PLANES[index]), (_PLANES[index + 1],))
        if len(same) != told or any(layer.shape != shape for layer in same):
            return None
        weights = np.stack([layer.weight.T for layer in same])
        biases = np.stack([layer.bias[None] for layer in same if layer.bias is not None])
        state[f"label_planes.weights.{index}"] = _tensor(weights)
        state[f"label_planes.biases.{index}"] = _tensor(biases)
    return state


def _weights(state: Mapping[str, Tensor]) -> list[str]:
    """Names of layers, in order."""
    return [name.removesuffix(".weight") for name in state if name.endswith(".weight")]


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.array(array, np.float32, order="C"))
