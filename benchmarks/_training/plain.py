"""The step of the disentangling-vae code in plain PyTorch, as a baseline to measure against.

Written from the published description: eager float32, the layers of its only architecture, its
beta-TCVAE loss with defects, Adam with defaults, and a `DataLoader` that turns one image after the
other into a tensor. Nothing of unweave is used. Names of weights are the published ones.
"""

from __future__ import annotations

__all__ = ["PlainImages", "PlainVAE", "plain_batches", "plain_loss", "plain_step"]

import contextlib
import math
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class PlainVAE(nn.Module):
    """Encoder with an interleaved head, decoder with a sigmoid; 64x64x1 images, ten latents."""

    def __init__(self, latents: int = 10) -> None:
        super().__init__()
        self.latents = latents
        self.encoder = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(1, 32, 4, 2, 1),
                "conv2": nn.Conv2d(32, 32, 4, 2, 1),
                "conv3": nn.Conv2d(32, 32, 4, 2, 1),
                "conv_64": nn.Conv2d(32, 32, 4, 2, 1),
                "lin1": nn.Linear(512, 256),
                "lin2": nn.Linear(256, 256),
                "mu_logvar_gen": nn.Linear(256, 2 * latents),
            }
        )
        self.decoder = nn.ModuleDict(
            {
                "lin1": nn.Linear(latents, 256),
                "lin2": nn.Linear(256, 256),
                "lin3": nn.Linear(256, 512),
                "convT_64": nn.ConvTranspose2d(32, 32, 4, 2, 1),
                "convT1": nn.ConvTranspose2d(32, 32, 4, 2, 1),
                "convT2": nn.ConvTranspose2d(32, 32, 4, 2, 1),
                "convT3": nn.ConvTranspose2d(32, 1, 4, 2, 1),
            }
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Posterior mean and log variance, each (B, L)."""
        for name in ("conv1", "conv2", "conv3", "conv_64"):
            x = torch.relu(self.encoder[name](x))
        x = x.view(len(x), -1)
        for name in ("lin1", "lin2"):
            x = torch.relu(self.encoder[name](x))
        mean, logvar = self.encoder["mu_logvar_gen"](x).view(-1, self.latents, 2).unbind(-1)
        return mean, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Pixels between 0 and 1, (B, 1, 64, 64)."""
        for name in ("lin1", "lin2", "lin3"):
            z = torch.relu(self.decoder[name](z))
        x = z.view(len(z), 32, 4, 4)
        for name in ("convT_64", "convT1", "convT2"):
            x = torch.relu(self.decoder[name](x))
        return torch.sigmoid(self.decoder["convT3"](x))

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        """Reconstruction, posterior and sample."""
        mean, logvar = self.encode(x)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(logvar)
        return self.decode(z), (mean, logvar), z


class PlainImages(Dataset):
    """Images in memory as uint8 0 or 1; one image and its factor values at a time."""

    def __init__(self, images: np.ndarray, factors: np.ndarray) -> None:
        self.images = images
        self.factors = factors

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, np.ndarray]:
        pixels = np.expand_dims(self.images[index] * 255, axis=-1)
        image = torch.from_numpy(pixels.transpose(2, 0, 1)).contiguous()
        return image.to(torch.float32).div(255), self.factors[index]


def plain_batches(
    images: np.ndarray, factors: np.ndarray, batch_size: int, seed: int
) -> Iterator[Tensor]:
    """Shuffled batches without end, loaded in the training process as published."""
    generator = torch.Generator().manual_seed(seed)
    data = PlainImages(images, factors)
    loader = DataLoader(data, batch_size, shuffle=True, generator=generator)
    while True:
        for batch, _ in loader:
            yield batch


def plain_loss(
    x: Tensor, decoded: Tensor, posterior: tuple[Tensor, Tensor], z: Tensor, images: int, step: int
) -> tuple[Tensor, dict[str, Tensor]]:
    """The published beta-TCVAE loss (1, 6, 1) and its parts, nats an image."""
    mean, logvar = posterior
    batch, latents = z.shape
    reconstruction = F.binary_cross_entropy(decoded, x, reduction="sum") / batch
    conditional = _log_density(z, mean, logvar).sum(1)
    zeros = torch.zeros_like(z)
    prior = _log_density(z, zeros, zeros).sum(1)
    matrix = _log_density(
        z.view(batch, 1, latents), mean.view(1, batch, latents), logvar.view(1, batch, latents)
    )
    rest = batch - 1
    special = (images - rest) / (images * rest)
    weights = torch.empty(batch, batch).fill_(1 / rest)
    weights.view(-1)[:: rest + 1] = 1 / images
    weights.view(-1)[1 :: rest + 1] = special
    weights[rest - 1, 0] = special
    matrix = matrix + weights.log().view(batch, batch, 1)
    joint = torch.logsumexp(matrix.sum(2), dim=1)
    product = torch.logsumexp(matrix, dim=1).sum(1)
    information = (conditional - joint).mean()
    correlation = (joint - product).mean()
    dimension = (product - prior).mean()
    annealing = min(step / 10_000, 1.0)
    loss = reconstruction + information + 6 * correlation + annealing * dimension
    parts = {"mi": information, "tc": correlation, "dw_kl": dimension}
    return loss, {"recon": reconstruction, **parts}


def plain_step(
    model: PlainVAE,
    optimizer: torch.optim.Optimizer,
    x: Tensor,
    images: int,
    step: int,
    precision: str = "float32",
) -> dict[str, Tensor]:
    """One optimiser step; the parts of the loss, nats an image.

    In bfloat16 the networks run under autocast, and the loss is computed in float32.
    """
    low = precision == "bfloat16"
    with torch.autocast("cpu", torch.bfloat16) if low else contextlib.nullcontext():
        decoded, (mean, logvar), z = model(x)
    decoded, mean, logvar, z = decoded.float(), mean.float(), logvar.float(), z.float()
    loss, parts = plain_loss(x, decoded, (mean, logvar), z, images, step)
    kl = 0.5 * (-1 - logvar + mean.pow(2) + logvar.exp()).mean(0)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {**parts, "loss": loss, "kl": kl.sum()}


def _log_density(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    return -0.5 * ((z - mean) ** 2 * torch.exp(-logvar) + logvar + math.log(2 * math.pi))
