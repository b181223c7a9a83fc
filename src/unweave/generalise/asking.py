"""What is asked of a run that was trained without some combinations of factors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Literal, TypeAlias, get_args

from unweave.encoding import Part
from unweave.objectives.kinds import Kind, kind_of
from unweave.studies import ScoreRequest
from unweave.training import TrainConfig

__all__ = ["DCI", "HOLDOUT", "REGIONS", "Region", "own_part", "requests_of", "requests_of_kinds"]

Region: TypeAlias = Literal["in_distribution", "held_out"]
"""Where a score is of: images like those trained on, or what was held out."""

REGIONS: Final[tuple[Region, ...]] = get_args(Region)
"""Images like those that were trained on, and images with the combinations that were held out."""

HOLDOUT: Final = 0.05
"""Share of the images to train on that a training keeps apart, to be compared with."""

DCI: Final = ("dag", "dci_lasso")
"""Protocol and metric of disentanglement as published."""

_OF: Final[dict[Kind, tuple[str, ...]]] = {
    "autoencoder": ("reconstruction_nll", "factor_errors", "factor_r2", "attribution"),
    # Whose latents need not say what the labels say, so that no code is to blame.
    "conditional": ("reconstruction_nll", "factor_errors", "factor_r2"),
    "decoder": ("reconstruction_nll", "factor_errors"),
    "composer": ("factor_r2",),
}
_COMPOSED: Final = "composition"


def own_part(config: TrainConfig) -> Part:
    """The part of its own data that a run was trained on, by name."""
    return "train" if config.holdout else "all"


def requests_of(
    config: TrainConfig, *, metrics: Sequence[str] = (), probe: bool = True
) -> tuple[ScoreRequest, ...]:
    """The scores that tell how a run generalises.

    Disentanglement is that of the images that were trained on. All else is asked twice: of images
    that are like them, those that the training kept apart, or where it kept none those that it
    was trained on; and of the images that were held out.

    Args:
        config: What was trained, on a part of a dataset of which the rest is known.
        metrics: Further metrics of disentanglement, of the default protocol.
        probe: Whether a network that reads factors from images is trained, to tell which factors
            of a reconstruction are wrong.
    """
    return _asked(kind_of(config.objective.expand()), config.holdout, metrics, probe)


def requests_of_kinds(
    kinds: Iterable[Kind],
    *,
    holdout: float = HOLDOUT,
    metrics: Sequence[str] = (),
    probe: bool = True,
) -> tuple[ScoreRequest, ...]:
    """The scores that tell how the runs of a study generalise, each asked of its kind of models.

    Args:
        kinds: What kinds of models the study trains.
        holdout: Share of the images to train on that its runs keep apart.
        metrics: As in `requests_of`.
        probe: As in `requests_of`.
    """
    return tuple(
        replace(request, kind=kind)
        for kind in kinds
        for request in _asked(kind, holdout, metrics, probe)
    )


def _asked(
    kind: Kind, holdout: float, metrics: Sequence[str], probe: bool
) -> tuple[ScoreRequest, ...]:
    trained: Part = "train" if holdout else "all"
    asked: list[ScoreRequest] = []
    if kind != "decoder":
        asked.append(ScoreRequest(metrics=DCI[1:], protocol=DCI[0], part=trained))
        if metrics:
            asked.append(ScoreRequest(metrics=tuple(metrics), part=trained))
    names = tuple(name for name in _OF[kind] if probe or name != "factor_errors")
    asked.append(ScoreRequest(metrics=names, part="holdout" if holdout else "all"))
    asked.append(ScoreRequest(metrics=names, data="held_out"))
    if kind == "composer":
        asked.append(ScoreRequest(metrics=(_COMPOSED,)))
    return tuple(asked)
