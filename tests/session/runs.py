"""Helpers for tests that train: the command line in this process, small runs, full disks."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from unweave.cli import main

MINI = "dsprites(grid=(3, 2, 4, 8, 8))"
IMAGES = 1536
# The images of `rich`, which many tests score.
RICH = "dsprites(grid=(3, 2, 4, 4, 4))"
RICH_IMAGES = 384
BATCH = 4
TINY = {"batch_size": BATCH, "threads": 1, "precision": "float32"}


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        """Standard output as exactly one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


def cli(*arguments: object) -> Result:
    """Run a command in this process, as `unweave ARGUMENTS` would."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ending:
            code = ending.code if isinstance(ending.code, int) else 1
    return Result(code, out.getvalue(), err.getvalue())


def flags(**settings: object) -> list[str]:
    """Settings as flags: `log_every=5` becomes `--log-every 5`; True stands for the flag alone."""
    words: list[str] = []
    for name, value in settings.items():
        flag = f"--{name.replace('_', '-')}"
        words += [flag] if value is True else [flag, str(value)]
    return words


def train(
    folder: Path, objective: str = "beta_vae", *, dataset: str = MINI, **settings: object
) -> Result:
    """`unweave train` on the small dataset with tiny batches."""
    given = flags(**{**TINY, **settings})
    return cli("train", dataset, objective, *given, "--out", folder, "--json")


def resume(folder: Path, **settings: object) -> Result:
    """`unweave train --resume` of a run."""
    return cli("train", "--out", folder, "--resume", *flags(**settings), "--json")


def paragraph(result: Result, *words: str, code: int = 2) -> str:
    """Check that a command was refused with one paragraph that has these words."""
    assert result.code == code, result
    assert result.out == ""
    assert "Traceback" not in result.err
    lines = [line for line in result.err.splitlines() if line.strip()]
    assert len(lines) == 1, result.err
    assert lines[0].startswith("error: ")
    for word in words:
        assert word in lines[0], f"{word!r} is not in {lines[0]!r}"
    return lines[0]


def listing(folder: Path) -> dict[str, str]:
    """Every file below a folder with a digest of its content; folders as they are."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """Tensors of a run's checkpoint."""
    return safetensors.torch.load_file(folder / "checkpoint" / "state.safetensors")


def checkpoint_step(folder: Path) -> int:
    """Step of a run's checkpoint."""
    path = folder / "checkpoint" / "state.safetensors"
    with safetensors.safe_open(path, framework="pt") as handle:
        return int(handle.metadata()["step"])


def assert_same_state(one: Path, other: Path) -> None:
    """Every tensor of two checkpoints is equal bit for bit."""
    a, b = tensors(one), tensors(other)
    assert a.keys() == b.keys()
    for name, value in a.items():
        assert value.dtype == b[name].dtype
        assert torch.equal(value, b[name]), name
    assert checkpoint_step(one) == checkpoint_step(other)


def lines(folder: Path, event: str | None = None) -> list[dict]:
    """Lines of metrics.jsonl."""
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line, parse_constant=_no_constant) for line in text.splitlines()]
    return [row for row in rows if event is None or row["event"] == event]


def timeless(rows: list[dict]) -> list[dict]:
    """Lines of metrics.jsonl without what depends on the clock."""
    clock = ("seconds", "images_per_second")
    return [{key: value for key, value in row.items() if key not in clock} for row in rows]


def document(path: Path) -> dict:
    """A JSON file."""
    return json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is in a JSON file")


class Watcher:
    """A watch that does something after certain steps, and keeps what it saw."""

    def __init__(self, at: Mapping[int, Callable[[], None]] | None = None) -> None:
        self.at = dict(at or {})
        self.steps: list[int] = []
        self.records: list[int] = []
        self.begun: list[int] = []
        self.closed = 0

    def start(self, config, done):
        self.begun.append(done)

    def step(self, step, images):
        self.steps.append(step)
        if step in self.at:
            self.at[step]()

    def record(self, step, record):
        self.records.append(step)

    def close(self):
        self.closed += 1


@contextlib.contextmanager
def full_disk(monkeypatch, part_of_name: str):
    """Inside the block, files whose name has this part cannot be flushed: the disk is full.

    Yields a list of the files that were refused.
    """
    refused: list[str] = []
    real = os.fsync

    def fsync(descriptor):
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        if part_of_name in name:
            refused.append(name)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield refused


def folder_for_runs() -> Path:
    """A new folder among the runs of this test run, for what several tests read."""
    return Path(tempfile.mkdtemp(dir=os.environ["UNWEAVE_TEST_RUNS"]))


@functools.cache
def rich_result(dataset: str = RICH) -> tuple[Path, Result]:
    """A finished run with everything switched on, and what the command printed.

    It is shared by many tests: copy it before you change it.
    """
    folder = folder_for_runs() / "rich"
    result = train(
        folder,
        "beta_tcvae(beta=2)",
        dataset=dataset,
        steps=24,
        lr=0.001,
        latents=4,
        holdout=0.25,
        log_every=4,
        checkpoint_every=10,
        snapshot_every=9,
        evaluate_every=12,
        picture_every=24,
        seed=3,
    )
    assert result.code == 0, result.err
    return folder, result


def rich(dataset: str = RICH) -> Path:
    """Folder of the shared run, which every test leaves as it was."""
    folder = rich_result(dataset)[0]
    assert not {"cache", "scores.json", "report.html"} & {path.name for path in folder.iterdir()}
    return folder


def copy_of(run: Path, place: Path) -> Path:
    """A copy of a run that a test may change."""
    return Path(shutil.copytree(run, place / "copy"))
