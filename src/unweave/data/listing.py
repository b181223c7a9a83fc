"""What is said of datasets before they are opened: facts, how to get them, small stand-ins."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import shlex
from collections.abc import Iterable
from typing import Any, Final

from unweave.data.base import DatasetSpec
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.kinds.stored import StoredSpec
from unweave.data.own.base import OwnSpec
from unweave.data.pixels.manifest import row_bytes
from unweave.data.samplers import Sampler
from unweave.spec import Component, build, members

__all__ = ["about", "describe", "kinds", "made_of", "origin", "published", "sketch"]

_SKETCH: Final = 10_000
"""Images that are drawn in a second or two."""


def describe(spec: DatasetSpec) -> dict[str, Any]:
    """Facts about a dataset, in plain types; its images need not be there.

    Returns:
        name, text, about, origin; source, images, shape (H, W, C); labelled, grid (whether it has
        every combination of its factors once), factors (name, size, kind, labels of the values or
        None); ready, folder (None without a store of its own), stored_bytes; get (see below).
        `get` says how the images come: how (`rendered`, `download`, `by hand`, `own`), command,
        and of published files page, terms, files, bytes, each None where it does not apply.

    Raises:
        DataError: Something of it depends on images that are not there yet.
    """
    folder = spec.folder()
    factors = spec.factor_space.factors if spec.labelled else ()
    return {
        "name": spec.name,
        "text": str(spec),
        "about": about(type(spec)),
        "origin": origin(type(spec)),
        "source": spec.source,
        "images": spec.count,
        "shape": list(spec.image_shape),
        "labelled": spec.labelled,
        "grid": spec.full_grid,
        "factors": [
            {
                "name": factor.name,
                "size": factor.size,
                "kind": factor.kind,
                "labels": None if factor.labels is None else list(factor.labels),
            }
            for factor in factors
        ],
        "ready": spec.ready(),
        "folder": None if folder is None else str(folder),
        "stored_bytes": _stored_bytes(spec),
        "get": _get(spec),
    }


def about(cls: type[Component]) -> str:
    """What a component is, in its own first sentences."""
    return _prose((inspect.getdoc(cls) or "").split("\n\n")[0])


def origin(cls: type[Component]) -> str | None:
    """Where a component comes from, and its licence where that is known; None where it is ours."""
    found = re.search(r"^Source: (.+?)(?:\n\n|\Z)", inspect.getdoc(cls) or "", re.S | re.M)
    return _prose(found[1]) if found else None


def made_of(spec: DatasetSpec) -> list[DatasetSpec]:
    """What a part, or a dataset that is changed when it is read, is made of, and that of what."""
    bases = spec.bases if isinstance(spec, DerivedSpec) else ()
    return [each for base in bases for each in (base, *made_of(base))]


def published(specs: Iterable[DatasetSpec]) -> list[str]:
    """Names of the datasets, among these and what they are made of, that are published as files.

    They have such files whether or not the images are those of the files.
    """
    found = (each for spec in specs for each in (spec, *made_of(spec)))
    return list(dict.fromkeys(each.name for each in found if isinstance(each, ArchiveSpec)))


def kinds() -> dict[str, list[dict[str, str]]]:
    """What is made of any dataset or of one's own images, by kind.

    Returns:
        Of `views`, `own` and `samplers` the members, each with name, about and an example text.
    """
    others = [cls for cls in members(DatasetSpec).values() if not cls.listed]
    found: dict[str, list[type[Component]]] = {
        "views": [cls for cls in others if issubclass(cls, DerivedSpec)],
        "own": [cls for cls in others if issubclass(cls, OwnSpec)],
        "samplers": list(members(Sampler).values()),
    }
    return {
        kind: [{"name": c.name, "about": about(c), "example": _example(c)} for c in classes]
        for kind, classes in found.items()
    }


def sketch(spec: DatasetSpec) -> DatasetSpec:
    """A dataset as it is when it is ready, else a small one like it that is drawn at once.

    Fewer values of each factor are kept (`grid`), or fewer images drawn (`images`), of the dataset
    or of what it is made of; one that has neither is given as it is.
    """
    if spec.ready():
        return spec
    fields = {field.name for field in dataclasses.fields(spec)}
    if isinstance(spec, DerivedSpec) and "data" in fields:
        return dataclasses.replace(spec, data=sketch(spec.bases[0]))  # type: ignore[call-arg]
    if "images" in fields:
        return dataclasses.replace(spec, images=min(spec.count, _SKETCH))  # type: ignore[call-arg]
    if "grid" not in fields:
        return spec
    sizes = spec.factor_space.sizes
    most = max(
        (n for n in range(1, max(sizes) + 1) if math.prod(min(s, n) for s in sizes) <= _SKETCH),
        default=1,
    )
    return dataclasses.replace(spec, grid=tuple(min(size, most) for size in sizes))  # type: ignore[call-arg]


def _prose(text: str) -> str:
    """Lines of a description as one, without marks of code."""
    return " ".join(text.split()).replace("`", "")


def _example(cls: type[Component]) -> str:
    """A text that makes one: of its description, or its name with what must be given."""
    found = re.search(r"^Example:\n\s+`([^`]+)`", inspect.getdoc(cls) or "", re.M)
    if found:
        return found[1]
    required = [
        f"{field.name}='...'"
        for field in dataclasses.fields(cls)
        if field.default is dataclasses.MISSING
    ]
    return f"{cls.name}({', '.join(required)})" if required else str(build(cls, {}))


def _stored_bytes(spec: DatasetSpec) -> int:
    """Bytes on disk of the images, or of what they are made of, once they are prepared."""
    if isinstance(spec, StoredSpec):
        rows, shape = spec.stored
        return rows * row_bytes(shape, spec.encoding)
    return sum(_stored_bytes(base) for base in spec.bases) if isinstance(spec, DerivedSpec) else 0


def _quoted(text: str) -> str:
    """A text as a word of a shell, in double quotes where they will do: the text has others."""
    plain = re.fullmatch(r"""[^"\\$`!]+""", text)
    return shlex.quote(text) if text.isidentifier() or not plain else f'"{text}"'


def _get(spec: DatasetSpec) -> dict[str, Any]:
    """How the images come."""
    command = f"unweave data prepare {_quoted(str(spec))}"
    if isinstance(spec, DerivedSpec):
        found = _get(spec.bases[0])
        # A file can only be given to the dataset that is read from it.
        return found if found["how"] == "by hand" else {**found, "command": command}
    if not isinstance(spec, ArchiveSpec) or spec.source != "archive":
        nothing = dict.fromkeys(("page", "terms", "files", "bytes"))
        return {"how": spec.source, "command": command, **nothing}
    by_hand = spec.terms is not None or not all(file.urls for file in spec.files)
    place = "FILE" if len(spec.files) == 1 else "FOLDER"
    sizes = [file.size for file in spec.files]
    return {
        "how": "by hand" if by_hand else "download",
        "command": f"{command} --from {place}" if by_hand and spec.path is None else command,
        "page": spec.page,
        "terms": spec.terms,
        "files": [file.name for file in spec.files],
        "bytes": None if None in sizes else sum(size or 0 for size in sizes),
    }
