"""A command and all processes that it starts: how long they take, and how much memory."""

from __future__ import annotations

__all__ = ["Watched", "watched"]

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError

# How often memory is looked at, in seconds: a look takes some ten milliseconds a process.
_LOOK: Final = 2.0


@final
@dataclass(frozen=True)
class Watched:
    """What came of a command.

    Attributes:
        result: The JSON object that it printed.
        seconds: From its start to its end.
        memory: Most memory of all its processes together, in MB; what they share counts once.
    """

    result: Mapping[str, Any]
    seconds: float
    memory: float


def watched(words: Sequence[str], environment: Mapping[str, str] | None = None) -> Watched:
    """Run `unweave WORDS --json`.

    Raises:
        RunError: It failed.
    """
    command = [sys.executable, "-m", "unweave", *words, "--json"]
    begun = time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        most = [0.0]
        ended = threading.Event()
        looking = threading.Thread(target=_look, args=(process.pid, most, ended), daemon=True)
        looking.start()
        out, said = process.communicate()
        seconds = time.monotonic() - begun
        ended.set()
        looking.join()
    if process.returncode:
        raise RunError(
            f"unweave {' '.join(words)} ended with {process.returncode}: {said[-1000:]}"
        )
    return Watched(json.loads(out), seconds, most[0])


def _look(first: int, most: list[float], ended: threading.Event) -> None:
    while not ended.wait(_LOOK):
        most[0] = max(most[0], sum(_memory(pid) for pid in _family(first)))


def _family(first: int) -> list[int]:
    """A process and all that it has started, directly or not."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found = [first]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _memory(pid: int) -> float:
    """Memory of a process in MB; of pages that it shares only its part."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    said = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(said[1]) / 1000 if said else 0.0
