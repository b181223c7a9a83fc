"""Transposed convolutions that double an image's side, as processors run them fastest."""

from __future__ import annotations

__all__ = ["UpConvolution"]

from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_KERNEL, _STRIDE, _PADDING = 4, 2, 1
_FEW_CHANNELS = 4


@final
class UpConvolution(nn.ConvTranspose2d):
    """Transposed convolution of kernel 4, stride 2 and padding 1: (B, C, H, W) to (B, D, 2H, 2W).

    Values, gradients, weights and their names are those of `torch.nn.ConvTranspose2d`. On a
    processor two of its passes are slow in PyTorch, and others that give the same are not:

    - The gradient of the weights is that of the convolution which this one transposes.
    - With few output channels, as in the last layer of a decoder, the values are an ordinary
      convolution of kernel 2 whose channels are the four pixels that share their input.

    Example:
        >>> UpConvolution(8, 3)(torch.zeros(2, 8, 16, 16)).shape
        torch.Size([2, 3, 32, 32])
    """

    def __init__(self, channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(channels, out_channels, _KERNEL, _STRIDE, _PADDING, bias=bias)

    def _get_name(self) -> str:
        """What lists of layers call it."""
        return "ConvTranspose2d"

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Values (B, D, 2H, 2W) of images (B, C, H, W)."""
        assert output_size is None
        if images.device.type != "cpu":
            return super().forward(images)
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
            images, weight = images.to(kind), weight.to(kind)
            bias = None if bias is None else bias.to(kind)
        with torch.autocast("cpu", enabled=False):
            if not torch.is_grad_enabled():
                return _values(images, weight, bias)
            result: Tensor = _Transposed.apply(images, weight, bias)  # type: ignore[no-untyped-call]
        return result


class _Transposed(torch.autograd.Function):
    """The transposed convolution with its own backward pass."""

    generate_vmap_rule = True

    @staticmethod
    def forward(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return _values(images, weight, bias)

    @staticmethod
    def setup_context(
        ctx: Any, inputs: tuple[Tensor, Tensor, Tensor | None], output: Tensor
    ) -> None:
        ctx.save_for_backward(inputs[0], inputs[1])

    @staticmethod
    def backward(
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        images, weight = ctx.saved_tensors
        (gradient,) = gradients
        to_images = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_images = F.conv2d(gradient, weight, None, _STRIDE, _PADDING)
        if ctx.needs_input_grad[1]:
            # What this layer takes and gives stand in each other's place.
            _, to_weight, _ = torch.ops.aten.convolution_backward(
                images, gradient, weight, None, [_STRIDE] * 2, [_PADDING] * 2, [1, 1],
                False, [0, 0], 1, [False, True, False],
            )  # fmt: skip
        if ctx.needs_input_grad[2]:
            to_bias = gradient.sum((0, 2, 3))
        return to_images, to_weight, to_bias


def _values(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if weight.shape[1] <= _FEW_CHANNELS:
        return _by_windows(images, weight, bias)
    return F.conv_transpose2d(images, weight, bias, _STRIDE, _PADDING)


def _by_windows(images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The values by windows of 2x2 pixels, each of which gives 2x2 pixels.

    The window of rows i - 1 and i is all that output rows 2i - 1 and 2i depend on: the first
    through rows 2 and 0 of the kernel, the second through rows 3 and 1. So it is with columns.
    """
    batch, _, height, width = images.shape
    out = weight.shape[1]
    taps = torch.tensor([[2, 0], [3, 1]], device=weight.device)
    # From (C, D, parity, row of the window, parity, column) to (parity, parity, D, C, row, column)
    kernel = weight[:, :, taps][..., taps].permute(2, 4, 1, 0, 3, 5)
    kernel = kernel.reshape(4 * out, weight.shape[0], 2, 2)
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    repeated = None if bias is None else bias.repeat(4)
    pixels = F.conv2d(images, kernel, repeated, padding=1).permute(0, 2, 3, 1)
    pixels = pixels.reshape(batch, height + 1, width + 1, 2, 2, out).transpose(2, 3)
    pixels = pixels.reshape(batch, 2 * height + 2, 2 * width + 2, out)
    return pixels[:, 1:-1, 1:-1].permute(0, 3, 1, 2)
