"""Runs: train one, load one, and ask it for codes, images, scores, figures and a report."""

from unweave.run.drawn_run import DrawnRun
from unweave.run.exploring import Explorer
from unweave.run.opened import Run, load_run, pull
from unweave.run.side_by_side import plot_runs
from unweave.run.trained_run import TrainedRun
from unweave.run.training import train

__all__ = [
    "DrawnRun",
    "Explorer",
    "Run",
    "TrainedRun",
    "load_run",
    "plot_runs",
    "pull",
    "train",
]

# The documentation knows them by their public names, on two pages.
for _cls in (DrawnRun, Explorer, Run, TrainedRun):
    _cls.__module__ = __name__
