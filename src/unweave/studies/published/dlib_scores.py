"""How the studies of disentanglement_lib score models: its metrics, each with its own seed."""

from __future__ import annotations

__all__ = ["score_requests"]

from typing import Final

import numpy as np

from unweave.encoding import Codes
from unweave.presets.dlib import DLIB_METRICS
from unweave.studies.spec import ScoreRequest

_CODES: Final[tuple[Codes, ...]] = ("mean", "sampled")


def score_requests(*further: str) -> tuple[ScoreRequest, ...]:
    """One request for each metric of posterior means, then of samples, by protocol `dlib2019`.

    Seeds are those of the library's driver, the same for every model: one stream of 32-bit
    numbers from seed 0, of which the first two go to the representations, and then one to each
    metric in alphabetical order, means first. A further metric therefore moves the seeds of those
    after it.

    Args:
        *further: Names of metrics beside the nine of the unsupervised study.
    """
    # The frozen stream in which the published seeds were drawn.
    stream = np.random.RandomState(0)
    for _ in _CODES:
        stream.randint(2**32)
    return tuple(
        ScoreRequest(
            metrics=(metric,), protocol="dlib2019", codes=codes, seed=int(stream.randint(2**32))
        )
        for codes in _CODES
        for metric in sorted((*DLIB_METRICS, *further))
    )
