"""The schedule that a member came to, and the training that repeats it alone."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError
from unweave.population.folder import PopulationFolder
from unweave.population.spec import Population
from unweave.population.table import Row
from unweave.rundir import atomic_write, check_replaceable
from unweave.session import read_config
from unweave.spec import Component
from unweave.training import TrainConfig
from unweave.training.paths import value_at

__all__ = ["Stretch", "config_of_member", "schedule_of", "study_text", "write_replay"]

# What a study has other defaults for, or takes from the objective, where it is left out.
_ALWAYS: Final = ("dataset", "objective", "steps", "architecture", "threads")
# How the file of `write_replay` begins, within so many bytes.
_MARK: Final = re.compile(rb'about = "Member \d+ of round \d+ of the population ')
_HEAD: Final = 128


@final
@dataclass(frozen=True)
class Stretch:
    """Steps of a training in which nothing changes but what has a schedule of its own.

    Attributes:
        start: Optimiser steps before it.
        stop: Its last step.
        values: Settings by path.
    """

    start: int
    stop: int
    values: dict[str, Any]


def schedule_of(config: TrainConfig, paths: Sequence[str] = ()) -> list[Stretch]:
    """The settings of a training over its steps, stretch by stretch.

    Args:
        config: The training.
        paths: The settings, such as `objective.beta`; none for those that its phases change, the
            seed left out.

    Raises:
        SpecError: There is no such setting.
    """
    changed = [path for phase in config.phases for path, _ in phase.changes if path != "seed"]
    paths = tuple(paths) or tuple(dict.fromkeys(changed))
    stretches = []
    for start, stop in config.spans():
        now = config.at(start + 1)
        values = {path: value_at(now, path.split("."), path) for path in paths}
        stretches.append(Stretch(start=start, stop=stop, values=values))
    return stretches


def config_of_member(folder: PopulationFolder, row: Row) -> TrainConfig:
    """The configuration of a member's best model, with the whole history of its weights.

    Trained alone, by `config.command` or by the study of `write_replay`, it ends with the same
    weights.

    Raises:
        RunError: The run is not there any more.
    """
    run = folder.run_of(row)
    if not run.is_dir():
        raise RunError(
            f"Member {row.member} of round {row.task.round} is not kept in {folder.path}: of "
            "earlier rounds only the best member so far is. Run the population with --keep all."
        )
    return read_config(run)


def write_replay(folder: PopulationFolder, row: Row, out: str | Path) -> Path:
    """Write a study of one run that repeats how a member's best model was trained.

    `unweave study run OUT` trains it from its first step on, without the population, and ends
    with the same weights, bit for bit, on the same machine with as many threads.

    Args:
        folder: The population.
        row: The member, in a round.
        out: Where to; a TOML file. One that repeats a member, and is there, is replaced.

    Returns:
        The file.

    Raises:
        RunError: The run is not there any more.
        SpecError: There is a folder, or a file that does not repeat a member.
        UnweaveError: The file cannot be written.
    """
    path = Path(out)
    check_replaceable(
        path,
        "study that repeats a member of a population",
        lambda handle: _MARK.match(handle.read(_HEAD)) is not None,
    )
    config, population = config_of_member(folder, row), folder.population()
    score = "no score" if row.score is None else f"the score {row.score:.6g}"
    about = (
        f"Member {row.member} of round {row.task.round} of the population "
        f"{folder.path.name}, which has {score} by {population.fitness}."
    )
    with atomic_write(path) as handle:
        handle.write(study_text(config, population, about).encode("utf-8"))
    return path


def study_text(config: TrainConfig, population: Population, about: str) -> str:
    """A study of one run in TOML.

    Args:
        config: The run.
        population: Whose metrics score it.
        about: One sentence.
    """
    lines = [f"about = {_toml(about)}"]
    scored = population.metrics and config.dataset.labelled
    if not scored:
        lines.append("evaluate = []")
    lines += ["", "[train]"]
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is not None and (field.name in _ALWAYS or value != field.default):
            lines.append(f"{field.name} = {_toml(value)}")
    if scored:
        lines += [
            "",
            "[evaluate]",
            f"metrics = {_toml(population.metrics)}",
            f"protocol = {_toml(population.protocol)}",
        ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A plain value, or the text of anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Component):
        return "[\n" + "".join(f"  {_toml(part)},\n" for part in value) + "]"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # Texts of TOML are those of JSON, but for one character more that is escaped.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
