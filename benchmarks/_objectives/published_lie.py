"""The step of the published Lie group VAE in plain PyTorch, as a baseline to measure against.

Written from its description: eager float32, the published layers, first weights and losses, Adam
with defaults. As published, the generators are a list of matrices that is joined three times in a
step, each latent's multiple of its generator is made before they are added, the exponential is
PyTorch's, all pairs of generators are multiplied, and images are decoded three times, of which one
decoding takes part in the loss. Whether that is the one of the encoder's features is drawn by
NumPy. Nothing of unweave is used but the shape of the images.
"""

from __future__ import annotations

__all__ = ["PlainLieGroup", "PublishedForm", "plain_lie_loss", "published_form"]

from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.data import parse_dataset

_SIDE = 10
_LATENTS = 10
_INIT = 0.001


class PlainLieGroup(nn.Module):
    """Image encoder, group encoder, generators and image decoder, for 64x64 images."""

    def __init__(self, channels: int, latents: int = _LATENTS, side: int = _SIDE) -> None:
        super().__init__()
        self.latents, self.side = latents, side
        size = side * side
        self.image_encoder = nn.Sequential(
            *(nn.Conv2d(channels, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 32, 4, 2, 1), nn.ReLU()),
            *(nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Conv2d(64, 64, 4, 2, 1), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(1024, 256), nn.ReLU(), nn.Linear(256, size)),
        )
        self.to_mean = _two_layers(size, latents)
        self.to_logvar = _two_layers(size, latents)
        self.image_decoder = nn.Sequential(
            *(nn.Linear(size, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU()),
            nn.Unflatten(1, (64, 4, 4)),
            *(nn.ConvTranspose2d(64, 64, 4, 2, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU()),
            *(nn.ConvTranspose2d(32, 32, 4, 2, 1), nn.ReLU()),
            nn.ConvTranspose2d(32, channels, 4, 2, 1),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(layer.weight)
        self.basis = nn.ParameterList(
            nn.Parameter(_INIT * torch.randn(1, side, side)) for _ in range(latents)
        )

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        """Features, mean, log variance, group elements, and three decodings of them."""
        features = self.image_encoder(x)
        mean, logvar = self.to_mean(features), self.to_logvar(features)
        t = mean + torch.exp(0.5 * logvar) * noise
        generators = torch.cat(list(self.basis), dim=0)[None]
        algebra = (t[:, :, None, None] * generators).sum(1)
        group = torch.matrix_exp(algebra).flatten(1)
        of_group, of_features, again = (
            self.image_decoder(given) for given in (group, features, group)
        )
        return features, mean, logvar, group, of_group, of_features, again

    def penalties(self) -> tuple[Tensor, Tensor]:
        """Mean squared products of two generators, and what was published for commutators."""
        generators = torch.cat(list(self.basis), dim=0)
        products = torch.matmul(generators[:, None], generators[None])
        other = 1 - torch.eye(self.latents)[:, :, None, None]
        hessian = (products * other).square().sum((2, 3)).mean()
        generators = torch.cat(list(self.basis), dim=0)
        products = torch.matmul(generators[:, None], generators[None])
        commutator = ((products - products.permute(0, 1, 3, 2)) * other).square().sum((2, 3))
        return hessian, commutator.mean()


def plain_lie_loss(model: PlainLieGroup, x: Tensor, noise: Tensor, *, by_features: bool) -> Tensor:
    """The loss with the published weights for dSprites, nats an image."""
    features, mean, logvar, group, of_group, of_features, _ = model(x, noise)
    batch = len(x)
    chosen = of_features if by_features else of_group
    loss = F.binary_cross_entropy_with_logits(chosen, x, reduction="sum") / batch
    loss = loss + 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum(1).mean()
    loss = loss + 0.1 * (features - group).square().sum(1).mean()
    hessian, _ = model.penalties()
    return loss + 40 * hessian


@final
class PublishedForm:
    """The published model with one batch of noise, updated again and again.

    Attributes:
        encoded: Images that an update encodes.
    """

    def __init__(self, image_shape: tuple[int, int, int], batch_size: int) -> None:
        torch.manual_seed(0)
        height, width, channels = image_shape
        self.encoded = batch_size
        self._model = PlainLieGroup(channels)
        self._optimizer = torch.optim.Adam(self._model.parameters(), lr=1e-4)
        self._images = torch.rand(batch_size, channels, height, width)
        self._rng = np.random.default_rng(0)

    def update(self) -> None:
        """One optimiser step; the loss is read for a progress bar, as published."""
        noise = torch.randn(self.encoded, self._model.latents)
        by_features = self._rng.random() < 0.2
        loss = plain_lie_loss(self._model, self._images, noise, by_features=by_features)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        loss.item()


def published_form(data: str, settings: dict[str, Any]) -> PublishedForm:
    """The published form for images of a dataset, which is not opened.

    Args:
        data: Text of the dataset, of 64x64 images.
        settings: `batch_size`, 64 where it is missing.
    """
    return PublishedForm(parse_dataset(data).image_shape, settings.get("batch_size", 64))


def _two_layers(size: int, latents: int) -> nn.Module:
    """From group features to means, or to log variances."""
    return nn.Sequential(nn.Linear(size, 4 * size), nn.ReLU(), nn.Linear(4 * size, latents))
