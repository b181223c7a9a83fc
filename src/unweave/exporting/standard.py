"""Layers of unweave as standard ones, which every format of exported models knows."""

from __future__ import annotations

__all__ = ["standard"]

import math
from typing import Final, final

import torch
from torch import Tensor, nn

from unweave.nn.convolutions import UpConvolution
from unweave.nn.lie_group_maps import CommutingGroup, ExponentialGroup
from unweave.nn.lie_group_networks import ExactLinear, GroupDecoder
from unweave.nn.own_network import OwnNetwork

# Halvings of the largest matrix that `nn.matrix_exponential` takes, and what it halves down to.
_SQUARINGS: Final = 8
_RADIUS: Final = 0.6
_DEGREE: Final = 8


def standard(module: nn.Module) -> nn.Module:
    """The same network of standard layers in float32, changed in place where it has parts.

    Values are the same up to rounding. Weights are shared with the network that is given.
    """
    for name, child in module.named_children():
        setattr(module, name, standard(child))
    if isinstance(module, UpConvolution):
        with torch.device("meta"):
            plain = nn.ConvTranspose2d(
                module.in_channels,
                module.out_channels,
                module.kernel_size,  # type: ignore[arg-type]
                module.stride,  # type: ignore[arg-type]
                module.padding,  # type: ignore[arg-type]
                bias=module.bias is not None,
            )
        plain.weight, plain.bias = module.weight, module.bias
        return plain
    if isinstance(module, ExactLinear):
        with torch.device("meta"):
            dense = nn.Linear(module.in_features, module.out_features)
        dense.weight, dense.bias = module.weight, module.bias
        return dense
    if isinstance(module, GroupDecoder):
        return _GroupDecoder(module)
    if isinstance(module, ExponentialGroup):
        return _Exponential(module)
    if isinstance(module, CommutingGroup):
        return _Commuting(module)
    if isinstance(module, OwnNetwork):
        return _Joined(module.network) if module._moments else module.network
    return module


@final
class _GroupDecoder(nn.Module):
    """`GroupDecoder` without a change of precision."""

    def __init__(self, decoder: GroupDecoder) -> None:
        super().__init__()
        self.latents = decoder.latents
        self.groups = decoder.groups
        self.pixels = decoder.pixels

    def forward(self, z: Tensor) -> Tensor:
        features = self.groups(z[:, : self.latents])
        if z.shape[1] > self.latents:
            features = torch.cat([features, z[:, self.latents :]], dim=1)
        logits: Tensor = self.pixels(features)
        return logits


@final
class _Exponential(nn.Module):
    """`ExponentialGroup` with a fixed number of steps, whatever the matrices are.

    Each matrix is halved until its 1-norm is small, its Taylor polynomial taken, and the result
    squared as often. As in `nn.matrix_exponential`, a matrix with too large a norm becomes NaN.
    """

    generators: Tensor
    identity: Tensor

    def __init__(self, group: ExponentialGroup) -> None:
        super().__init__()
        generators = group.generators().detach()
        self.side = generators.shape[-1]
        self.register_buffer("generators", generators.flatten(1).contiguous())
        self.register_buffer("identity", torch.eye(self.side))

    def forward(self, z: Tensor) -> Tensor:
        matrices = (z @ self.generators).view(-1, self.side, self.side)
        ratio = matrices.abs().sum(1).amax(1)[:, None, None] / _RADIUS
        scale = torch.ones_like(ratio)
        for power in range(_SQUARINGS):
            scale = torch.where(ratio > 2.0**power, 2.0 ** -(power + 1), scale)
        scale = torch.where(ratio > 2.0**_SQUARINGS, math.nan, scale)
        small = matrices * scale
        result = self.identity + small / _DEGREE
        for divisor in range(_DEGREE - 1, 0, -1):
            result = self.identity + torch.bmm(small, result) / divisor
        for power in range(_SQUARINGS):
            result = torch.where(ratio > 2.0**power, torch.bmm(result, result), result)
        return result.flatten(1)


@final
class _Commuting(nn.Module):
    """`CommutingGroup` with its change of basis multiplied out."""

    growth: Tensor
    turning: Tensor
    on: Tensor
    off: Tensor

    def __init__(self, group: CommutingGroup) -> None:
        super().__init__()
        growth, turning = group.growth.detach(), group.turning.detach()
        blocks, self.pairs = growth.shape[1], turning.shape[1]
        real, turn = torch.eye(blocks), torch.eye(self.pairs)
        with torch.no_grad():
            on = group._in_place(real, torch.zeros(blocks, self.pairs))
            off = group._in_place(torch.zeros(self.pairs, blocks), turn)
        for name, value in (("growth", growth), ("turning", turning), ("on", on), ("off", off)):
            self.register_buffer(name, value)

    def forward(self, z: Tensor) -> Tensor:
        growth, angle = torch.exp(z @ self.growth), z @ self.turning
        paired = growth[:, : self.pairs]
        real = torch.cat([paired * torch.cos(angle), growth[:, self.pairs :]], dim=1)
        return real @ self.on + (paired * torch.sin(angle)) @ self.off


@final
class _Joined(nn.Module):
    """A network of the user's own that may give means and log variances as a pair."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> Tensor:
        given = self.network(batch)
        moments: Tensor = torch.cat(tuple(given), 1) if isinstance(given, tuple | list) else given
        return moments
