"""The recursion of rPU-VAE: codes become labels, and a part of the images is left to learn."""

from unweave.population.recursion.folder import RecursionFolder
from unweave.population.recursion.plan import RecursionOutcome
from unweave.population.recursion.presets import make_recursion
from unweave.population.recursion.running import run_recursion
from unweave.population.recursion.spec import Recursion

__all__ = [
    "Recursion",
    "RecursionFolder",
    "RecursionOutcome",
    "make_recursion",
    "run_recursion",
]
