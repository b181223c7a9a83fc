"""The network of PBT-VAE, with batch normalisation and standard deviations as logarithms."""

from __future__ import annotations

__all__ = ["LogStdHead", "PbtVae"]

import itertools
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from unweave.nn.architecture import Architecture
from unweave.nn.convolutions import UpConvolution
from unweave.nn.initialise import Draw, pytorch_default
from unweave.nn.stacks import halving

_WIDTHS = (32, 32, 64, 64)
_FEATURES = 512


@final
class LogStdHead(nn.Linear):
    """A dense layer whose outputs are mean, log standard deviation, mean, ... of each latent.

    Example:
        >>> head = LogStdHead(4, 3)
        >>> head.weight.shape, head(torch.zeros(2, 4)).shape
        (torch.Size([6, 4]), torch.Size([2, 6]))
    """

    def __init__(self, features: int, latents: int) -> None:
        super().__init__(features, 2 * latents)

    def forward(self, features: Tensor) -> Tensor:
        """Means and then log variances, (B, 2 L), of features (B, F)."""
        outputs = super().forward(features)
        return torch.cat([outputs[:, 0::2], 2 * outputs[:, 1::2]], dim=1)


@final
class PbtVae(Architecture):
    """Five convolutions and their mirror image, with batch normalisation before every ReLU.

    Four convolutions of kernel 4, stride 2 and padding 1 to 32, 32, 64 and 64 channels are
    followed by one of kernel 4 to a single pixel of 512. For ten latents there are 1,298,581
    parameters for one channel and 1,300,631 for three. The encoder gives logarithms of standard
    deviations, and its head twice them, the log variances. First weights and biases are PyTorch's
    own. A batch of one image cannot be normalised, so `batch_size` must be at least 2.

    References:
        | Robust Disentanglement of a Few Factors at a Time (Estermann et al., NeurIPS 2020)
        | https://arxiv.org/abs/2010.13527
    """

    name: ClassVar[str] = "pbt_vae"
    draw: ClassVar[Draw] = pytorch_default
    min_batch: ClassVar[int] = 2

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Five normalised convolutions; 512 features."""
        layers: list[nn.Module] = []
        for layer in halving(image_shape[2], _WIDTHS):
            layers.append(layer)
            if isinstance(layer, nn.Conv2d):
                layers.append(nn.BatchNorm2d(layer.out_channels))
        layers += [nn.Conv2d(_WIDTHS[-1], _FEATURES, 4), *_normalised(_FEATURES), nn.Flatten()]
        return nn.Sequential(*layers), _FEATURES

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """From log standard deviations to log variances; a dense layer where there is no noise."""
        if moments == 1:
            return super().head(features, latents, moments)
        return LogStdHead(features, latents)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Six transposed convolutions, all but the last normalised."""
        layers: list[nn.Module] = [nn.Unflatten(1, (latents, 1, 1))]
        layers += [nn.ConvTranspose2d(latents, _FEATURES, 1), *_normalised(_FEATURES)]
        layers += [nn.ConvTranspose2d(_FEATURES, _WIDTHS[-1], 4), *_normalised(_WIDTHS[-1])]
        for width, following in itertools.pairwise(reversed(_WIDTHS)):
            layers += [UpConvolution(width, following), *_normalised(following)]
        return nn.Sequential(*layers, UpConvolution(_WIDTHS[0], image_shape[2]))


def _normalised(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(width), nn.ReLU(inplace=True)
