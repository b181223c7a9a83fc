"""The process of one tracker: reads messages from standard input, and writes to the tracker."""

from __future__ import annotations

__all__ = ["main"]

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any, Final

from unweave import spec
from unweave.tracking.base import Backend, TrackedRun, TrackerSpec

# Behind the training where both want a processor.
_NICE: Final = 5
# After so long without a message, what is held back is written, in seconds.
_IDLE: Final = 2.0
# After so long without the training, a library that hangs is ended, in seconds.
_ORPHAN: Final = 60.0
_END: Final = None


def main() -> int:
    """Serve one tracker until its training has ended; 1 when the tracker has failed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # The training says when it is over.
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    # Libraries print; only what is said on purpose goes to the training.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    messages: queue.Queue[dict[str, Any] | None] = queue.Queue(maxsize=100)
    # Not sys.stdin: Python closes that when it ends, while the thread still reads from it.
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    threading.Thread(target=_read, args=(source, messages), daemon=True).start()
    try:
        _serve(messages, out)
    except BaseException as error:
        words = str(error) or type(error).__name__
        _say(out, {"error": f"{type(error).__name__}: {words.splitlines()[0]}"})
        # Not by way of what libraries do when Python ends: they may wait for what is gone.
        os._exit(1)
    return 0


def _serve(messages: queue.Queue[dict[str, Any] | None], out: IO[str]) -> None:
    begin = messages.get()
    if begin is _END:
        return
    importlib.import_module(begin["module"])
    tracker = spec.from_dict(begin["tracker"], TrackerSpec)
    assert isinstance(tracker, TrackerSpec)
    memory = begin["memory"]
    backend = tracker.open(TrackedRun(**begin["run"]), memory)
    _say(out, {"memory": memory})
    held = False
    while True:
        try:
            message = messages.get(timeout=_IDLE if held else None)
        except queue.Empty:
            backend.flush()
            held = False
            continue
        if message is _END or message["kind"] == "close":
            # Without a word of how it ended, the training was killed.
            backend.close("failed" if message is _END else message["state"])
            return
        _tell(backend, message)
        held = True


def _tell(backend: Backend, message: dict[str, Any]) -> None:
    step, time = message["step"], message["time"]
    if message["kind"] == "picture":
        path = Path(message["path"])
        if path.is_file():
            backend.picture(step, time, message["name"], path)
    else:
        backend.scalars(step, time, message["values"])


def _read(source: IO[bytes], messages: queue.Queue[dict[str, Any] | None]) -> None:
    """Hand over what comes; see to it that nothing is left of a training that is gone."""
    for line in source:
        with contextlib.suppress(ValueError):  # The last line of a training that was killed.
            messages.put(json.loads(line))
    end = threading.Timer(_ORPHAN, os._exit, args=(1,))
    end.daemon = True
    end.start()
    messages.put(_END)


def _say(out: IO[str], what: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        print(json.dumps(what), file=out, flush=True)


if __name__ == "__main__":
    sys.exit(main())
