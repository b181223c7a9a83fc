"""What is known of a dataset of one's own without its images, by its files or by its store."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.data.pixels.manifest import MANIFEST
from unweave.factors import FactorSpace

__all__ = ["FACTORS", "Facts", "stored_facts"]

FACTORS: Final = "factors"
"""Where a manifest's details have the factors of a full grid."""


@final
@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a dataset without its images.

    Args:
        count: How many images there are.
        image_shape: (H, W, C).
        space: Their factors, None where they are not known.
        grid: Whether the images are every combination once, in C order.
    """

    count: int
    image_shape: tuple[int, int, int]
    space: FactorSpace | None = None
    grid: bool = False


def stored_facts(folder: Path) -> Facts | None:
    """What the manifest of a store says; None without one that can be read."""
    path = folder / MANIFEST
    try:
        return _read_facts(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        # Opening the store says what is wrong with it.
        return None


@functools.lru_cache(maxsize=32)
def _read_facts(path: Path, stamp: int) -> Facts:
    """Facts of a manifest, kept as long as the file is the same."""
    manifest = json.loads(path.read_bytes())
    height, width, channels = manifest["image_shape"]
    labels = manifest.get("labels")
    form = manifest["details"].get(FACTORS) if labels is None else labels["factors"]
    return Facts(
        count=manifest["count"],
        image_shape=(height, width, channels),
        space=None if form is None else FactorSpace.from_list(form),
        grid=labels is None and form is not None,
    )
