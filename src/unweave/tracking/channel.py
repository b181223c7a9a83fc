"""One tracker as the training sees it: a bounded queue, and a process that is fed from it.

The training only puts messages into the queue. Whatever the tracker's library does, hang, fail,
crash or ask, happens in the process, which is ended when it takes too long to close.
"""

from __future__ import annotations

__all__ = ["CAPACITY", "Channel"]

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final, final

from unweave import spec
from unweave.tracking.base import Memory, TrackedRun, TrackerSpec

log = logging.getLogger("unweave")

CAPACITY: Final = 1000
"""So many messages wait for a tracker; a further one takes the place of the oldest."""

_SHOWN: Final = 500


@final
class Channel:
    """Feeds one tracker, in a thread of its own, until the training ends or the tracker fails.

    Args:
        tracker: Where to.
        run: What is trained.
        memory: What the tracker remembers of it.
        remember: Called, from another thread, with what it remembers once it is open.

    Attributes:
        dropped: Messages that nobody will see, since the tracker was too slow.
    """

    def __init__(
        self,
        tracker: TrackerSpec,
        run: TrackedRun,
        memory: Memory,
        remember: Callable[[Memory], None],
    ) -> None:
        self.tracker = tracker
        self.dropped = 0
        self._remember = remember
        self._begin = {
            "module": type(tracker).__module__,
            "tracker": spec.to_dict(tracker),
            "run": asdict(run),
            "memory": memory,
        }
        self._queue: deque[dict[str, Any]] = deque()
        self._sent = 0
        self._waiting = threading.Condition()
        self._over = False
        self._said = False
        self._process: subprocess.Popen[bytes] | None = None
        self._done = threading.Event()
        threading.Thread(target=self._feed, name=f"track {tracker.name}", daemon=True).start()

    def put(self, message: Mapping[str, Any]) -> None:
        """Hand a message over; never waits for the tracker."""
        with self._waiting:
            if self._over:
                return
            if len(self._queue) >= CAPACITY:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append({**message, "time": time.time()})
            self._waiting.notify()

    def finish(self, state: str) -> None:
        """Have the tracker close once it has had everything; `wait` waits for it."""
        with self._waiting:
            if not self._over:
                self._over = True
                self._queue.append({"kind": "close", "state": state})
            self._waiting.notify()

    def wait(self, seconds: float) -> None:
        """Wait for the tracker to close, so long at most, and end it if it has not."""
        if not self._done.wait(seconds):
            self._fail(f"it was not done {seconds:.0f} s after the end of the training")
            process = self._process
            if process is not None:
                process.kill()
            self._done.wait(1.0)
        if self.dropped:
            log.info(
                "The tracker %s was too slow: it was not told of %d of %d records.",
                self.tracker.name,
                self.dropped,
                self.dropped + self._sent,
            )

    def _feed(self) -> None:
        """What the thread does: start the process, pass messages on, and see it end."""
        try:
            process = self._process = _start()
            listener = threading.Thread(target=self._listen, args=(process,), daemon=True)
            listener.start()
            self._send(process, self._begin)
            while True:
                with self._waiting:
                    while not self._queue:
                        self._waiting.wait()
                    message = self._queue.popleft()
                if message["kind"] == "failed":
                    break
                self._send(process, message)
                self._sent += message["kind"] != "close"
                if message["kind"] == "close":
                    break
        except BrokenPipeError:
            pass  # The process says why, or its end does.
        except Exception as error:
            self._fail(str(error))
        if self._process is not None:
            process = self._process
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
            code = process.wait()
            # What it has said of itself comes first.
            listener.join(1.0)
            if code != 0:
                self._fail(f"its process ended with {code}")
        self._done.set()

    @staticmethod
    def _send(process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        """Hear what the process says of itself."""
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                try:
                    told = json.loads(line)
                except ValueError:
                    continue  # Something that the library has printed.
                if not isinstance(told, dict):
                    continue
                if "memory" in told:
                    self._remember(told["memory"])
                if "error" in told:
                    self._fail(str(told["error"]))

    def _fail(self, reason: str) -> None:
        """Leave the tracker out from here on, and say so once."""
        with self._waiting:
            self._over = True
            self._queue.clear()
            self._queue.append({"kind": "failed"})
            self._waiting.notify()
            if self._said:
                return
            self._said = True
        if len(reason) > _SHOWN:
            reason = reason[:_SHOWN] + "..."
        log.warning(
            "The tracker %s is left out from here on, and the training goes on: %s.",
            self.tracker.name,
            reason.rstrip("."),
        )


def _start() -> subprocess.Popen[bytes]:
    """A process that waits for a tracker, with the modules of this one.

    It is in a group of its own, so that Ctrl-C stops the training and lets it write the end.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "unweave.tracking.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        },
        process_group=0 if os.name == "posix" else None,
    )
