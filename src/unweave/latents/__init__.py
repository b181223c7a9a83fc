"""Posterior distributions over latents."""

from unweave.latents.gaussian import DiagonalGaussian, log_normal

__all__ = ["DiagonalGaussian", "log_normal"]
