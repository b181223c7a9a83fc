"""Labels that a model is told beside the image: their encoding, and planes for an encoder."""

from __future__ import annotations

__all__ = ["Conditions", "LabelEncoding", "LabelPlanes"]

import itertools
import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.nn.initialise import uniform

LabelEncoding: TypeAlias = Literal["one_hot", "continuous"]


@final
@dataclass(frozen=True)
class Conditions:
    """Which labels a model is told, and in what form.

    Attributes:
        columns: Which factors of the dataset, by their place there, (M,).
        sizes: How many values each of them has, (M,).
        encoding: `one_hot`: a label of n values is n numbers, one of them 1; `continuous`: it is
            one number, from 0 for its first value to 1 for its last.
        planes: Whether the encoder sees them too, as planes beside the image.
    """

    columns: tuple[int, ...]
    sizes: tuple[int, ...]
    encoding: LabelEncoding = "one_hot"
    planes: bool = False

    @property
    def width(self) -> int:
        """How many numbers stand for the labels of an image."""
        return sum(self.sizes) if self.encoding == "one_hot" else len(self.sizes)

    def encode(self, factors: Tensor) -> Tensor:
        """Labels as numbers, from factor indices (B, K) int64 to (B, width) float32."""
        chosen = [factors[:, column] for column in self.columns]
        if self.encoding == "one_hot":
            parts = [
                F.one_hot(labels, size) for labels, size in zip(chosen, self.sizes, strict=True)
            ]
            return torch.cat(parts, dim=1).float()
        scales = [
            labels / max(size - 1, 1) for labels, size in zip(chosen, self.sizes, strict=True)
        ]
        return torch.stack(scales, dim=1).float()

    def neutral(self) -> Tensor:
        """What stands for unknown labels: every value to an equal share, (width,) float32."""
        if self.encoding == "one_hot":
            return torch.cat([torch.full((size,), 1 / size) for size in self.sizes])
        return torch.full((self.width,), 0.5)


@final
class LabelPlanes(nn.Module):
    """A learned plane for each number of the labels, from (B, K) to (B, K, H, W).

    Each number goes through dense layers of its own: 1 to 64 to 256 to H * W, with leaky ReLUs of
    slope 0.2 after the first two. For one label of 64x64 there are 1,069,440 parameters. All are
    computed at once, as batched matrix products.

    Args:
        width: Number of labels K.
        size: (H, W).
    """

    def __init__(self, width: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size
        outputs = (1, 64, 256, size[0] * size[1])
        pairs = list(itertools.pairwise(outputs))
        self.weights = nn.ParameterList(nn.Parameter(torch.empty(width, i, o)) for i, o in pairs)
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(width, 1, o)) for _, o in pairs)

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """He-normal weights, and biases within 1 / sqrt(fan_in), as for dense layers."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            fan_in = weight.shape[1]
            weight.normal_(0.0, math.sqrt(2 / fan_in), generator=generator)
            uniform(bias, 1 / math.sqrt(fan_in), generator)

    def forward(self, labels: Tensor) -> Tensor:
        """Planes (B, K, H, W) of labels (B, K)."""
        values = labels.t()[:, :, None]
        last = len(self.weights) - 1
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            values = torch.baddbmm(bias, values, weight)
            if index < last:
                values = F.leaky_relu(values, 0.2)
        return values.transpose(0, 1).reshape(len(labels), -1, *self.size)
