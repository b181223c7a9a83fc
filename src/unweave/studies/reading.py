"""Studies read from a file: TOML, or a function in Python."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from unweave.encoding import Codes, Part
from unweave.errors import SpecError, nearest
from unweave.execution import Limits
from unweave.figures import FIGURES
from unweave.metrics.protocols import DEFAULT
from unweave.objectives.kinds import Kind
from unweave.studies.axes import axis_of, flattened, seed_axis
from unweave.studies.spec import Keep, ScoreRequest, Study

__all__ = ["read_study", "study_of"]

# What a study's file is called while it is run: no name that another module may have.
_MODULE: Final = "unweave_study"
# File systems take names of so many bytes, and files beside the folder have longer ones.
_LONGEST: Final = 200
# So many minutes are longer than anybody waits.
_NEVER: Final = 1e9


def read_study(path: str | Path) -> Study:
    """Read a study from a TOML file, or from what a Python function returns.

    Args:
        path: A TOML file, or `FILE.py:FUNCTION`; the function takes nothing, and returns a table
            as the file would hold it, or a `Study`.

    Raises:
        SpecError: It cannot be read, or says something wrong; the message names the place.
    """
    text = str(path)
    file, _, function = text.rpartition(":")
    if file.endswith(".py") or text.endswith(".py"):
        if not file.endswith(".py"):
            raise SpecError(f"Say which function makes the study: {text}:make_study.")
        made = _call(Path(file), function)
        return made if isinstance(made, Study) else study_of(made, Path(file).stem)
    try:
        form = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(
            f"The study {text} cannot be read: {error.strerror}. Name a TOML file, or "
            "FILE.py:FUNCTION; unweave study list has published ones, for --preset."
        ) from error
    except (ValueError, RecursionError) as error:
        # Of TOML, of its encoding, or of what is in it, such as a number with thousands of digits.
        raise SpecError(f"The study {text} is not TOML: {error}.") from error
    return study_of(form, Path(path).stem)


def study_of(form: Any, name: str) -> Study:
    """Read a study from a table.

    Args:
        form: `train`, a table of settings; `sweep`, a list of tables, each an axis; `seeds`;
            `evaluate`, a table or several; `plots`; `keep`; `limits`; `name` and `about`.
        name: What it is called where it does not say so itself.

    Raises:
        SpecError: Something in it is wrong.
    """
    if not isinstance(form, Mapping):
        raise SpecError(f"A study is a table, not {form!r:.100}.")
    known = ("name", "about", "train", "sweep", "seeds", "evaluate", "plots", "keep", "limits")
    _check_keys(form, known, "A study")
    sweeps = form.get("sweep", [])
    if not isinstance(sweeps, list) or not all(isinstance(entry, Mapping) for entry in sweeps):
        raise SpecError("sweep takes tables: write [[sweep]], with two brackets.")
    axes = [tuple(axis_of(entry, f"sweep {place}")) for place, entry in enumerate(sweeps, 1)]
    if "seeds" in form:
        axes.append(tuple(seed_axis(form["seeds"])))
    study = Study(
        name=_name(form.get("name", name)),
        about=_text(form.get("about", ""), "about"),
        settings=flattened(_table(form.get("train", {}), "train")),
        axes=tuple(axes),
        scores=_scores(form.get("evaluate", {})),
        plots=_plots(form.get("plots", [])),
        keep=_choice(form.get("keep", "all"), get_args(Keep), "keep"),
        limits=_limits(_table(form.get("limits", {}), "limits")),
    )
    twice = [name for name in study.varied if name in study.settings]
    if twice:
        raise SpecError(f"{twice[0]} is set by train and by the sweep; give it once.")
    return study


def _name(value: Any) -> str:
    """A name, which is also that of a folder."""
    name = _text(value, "name")
    parts = name.split("/")
    if (
        any(part.strip(". ") == "" or len(part.encode()) > _LONGEST for part in parts)
        or not name.isprintable()
    ):
        raise SpecError(
            f"name is that of the study's folder, such as rates or mine/rates, and cannot be "
            f"{name!r:.100}."
        )
    return name


def _scores(form: Any) -> tuple[ScoreRequest, ...]:
    tables = form if isinstance(form, list) else [form]
    return tuple(_score(_table(table, "evaluate")) for table in tables)


def _score(table: Mapping[str, Any]) -> ScoreRequest:
    known = ("metrics", "protocol", "part", "codes", "seed", "repeats", "data", "kind")
    _check_keys(table, known, "evaluate")
    metrics, data, kind = (table.get(name) for name in ("metrics", "data", "kind"))
    if metrics is not None:
        if not isinstance(metrics, list) or not metrics:
            raise SpecError('evaluate: metrics takes a list of names, such as ["mig", "dci"].')
        metrics = tuple(_text(name, "evaluate: metrics") for name in metrics)
    return ScoreRequest(
        metrics=metrics,
        protocol=_text(table.get("protocol", DEFAULT), "evaluate: protocol"),
        part=_choice(table.get("part", "all"), get_args(Part), "evaluate: part"),
        codes=_choice(table.get("codes", "mean"), get_args(Codes), "evaluate: codes"),
        seed=_whole(table.get("seed", 0), 0, "evaluate: seed"),
        repeats=_whole(table.get("repeats", 1), 1, "evaluate: repeats"),
        data=None if data is None else _text(data, "evaluate: data"),
        kind=None if kind is None else _choice(kind, get_args(Kind), "evaluate: kind"),
    )


def _plots(form: Any) -> tuple[str, ...]:
    if not isinstance(form, list):
        raise SpecError('plots takes a list of figures, such as ["reconstructions"].')
    for kind in form:
        if not isinstance(kind, str) or kind not in FIGURES:
            raise SpecError(f"plots: unknown figure {kind!r:.100}. {nearest(str(kind), FIGURES)}")
    return tuple(dict.fromkeys(form))


def _limits(table: Mapping[str, Any]) -> Limits:
    _check_keys(table, ("retries", "losses", "minutes", "silence_minutes"), "limits")
    given: dict[str, Any] = {}
    for name in ("retries", "losses"):
        if name in table:
            given[name] = _whole(table[name], 0, f"limits: {name}")
    for name, limit in (("minutes", "seconds"), ("silence_minutes", "silence")):
        if name in table:
            minutes = table[name]
            number = isinstance(minutes, int | float) and not isinstance(minutes, bool)
            if not number or not 0 < minutes < _NEVER:
                raise SpecError(
                    f"limits: {name} takes a number above 0, not {minutes!r:.100}. Leave it out "
                    "for the usual limit."
                )
            given[limit] = 60.0 * minutes
    return Limits(**given)


def _call(file: Path, function: str) -> Any:
    """What a function in a file of the user's returns."""
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SpecError(f"The study {file} cannot be read: there is no such file.")
    module = importlib.util.module_from_spec(spec)
    # Classes of data look their module up by its name while they are made.
    sys.modules[_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise SpecError(f"{file} cannot be run: {type(error).__name__}: {error}.") from error
    made = getattr(module, function, None)
    if not callable(made):
        raise SpecError(f"{file} has no function {function!r}.")
    try:
        return made()
    except SpecError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(f"{file}:{function} failed: {type(error).__name__}: {error}.") from error


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    for key in table:
        if key not in known:
            raise SpecError(f"{place} has no {key!r}. {nearest(str(key), known)}")


def _table(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{place} is a table: write [{place}], and its fields below.")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{place} takes text, not {value!r:.100}.")
    return value


def _whole(value: Any, least: int, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SpecError(f"{place} takes a whole number of at least {least}, not {value!r:.100}.")
    return value


def _choice(value: Any, allowed: tuple[str, ...], place: str) -> Any:
    if value not in allowed:
        raise SpecError(f"{place} takes one of {', '.join(allowed)}, not {value!r:.100}.")
    return value
