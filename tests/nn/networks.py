"""Networks such as a user writes them, for tests of `own`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = [
    "Decoder",
    "Encoder",
    "Lazy",
    "Moments",
    "Normalised",
    "decoder_of",
    "frozen_decoder",
    "frozen_encoder",
    "frozen_moments",
    "normalised_decoder",
]


class Encoder(nn.Module):
    """Features, with a grid of positions that is no parameter."""

    def __init__(self, image_shape: tuple[int, int, int], width: int = 8) -> None:
        super().__init__()
        height, _, channels = image_shape
        self.register_buffer("grid", torch.linspace(-1, 1, height)[:, None])
        self.scale = torch.full((1,), 0.5)
        self.layers = nn.Sequential(nn.Conv2d(channels, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.dense = nn.Linear(4 * (height // 2) ** 2, width)

    def forward(self, images: Tensor) -> Tensor:
        """(B, F)."""
        return self.dense(self.layers(images * self.scale + self.grid).flatten(1)).relu()


class Moments(nn.Module):
    """Means and log variances, as one tensor, as a pair, or means alone."""

    def __init__(self, latents: int = 3, form: str = "pair") -> None:
        super().__init__()
        self.form = form
        self.mean = nn.Linear(64 * 64, latents)
        self.logvar = nn.Linear(64 * 64, latents)

    def forward(self, images: Tensor):
        """What `form` says."""
        pixels = images.flatten(1)
        mean, logvar = self.mean(pixels), self.logvar(pixels)
        forms = {"pair": (mean, logvar), "one": torch.cat([mean, logvar], 1), "means": mean}
        return forms[self.form]


class Decoder(nn.Module):
    """Logits."""

    def __init__(
        self, latents: int, image_shape: tuple[int, int, int], last: str = "none"
    ) -> None:
        super().__init__()
        height, width, channels = image_shape
        self.dense = nn.Linear(latents, channels * height * width)
        self.shape = (channels, height, width)
        self.last = nn.Sigmoid() if last == "sigmoid" else nn.Identity()

    def forward(self, z: Tensor) -> Tensor:
        """(B, C, H, W)."""
        return self.last(self.dense(z).unflatten(1, self.shape))


class Lazy(nn.Module):
    """Learns how many pixels there are from the first images."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.LazyLinear(5), nn.Dropout(0.5))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 5)."""
        return self.layers(images)


class Normalised(nn.Module):
    """Features, normalised over the batch, or over batch and pixels, at a side of `pixels`."""

    def __init__(self, pixels: int = 1) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(pixels)
        self.norm = nn.LazyBatchNorm2d()

    def forward(self, images: Tensor) -> Tensor:
        """(B, F)."""
        return self.norm(self.pool(images)).flatten(1)


def frozen_encoder(image_shape: tuple[int, int, int]) -> nn.Module:
    """An encoder of which one layer is trained, as on top of a pretrained one."""
    encoder = Encoder(image_shape)
    encoder.requires_grad_(False)
    encoder.dense.requires_grad_(True)
    return encoder


def frozen_moments(latents: int = 3) -> nn.Module:
    """An encoder that learns nothing."""
    return Moments(latents).requires_grad_(False)


def frozen_decoder(latents: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """A decoder that learns nothing."""
    return Decoder(latents, image_shape).requires_grad_(False)


def decoder_of(latents: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """A decoder made by a function."""
    return Decoder(latents, image_shape)


def normalised_decoder(latents: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """A decoder that normalises latents over the batch."""
    return nn.Sequential(nn.BatchNorm1d(latents), Decoder(latents, image_shape))
