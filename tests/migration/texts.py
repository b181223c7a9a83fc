"""Names and texts in a command, checked without its being run."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unweave.cli import app
from unweave.cli.common import Common, names_of
from unweave.cli.lists import Listing, StudyList

__all__ = ["check"]


def check(words: list[str]) -> Common:
    """Parse a command, and all texts in it as what they are; gives what it was parsed to.

    Raises:
        UnweaveError: A name or a text is wrong.
        AssertionError: The parser of the command line refuses it, with what it said.
    """
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            command = app.parse(words)
    except SystemExit:
        raise AssertionError(f"unweave {' '.join(words)}\n{said.getvalue()}") from None
    _fields(command)
    for kind, further in _FURTHER.items():
        if isinstance(command, kind):
            further(command)
    return command


def _fields(command: Common) -> None:
    """Fields that mean the same in every command."""
    from unweave.data import parse_dataset
    from unweave.likelihoods import Likelihood
    from unweave.metrics.protocols import protocol
    from unweave.nn import Architecture
    from unweave.objectives import parse_objective
    from unweave.spec import parse
    from unweave.training import Optimizer

    def component(family: Any) -> Callable[[str], object]:
        return lambda text: parse(text, family)

    readers: dict[str, Callable[[str], object]] = {
        "dataset": parse_dataset,
        "data": lambda text: text == "held_out" or parse_dataset(text),
        "objective": parse_objective,
        "likelihood": component(Likelihood),
        "architecture": component(Architecture),
        "optimizer": component(Optimizer),
        "protocol": lambda text: protocol(text.partition("/")[0]),
    }
    for name, read in readers.items():
        value = getattr(command, name, None)
        if isinstance(value, str):
            read(value)


def _train(command: Any) -> None:
    from unweave.errors import DataError
    from unweave.settings import make_config

    settings = command._settings()
    if command.resume and "dataset" not in settings:
        return
    if command.init_from is not None:
        del settings["init_from"]
    settings.setdefault("steps" if "epochs" not in settings else "epochs", 1)
    try:
        make_config(settings["dataset"], **{k: v for k, v in settings.items() if k != "dataset"})
    except DataError:
        # Files of one's own are there when the command is carried out.
        if "path=" not in settings["dataset"]:
            raise


def _scores(command: Any) -> None:
    """Metrics and analyses by name."""
    from unweave.analysis import choose
    from unweave.metrics.protocols import protocol

    choose(protocol(command.protocol), names_of(command.metrics))


def _ranked(command: Any) -> None:
    from unweave.analysis import choose
    from unweave.metrics.protocols import protocol

    if command.by != "udr":
        choose(protocol(command.protocol), (command.by,))


def _plot(command: Any) -> None:
    from unweave.figures import FIGURES

    kinds = [kind for kind in command.kinds if "/" not in kind]
    unknown = set(kinds) - {*FIGURES, "all"}
    assert not unknown, f"no kinds of figures: {unknown}"


def _study(command: Any) -> None:
    from unweave.cli.named_studies import named_study, scale_of

    assert (command.file is None) != (command.preset is None)
    if command.preset is not None:
        scale_of(named_study(command.preset), command.scale)


def _studies(command: Any) -> None:
    from unweave.cli.named_studies import named_study

    for name in command.names:
        named_study(name)


def _recursion(command: Any) -> None:
    from unweave.population.recursion.presets import RECURSION_PRESETS
    from unweave.population.recursion.reduction import Reduction
    from unweave.spec import parse

    assert command.preset in RECURSION_PRESETS
    if command.reduction is not None:
        parse(command.reduction, Reduction)


def _conditions(command: Any) -> None:
    from unweave.conditions import find_condition, fitting
    from unweave.conditions.condition import is_name
    from unweave.presets import preset

    if getattr(command, "preset", None) is not None:
        preset(command.preset)
    if command.condition is not None:
        look = fitting if is_name(command.condition) else find_condition
        look(command.condition, command.data)


def _rows(command: Any) -> None:
    from unweave.reproduction import find_rows

    find_rows(command.names)


def _cited(command: Any) -> None:
    from unweave.citing import cite

    named = [text for text in command.what if not Path(text).parts[0].startswith("runs")]
    if named:
        cite(*named)


def _listed(command: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert command.run() == 0


_FURTHER: dict[type, Callable[[Any], None]] = {
    app.Train: _train,
    app.Evaluate: _scores,
    app.Score: _scores,
    app.Rank: _ranked,
    app.Plot: _plot,
    app.StudyRun: _study,
    StudyList: _studies,
    app.PopulationRun: lambda command: command._population(None),
    app.PopulationRecurse: _recursion,
    app.GeneraliseSplits: _conditions,
    app.GeneraliseRun: _conditions,
    app.GeneraliseDecode: _conditions,
    app.GeneraliseCompose: _conditions,
    app.ReproduceRun: _rows,
    app.ReproduceList: _rows,
    app.Cite: _cited,
    Listing: _listed,
}
