"""The model: encoder, Gaussian posterior, decoder and likelihood."""

from __future__ import annotations

__all__ = ["VAE"]

import contextlib
from typing import final

import torch
from torch import Tensor, nn

from unweave.latents import DiagonalGaussian
from unweave.likelihoods import Likelihood
from unweave.nn.architecture import Architecture
from unweave.nn.initialise import construct


@final
class VAE(nn.Module):
    """A variational autoencoder over images in [0, 1].

    Trunk and decoder may run in bfloat16; the head that gives means and logvars, and all that is
    returned, is float32.

    Attributes:
        image_shape: (H, W, C).
        latents: Number of latents L.
        likelihood: p(x given z).
        autocast_dtype: `torch.bfloat16` to run trunk and decoder under autocast, or None.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2013)
        | https://arxiv.org/abs/1312.6114
    """

    def __init__(
        self,
        architecture: Architecture,
        image_shape: tuple[int, int, int],
        latents: int,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.image_shape = image_shape
        self.latents = latents
        self.likelihood = likelihood
        self.autocast_dtype: torch.dtype | None = None
        self.trunk, features = architecture.trunk(image_shape)
        self.head = nn.Linear(features, 2 * latents)
        self.decoder = architecture.decoder(image_shape, latents)

    @classmethod
    def create(
        cls,
        architecture: Architecture,
        image_shape: tuple[int, int, int],
        latents: int,
        likelihood: Likelihood,
        generator: torch.Generator,
    ) -> VAE:
        """A new model on the CPU whose weights are drawn from `generator`."""
        return construct(lambda: cls(architecture, image_shape, latents, likelihood), generator)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.head.weight.device

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """The precision in which networks run; losses stay outside of it."""
        if self.autocast_dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.autocast_dtype)

    def encode(self, images: Tensor) -> DiagonalGaussian:
        """Posterior of images (B, C, H, W) in [0, 1]."""
        with self.autocast():
            features = self.trunk(images)
        return self.posterior(features)

    def posterior(self, features: Tensor) -> DiagonalGaussian:
        """Posterior of what the trunk makes of images, (B, F) in any precision."""
        mean, logvar = self.head(features.float()).chunk(2, dim=1)
        return DiagonalGaussian(mean=mean, logvar=logvar)

    def decode(self, z: Tensor) -> Tensor:
        """Pixel logits (B, C, H, W), float32, of latents (B, L)."""
        with self.autocast():
            logits: Tensor = self.decoder(z)
        return logits.float()
