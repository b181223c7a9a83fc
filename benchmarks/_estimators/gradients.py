"""Gradients of the three terms: first in the codes of a batch, then in the encoder's weights."""

from __future__ import annotations

__all__ = ["TERMS", "Pullback", "estimated_coefficients", "exact_coefficients", "values"]

from collections.abc import Callable
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from _estimators.candidates import Candidate, Codes, Densities
from unweave.encoding import full_precision
from unweave.latents import log_normal
from unweave.vae import VAE

TERMS = ("total_correlation", "mutual_information", "dimension_kl")
_CHUNK = 128

Load = Callable[[NDArray[np.int64]], Tensor]


def values(d: Densities) -> Tensor:
    """Total correlation, mutual information and dimension-wise KL of each sample, (B, 3) nats."""
    return torch.stack(
        [d.joint - d.product, d.conditional - d.joint, d.product - d.prior], dim=1
    ).detach()


def estimated_coefficients(candidate: Candidate, codes: Codes, noise: Tensor) -> Tensor:
    """Derivatives of a candidate's three means in the codes, as training takes them.

    Args:
        candidate: The estimator.
        codes: The batch; its samples are drawn again from `noise`, so that they carry gradients.
        noise: Standard normal, (B, L).

    Returns:
        (3, 2, B, L): term, mean or log variance, image, latent.
    """
    mean = codes.mean.detach().clone().requires_grad_()
    logvar = codes.logvar.detach().clone().requires_grad_()
    z = mean + torch.exp(0.5 * logvar) * noise
    made = candidate.make(Codes(mean, logvar, z, codes.images, codes.further))
    return _coefficients(made, mean, logvar)


def exact_coefficients(
    codes: Codes, noise: Tensor, joint_slope: Tensor, product_slope: Tensor
) -> Tensor:
    """The same derivatives under the exact densities, whose components are held fixed.

    log q(z given x) and log p(z) are differentiated in full, as the estimators do: only log q(z)
    and the marginals differ. Slopes are derivatives in z, (B, L); other shapes as in
    `estimated_coefficients`.
    """
    mean = codes.mean.detach().clone().requires_grad_()
    logvar = codes.logvar.detach().clone().requires_grad_()
    z = mean + torch.exp(0.5 * logvar) * noise
    # Linear functions of z with the right slope stand for the densities.
    return _coefficients(
        Densities(
            conditional=log_normal(z, mean, logvar).sum(1),
            joint=(joint_slope * z).sum(1),
            product=(product_slope * z).sum(1),
            prior=log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1),
        ),
        mean,
        logvar,
    )


def _coefficients(d: Densities, mean: Tensor, logvar: Tensor) -> Tensor:
    means = (d.joint - d.product, d.conditional - d.joint, d.product - d.prior)
    gradients = [torch.autograd.grad(m.mean(), (mean, logvar), retain_graph=True) for m in means]
    return torch.stack([torch.stack(pair) for pair in gradients])


@final
class Pullback:
    """Vector-Jacobian products through the encoder, in chunks of images and in float32.

    Args:
        model: Whose encoder.
        load: Images (n, C, H, W) of flat indices.
    """

    def __init__(self, model: VAE, load: Load) -> None:
        self._model = model
        self._load = load
        self._weights = [*model.trunk.parameters(), *model.head.parameters()]

    @property
    def size(self) -> int:
        """Number of weights of the encoder."""
        return sum(weight.numel() for weight in self._weights)

    def __call__(self, flat: NDArray[np.int64], coefficients: Tensor) -> Tensor:
        """Gradients in the encoder's weights, (V, P).

        Args:
            flat: Flat indices of the images, (B,).
            coefficients: V gradients in means and log variances, (V, 2, B, L).
        """
        out = torch.zeros(len(coefficients), self.size)
        with full_precision(self._model):
            for start in range(0, len(flat), _CHUNK):
                posterior = self._model.encode(self._load(flat[start : start + _CHUNK]))
                codes = (posterior.mean, posterior.logvar)
                last = len(coefficients) - 1
                for index, vector in enumerate(coefficients[:, :, start : start + _CHUNK]):
                    gradients = torch.autograd.grad(
                        codes, self._weights, tuple(vector), retain_graph=index < last
                    )
                    out[index] += torch.cat([g.reshape(-1) for g in gradients])
        return out
