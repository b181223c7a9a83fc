"""Posterior distributions over latents, and codes that have none."""

from typing import TypeAlias

from unweave.latents.gaussian import DiagonalGaussian, log_normal
from unweave.latents.point import Point

__all__ = ["DiagonalGaussian", "Point", "Posterior", "log_normal"]

Posterior: TypeAlias = DiagonalGaussian | Point
"""What an encoder gives of images."""
