"""Which of the scores that are asked of a run are there already."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unweave.analysis import choose
from unweave.conditions import named_data
from unweave.data import parse_dataset
from unweave.metrics.protocols import protocol
from unweave.rundir import FORMAT, read_json, write_json
from unweave.scores import load_scores, repeats_of
from unweave.studies.spec import ScoreRequest

__all__ = ["missing", "note_left_out"]

_LEFT_OUT: Final = "left_out.json"


def missing(
    requests: Iterable[ScoreRequest], folder: Path, step: int | None = None
) -> Iterator[ScoreRequest]:
    """The requests of which a score is not there yet.

    Args:
        requests: What is asked.
        folder: The run.
        step: Only scores of the weights after this step; None for those of any.

    Raises:
        SpecError: A request names data that there are not.
    """
    rows = [row for row in load_scores(folder) if step in (None, row["step"])]
    own = read_json(folder / "config.json")["text"]["dataset"] if rows else ""
    for request in requests:
        # A run can be scored on several datasets.
        data = own if request.data is None or not rows else _text_of(request.data, own)
        if not _is_answered(request, [row for row in rows if row["data"] == data], folder):
            yield request


def note_left_out(request: ScoreRequest, folder: Path) -> None:
    """Write down that a request is answered, though scores of it are missing and always will.

    Args:
        request: For all of a protocol, of which some metrics cannot score the run.
        folder: The run.
    """
    requests = [_plain(request), *_left_out(folder)]
    write_json(folder / _LEFT_OUT, {"format": FORMAT, "requests": requests})


@functools.lru_cache(maxsize=256)
def _text_of(data: str, own: str) -> str:
    """Text, as scores have it, of data that are named beside those that a run was trained on.

    Kept, since to read a text takes a moment, and many runs have the same.
    """
    return str(named_data(data, parse_dataset(own)))


def _is_answered(request: ScoreRequest, rows: Sequence[Mapping[str, Any]], folder: Path) -> bool:
    label, drawn, rest = _wanted(request.protocol, request.metrics)
    found = {
        (row["metric"], repeats_of(row))
        for row in rows
        if row["protocol"] == label
        and all(row[name] == getattr(request, name) for name in ("part", "codes", "seed"))
    }
    # Analyses draw once, however often metrics do.
    wanted = {(name, request.repeats) for name in drawn} | {(name, 1) for name in rest}
    if wanted <= found:
        return True
    everything = request.metrics is None
    return everything and bool(wanted & found) and _plain(request) in _left_out(folder)


@functools.cache
def _wanted(
    protocol_name: str, names: tuple[str, ...] | None
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Label of a protocol, and the metrics and analyses of it that are asked for."""
    chosen = protocol(protocol_name)
    metrics, analyses = choose(chosen, names)
    return chosen.label, tuple(m.name for m in metrics), tuple(a.name for a in analyses)


def _left_out(folder: Path) -> list[dict[str, Any]]:
    """Requests for all of a protocol of which some metric cannot score the run."""
    path = folder / _LEFT_OUT
    requests: list[dict[str, Any]] = read_json(path)["requests"] if path.is_file() else []
    return requests


def _plain(request: ScoreRequest) -> dict[str, Any]:
    return {name: value for name, value in request.to_dict().items() if name != "metrics"}
