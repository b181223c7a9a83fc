"""Which files of a run folder are shared, and why the others stay."""

from __future__ import annotations

__all__ = [
    "CARD",
    "MANIFEST",
    "NEEDED",
    "REPORT",
    "TOPS",
    "Contents",
    "SharedFile",
    "contents_of",
    "is_picture",
    "is_shared",
]

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.errors import RunError, UnweaveError
from unweave.inventory import why_no_weights
from unweave.session import CHECKPOINT

MANIFEST: Final = "manifest.json"
"""What says which files a shared run has."""

CARD: Final = "README.md"
"""The model card, which people may edit."""

REPORT: Final = "report.html"
"""The page of a run."""

NEEDED: Final = ("config.json", "status.json", CHECKPOINT.as_posix())
"""Without these there is no run to share."""

_DOCUMENTS: Final = ("config.json", "environment.json", "import.json", "status.json",
                     "scores.json", "left_out.json", "metrics.jsonl", REPORT)  # fmt: skip
TOPS: Final = (*_DOCUMENTS, CHECKPOINT.parts[0], "figures", "snapshots")
"""What stands at the top of a shared run, but for card and manifest."""

_SNAPSHOT: Final = re.compile(r"snapshots/step-[0-9]{1,20}\.safetensors")
_WORD: Final = r"[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,120}"
_PICTURE: Final = re.compile(rf"figures/(?:{_WORD}/){{0,3}}{_WORD}\.(?:png|gif|webp|mp4)")
# Whose content is taken once, so that what is written and what is said of it agree.
_AT_ONCE: Final = (".json", ".jsonl", ".html")

_WHY: Final = {
    "cache": "codes of images, which are computed again where they are asked for",
    "log.txt": "messages may name folders of this machine",
    "tracking": "what trackers remember of this machine",
    "snapshots": "weights of earlier steps are sent when they are asked for (--snapshots)",
    CARD: "the card is written anew",
    MANIFEST: "the list is written anew",
}


@final
@dataclass(frozen=True)
class SharedFile:
    """A file as it is sent.

    Attributes:
        name: Its place in the run folder, with slashes.
        content: What is in it, or where it lies.
        bytes: How long it is.
        sha256: Of what is in it.
    """

    name: str
    content: bytes | Path
    bytes: int
    sha256: str


@final
@dataclass(frozen=True)
class Contents:
    """What a run folder has to share.

    Attributes:
        files: Those that are sent, in the order of their names.
        left_out: Why others stay, by their place in the folder.
    """

    files: tuple[SharedFile, ...]
    left_out: dict[str, str]


def is_shared(name: str) -> bool:
    """Whether a shared run can have a file of this name: one that a run folder has.

    No such name leads out of a folder, and none is of a file that can hold code but the page of
    the run, which a browser shows.
    """
    documents = (*_DOCUMENTS, CHECKPOINT.as_posix())
    return name in documents or bool(_SNAPSHOT.fullmatch(name)) or is_picture(name)


def is_picture(name: str) -> bool:
    """Whether this is the name of a figure of a run."""
    return bool(_PICTURE.fullmatch(name))


def contents_of(folder: Path, *, snapshots: bool = False) -> Contents:
    """What is shared of a run folder, read once.

    Args:
        folder: The folder of a run.
        snapshots: Whether weights of earlier steps are sent, too.

    Raises:
        RunError: It has no weights, or something else that a run needs is missing.
        UnweaveError: A file cannot be read.
    """
    for name in NEEDED:
        if not (folder / name).is_file():
            what, then = f"it has no {name}", "Train it first, at least a while."
            if name == NEEDED[-1]:
                what, then = "it has no weights yet", why_no_weights(folder) or then
            raise RunError(f"{folder} cannot be shared: {what}. {then}")
    files: list[SharedFile] = []
    left_out: dict[str, str] = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        top = name.split("/", 1)[0]
        if top == "snapshots" and not snapshots:
            left_out["snapshots"] = _WHY["snapshots"]
        elif is_shared(name):
            files.append(_read(name, path))
        elif top in _WHY and top != "snapshots":
            left_out[top] = _WHY[top]
        else:
            left_out[name] = "no file that a run has"
    return Contents(tuple(files), left_out)


def _walk(folder: Path) -> Iterator[Path]:
    """Files of a folder in the order of their names; hidden ones are of those who work on it."""
    try:
        found = sorted(folder.iterdir())
    except OSError as error:
        raise _unreadable(folder, error) from error
    for path in found:
        if path.name.startswith("."):
            continue
        # What is in the cache is many files, none of which is sent.
        if path.is_dir() and path.name not in ("cache", "tracking"):
            yield from _walk(path)
        else:
            yield path


def _read(name: str, path: Path) -> SharedFile:
    try:
        if path.suffix in _AT_ONCE:
            content = path.read_bytes()
            return SharedFile(name, content, len(content), hashlib.sha256(content).hexdigest())
        with path.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
            return SharedFile(name, path, handle.tell(), digest)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UnweaveError:
    return UnweaveError(f"{path} cannot be read: {error.strerror or error}. Nothing was pushed.")
