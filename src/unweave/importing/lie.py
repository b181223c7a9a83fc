"""Lie group VAEs of the Commutative Lie Group VAE project as ours."""

from __future__ import annotations

__all__ = ["convert_lie", "is_generator"]

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.errors import CheckpointError, SpecError
from unweave.importing.convert import Converted
from unweave.importing.layers import Layer, arrangements, check_numbers, described, layers_of
from unweave.importing.networks import alike, stacked
from unweave.likelihoods import Bernoulli
from unweave.nn import LieGroup
from unweave.vae import VAE

_SIDE: Final = 64
_IMAGE_ENCODER: Final = 6
_IMAGE_DECODER: Final = 6
_IN_ITS_PLACE: Final = 2
_ORDER: Final = "order of means and log variances"

Heads = Sequence[Sequence[Layer]]


def is_generator(array: NDArray[Any]) -> bool:
    """Whether a tensor is a generator of a group: (1, M, M)."""
    return array.ndim == 3 and array.shape[0] == 1 and array.shape[1] == array.shape[2]


def convert_lie(tensors: Mapping[str, NDArray[Any]]) -> Converted:
    """Weights under our names; sizes and latents of the groups are read off their shapes.

    Generators are matrices (1, M, M), one for each latent, in the order of the latents. Image
    encoder, group encoder, image decoder, and the two layers that may stand in the place of the
    group, may come in any order; within each the order is that in which a batch passes. The group
    encoder has two networks of two dense layers for each group. Which of them give means is told
    by names that have "var" or "std"; where no name has, means come first, and that is recorded.

    Raises:
        CheckpointError: They are not those of a Lie group VAE, or can be read in several ways.
    """
    layers, others = layers_of(tensors)
    generators = [array for array in others.values() if is_generator(array)]
    if len(generators) != len(others) or not generators:
        strange = [name for name, array in others.items() if not is_generator(array)]
        raise CheckpointError(
            f"It is no Lie group VAE: it has {len(generators)} generators, matrices of the shape "
            f"(1, M, M), and as further tensors {', '.join(map(repr, strange[:3])) or 'none'}."
        )
    heads = len(layers) - _IMAGE_ENCODER - _IMAGE_DECODER
    exponential = heads % 4 == 0
    heads -= 0 if exponential else _IN_ITS_PLACE
    counts = {"encoder": _IMAGE_ENCODER, "heads": heads, "decoder": _IMAGE_DECODER}
    if not exponential:
        counts["dense"] = _IN_ITS_PLACE
    found = []
    if heads > 0 and heads % 4 == 0:
        for parts in arrangements(layers, counts):
            found += list(_fits(parts, generators, exponential=exponential))
    if not found:
        raise CheckpointError(
            "Its layers are not those of a Lie group VAE for images of "
            f"{_SIDE}x{_SIDE} with {len(generators)} generators. In order, their weights are: "
            f"{described(layers)}."
        )
    if len(found) > 1:
        raise CheckpointError(
            "Its networks of means and of log variances can be told apart neither by shapes nor "
            'by names, which would have "var" or "std".'
        )
    for name, array in tensors.items():
        check_numbers(name, array)
    return found[0]


def _fits(
    parts: Mapping[str, Sequence[Layer]],
    generators: Sequence[NDArray[Any]],
    *,
    exponential: bool,
) -> Iterator[Converted]:
    """The ways in which parts are those of a model."""
    networks = [parts["heads"][i : i + 2] for i in range(0, len(parts["heads"]), 2)]
    for means, logvars, assumed in _orders(networks):
        pairs = list(zip(means, logvars, strict=True))
        if any([x.shape for x in mean] != [x.shape for x in logvar] for mean, logvar in pairs):
            continue
        sizes = tuple(first.weight.shape[-1] for first, _ in means)
        latents = tuple(last.weight.shape[0] for _, last in means)
        bases = _bases(sizes, latents, generators)
        if bases is None:
            continue
        channels = parts["encoder"][0].weight.shape[1:2]
        made = _made(
            parts, [*means, *logvars], sizes, latents, bases, channels, exponential=exponential
        )
        if made is not None:
            architecture, shape, state = made
            yield Converted(shape, sum(latents), state, architecture, assumed=assumed)


def _orders(networks: Heads) -> Iterator[tuple[Heads, Heads, tuple[str, ...]]]:
    """Ways to tell networks of means from those of log variances, each with what it assumes."""
    named = alike(
        [network[0] for network in networks], lambda name: "var" in name or "std" in name
    )
    count = len(networks) // 2
    if named is not None:
        by_layer = {id(network[0]): network for network in networks}
        first, second = ([by_layer[id(layer)] for layer in half] for half in named)
        yield first, second, ()
        return
    yield networks[:count], networks[count:], (_ORDER,)
    if count > 1:
        yield networks[0::2], networks[1::2], (_ORDER,)


def _bases(
    sizes: Sequence[int], latents: Sequence[int], generators: Sequence[NDArray[Any]]
) -> list[NDArray[Any]] | None:
    """Generators of each group, (L_k, M_k, M_k); None where they do not fit."""
    if sum(latents) != len(generators):
        return None
    bases, at = [], 0
    for size, count in zip(sizes, latents, strict=True):
        side = math.isqrt(size)
        own = generators[at : at + count]
        if side**2 != size or any(matrix.shape != (1, side, side) for matrix in own):
            return None
        bases.append(np.concatenate(own))
        at += count
    return bases


def _made(
    parts: Mapping[str, Sequence[Layer]],
    networks: Heads,
    sizes: tuple[int, ...],
    latents: tuple[int, ...],
    bases: Sequence[NDArray[Any]],
    channels: tuple[int, ...],
    *,
    exponential: bool,
) -> tuple[LieGroup, tuple[int, int, int], dict[str, torch.Tensor]] | None:
    if channels not in ((1,), (3,)):
        return None
    try:
        architecture = LieGroup(sizes=sizes, latents=latents, exponential=exponential)
    except SpecError:
        return None
    shape = (_SIDE, _SIDE, channels[0])
    with torch.device("meta"):
        ours = VAE(architecture, shape, sum(latents), Bernoulli()).state_dict()
    own = {f"decoder.groups.groups.{k}.basis": basis for k, basis in enumerate(bases)}
    layers = [layer for network in networks for layer in network]
    layers = [*parts["encoder"], *layers, *parts.get("dense", ()), *parts["decoder"]]
    state = stacked({name: value for name, value in ours.items() if name not in own}, layers)
    if state is None:
        return None
    if exponential:
        state |= {
            name: torch.from_numpy(np.array(basis, np.float32)) for name, basis in own.items()
        }
    return architecture, shape, state
