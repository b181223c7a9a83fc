"""Images on disk: one folder with a manifest and one file of equally long rows, memory-mapped."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias, final

import filelock
import numpy as np
from numpy.typing import NDArray

from unweave.data.labels import Labels
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.rundir import explain_os_error

__all__ = [
    "BLOCK",
    "FORMAT",
    "MANIFEST",
    "Encoding",
    "Progress",
    "Store",
    "build_store",
    "encode_images",
    "row_bytes",
]

FORMAT: Final = 1

BLOCK: Final = 4096
"""Images in one block of the checksum table."""

Encoding: TypeAlias = Literal["bits", "bytes"]
"""`bits`: pixels are 0 or 1, eight a byte, first pixel in the highest bit; `bytes`: 0 to 255."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is (images, or bytes)."""

_IMAGES = "images.bin"
_FACTORS = "factors.npy"
_VALUES = "values.npy"
MANIFEST: Final = "manifest.json"


def row_bytes(image_shape: tuple[int, int, int], encoding: Encoding) -> int:
    """Bytes of one encoded image; each image starts at a byte of its own."""
    pixels = math.prod(image_shape)
    return (pixels + 7) // 8 if encoding == "bits" else pixels


def encode_images(images: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.uint8]:
    """Images, (n, H, W, C) of 0 and 1 for `bits` or 0 to 255 for `bytes`, as (n, row_bytes)."""
    rows = images.reshape(len(images), -1)
    return np.packbits(rows, axis=1) if encoding == "bits" else rows


@final
class Store:
    """An open store. Make one with `Store.open` or `build_store`.

    Attributes:
        folder: Where it lies.
        manifest: The manifest as read.
        image_shape: (H, W, C).
        count: How many images there are.
        encoding: `bits` or `bytes`.
        scale: What `gather` must be multiplied with to give numbers between 0 and 1.
        rows: The encoded images, (count, row bytes) uint8, mapped from the file and read-only.
    """

    def __init__(self, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Map the images; `open` is the way in that checks them."""
        self.folder = folder
        self.manifest = manifest
        height, width, channels = manifest["image_shape"]
        self.image_shape: tuple[int, int, int] = (height, width, channels)
        self.count: int = manifest["count"]
        self.encoding: Encoding = manifest["encoding"]
        self.scale = 1.0 if self.encoding == "bits" else 1 / 255
        self._pixels = math.prod(self.image_shape)
        shape = (self.count, row_bytes(self.image_shape, self.encoding))
        # A plain view: indexing an np.memmap makes a subclass each time, which costs more than
        # the gather of a batch.
        self.rows = np.asarray(np.memmap(folder / _IMAGES, np.uint8, mode="r", shape=shape))

    @classmethod
    def open(cls, folder: Path, sample: int | None = None) -> Store:
        """Open a store, after a check of the manifest, the file's size and one block.

        Args:
            folder: The store.
            sample: The block to check; any other one at each call when left out.

        Raises:
            DataError: The store is missing, damaged, or of another format.
        """
        manifest = _read_manifest(folder)
        expected = manifest["count"] * row_bytes(
            tuple(manifest["image_shape"]), manifest["encoding"]
        )
        path = folder / _IMAGES
        found = path.stat().st_size if path.is_file() else None
        if found != expected:
            state = "is missing" if found is None else f"has {found:,} bytes"
            raise DataError(f"{path} {state}; {expected:,} bytes are expected. {_remedy(folder)}")
        store = cls(folder, manifest)
        blocks = len(manifest["crc32"])
        store._check_block(time.time_ns() // 1000 % blocks if sample is None else sample)
        return store

    def gather(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices, (n, H, W, C), as 0 and 1 (`bits`) or 0 to 255 (`bytes`).

        This is the fast way for training: times `scale` it is between 0 and 1.
        """
        rows = self.rows[flat]
        if self.encoding == "bits":
            rows = np.unpackbits(rows, axis=1, count=self._pixels)
        return rows.reshape(-1, *self.image_shape)

    def images(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices, (n, H, W, C), 0 to 255; pixels that are bits are 0 or 255."""
        images = self.gather(flat)
        if self.encoding == "bits":
            images *= np.uint8(255)
        return images

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """Factors and labels that lie beside the images, None where there are none.

        Raises:
            DataError: They are damaged.
        """
        form = self.manifest.get("labels")
        if form is None:
            return None
        try:
            space = FactorSpace.from_list(form["factors"])
            sums = {name: str(form["sha256"][name]) for name in (_FACTORS, *form["sha256"])}
        except (KeyError, TypeError, ValueError):
            raise DataError(
                f"{self.folder / MANIFEST} is damaged: what it says of the factors does not fit "
                f"together. {_remedy(self.folder)}"
            ) from None
        tables: list[NDArray[Any]] = []
        for name, expected in sums.items():
            path = self.folder / name
            try:
                data = path.read_bytes()
            except OSError as error:
                raise DataError(
                    f"{path} cannot be read: {error.strerror}. {_remedy(self.folder)}"
                ) from None
            if hashlib.sha256(data).hexdigest() != expected:
                raise DataError(f"{path} is damaged. {_remedy(self.folder)}")
            tables.append(np.load(io.BytesIO(data)))
        values = tables[1] if len(tables) > 1 else None
        return space, Labels(tables[0], values)

    def fingerprint(self) -> str:
        """Equal for equal images and labels."""
        labels = self.manifest.get("labels")
        digest = str(self.manifest["sha256"])
        return digest if labels is None else f"{digest} {' '.join(labels['sha256'].values())}"

    def verify(self, progress: Progress | None = None) -> None:
        """Compare every block with its checksum.

        Raises:
            DataError: A block is damaged; the message names the first.
        """
        for block in range(len(self.manifest["crc32"])):
            self._check_block(block)
            if progress is not None:
                progress("verifying", min((block + 1) * BLOCK, self.count), self.count)

    def _check_block(self, block: int) -> None:
        first, stop = block * BLOCK, min((block + 1) * BLOCK, self.count)
        crcs = self.manifest["crc32"]
        if f"{zlib.crc32(self.rows[first:stop].data):08x}" != crcs[block]:
            raise DataError(
                f"{self.folder / _IMAGES} is damaged: images {first} to {stop - 1} (block {block} "
                f"of {len(crcs)}) do not match their checksum. {_remedy(self.folder)}"
            )


def build_store(
    folder: Path,
    *,
    text: str,
    form: Mapping[str, Any],
    source: str,
    image_shape: tuple[int, int, int],
    count: int,
    encoding: Encoding,
    blocks: Iterable[NDArray[np.uint8]],
    details: Mapping[str, Any] | None = None,
    labels: Callable[[], tuple[FactorSpace, Labels] | None] | None = None,
    progress: Progress | None = None,
) -> Store:
    """Write a store, all or nothing, and open it.

    Only one process builds at a time: others wait, then open what it built. What killed builds
    left behind is removed.

    Args:
        folder: Where the store shall lie.
        text: Short text of the dataset.
        form: Full form of the dataset.
        source: Where the images come from, such as `rendered`.
        image_shape: (H, W, C).
        count: How many images there are.
        encoding: `bits` or `bytes`.
        blocks: Encoded images in order, each block (any, row_bytes) uint8. Consumed once, and only
            if this process builds.
        details: Further facts for the manifest; read after the last block.
        labels: Gives factors and labels of the images, or None; called after the last block.
        progress: Told how many images are written.

    Raises:
        DataError: The disk has no room, the folder cannot be written, or what already lies there
            is damaged.
    """
    folder = Path(folder)
    need = count * row_bytes(image_shape, encoding)
    try:
        with _alone(folder):
            if not folder.exists():
                _remove_stale(folder)
                _check_space(folder, need)
                with _temporary_folder(folder) as temporary:
                    crcs = _write_images(
                        temporary / _IMAGES, blocks, count, need // max(count, 1), progress
                    )
                    manifest = {
                        "format": FORMAT,
                        "text": text,
                        "dataset": dict(form),
                        "source": source,
                        "encoding": encoding,
                        "image_shape": list(image_shape),
                        "count": count,
                        "block": BLOCK,
                        "details": dict(details or {}),
                        "crc32": crcs,
                        "sha256": _table_digest(crcs),
                    }
                    found = None if labels is None else labels()
                    if found is not None:
                        manifest["labels"] = _write_labels(temporary, *found, count)
                    with (temporary / MANIFEST).open("wb") as handle:
                        handle.write(json.dumps(manifest, indent=1).encode())
                        _flush(handle)
                    temporary.rename(folder)
                _flush_folder(folder.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(_space_text(folder, need, None)) from error
        raise DataError(str(explain_os_error(error, folder))) from error
    return Store.open(folder)


def _write_images(
    path: Path,
    blocks: Iterable[NDArray[np.uint8]],
    count: int,
    width: int,
    progress: Progress | None,
) -> list[str]:
    """Write encoded images and return the CRC-32 of each `BLOCK` of them, as eight hex digits."""
    crcs: list[str] = []
    done = crc = 0
    with path.open("wb") as handle:
        for block in blocks:
            if block.dtype != np.uint8 or block.ndim != 2 or block.shape[1] != width:
                raise ValueError(
                    f"expected rows of {width} bytes, not {block.dtype} {block.shape}"
                )
            rows = np.ascontiguousarray(block)
            while len(rows) > 0:
                part = rows[: BLOCK - done % BLOCK]
                handle.write(part.data)
                crc = zlib.crc32(part.data, crc)
                done += len(part)
                rows = rows[len(part) :]
                if done % BLOCK == 0 or done == count:
                    crcs.append(f"{crc:08x}")
                    crc = 0
                    if progress is not None:
                        progress("writing", done, count)
        if done != count:
            raise ValueError(f"expected {count} images, not {done}")
        _flush(handle)
    return crcs


def _write_labels(folder: Path, space: FactorSpace, labels: Labels, count: int) -> dict[str, Any]:
    """Write the tables, and return what the manifest says of them."""
    if len(labels.indices) != count:
        raise ValueError(f"expected labels of {count} images, not {len(labels.indices)}")
    tables: dict[str, NDArray[Any]] = {_FACTORS: space.check_indices(labels.indices)}
    if labels.values is not None:
        tables[_VALUES] = np.asarray(labels.values, np.float64)
    digests = {}
    for name, table in tables.items():
        stream = io.BytesIO()
        np.save(stream, table)
        digests[name] = hashlib.sha256(stream.getvalue()).hexdigest()
        with (folder / name).open("wb") as handle:
            handle.write(stream.getvalue())
            _flush(handle)
    return {"factors": space.to_list(), "sha256": digests}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a store; when the block fails, what was made to hold it goes, too."""
    missing = [path for path in folder.parents if not path.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f".{folder.name}.lock"
    try:
        with filelock.FileLock(lock):
            try:
                yield
            except BaseException:
                # Whoever waits for it notices that the file is gone, and makes a new one.
                lock.unlink(missing_ok=True)
                raise
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the place of the store, gone when the block ends without a rename."""
    temporary = Path(
        tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".building", dir=folder.parent)
    )
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_stale(folder: Path) -> None:
    """Remove what killed builds left, of this store, whose lock is held, and of others.

    A build that is alive holds the lock of its store, so a leftover whose lock can be had is of a
    dead one; it may be of many gigabytes, and of a store that nobody asks for again.
    """
    for leftover in folder.parent.glob(".*.building"):
        name = leftover.name.removeprefix(".").rsplit(".", 2)[0]
        if name == folder.name:
            shutil.rmtree(leftover, ignore_errors=True)
            continue
        with (
            contextlib.suppress(filelock.Timeout),
            filelock.FileLock(folder.parent / f".{name}.lock", timeout=0),
        ):
            shutil.rmtree(leftover, ignore_errors=True)


def _check_space(folder: Path, need: int) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < need + 2**20:
        raise DataError(_space_text(folder, need, free))


def _space_text(folder: Path, need: int, free: int | None) -> str:
    left = "" if free is None else f", and {free / 1e6:,.0f} MB are free"
    return (
        f"The disk is full: {folder} needs {need / 1e6:,.0f} MB{left}. Free some space, or set "
        "UNWEAVE_HOME to a folder on a larger disk."
    )


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, checked so far that its fields can be relied on.

    Raises:
        DataError: It is missing, damaged, or of another format.
    """
    path = folder / MANIFEST
    if not folder.exists():
        raise DataError(f"{folder} does not exist: the images are not stored yet.")
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. {_remedy(folder)}") from None
    except ValueError:
        raise DataError(f"{path} is damaged: it is not JSON. {_remedy(folder)}") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise DataError(
            f"{path} has format {found!r}, but this version of unweave reads format {FORMAT}. "
            f"{_remedy(folder)}"
        )
    try:
        blocks = -(-manifest["count"] // BLOCK)
        sound = (
            manifest["count"] > 0
            and manifest["encoding"] in ("bits", "bytes")
            and len(manifest["image_shape"]) == 3
            and all(isinstance(side, int) and side > 0 for side in manifest["image_shape"])
            and manifest["block"] == BLOCK
            and isinstance(manifest["details"], dict)
            and len(manifest["crc32"]) == blocks
            and manifest["sha256"] == _table_digest(manifest["crc32"])
        )
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise DataError(f"{path} is damaged: its fields do not fit together. {_remedy(folder)}")
    return dict(manifest)


def _table_digest(crcs: list[str]) -> str:
    return hashlib.sha256(bytes.fromhex("".join(crcs))).hexdigest()


def _remedy(folder: Path) -> str:
    return f"Delete the folder {folder}; it is built again when it is next needed."


def _flush(handle: IO[bytes]) -> None:
    handle.flush()
    os.fsync(handle.fileno())


def _flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system can flush a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
