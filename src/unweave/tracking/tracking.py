"""All trackers of one training: what they are told, and what they remember."""

from __future__ import annotations

__all__ = ["FOLDER", "Tracking", "group_of"]

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import UnweaveError
from unweave.rundir import POPULATION_FILE, RECURSION_FILE, STUDY_FILE, read_json, write_json
from unweave.tracking.base import Memory, TrackedRun, TrackerSpec
from unweave.tracking.channel import Channel

log = logging.getLogger("unweave")

FOLDER: Final = "tracking"
"""In a run folder: where trackers keep what they have no other place for."""

_MEMORY: Final = "ids.json"
# Files that say of a folder that runs in it belong together.
_GROUPS: Final = (STUDY_FILE, RECURSION_FILE, POPULATION_FILE)
# Folders that say nothing in the name of a run.
_PLAIN: Final = ("runs", "rounds", "models")


@final
class Tracking:
    """Tells trackers of a training, which none of them can stop or slow.

    Attributes:
        state: How the training ended, once that is known.
    """

    def __init__(self, channels: Sequence[Channel] = ()) -> None:
        self.state = "failed"
        self._channels = tuple(channels)

    @classmethod
    @contextmanager
    def of(
        cls,
        trackers: Sequence[TrackerSpec],
        folder: Path,
        settings: Mapping[str, int | float | bool | str],
        notes: Mapping[str, str],
        done: int,
    ) -> Iterator[Tracking]:
        """Track what happens inside the block.

        Args:
            trackers: Where to.
            folder: The run folder.
            settings: The configuration, flat.
            notes: Texts of the run.
            done: Optimiser steps done before.
        """
        tracking = cls(_channels(trackers, folder, settings, notes, done) if trackers else ())
        try:
            yield tracking
        except KeyboardInterrupt:
            tracking.close(patience=1.0)
            raise
        finally:
            tracking.close()

    def record(
        self, step: int, values: Mapping[str, float], *, lr: float, images_per_second: float
    ) -> None:
        """Means since the last record, by the names of `training.tracker`.

        Args:
            step: Optimiser steps done.
            values: Means by name.
            lr: Learning rate of the model.
            images_per_second: Since the last record.
        """
        if self._channels:
            told = {name.replace("kl/", "kl/z", 1): value for name, value in values.items()}
            self._scalars(step, told | {"lr": lr, "images_per_second": images_per_second})

    def scores(self, step: int, scores: Mapping[str, float]) -> None:
        """Scores of the weights of a step."""
        self._scalars(step, {f"scores/{name}": value for name, value in scores.items()})

    def picture(self, step: int, name: str, path: Path) -> None:
        """A PNG file of the weights of a step.

        Args:
            step: Optimiser steps done.
            name: What it is a picture of.
            path: Where it lies.
        """
        message = {"kind": "picture", "step": step, "name": name, "path": str(path.absolute())}
        for channel in self._channels:
            channel.put(message)

    def close(self, patience: float | None = None) -> None:
        """Let all trackers end, and wait for each no longer than it says, or than `patience`."""
        channels, self._channels = self._channels, ()
        begun = time.monotonic()
        for channel in channels:
            channel.finish(self.state)
        for channel in channels:
            limit = channel.tracker.patience if patience is None else patience
            channel.wait(max(limit - (time.monotonic() - begun), 0.0))

    def _scalars(self, step: int, values: Mapping[str, float]) -> None:
        message = {"kind": "scalars", "step": step, "values": dict(values)}
        for channel in self._channels:
            channel.put(message)


def group_of(folder: Path) -> tuple[str, str]:
    """The study, population or recursion that a run belongs to, or an empty text; and its name.

    The name of a run alone is that of its folder; in a group it is the way to it from there.
    """
    folder = folder.absolute()
    for place in folder.parents:
        if any((place / file).is_file() for file in _GROUPS):
            parts = folder.relative_to(place).parts
            return place.name, "/".join(part for part in parts if part not in _PLAIN)
    return "", folder.name


def _channels(
    trackers: Sequence[TrackerSpec],
    folder: Path,
    settings: Mapping[str, int | float | bool | str],
    notes: Mapping[str, str],
    done: int,
) -> list[Channel]:
    group, name = group_of(folder)
    place = str(folder.absolute())
    notes = {"folder": place, **notes}
    run = TrackedRun(
        folder=place, name=name, group=group, settings=settings, notes=notes, done=done
    )
    memories = _Memories(folder / FOLDER / _MEMORY)
    return [
        Channel(tracker, run, memories.of(tracker.name), memories.keeper(tracker.name))
        for tracker in trackers
    ]


@final
class _Memories:
    """What trackers remember of a run, in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._all: dict[str, Any] = {}
        # A file that is damaged is as none: the trackers begin anew.
        with contextlib.suppress(UnweaveError):
            found = read_json(path)
            self._all = found if isinstance(found, dict) else {}

    def of(self, name: str) -> Memory:
        found = self._all.get(name)
        return dict(found) if isinstance(found, dict) else {}

    def keeper(self, name: str) -> Any:
        def remember(memory: Memory) -> None:
            if not memory:
                return
            with self._lock:
                self._all[name] = memory
                try:
                    write_json(self._path, self._all)
                except UnweaveError as error:
                    log.warning("What %s remembers of the run is lost: %s", name, error)

        return remember
