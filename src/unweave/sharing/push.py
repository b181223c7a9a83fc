"""Push a run: to a folder, object storage or the hub, whole or not at all."""

from __future__ import annotations

__all__ = ["Pushed", "push_run"]

import contextlib
import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError, SpecError, UnweaveError
from unweave.progress import Progress
from unweave.rundir import LOCK, alone, is_held, work_lock
from unweave.session import CHECKPOINT, read_config
from unweave.sharing.card import card_of
from unweave.sharing.contents import CARD, MANIFEST, Contents, contents_of
from unweave.sharing.machine import machine_paths
from unweave.sharing.manifest import MOST_BYTES, Manifest, parse_manifest
from unweave.sharing.place import Meter, Place
from unweave.sharing.places import HERE, place_of
from unweave.sharing.storage import StoragePlace
from unweave.training.checkpoint import load_tensors

log = logging.getLogger("unweave")

_MOST_CARD: Final = 2**20


@final
@dataclass(frozen=True)
class Pushed:
    """What was pushed, or would be.

    Attributes:
        run: The run folder.
        target: Where to.
        files: Bytes of each file by its name, the model card and the manifest among them.
        left_out: Why other files of the folder stay, by their names.
        notes: What is to be known, such as paths of this machine that are part of it.
        replaced: Whether an earlier version was there; None if nobody looked.
        pull: What others type to pull it; None where the target is of this machine alone.
    """

    run: Path
    target: str
    files: dict[str, int]
    left_out: dict[str, str]
    notes: tuple[str, ...]
    replaced: bool | None
    pull: str | None

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(self.files.values())

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "run": str(self.run),
            "target": self.target,
            "files": self.files,
            "bytes": self.bytes,
            "left_out": self.left_out,
            "notes": list(self.notes),
            "replaced": self.replaced,
            "pull": self.pull,
        }


def push_run(
    folder: str | Path,
    target: str | Path,
    *,
    snapshots: bool = False,
    license: str | None = None,
    private: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Pushed:
    """Put a run where others can pull it, with a model card.

    An earlier version of the same run is replaced. What fails on the way leaves that version, or
    what everybody knows to be incomplete; to push again mends it.

    Args:
        folder: The folder of a run that has weights, and that nobody trains now.
        target: A folder, a URL of fsspec, or `hf://ORG/NAME` of the Hugging Face Hub.
        snapshots: Whether weights of earlier steps go with it.
        license: Of the weights, for the model card, by the name that the hub has for it.
        private: Whether a repository of the hub that is made is seen by its owners alone.
        overwrite: Whether another run may be replaced that is there, or a card that was edited.
        dry_run: Only say what would be pushed; the target is not looked at.
        progress: Shows what is sent.

    Raises:
        RunError: It is no run, has no weights or is being trained; or the target is in the way,
            does not answer, or may not be written.
        SpecError: The target or licence is none, or a package for the target is missing.
    """
    folder = Path(folder)
    config = read_config(folder)
    place = _target(str(target), folder, private, quiet=progress is None)
    check_license(license)
    with _still(folder):
        contents = contents_of(folder, snapshots=snapshots)
        step = load_tensors(folder / CHECKPOINT).step
        card = card_of(folder, config, step, contents.files, place.command, license).encode()
        manifest = Manifest.of(config, step, contents.files, card)
        sizes = {file.name: file.bytes for file in contents.files}
        sizes |= {CARD: len(card), MANIFEST: len(manifest.to_bytes())}
        notes = _notes(contents)
        for note in notes:
            log.warning("%s", note)
        replaced = None
        if not dry_run:
            replaced, kept = _put(place, contents, manifest, card, overwrite, progress)
            for note in kept:
                log.warning("%s", note)
            notes += kept
    return Pushed(
        folder, place.text, dict(sorted(sizes.items())), contents.left_out, tuple(notes),
        replaced, place.command,
    )  # fmt: skip


def check_license(license: str | None) -> None:
    """Refuse what cannot be the name of a licence.

    Raises:
        SpecError: It is none.
    """
    if license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.+_-]{0,80}", license):
        raise SpecError(
            f"{license!r:.100} is no name of a licence. Give that of the hub, in small letters, "
            "such as apache-2.0, mit or cc-by-4.0; or other."
        )


def _target(text: str, folder: Path, private: bool, *, quiet: bool) -> Place:
    """The place to push to, which must not be the run itself."""
    place = place_of(text, private=private, quiet=quiet)
    if text.startswith("hf://") and "@" in text:
        raise SpecError(f"{text!r:.200} names a revision, and a push makes one. Leave it out.")
    if isinstance(place, StoragePlace):
        there, here = place.folder, folder.resolve()
        if there is not None and (there == here or here in there.parents or there in here.parents):
            raise RunError(
                f"{text} and {folder} lie within each other. A run is pushed to another place: "
                f"{HERE}."
            )
        if not place.name:
            raise SpecError(f"{text!r:.200} is no folder of its own. Name one in it.")
    return place


@contextlib.contextmanager
def _still(folder: Path) -> Iterator[None]:
    """A block in which nobody trains a run.

    Raises:
        RunError: Somebody does.
    """
    busy = f"{folder} is being trained by another process. Push it when that has ended."
    if is_held(folder / LOCK) or is_held(work_lock(folder)):
        raise RunError(busy)
    lock = contextlib.ExitStack()
    # In a folder that one may only read, nobody can train either.
    try:
        lock.enter_context(alone(folder / LOCK, busy, remove=True))
    except RunError:
        raise
    except UnweaveError:
        log.debug("%s cannot be locked.", folder)
    with lock:
        yield


def _notes(contents: Contents) -> list[str]:
    paths = machine_paths(contents.files)
    return [
        f"{', '.join(names)} {'names' if len(names) == 1 else 'name'} {path}, of this machine, "
        "and whoever pulls the run sees it."
        for path, names in paths.items()
    ]


def _put(
    place: Place,
    contents: Contents,
    manifest: Manifest,
    card: bytes,
    overwrite: bool,
    progress: Progress | None,
) -> tuple[bool, list[str]]:
    """Whether an earlier version was there; and what was kept of it, in words."""
    names = place.names()
    earlier = _earlier(place, names)
    if earlier is None and names - place.beside:
        some = ", ".join(sorted(names)[:3])
        raise RunError(
            f"{place.text} has other files ({some}{', ...' if len(names) > 3 else ''}) and no run "
            "that was pushed. Choose another place, or an empty one."
        )
    if earlier is not None and earlier.identity != manifest.identity and not overwrite:
        raise RunError(
            f"{place.text} has another run, of other settings or seed. Choose another place, or "
            "replace it (--overwrite)."
        )
    notes = []
    there = place.read(CARD, _MOST_CARD) if CARD in names else None
    # That of this version, too, where a push was broken off after it.
    ours = {manifest.card} if earlier is None else {manifest.card, earlier.card}
    edited = there is not None and hashlib.sha256(there).hexdigest() not in ours
    keep = edited and not overwrite
    if keep:
        notes.append(
            f"The {CARD} at {place.text} was written by somebody else, and is kept; --overwrite "
            "replaces it."
        )
    old = set() if earlier is None else set(earlier.files)
    gone = (old & names) - {file.name for file in contents.files}
    total = sum(file.bytes for file in contents.files)
    meter = Meter("pushing", total, progress)
    place.replace(
        contents.files,
        gone,
        (manifest.to_bytes(), _incomplete(manifest, earlier)),
        None if keep else card,
        meter,
    )
    meter.finish()
    return earlier is not None, notes


def _earlier(place: Place, names: set[str]) -> Manifest | None:
    """What was pushed there before, also if not all of it came."""
    content = place.read(MANIFEST, MOST_BYTES) if MANIFEST in names else None
    return None if content is None else parse_manifest(content, place.text)


def _incomplete(manifest: Manifest, earlier: Manifest | None) -> bytes:
    """What says that not all is there; it names old and new files, for a later push to find.

    The card is that of before as long as it is not written.
    """
    files = ({} if earlier is None else earlier.files) | manifest.files
    card = manifest.card if earlier is None else earlier.card
    known = Manifest(manifest.identity, manifest.step, files, card)
    return known.to_bytes(complete=False)
