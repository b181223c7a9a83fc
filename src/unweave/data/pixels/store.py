"""Images on disk: one folder with a manifest and one file of equally long rows, memory-mapped."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.labels import Labels
from unweave.data.pixels.label_tables import read_labels
from unweave.data.pixels.manifest import BLOCK, IMAGES, Encoding, read_manifest, remedy, row_bytes
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress

__all__ = ["Store"]


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
        self.rows = np.asarray(np.memmap(folder / IMAGES, np.uint8, mode="r", shape=shape))

    @classmethod
    def open(cls, folder: Path, sample: int | None = None) -> Store:
        """Open a store, after a check of the manifest, the file's size and one block.

        Args:
            folder: The store.
            sample: The block to check; any other one at each call when left out.

        Raises:
            DataError: The store is missing, damaged, or of another format.
        """
        manifest = read_manifest(folder)
        expected = manifest["count"] * row_bytes(
            tuple(manifest["image_shape"]), manifest["encoding"]
        )
        path = folder / IMAGES
        found = path.stat().st_size if path.is_file() else None
        if found != expected:
            state = "is missing" if found is None else f"has {found:,} bytes"
            raise DataError(f"{path} {state}; {expected:,} bytes are expected. {remedy(folder)}")
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
        return None if form is None else read_labels(self.folder, form)

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
                f"{self.folder / IMAGES} is damaged: images {first} to {stop - 1} (block {block} "
                f"of {len(crcs)}) do not match their checksum. {remedy(self.folder)}"
            )
