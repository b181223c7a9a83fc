"""On what, and with which versions, a result was measured."""

from __future__ import annotations

__all__ = ["circumstances", "command", "machine", "versions"]

import datetime
import os
import platform
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from unweave import __version__


def machine() -> str:
    """The kind of processor and the threads that PyTorch uses; no name of the machine."""
    info = Path("/proc/cpuinfo")
    names = info.read_text(encoding="utf-8", errors="replace") if info.is_file() else ""
    found = [line.split(":", 1)[1].strip() for line in names.splitlines() if "model name" in line]
    name = found[0] if found else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def versions() -> str:
    """Of unweave, Python and what computes."""
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "numpy"))
    return f"unweave {__version__}, Python {platform.python_version()}, {packages}"


def command() -> str:
    """What was typed, with names of files and folders cut to their last part."""
    words = [Path(sys.argv[0]).name, *sys.argv[1:]]
    short = [_short(word) for word in words]
    return shlex.join(["python", f"benchmarks/{short[0]}", *short[1:]])


def circumstances() -> tuple[tuple[str, str], ...]:
    """What stands at the head of results, each with its name: what was typed, when, on what."""
    return (
        ("command", f"`{command()}`"),
        ("date", datetime.datetime.now(datetime.UTC).date().isoformat()),
        ("machine", machine()),
        ("versions", versions()),
    )


def _short(word: str) -> str:
    name, equals, path = word.rpartition("=")
    return f"{name}{equals}{Path(path).name}" if "/" in path else word
