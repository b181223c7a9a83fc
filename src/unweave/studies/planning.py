"""From a study to the runs it stands for, each under its content address."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final, get_args

from unweave.analysis import choose
from unweave.data.views.table import factors_before
from unweave.errors import DataError, RunError, SpecError, UnweaveError, nearest
from unweave.execution import Item
from unweave.figures import FIGURES, check_figure
from unweave.metrics.protocols import protocol
from unweave.objectives.kinds import kind_of
from unweave.run.asked import asked_spec, check_told
from unweave.scoring import check_codes
from unweave.session import CHECKPOINT, read_config
from unweave.spec import to_dict
from unweave.studies.axes import Settings
from unweave.studies.fields import config_of
from unweave.studies.spec import Keep, Study
from unweave.training import TrainConfig

__all__ = ["PlannedRun", "plan"]

# A run trains with one thread unless the study says otherwise: several run side by side, and a run
# is the same however many there are.
_THREADS = 1
_DIGITS = 16


@final
@dataclass(frozen=True)
class PlannedRun:
    """One run of a study.

    Attributes:
        key: The first 16 digits of the configuration's address: its name in the log, and its
            folder's.
        config: What is trained.
        varied: The settings in which it differs from others of the study.
    """

    key: str
    config: TrainConfig
    varied: Settings

    def item(self, study: Study, folder: str) -> Item:
        """The work that it is.

        Args:
            study: Says how it is scored, and what is kept.
            folder: The run folder.
        """
        payload: dict[str, Any] = {
            "config": to_dict(self.config),
            "folder": folder,
            "scores": [request.to_dict() for request in study.asked_of(self.config)],
            "plots": list(study.plots),
            "keep": study.keep,
        }
        return Item(self.key, payload)


def plan(study: Study) -> tuple[PlannedRun, ...]:
    """All runs of a study, checked: each could begin now.

    Raises:
        SpecError: A setting is wrong, or two runs are the same; the message says which.
        DataError: A dataset cannot be had.
        RunError: There are no weights where a run shall take its first ones.
    """
    for request in study.scores:
        choose(protocol(request.protocol), request.metrics)
    # A study that was made in Python has been read by nobody.
    for kind in study.plots:
        if kind not in FIGURES:
            raise SpecError(f"plots: unknown figure {kind!r:.100}. {nearest(str(kind), FIGURES)}")
    if study.keep not in get_args(Keep):
        raise SpecError(f"keep takes one of {', '.join(get_args(Keep))}, not {study.keep!r:.100}.")
    runs: dict[str, PlannedRun] = {}
    for settings in study.combinations():
        varied = {name: settings[name] for name in study.varied if name in settings}
        try:
            config = _rooted(config_of({"threads": _THREADS} | settings))
        except SpecError as error:
            if not varied:
                raise
            raise SpecError(f"The run with {_told(varied)}: {error}") from error
        key = config.address[:_DIGITS]
        if key in runs:
            raise SpecError(
                f"The runs with {_told(runs[key].varied)} and with {_told(varied)} are the same "
                "training. Give it once."
            )
        runs[key] = PlannedRun(key, config, varied)
    _check_asked(runs.values(), study)
    _check_encoders(runs.values(), study)
    _check_data(tuple(runs.values()), study)
    return tuple(runs.values())


def _check_asked(runs: Iterable[PlannedRun], study: Study) -> None:
    """Refuse runs of which nothing is asked, where scores are asked of others."""
    for run in runs:
        if study.scores and not study.asked_of(run.config):
            kind = kind_of(run.config.objective.expand())
            asked = dict.fromkeys(str(request.kind) for request in study.scores)
            raise SpecError(
                f"The run with {_told(run.varied)}: no score is asked of it. Its model is of the "
                f"kind {kind}, and evaluate has requests of the kind {' and '.join(asked)} alone: "
                f"give one with kind={kind}, or without a kind."
            )


def _check_encoders(runs: Iterable[PlannedRun], study: Study) -> None:
    """Refuse metrics and figures of codes, where a run trains a decoder alone."""
    metrics_of = functools.cache(
        lambda asked: [m for r in asked for m in choose(protocol(r.protocol), r.metrics)[0]]
    )
    for run in runs:
        metrics = metrics_of(study.asked_of(run.config))
        plan = run.config.objective.expand()
        where = f"The run with {_told(run.varied)}"
        try:
            check_codes(plan, metrics)
            for kind in study.plots:
                check_figure(kind, run.config)
        except SpecError as error:
            raise SpecError(f"{where}: {error}") from error


def _check_data(runs: Sequence[PlannedRun], study: Study) -> None:
    """Refuse datasets that cannot be had, and parts that a run does not have."""
    for dataset in {str(run.config.dataset): run.config.dataset for run in runs}.values():
        dataset.check_loadable()
    _check_other_data(runs, study)
    for run in runs:
        asked = study.asked_of(run.config)
        if run.config.holdout == 0 and any(r.part == "holdout" for r in asked):
            raise UnweaveError(
                f"The run with {_told(run.varied)} holds no images out, so part=holdout cannot be "
                "scored: set holdout in train."
            )


def _check_other_data(runs: Sequence[PlannedRun], study: Study) -> None:
    """Refuse other data to score on that there are not, that cannot be had, or that do not fit."""
    # Runs of one dataset and objective are alike.
    alike = {(run.config.dataset, run.config.objective): run for run in runs}
    for run in alike.values():
        asked = study.asked_of(run.config)
        for data in dict.fromkeys(request.data for request in asked):
            if data is None:
                continue
            analyses = [
                analysis
                for request in asked
                if request.data == data
                for analysis in choose(protocol(request.protocol), request.metrics)[1]
            ]
            try:
                spec = asked_spec(run.config, data)
                spec.check_loadable()
                # Factors that go by images are known once these are there.
                if analyses and (not spec.labelled or factors_before(spec) is not None):
                    check_told(run.config, spec, [each.told for each in analyses])
            except (SpecError, DataError) as error:
                where = f"The run with {_told(run.varied)}"
                raise type(error)(f"{where}, evaluate with data={data}: {error}") from error


def _rooted(config: TrainConfig) -> TrainConfig:
    """A configuration whose first weights are named by a path that is the same from everywhere.

    Raises:
        RunError: There are none.
    """
    if config.init_from is None:
        return config
    origin = Path(config.init_from).absolute()
    read_config(origin)
    if not (origin / CHECKPOINT).is_file():
        raise RunError(f"init_from: {origin} has no weights: it has no {CHECKPOINT}.")
    return replace(config, init_from=str(origin))


def _told(varied: Settings) -> str:
    return ", ".join(f"{name}={value}" for name, value in varied.items()) or "the same settings"
