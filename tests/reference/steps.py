"""Steps whose posterior and samples are given, for terms that are checked by the number."""

from __future__ import annotations

import numpy as np
import torch

from unweave.latents import DiagonalGaussian
from unweave.likelihoods import Bernoulli, Likelihood
from unweave.nn import Burgess
from unweave.objectives import Batch, Step
from unweave.randomness import Streams
from unweave.vae import VAE

__all__ = ["make_step", "random_codes"]


def random_codes(batch_size, latents, seed=0):
    """Means, log variances and samples, (B, L) float64, of well separated and of loose codes."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1, (batch_size, latents))
    logvar = rng.uniform(-3, 0.5, (batch_size, latents))
    z = mean + np.exp(0.5 * logvar) * rng.normal(0, 1, (batch_size, latents))
    return mean, logvar, z


def make_step(
    mean,
    logvar,
    z,
    *,
    dataset_size=1000,
    global_step=1,
    likelihood: Likelihood | None = None,
    logits=None,
    target=None,
    parts=None,
    second=None,
    model=None,
    seed=0,
) -> Step:
    """A step in double precision; what is not given is not read by the term at hand."""
    if model is None:
        with torch.device("meta"):
            model = VAE(Burgess(), (32, 32, 1), np.shape(mean)[1], likelihood or Bernoulli())
    empty = torch.empty(0)
    images = empty if target is None else torch.as_tensor(target)
    return Step(
        batch=Batch(images=images, second=second),
        posterior=DiagonalGaussian(torch.as_tensor(mean), torch.as_tensor(logvar)),
        z=torch.as_tensor(z),
        logits=empty if logits is None else torch.as_tensor(logits),
        target=images,
        model=model,
        parts=parts or {},
        global_step=global_step,
        dataset_size=dataset_size,
        streams=Streams(seed, global_step, torch.device("cpu")),
    )
