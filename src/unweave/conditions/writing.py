"""Index lists of a split as files, for use without unweave."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from unweave.conditions.describing import describe, describe_leaks, describe_slice
from unweave.conditions.leaks import Leaks
from unweave.conditions.registry import root_of
from unweave.conditions.split import Split
from unweave.rundir import atomic_write, write_json

__all__ = ["file_stem", "write_split"]

FORMAT: Final = 1


def write_split(
    split: Split,
    folder: Path | str,
    *,
    in_distribution: tuple[float, int] | None = None,
    leaks: Leaks | None = None,
) -> tuple[Path, Path]:
    """Write a split's flat indices as npz, and what is said of it as JSON.

    The npz has `train`, `held_out` and `discarded`, each (n,) int64 and ascending: places in the
    order of the published file, where the dataset is the whole of one.

    Args:
        split: What is trained on and what is held out.
        folder: Where to; it is made if need be.
        in_distribution: Fraction and seed of the images that a training holds out of `train`:
            they become `in_distribution`, and `train` is without them.
        leaks: Said of it, too.

    Returns:
        The npz and the JSON file.

    Raises:
        SpecError: The fraction is out of range.
        UnweaveError: The folder cannot be written.
    """
    arrays = split.rows()
    form: dict[str, Any] = {"format": FORMAT, **describe(split)}
    if in_distribution is not None:
        fraction, seed = in_distribution
        arrays["train"], arrays["in_distribution"] = split.in_distribution(fraction, seed)
        form["in_distribution"] = describe_slice(split, fraction, seed)
    if leaks is not None:
        form["leaks"] = describe_leaks(leaks)
    stem = file_stem(split)
    npz, document = Path(folder) / f"{stem}.npz", Path(folder) / f"{stem}.json"
    with atomic_write(npz) as handle:
        np.savez(handle, **arrays)  # type: ignore[arg-type]
    write_json(document, {**form, "file": npz.name})
    return npz, document


def file_stem(split: Split) -> str:
    """A name for the files of a split: dataset and condition, and a digest where they say less."""
    condition, modifier = split.condition, split.modifier
    parts = [root_of(split.data).name]
    whole = str(split.data) == condition.dataset
    if condition.name == condition.held_out:
        whole = False
    else:
        parts.append(condition.name)
    if modifier is not None and modifier.name == modifier.rule:
        whole = False
    elif modifier is not None:
        parts.append(modifier.name)
    if not whole:
        digests = split.digests
        parts.append(digests["train"][:6] + digests["held_out"][:6])
    return "-".join(re.sub(r"[^\w+]+", "-", part) for part in parts)
