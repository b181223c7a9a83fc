"""What regions are called, how numbers over runs are written, and what is said of small print."""

from __future__ import annotations

from collections.abc import Sequence

from unweave.generalise.asking import Region
from unweave.generalise.reading import Found
from unweave.generalise.summary import Mean

__all__ = ["NO_INTERVAL", "ends_of", "not_apart", "region_words"]

NO_INTERVAL = "\N{EN DASH}"
"""Stands for the interval of a single run."""


def region_words(runs: Sequence[Found]) -> dict[Region, str]:
    """What the images of each region are to some runs.

    Images like those that were trained on are in distribution only where a training kept them
    apart; else they are those that it was trained on.
    """
    apart = {bool(run.config.holdout) for run in runs}
    inside = "in distribution" if apart == {True} else "trained on"
    if len(apart) > 1:
        inside = "in distribution or trained on"
    return {"in_distribution": inside, "held_out": "held out"}


def not_apart(runs: Sequence[Found]) -> str:
    """A sentence on runs that kept no image apart to be compared with; empty where all did."""
    without = sum(not run.config.holdout for run in runs)
    if not without:
        return ""
    which = "Nothing was kept apart from training, so that"
    if without < len(runs):
        which = f"Of {without} of {len(runs)} runs nothing was kept apart from training: there"
    return (
        f"{which} held-out images are compared with images that were trained on, not with unseen "
        "ones in distribution; the gap has in it what was learned by heart."
    )


def ends_of(mean: Mean | None, digits: int) -> str:
    """The ends of an interval as text; of a single run a dash, of no run nothing."""
    if mean is None:
        return ""
    if mean.low is None or mean.high is None:
        return NO_INTERVAL
    return f"{mean.low:.{digits}f} to {mean.high:.{digits}f}"
