"""The list of the files of a shared run, by which it is known and checked."""

from __future__ import annotations

__all__ = ["MOST_BYTES", "Entry", "Manifest", "identity_of", "parse_manifest"]

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave import spec
from unweave._version import __version__
from unweave.errors import RunError
from unweave.rundir import ASIDE, FORMAT
from unweave.sharing.contents import MANIFEST, NEEDED, SharedFile, is_shared
from unweave.training import TrainConfig

MOST_BYTES: Final = 2**24
"""Of the largest manifest."""

_KIND: Final = "unweave run"
_MOST_FILES: Final = 100_000
# Settings that make no other run: how far it goes, and what leaves the trained model as it is.
_NOT_OTHERS: Final = ("steps", *(name for name in ASIDE if name != "seed"))


@final
@dataclass(frozen=True)
class Entry:
    """What is known of a file before it is read.

    Attributes:
        bytes: How long it is.
        sha256: Of what is in it, 64 hexadecimal digits.
    """

    bytes: int
    sha256: str

    def fits(self, path: Path) -> bool:
        """Whether a file is this one."""
        try:
            if not path.is_file() or path.stat().st_size != self.bytes:
                return False
            with path.open("rb") as handle:
                return hashlib.file_digest(handle, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


@final
@dataclass(frozen=True)
class Manifest:
    """The files of a shared run.

    Attributes:
        identity: Of what was trained, but for how long; two pushes of one run have the same.
        step: Optimiser steps of the weights.
        files: Each file by its name.
        card: SHA-256 of the model card that was written; that one may be edited.
        complete: Whether all of it is there; a push that is under way, or was broken off, is not.
        unweave: Version that wrote it.
    """

    identity: str
    step: int
    files: dict[str, Entry]
    card: str
    complete: bool = True
    unweave: str = __version__

    @classmethod
    def of(
        cls, config: TrainConfig, step: int, files: Iterable[SharedFile], card: bytes
    ) -> Manifest:
        """That of a run which is pushed."""
        entries = {file.name: Entry(file.bytes, file.sha256) for file in files}
        return cls(identity_of(config), step, entries, hashlib.sha256(card).hexdigest())

    def to_bytes(self, *, complete: bool = True) -> bytes:
        """As it is written."""
        form = {
            "format": FORMAT,
            "kind": _KIND,
            "unweave": self.unweave,
            "complete": complete,
            "identity": self.identity,
            "step": self.step,
            "card": self.card,
            "files": {n: {"bytes": e.bytes, "sha256": e.sha256} for n, e in self.files.items()},
        }
        return json.dumps(form, indent=1).encode() + b"\n"


def identity_of(config: TrainConfig) -> str:
    """A digest of what is trained, but for the number of steps."""
    form = {k: v for k, v in spec.identity(config).items() if k not in _NOT_OTHERS}
    return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()


def parse_manifest(content: bytes, place: str) -> Manifest:
    """Read a manifest that somebody has written; nothing of it is trusted.

    Args:
        content: What is in the file.
        place: Where it is from, for messages.

    Raises:
        RunError: It is not one, or of another version, or names files that no run has.
    """
    try:
        form = json.loads(content)
    except (ValueError, RecursionError):
        form = None
    if not isinstance(form, dict) or form.get("kind") != _KIND:
        raise RunError(
            f"{place} is not a run that was pushed: its {MANIFEST} is of something else."
        )
    if form.get("format") != FORMAT:
        raise RunError(
            f"{place} has format {form.get('format')!r:.40}, and this version reads {FORMAT}. "
            "Install the newer unweave that pushed it."
        )
    files = form.get("files")
    texts = [form.get(key) for key in ("identity", "card", "unweave")]
    if (
        not isinstance(files, dict)
        or len(files) > _MOST_FILES
        or not all(isinstance(text, str) for text in texts)
        or not _is_count(form.get("step"))
        or not isinstance(form.get("complete"), bool)
    ):
        raise RunError(f"{place} is damaged: its {MANIFEST} does not have what it should.")
    _check_names(files, place)
    entries = {name: _entry(value, name, place) for name, value in files.items()}
    identity, card, version = (str(text) for text in texts)
    return Manifest(identity, form["step"], entries, card, form["complete"], version)


def _check_names(files: dict[str, Any], place: str) -> None:
    for name in files:
        if not is_shared(name):
            raise RunError(
                f"{place} names the file {name!r:.100}, which no run has that this version reads. "
                "Nothing was written."
            )
    missing = [name for name in NEEDED if name not in files]
    if missing:
        raise RunError(f"{place} is damaged: its {MANIFEST} does not name {missing[0]}.")
    # Two names that are one on some disks.
    if len({name.casefold() for name in files}) < len(files):
        raise RunError(f"{place} is damaged: its {MANIFEST} names a file twice.")


def _entry(value: Any, name: str, place: str) -> Entry:
    count, digest = (
        (value.get("bytes"), value.get("sha256")) if isinstance(value, dict) else (None, None)
    )
    if (
        not _is_count(count)
        or not isinstance(digest, str)
        or not re.fullmatch("[0-9a-f]{64}", digest)
    ):
        raise RunError(f"{place} is damaged: its {MANIFEST} does not say what {name} is.")
    return Entry(value["bytes"], digest)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
