"""From the text of a dataset to the dataset."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import cast

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.other_names import suggested
from unweave.errors import SpecError
from unweave.notebook import Asked, telling
from unweave.spec import build, field_hints, members, parse
from unweave.spec.hints import choices

__all__ = ["catalog", "load_dataset", "parse_dataset", "with_file"]


def parse_dataset(text: str) -> DatasetSpec:
    """Read the text of a dataset, such as `dsprites(grid=(3, 2, 4, 8, 8))`.

    Raises:
        SpecError: The text does not follow the grammar, or names something unknown.
    """
    try:
        return cast(DatasetSpec, parse(text, DatasetSpec))
    except SpecError:
        found = suggested(text)
        if found is None:
            raise
        raise SpecError(f"Unknown dataset {found[0]!r:.100}. Did you mean {found[1]}?") from None


def load_dataset(text: str, progress: Asked = "auto") -> Dataset:
    """Open the dataset with this text; its images are made or fetched when they are not there yet.

    Args:
        text: Such as `dsprites` or `dsprites(source=archive)`.
        progress: Called with what is being done, how much is done, and how much there is; `auto`
            for a line in a notebook, and nothing elsewhere.

    Raises:
        SpecError: The text is wrong.
        DataError: The images cannot be had, the disk is full, or what is stored is damaged.

    Example:
        >>> data = load_dataset("dsprites(grid=(3, 1, 4, 2, 2))")  # doctest: +SKIP
        >>> data.images([0, 1]).shape  # doctest: +SKIP
        (2, 64, 64, 1)
    """
    with telling(progress) as told:
        return parse_dataset(text).open(told)


def catalog() -> list[DatasetSpec]:
    """Every dataset on its defaults, and for each further source and subset that it has."""
    specs: list[DatasetSpec] = []
    for cls in members(DatasetSpec).values():
        if not cls.listed:
            continue
        default = build(cls, {})
        specs.append(default)
        hints = field_hints(cls)
        for name in ("source", "subset"):
            others = choices(hints.get(name))
            specs += [
                build(cls, {name: each}) for each in others if each != getattr(default, name)
            ]
    return specs


def with_file(text: str, archive: str | Path | None) -> DatasetSpec:
    """The dataset of a text, read from an archive on this machine if one is given.

    Args:
        text: Text of the dataset.
        archive: The published file, or the folder of several.

    Raises:
        SpecError: The text is wrong, or the dataset has no archive.
    """
    spec = parse_dataset(text)
    if archive is None:
        return spec
    if isinstance(spec, DerivedSpec):
        base = spec.bases[0]
        raise SpecError(
            f"{spec.name} is made of {base} and has no file of its own. Name the file in the "
            f"text: there write {with_file(str(base), archive)} in place of {base}."
        )
    if not isinstance(spec, ArchiveSpec):
        raise SpecError(f"{spec.name} is not read from an archive, so no file can be given.")
    changes = {"path": str(archive)}
    if "source" in {field.name for field in dataclasses.fields(spec)}:
        changes["source"] = "archive"
    return dataclasses.replace(spec, **changes)
