"""Labels as networks take them and give them: their encoding, planes, and predictions."""

from __future__ import annotations

__all__ = ["Conditions", "LabelEncoding", "LabelPlanes", "LabelPredictor"]

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.nn.initialise import initialise, uniform

LabelEncoding: TypeAlias = Literal["one_hot", "continuous"]
"""How a model is told labels: a column for each value of a factor, or one from 0 to 1."""


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

    @property
    def spans(self) -> tuple[slice, ...]:
        """Which of these numbers are those of each label, (M,)."""
        widths = self.sizes if self.encoding == "one_hot" else (1,) * len(self.sizes)
        ends = itertools.accumulate(widths)
        return tuple(slice(end - width, end) for end, width in zip(ends, widths, strict=True))

    def encode(self, factors: Tensor) -> Tensor:
        """Labels as numbers, from factor indices (B, K) int64 to (B, width) float32."""
        return self._numbers([factors[:, column] for column in self.columns])

    def encode_known(self, labels: Tensor) -> Tensor:
        """As `encode`, from indices of its own labels, (B, M) int64; -1 where one is not known."""
        known = self._numbers(list(labels.clamp(min=0).unbind(1)))
        neutral = self.neutral(labels.device)
        for label, span in zip(labels.unbind(1), self.spans, strict=True):
            known[:, span] = torch.where(label[:, None] < 0, neutral[span], known[:, span])
        return known

    def _numbers(self, labels: list[Tensor]) -> Tensor:
        """Each label's indices, (B,), as numbers, (B, width)."""
        if self.encoding == "one_hot":
            parts = [
                F.one_hot(label, size) for label, size in zip(labels, self.sizes, strict=True)
            ]
            return torch.cat(parts, dim=1).float()
        scales = [label / max(size - 1, 1) for label, size in zip(labels, self.sizes, strict=True)]
        return torch.stack(scales, dim=1).float()

    def neutral(self, device: torch.device | str = "cpu") -> Tensor:
        """What stands for unknown labels: every value to an equal share, (width,) float32.

        Args:
            device: Where it is made, so that no step of training waits for a copy.
        """
        if self.encoding == "one_hot":
            return torch.cat([torch.full((n,), 1 / n, device=device) for n in self.sizes])
        return torch.full((self.width,), 0.5, device=device)

    def predicted(self, scores: Tensor) -> Tensor:
        """What scores (B, width) of a network say of the labels, in the form of `encode`.

        One-hot labels get a softmax each over their own values, continuous ones a sigmoid.
        """
        if self.encoding == "continuous":
            return torch.sigmoid(scores)
        return torch.cat([scores[:, span].softmax(dim=1) for span in self.spans], dim=1)

    def error(self, scores: Tensor, told: Tensor) -> Tensor:
        """How far scores (B, width) are from labels in the form of `encode`, summed over labels.

        Of one-hot labels it is the KL divergence from what is told to the prediction, nats, which
        is the cross-entropy where one value is told for certain. Of continuous ones it is the
        squared error of the prediction.

        Returns:
            Shape (B,).
        """
        if self.encoding == "continuous":
            return (torch.sigmoid(scores) - told).square().sum(1)
        logs = torch.cat([scores[:, span].log_softmax(dim=1) for span in self.spans], dim=1)
        return F.kl_div(logs, told, reduction="none").sum(1)

    def right(self, scores: Tensor, told: Tensor) -> Tensor:
        """Which labels scores (B, width) tell rightly, of labels in the form of `encode`.

        A one-hot label is told by its largest score, a continuous one by a prediction that is
        nearer to it than to any other of its values.

        Returns:
            Shape (B, M), bool.
        """
        if self.encoding == "continuous":
            apart = (torch.sigmoid(scores) - told).abs()
            pairs = zip(apart.unbind(1), self.sizes, strict=True)
            return torch.stack([gap < 0.5 / max(size - 1, 1) for gap, size in pairs], dim=1)
        spans = self.spans
        return torch.stack([scores[:, s].argmax(1) == told[:, s].argmax(1) for s in spans], dim=1)


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


@final
class LabelPredictor(nn.Module):
    """A network that gives scores of labels, and knows which labels they are.

    Args:
        network: From images or latents to scores, (B, width).
        conditions: The labels.
        fill: Draws the network's first weights.
    """

    def __init__(
        self,
        network: nn.Module,
        conditions: Conditions,
        fill: Callable[[nn.Module, torch.Generator], None] = initialise,
    ) -> None:
        super().__init__()
        self.network = network
        self.conditions = conditions
        self._fill = fill

    def draw_weights(self, generator: torch.Generator) -> None:
        """The first weights of the network, by the rule that it was made with."""
        self._fill(self.network, generator)

    def forward(self, values: Tensor) -> Tensor:
        """Scores (B, width) of images or latents."""
        scores: Tensor = self.network(values)
        return scores
