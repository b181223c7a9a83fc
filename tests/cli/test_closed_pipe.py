"""Output that nobody reads to its end, as of `unweave ... | head`, or that cannot be written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

CLOSED = 141


@pytest.fixture
def file(tmp_path):
    """An npz whose scores as JSON are more than a pipe holds."""
    rng = np.random.default_rng(0)
    codes, factors = rng.normal(size=(400, 900)), rng.integers(4, size=(400, 4))
    np.savez(tmp_path / "x.npz", codes=codes, factors=factors)
    return str(tmp_path / "x.npz")


def unread(*words: str, both: bool = False) -> tuple[int, str]:
    """Exit code and standard error of a command whose output has no reader at all."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "unweave", *words],
            stdout=write,
            stderr=write if both else subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(write)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("words", ["data list", "data list --json", "--version", "score --help"])
def test_a_command_whose_output_nobody_reads(words):
    assert unread(*words.split()) == (CLOSED, "")


def test_scores_that_nobody_reads_are_written_all_the_same(file, tmp_path):
    out = tmp_path / "scores.json"
    assert unread("score", file, "--metrics", "mig", "--json", "--out", str(out)) == (CLOSED, "")
    assert out.stat().st_size > 2**16


def test_messages_that_nobody_reads():
    assert unread("data", "list", both=True)[0] == CLOSED
    assert unread("score", "none.npz", both=True)[0] == CLOSED


def test_the_first_line_is_what_head_shows(file):
    command = [sys.executable, "-m", "unweave", "score", file, "--metrics", "mig"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline().startswith(f"{file}: 400 rows, 900 latents; factors")
        running.stdout.close()
        said = running.stderr.read()
    # All of it may have been on its way before the reader left.
    assert (running.returncode, said) in {(CLOSED, ""), (0, "")}


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "words",
    ["-m unweave data list --json", "-u -m unweave data list", "-m unweave --version",
     "-m unweave score --help"],
)  # fmt: skip
def test_output_on_a_full_disk(words):
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, *words.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    reason = os.strerror(errno.ENOSPC)
    assert done.stderr == f"error: Standard output cannot be written: {reason}.\n"
    assert done.returncode == 1


def test_without_any_standard_output():
    done = subprocess.run(
        ["sh", "-c", f"exec '{sys.executable}' -m unweave data list >&-"],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
