"""Commands of pages carried out for real, at small size: what is made shorter, and nothing else.

Inside `small` a command runs as it was typed, and

- datasets that are drawn have a few values of each factor (`GRIDS`, else at most `IMAGES` images);
  those of published files are read from small files of the real format, which a `--from` or
  `path=` that leads nowhere stands for, too. Of dSprites, 3DShapes and MPI3D only `data prepare`
  reads such a file, of two or three values of each factor; else `source=archive` is drawn, and
  images of MPI3D are random, so that rules on their factors find the values they name;
- a training of more than 32 steps takes as many as its number has binary digits (20,000 become
  15), so that longer ones stay longer; batches are of 12 images at most;
- populations have four members of at most two models and two rounds, recursions one leaf-run of
  one level, studies two runs, sources of published numbers two rows;
- metrics that draw many samples or fit many trees take fewer, and probes 32 steps;
- what is kept of settings from one command to the next is forgotten before and after, since
  settings are others inside;
- workers are this process, GPUs its processor; a page that serves until Ctrl-C is served and
  ended at once, and no browser is opened.
"""

from __future__ import annotations

import dataclasses
import math
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from contracts.quick import FEWER, QUICK
from migration.grid_files import GRID_FILES, grid_file, mpi3d_without_a_file
from reference.published import PUBLISHED
from reference.small_archives import SMALL_ARCHIVES
from unweave.analysis.protocols import ANALYSES
from unweave.cli import app
from unweave.cli.driving import Driving
from unweave.cli.study import _Driving as StudyDriving
from unweave.data import DatasetSpec
from unweave.data.files import mpi3d
from unweave.metrics.protocols import PROTOCOLS
from unweave.population import Population
from unweave.population.recursion.spec import Recursion
from unweave.reproduction import ROWS, matching
from unweave.spec import Component, parse
from unweave.studies import Study, answers
from unweave.studies.published.catalog import published_studies
from unweave.training import TrainConfig

__all__ = ["ARCHIVES", "GRIDS", "IMAGES", "small", "steps_of"]

IMAGES = 2304
GRIDS = {
    "dsprites": (3, 3, 4, 8, 8),
    # With images of each published condition.
    "shapes3d": (5, 5, 5, 2, 4, 2),
    "mpi3d": (6, 6, 2, 3, 3, 3, 3),
}
ARCHIVES = {
    name: write
    for name, write in {**PUBLISHED, **SMALL_ARCHIVES}.items()
    if name not in GRID_FILES
}
BATCH = 12
DRAWS = 200
CHECK = Component.__post_init__
LONG = 32


def steps_of(steps: int) -> int:
    """A length of a training, shortened."""
    return steps if steps <= LONG else steps.bit_length()


@contextmanager
def small(folder: Path) -> Iterator[None]:
    """A block in which commands are shortened; `folder` is for small files of published data."""
    with _forgetting(), pytest.MonkeyPatch.context() as patch:
        paths = {
            name: _path(write(_made(folder / name), patch)) for name, write in ARCHIVES.items()
        }
        patch.setattr(Component, "__post_init__", _shortening(Component.__post_init__, paths))
        patch.setattr(app, "parse", _here(app.parse, paths))
        patch.setattr(StudyDriving, "drive", _of_two(StudyDriving.drive))
        patch.setattr("unweave.reproduction.find_rows", _two_rows())
        patch.setattr("unweave.live.LiveServer.serve_forever", _interrupted)
        patch.setattr(mpi3d, "open_archive", mpi3d_without_a_file)
        patch.setattr(webbrowser, "open", lambda url: True)
        for name, protocol in PROTOCOLS.items():
            metrics = tuple(_fewer(metric) for metric in protocol.metrics)
            patch.setitem(PROTOCOLS, name, dataclasses.replace(protocol, metrics=metrics))
        for name, analyses in ANALYSES.items():
            fewer = tuple(_shorter_analysis(analysis) for analysis in analyses)
            patch.setitem(ANALYSES, name, fewer)
        yield


@contextmanager
def _forgetting() -> Iterator[None]:
    """A block that neither sees nor leaves settings which are kept as they were first read."""
    _forget()
    try:
        yield
    finally:
        _forget()


def _forget() -> None:
    for row in ROWS.values():
        vars(row).pop("config", None)
    for kept in (matching._rows, published_studies, answers._wanted, answers._text_of):
        kept.cache_clear()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _path(text: str) -> str:
    """The path in the text of a dataset."""
    return text.partition("path='")[2].rpartition("')")[0]


# --- components


def _shortening(
    check: Callable[[Component], None], paths: dict[str, str]
) -> Callable[[Component], None]:
    def shortened(component: Component) -> None:
        if isinstance(component, TrainConfig):
            # Small files have fewer images than usual batches.
            _shorten_training(component)
        check(component)
        given = {
            name: value
            for name, value in _shorter(component, paths).items()
            if value != getattr(component, name)
        }
        for name, value in given.items():
            object.__setattr__(component, name, value)
        if given:
            check(component)

    return shortened


def _shorten_training(config: TrainConfig) -> None:
    for name, shorten in {"steps": steps_of, "batch_size": lambda size: min(size, BATCH)}.items():
        value = getattr(config, name)
        # Anything else is refused by the check.
        if isinstance(value, int):
            object.__setattr__(config, name, shorten(value))


def _shorter(component: Component, paths: dict[str, str]) -> dict[str, Any]:
    """Fields of a component that are to have other values."""
    match component:
        case Population():
            length = {"steps": component.steps, "images": component.images}
            return {
                "members": min(component.members, 4),
                "models": min(component.models, 2),
                "rounds": min(component.rounds, 2),
                "steps": None if length["steps"] is None else min(length["steps"], 4),
                "images": None if length["images"] is None else min(length["images"], 4 * BATCH),
            }
        case Recursion():
            return {
                "leaf_runs": 1,
                "levels": min(component.levels, 1),
                "least": min(component.least, 2 * BATCH),
            }
        case DatasetSpec():
            return _fewer_images(component, paths)
    return {}


def _fewer_images(spec: Any, paths: dict[str, str]) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(spec)}
    given: dict[str, Any] = {}
    if "path" in fields and spec.name in paths:
        return {} if spec.path and Path(spec.path).exists() else {"path": paths[spec.name]}
    if spec.name in GRID_FILES:
        if spec.path and Path(spec.path).exists():
            return {}
        here = {"path": __file__} if spec.name == "mpi3d" else {"source": "rendered"}
        given |= {"path": None} | here
    if "grid" in fields:
        sizes = spec.grid or spec.published_space.sizes
        wanted = GRIDS.get(spec.name) or _even(sizes)
        if math.prod(sizes) > max(IMAGES, math.prod(wanted)):
            given["grid"] = tuple(map(min, sizes, wanted))
    if "images" in fields and "data" in fields:
        given["images"] = min(spec.images, spec.data.count)
    return given


def _even(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes of at most `IMAGES` combinations, none larger than before."""
    most = max(n for n in range(1, 64) if math.prod(min(s, n) for s in sizes) <= IMAGES)
    return tuple(min(size, most) for size in sizes)


def _fewer(metric: Any) -> Any:
    """A metric of a protocol, with the fields that `quick` has other than by default."""
    if metric.name in ("mig_sampled", "aam"):
        # As published, they want so many images of each value of each factor.
        return dataclasses.replace(metric, samples=DRAWS)
    quick = QUICK.get(metric.name) or FEWER.get(metric.name)
    if quick is None:
        return metric
    usual = parse(metric.name, type(metric).__mro__[1])
    given = {
        field.name: getattr(quick, field.name)
        for field in dataclasses.fields(quick)
        if getattr(quick, field.name) != getattr(usual, field.name)
    }
    return dataclasses.replace(metric, **given)


def _shorter_analysis(analysis: Any) -> Any:
    """An analysis of a protocol, with a probe that is trained for a few steps."""
    fields = {field.name for field in dataclasses.fields(analysis)}
    return dataclasses.replace(analysis, steps=LONG) if "steps" in fields else analysis


# --- commands


def _here(parse: Callable[[Any], Any], paths: dict[str, str]) -> Callable[[Any], Any]:
    """What a command asks for, with what this machine has not: workers, GPUs, files."""

    def parsed(words: Any) -> Any:
        command = parse(words)
        if isinstance(command, Driving):
            command.executor, command.workers, command.address = "serial", None, None
            command.cpus = command.gpus = None
        if (getattr(command, "device", None) or "").startswith("cuda"):
            command.device = "cpu"
        if isinstance(command, app.DataPrepare) and command.from_file is not None:
            name = command.dataset.partition("(")[0]
            if name in paths and not Path(command.from_file).exists():
                command.from_file = paths[name]
            if name in GRID_FILES:
                _have_grid_file(name, command)
        return command

    return parsed


def _have_grid_file(name: str, command: Any) -> None:
    """Have `data prepare` run where a small file is taken for the published one."""
    run = command.run

    def prepared() -> int:
        with TemporaryDirectory() as folder, grid_file(name, Path(folder)) as path:
            command.from_file = str(path)
            # What is prepared is as small as its file.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Component, "__post_init__", CHECK)
                return run()

    command.run = prepared


def _of_two(drive: Callable[..., int]) -> Callable[..., int]:
    def driven(command: Any, study: Study, out: str | None) -> int:
        axes, left = [], 2
        for axis in study.axes:
            axes.append(axis[:left])
            left = max(1, left // len(axes[-1]))
        return drive(command, dataclasses.replace(study, axes=tuple(axes)), out)

    return driven


def _two_rows() -> Callable[..., Any]:
    from unweave.reproduction import find_rows

    return lambda names: find_rows(names)[:2]


def _interrupted(server: Any, poll_interval: float = 0.5) -> None:
    raise KeyboardInterrupt
