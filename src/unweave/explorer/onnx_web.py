"""ONNX Runtime Web from a package that the user has fetched, as text within a page."""

from __future__ import annotations

__all__ = ["PINNED", "OnnxRuntime", "read_package"]

import base64
import gzip
import json
import logging
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.errors import SpecError

log = logging.getLogger("unweave")

PINNED: Final = "1.30.0"
"""The version that is tested."""

_SCRIPT: Final = "dist/ort.wasm.bundle.min.mjs"
_MODULE: Final = "dist/ort-wasm-simd-threaded.wasm"
_ABOUT: Final = "package.json"
_FETCH: Final = f"npm pack onnxruntime-web@{PINNED}"


@final
@dataclass(frozen=True)
class OnnxRuntime:
    """What a page needs of the package, each part compressed by gzip and as base64.

    Attributes:
        version: The package's version.
        script: The JavaScript, an ES module with everything but the WASM.
        module: The WASM.
    """

    version: str
    script: str
    module: str

    @property
    def bytes(self) -> int:
        """How much of a page it takes."""
        return len(self.script) + len(self.module)


def read_package(place: Path) -> OnnxRuntime:
    """The parts of a package: the file that `npm pack` writes, or the folder of an installed one.

    Args:
        place: `onnxruntime-web-VERSION.tgz`, or `node_modules/onnxruntime-web`.

    Raises:
        SpecError: It is not there, or is another package.
    """
    parts = _from_folder(place) if place.is_dir() else _from_archive(place)
    about = json.loads(parts[_ABOUT])
    if about.get("name") != "onnxruntime-web":
        raise SpecError(f"{place} is the package {about.get('name')!r}, not onnxruntime-web.")
    version = str(about.get("version"))
    if version != PINNED:
        log.warning("Pages are tested with onnxruntime-web %s, and this is %s.", PINNED, version)
    return OnnxRuntime(version, compressed(parts[_SCRIPT]), compressed(parts[_MODULE]))


def compressed(content: bytes) -> str:
    """Bytes by gzip, as base64; the same for the same bytes."""
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")


def _from_folder(folder: Path) -> dict[str, bytes]:
    try:
        return {name: (folder / name).read_bytes() for name in (_ABOUT, _SCRIPT, _MODULE)}
    except OSError as error:
        raise _wrong(folder, str(error)) from error


def _from_archive(path: Path) -> dict[str, bytes]:
    parts = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for name in (_ABOUT, _SCRIPT, _MODULE):
                handle = archive.extractfile(f"package/{name}")
                if handle is None:
                    raise KeyError(name)
                parts[name] = handle.read()
    except (OSError, tarfile.TarError, KeyError, EOFError) as error:
        raise _wrong(path, str(error)) from error
    return parts


def _wrong(place: Path, reason: str) -> SpecError:
    return SpecError(
        f"{place} is not the package onnxruntime-web: {reason}. Fetch it with `{_FETCH}`, and "
        f"give the file that this writes, onnxruntime-web-{PINNED}.tgz."
    )
