"""Images that were stored under a name of one's own, by Python."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, final

import filelock
import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.labels import Labels
from unweave.data.own.base import OwnSpec
from unweave.data.own.columns import Known
from unweave.data.own.facts import FACTORS, Facts, stored_facts
from unweave.data.pixels.build import build_store
from unweave.data.pixels.store import Store
from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.rundir import explain_os_error, home
from unweave.spec import option, to_dict

__all__ = ["StoredImages", "keep"]


@final
class StoredImages(OwnSpec):
    """What `unweave.from_arrays`, `from_torch` or `from_function` stored under this name.

    The store lies under UNWEAVE_HOME and nowhere else: keep what it was made from.
    """

    name: ClassVar[str] = "stored"

    key: str = option(help="The name under which it was stored.")

    def validate(self) -> None:
        """Refuse names that are no names."""
        if not re.fullmatch(r"\w[\w.-]{0,99}", self.key, re.ASCII):
            raise SpecError(
                "stored: key takes letters, digits, '_', '-' and '.', at most 100, and begins "
                f"with one of the first three, not {self.key!r:.100}."
            )

    def folder(self) -> Path:
        """Where the store lies."""
        return home() / "data" / f"{self.name}-{self.key}"

    def inspect(self) -> Facts:
        """What a store says that was about to be replaced, which is put back first.

        Raises:
            DataError: There is none; nothing else says what it is.
        """
        folder, old = self.folder(), self.replaced()
        if old.exists():
            with filelock.FileLock(self.lock()):
                if old.exists() and not folder.exists():
                    old.rename(folder)
        facts = stored_facts(folder)
        if facts is None:
            if folder.exists():
                # Says what is wrong with it.
                Store.open(folder)
            raise self._missing()
        return facts

    def replaced(self) -> Path:
        """Where a store lies while another one takes its place."""
        return self.folder().with_name(f".{self.folder().name}.old")

    def lock(self) -> Path:
        """What is held while the store is written or replaced."""
        return self.folder().with_name(f".{self.folder().name}.keep.lock")

    def stamp(self) -> str | None:
        """There are no files but the store."""
        return None

    def known(self) -> Known | None:
        """Nothing but a store has its factors.

        Raises:
            DataError: Always.
        """
        raise self._missing()

    def read(self, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """Nothing but a store has its images.

        Raises:
            DataError: Always.
        """
        raise self._missing()

    def _missing(self) -> DataError:
        there = sorted(
            path.name.removeprefix(f"{self.name}-")
            for path in (home() / "data").glob(f"{self.name}-*")
        )
        return DataError(
            f"Nothing is stored as {self.key!r} in {home() / 'data'}; there is "
            f"{', '.join(there) or 'nothing'}. Store images with unweave.from_arrays(images, "
            f"name={self.key!r}), from_torch or from_function."
        )


def keep(
    name: str,
    blocks: Iterable[NDArray[np.uint8]],
    count: int,
    image_shape: tuple[int, int, int],
    known: Callable[[], Known | None],
    *,
    overwrite: bool,
    progress: Progress | None,
) -> Dataset:
    """Store images under a name, or find them there.

    The images are written beside what is stored already, and take its place only when they are
    complete, differ, and may.

    Args:
        name: The name.
        blocks: The images in order, (n, H, W, C).
        count: How many there are.
        image_shape: (H, W, C).
        known: Gives their factors, None where they are not known; called after the last block.
        overwrite: Whether other images under this name are replaced.
        progress: Told how many are written.

    Raises:
        SpecError: The name is none.
        DataError: Other images have this name, or the disk is full.
    """
    spec = StoredImages(key=name)
    folder = spec.folder()
    before = stored_facts(folder)
    if before and not overwrite and (before.count, before.image_shape) != (count, image_shape):
        raise _taken(name, before)
    details: dict[str, Any] = {}
    labels: list[tuple[FactorSpace, Labels]] = []

    def encoded() -> Iterator[NDArray[np.uint8]]:
        for block in blocks:
            yield block.reshape(len(block), -1)
        found = known()
        if found is not None and found.labels is None:
            details[FACTORS] = found.space.to_list()
        elif found is not None and found.labels is not None:
            labels.append((found.space, found.labels))

    new = folder.with_name(f".{folder.name}.new")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(spec.lock()):
            # What a killed process left.
            shutil.rmtree(new, ignore_errors=True)
            if spec.replaced().exists() and not folder.exists():
                spec.replaced().rename(folder)
            try:
                store = build_store(
                    new,
                    text=str(spec),
                    form=to_dict(spec),
                    source=spec.source,
                    image_shape=image_shape,
                    count=count,
                    encoding=spec.encoding,
                    blocks=lambda first: encoded(),
                    details=details,
                    labels=lambda: labels[0] if labels else None,
                    progress=progress,
                )
                _take_place(spec, store, overwrite=overwrite)
            finally:
                shutil.rmtree(new, ignore_errors=True)
                folder.with_name(f".{new.name}.lock").unlink(missing_ok=True)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    return spec.open(progress)


def _take_place(spec: StoredImages, store: Store, *, overwrite: bool) -> None:
    """Rename a complete store to its place, unless it is there already."""
    new, folder = store.folder, spec.folder()
    if not folder.exists():
        new.rename(folder)
        return
    if not overwrite:
        before = stored_facts(folder)
        same = before is not None and before == stored_facts(new)
        # Images and labels; a store that is damaged says so here.
        if same and Store.open(folder).fingerprint() == store.fingerprint():
            return
        raise _taken(spec.key, before)
    old = spec.replaced()
    shutil.rmtree(old, ignore_errors=True)
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _taken(name: str, before: Facts | None) -> DataError:
    what = "something else" if before is None else f"{before.count:,} other images or factors"
    return DataError(
        f"{name!r} is the name of {what}, which were stored before. Choose another name, or give "
        "overwrite=True to replace them; runs that were trained on them cannot be scored on them "
        "any more then."
    )
