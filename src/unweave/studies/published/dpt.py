"""The scripts of Disentanglement-PyTorch, one training each."""

from __future__ import annotations

__all__ = ["dpt_studies"]

from collections.abc import Iterator
from typing import Final

from unweave.presets.dpt import dpt_presets
from unweave.studies.published.base import PublishedStudy, requested
from unweave.studies.spec import ScoreRequest

_SOURCE: Final = "the public code disentanglement-pytorch (2019), arXiv 1912.05184"

_TEST_LOSSES: Final = ScoreRequest(metrics=("test_losses",))


def dpt_studies() -> Iterator[PublishedStudy]:
    """Each script as a study of one run, under the script's name.

    Most scripts train until they are stopped, after at most 30 million steps, so that they want a
    scale: 0.01 makes 300,000 steps. Models that the source does not score are scored by test
    losses.

    The presets say what differs, and what is doubtful. Those of the published table are no study:
    they go on from weights of a training that has to be there before a study is planned.
    """
    for entry in dpt_presets():
        if entry.name.startswith("dpt/table1_"):
            continue
        yield PublishedStudy(
            name=entry.name,
            about=entry.about,
            source=_SOURCE,
            axes=(({"preset": entry.name},),),
            scores=requested(entry) or (_TEST_LOSSES,),
        )
