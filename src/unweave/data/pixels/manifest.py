"""What a store says of itself: its manifest, and the forms that its images can have."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError

__all__ = [
    "BLOCK",
    "FORMAT",
    "IMAGES",
    "MANIFEST",
    "Encoding",
    "encode_images",
    "read_manifest",
    "remedy",
    "row_bytes",
    "table_digest",
]

FORMAT: Final = 1

BLOCK: Final = 4096
"""Images in one block of the checksum table."""

MANIFEST: Final = "manifest.json"
IMAGES: Final = "images.bin"

Encoding: TypeAlias = Literal["bits", "bytes"]
"""`bits`: pixels are 0 or 1, eight a byte, first pixel in the highest bit; `bytes`: 0 to 255."""


def row_bytes(image_shape: tuple[int, int, int], encoding: Encoding) -> int:
    """Bytes of one encoded image; each image starts at a byte of its own."""
    pixels = math.prod(image_shape)
    return (pixels + 7) // 8 if encoding == "bits" else pixels


def encode_images(images: NDArray[np.uint8], encoding: Encoding) -> NDArray[np.uint8]:
    """Images, (n, H, W, C) of 0 and 1 for `bits` or 0 to 255 for `bytes`, as (n, row_bytes)."""
    rows = images.reshape(len(images), -1)
    return np.packbits(rows, axis=1) if encoding == "bits" else rows


def read_manifest(folder: Path) -> dict[str, Any]:
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
        raise DataError(f"{path} cannot be read: {error.strerror}. {remedy(folder)}") from None
    except ValueError:
        raise DataError(f"{path} is damaged: it is not JSON. {remedy(folder)}") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise DataError(
            f"{path} has format {found!r}, but this version of unweave reads format {FORMAT}. "
            f"{remedy(folder)}"
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
            and manifest["sha256"] == table_digest(manifest["crc32"])
        )
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise DataError(f"{path} is damaged: its fields do not fit together. {remedy(folder)}")
    return dict(manifest)


def table_digest(crcs: list[str]) -> str:
    """The SHA-256 of a checksum table, which tells whether two stores have the same images."""
    return hashlib.sha256(bytes.fromhex("".join(crcs))).hexdigest()


def remedy(folder: Path) -> str:
    """What the user can do about a damaged store."""
    return f"Delete the folder {folder}; it is built again when it is next needed."
