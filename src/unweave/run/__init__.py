"""Runs: train one, load one, and ask it for codes, images, scores, figures and a report."""

from unweave.run.opened import Run, load_run
from unweave.run.training import train

__all__ = ["Run", "load_run", "train"]
