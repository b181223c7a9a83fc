"""Members of a population in a storage, for workers that share no disk with each other."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError, UnweaveError
from unweave.execution import Engine, Item
from unweave.population.rounds import member_folder
from unweave.population.table import Task
from unweave.rundir import FORMAT, read_json, write_json
from unweave.studies.collecting import Collecting
from unweave.studies.storage import StoredRun, ended_runs, open_storage, stored_keys

__all__ = ["LEFT_OUT", "LocalMember", "Members", "storage_of"]

log = logging.getLogger("unweave")

LEFT_OUT: Final = ("cache",)
"""Folders that are rebuilt where they are wanted, and never stored."""

# Inside the folder of a member, where nothing that begins with a dot is stored.
_PARENT: Final = ".parent"


def storage_of(root: Path, url: str | None) -> str | None:
    """Where in a storage a population has its members; it is remembered.

    Each has a part of its own, since members of all populations have the same names.

    Args:
        root: The folder of the population.
        url: The storage that is asked for; None for the one with which it was begun, if any.

    Raises:
        SpecError: The storage cannot be opened.
        UnweaveError: The folder cannot be written.
    """
    path = root / "storage.json"
    known: str | None = read_json(path)["url"] if path.is_file() else None
    if url is None or (known is not None and known.rpartition("/")[0] == url.rstrip("/")):
        return known
    open_storage(url)
    part = f"{url.rstrip('/')}/population-{secrets.token_hex(4)}"
    write_json(path, {"format": FORMAT, "url": part})
    return part


def _key(root: str | Path, member: str | Path) -> str:
    """What a member's round is called in a storage: its place in the folder of the population."""
    return "-".join(Path(member).relative_to(root).parts)


@final
@dataclass(frozen=True)
class LocalMember:
    """A member's round on the machine of a worker.

    Attributes:
        stored: Its runs in the storage.
        parent: The runs from which it goes on, there; None where its weights are new.
        payload: What is to be done, with folders of this machine.
    """

    stored: StoredRun
    parent: StoredRun | None
    payload: Mapping[str, Any]

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> LocalMember:
        """From what the driver says, whose folders are not of this machine.

        Raises:
            SpecError: The storage cannot be opened.
        """
        url, root = payload["storage"], payload["root"]
        stored = StoredRun(url, _key(root, payload["folder"]))
        here = {**payload, "folder": str(stored.local)}
        parent = None
        if "parent" in payload:
            parent = StoredRun(url, _key(root, payload["parent"]))
            here["parent"] = str(stored.local / _PARENT)
        return cls(stored, parent, here)

    def fetch(self) -> None:
        """Have here what there is of it, and what it goes on from.

        Raises:
            RunError: The storage lacks what it goes on from.
            UnweaveError: The storage does not answer, or the folder cannot be written.
        """
        self.stored.fetch_local().mkdir(exist_ok=True)
        if self.parent is not None:
            place = Path(self.payload["parent"])
            if not place.is_dir() and not self.parent.fetch(place):
                raise RunError(
                    f"{self.stored.local.name} goes on from {self.parent.local.name}, which the "
                    f"storage {self.payload['storage']} lacks, or of which it has damaged files. "
                    "Remove what it has of it, and give the same command again: the runs are put "
                    "there anew from the folder of the population."
                )


@final
class Members:
    """The members of a population in a storage, as its driver has to do with them.

    Args:
        url: As `storage_of` gives it.
        root: The folder of the population.

    Raises:
        UnweaveError: The storage does not answer.
    """

    def __init__(self, url: str, root: Path) -> None:
        self._url = url
        self._root = root
        self._there = stored_keys(url)
        self._whole = ended_runs(url)

    def collecting(self, engine: Engine) -> Engine:
        """An engine whose reports wait until the member's runs are in the population's folder."""
        return Collecting(engine, self._url, prepare=self._prepare, place=self._place)

    def remove(self, task: Task) -> None:
        """Remove what a member has of a round; a storage that does not answer keeps it."""
        key = _key(self._root, member_folder(self._root, task))
        if key in self._there:
            self._there.discard(key)
            self._whole.discard(key)
            try:
                StoredRun(self._url, key).remove()
            except UnweaveError as error:
                log.warning("%s stays in the storage: %s", key, error)

    def _prepare(self, item: Item) -> None:
        """See to it that a worker finds what it needs, also what was done without the storage."""
        payload = item.payload
        self._put(Path(payload["folder"]), whole=payload["do"] == "judge")
        if "parent" in payload:
            self._put(Path(payload["parent"]), whole=True)

    def _put(self, folder: Path, *, whole: bool) -> None:
        """Put a member's round there if it is here alone; a whole one is looked for only once."""
        key = _key(self._root, folder)
        self._there.add(key)
        if key in self._whole or not folder.is_dir():
            return
        stored = StoredRun(self._url, key)
        if not stored.exists:
            stored.put(folder, done=whole, without=LEFT_OUT)
        if whole:
            self._whole.add(key)

    def _place(self, item: Item) -> tuple[str, Path] | None:
        """What a report waits for: a round of a member, but nothing of scores alone."""
        folder = Path(item.payload["folder"])
        return (_key(self._root, folder), folder) if item.payload["do"] == "member" else None
