"""Wheel and sdist: how they are built, and what must be true of them before they are published."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import InvalidMetadata, Metadata
from trove_classifiers import classifiers as known_classifiers

ROOT = Path(__file__).parents[2]

# What a checkout has for work on it alone: settings of editors and of git, hooks, workflows.
# .gitignore is in every sdist, since hatchling reads it when it builds a wheel of one.
FOR_THE_CHECKOUT = (".ci", ".editorconfig", ".gitattributes", ".github", ".pre-commit-config.yaml")

# What work leaves in a checkout.
STRAY = (
    ".venv/pyvenv.cfg",
    "docs/_build/html/index.html",
    "runs/first/config.json",
    "src/unweave/__pycache__/run.cpython-311.pyc",
    "tests/runs/second/config.json",
)

_ENTRY_POINTS = "[console_scripts]\nunweave = unweave.cli:main\n"


@dataclass(frozen=True)
class Archives:
    """Paths of a wheel and of the sdist of the same version."""

    wheel: Path
    sdist: Path


def snapshot(folder: Path) -> Path:
    """The checkout as it is now, as one of its own, and files in it that belong in no archive."""
    for name in sorted(_known_to_git(ROOT)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    for name in STRAY:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("stray", encoding="utf-8")
    return folder


def build(source: Path, target: Path) -> Archives:
    """Build both from a folder that has pyproject.toml, with the hatchling that is installed."""
    _hatchling(source, target)
    return Archives(_only(target, "*.whl"), _only(target, "*.tar.gz"))


def wheel_of(sdist: Path, folder: Path) -> Path:
    """The wheel that is built from an unpacked sdist alone."""
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    [unpacked] = folder.iterdir()
    _hatchling(unpacked, unpacked / "dist", "--target", "wheel")
    return _only(unpacked / "dist", "*.whl")


def in_wheel(path: Path) -> dict[str, bytes]:
    """Contents of each file of a wheel by its name."""
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def in_sdist(path: Path) -> dict[str, bytes]:
    """Contents of each file of an sdist by its name below the folder that holds them all."""
    found = {}
    with tarfile.open(path) as packed:
        for entry in packed:
            if entry.isfile():
                top, _, name = entry.name.partition("/")
                if f"{top}.tar.gz" != path.name:
                    name = entry.name
                found[name] = packed.extractfile(entry).read()  # type: ignore[union-attr]
    return found


def problems(
    wheel: Mapping[str, bytes],
    sdist: Mapping[str, bytes],
    again: Mapping[str, bytes],
    source: Path,
) -> list[str]:
    """What is wrong with a wheel, the sdist, and the wheel that was built from this; or nothing.

    Args:
        wheel: Contents of the files of the wheel.
        sdist: Of the sdist.
        again: Of the wheel that was built from the sdist.
        source: The checkout, with git, that both were built from.
    """
    version = version_of(source)
    info = f"unweave-{version}.dist-info"
    package = {f"unweave/{name}": data for name, data in _package(source).items()}
    about = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    licence = f"{info}/licenses/LICENSE"
    found = [
        *_differences("wheel", wheel, {*package, *about, licence}),
        *_differences("wheel of the sdist", again, wheel),
        *(f"wheel: {name} is not that of src" for name in _changed(wheel, package)),
        *(f"wheel of the sdist: {name} is another" for name in _changed(again, wheel)),
        *(f"sdist: {name} is not that of the checkout" for name in _altered(sdist, source)),
    ]
    kept = {name for name in _known_to_git(source) if name.split("/")[0] not in FOR_THE_CHECKOUT}
    found += _differences("sdist", sdist, {*kept, "PKG-INFO"})
    for archive, name in ((wheel, licence), (sdist, "LICENSE")):
        if archive.get(name) != (source / "LICENSE").read_bytes():
            found.append(f"{name} is not the licence of the checkout")
    if wheel.get(f"{info}/entry_points.txt", b"").decode() != _ENTRY_POINTS:
        found.append("wheel: its entry points are not `unweave` alone")
    for where, data in (
        ("wheel", wheel.get(f"{info}/METADATA", b"")),
        ("sdist", sdist.get("PKG-INFO", b"")),
    ):
        found += [f"{where}: {text}" for text in wrong_metadata(data, version, source)]
    return found


def wrong_metadata(data: bytes, version: str, source: Path) -> list[str]:
    """What an index would refuse of core metadata, and what is not as in the checkout."""
    try:
        found = Metadata.from_email(data, validate=True)
    except ExceptionGroup as errors:
        return [str(error) for error in errors.exceptions]
    except InvalidMetadata as error:
        return [str(error)]
    readme = (source / "README.md").read_text(encoding="utf-8")
    wrong = [
        f"{name} is {got!r:.60}, not {wanted!r:.60}"
        for name, got, wanted in (
            ("Name", found.name, "unweave"),
            ("Version", str(found.version), version),
            ("License-Expression", found.license_expression, "Apache-2.0"),
            ("License-File", found.license_files, ["LICENSE"]),
            ("Description-Content-Type", found.description_content_type, "text/markdown"),
            ("Description", (found.description or "").strip(), readme.strip()),
        )
        if got != wanted
    ]
    unknown = [text for text in found.classifiers or () if text not in known_classifiers]
    wrong += [f"Classifier {text!r} is none that an index knows" for text in unknown]
    # A library that reads it as plain text would lose a field that is written twice.
    once = email.message_from_bytes(data)
    wrong += [
        f"{name} is there {len(once.get_all(name, []))} times"
        for name in ("Name", "Version", "Summary", "Requires-Python")
        if len(once.get_all(name, [])) != 1
    ]
    return wrong


def version_of(source: Path) -> str:
    """The version that `_version.py` of a checkout gives."""
    names: dict[str, str] = {}
    exec((source / "src/unweave/_version.py").read_text(encoding="utf-8"), names)
    return names["__version__"]


def _hatchling(source: Path, target: Path, *options: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(target), *options]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _only(folder: Path, pattern: str) -> Path:
    [path] = folder.glob(pattern)
    return path


def _package(source: Path) -> dict[str, bytes]:
    folder = source / "src" / "unweave"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _known_to_git(source: Path) -> set[str]:
    """Files that git has, or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split("\0") if name and (source / name).is_file()}


def _differences(what: str, got: Iterable[str], wanted: Iterable[str]) -> list[str]:
    got, wanted = set(got), set(wanted)
    return [
        *(f"{what}: {name} is missing" for name in sorted(wanted - got)),
        *(f"{what}: {name} does not belong there" for name in sorted(got - wanted)),
    ]


def _changed(got: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> list[str]:
    return [name for name in sorted(got.keys() & wanted.keys()) if got[name] != wanted[name]]


def _altered(sdist: Mapping[str, bytes], source: Path) -> list[str]:
    there = {name: source / name for name in sdist if (source / name).is_file()}
    return [name for name, path in sorted(there.items()) if sdist[name] != path.read_bytes()]
