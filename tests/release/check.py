"""Build wheel and sdist, check both, install the wheel in empty environments, and use it there.

`PYTHONPATH=tests python -m release.check --out dist` builds and checks; each `--install PYTHON`
does the rest with that interpreter. It ends with 1 and one line for each thing that is wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release.archives import ROOT, Archives, build, in_sdist, in_wheel, problems, wheel_of
from release.installed import first_use, install


def main(arguments: Sequence[str] | None = None) -> int:
    """Do it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, prog="release.check")
    parser.add_argument("--out", type=Path, required=True, help="folder for wheel and sdist")
    parser.add_argument("--install", metavar="PYTHON", action="append", default=[])
    parser.add_argument("--whole", action="store_true", help="demo and scores take their minutes")
    given = parser.parse_args(arguments)
    # No archive of another version is left beside the new ones, to be uploaded by mistake.
    for old in [*given.out.glob("unweave-*.whl"), *given.out.glob("unweave-*.tar.gz")]:
        old.unlink()
    archives = build(ROOT, given.out.resolve())
    wrong = _wrong(archives)
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        return 1
    for path in (archives.wheel, archives.sdist):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
    for python in given.install:
        with tempfile.TemporaryDirectory() as folder:
            _use(python, archives.wheel, Path(folder), whole=given.whole)
    return 0


def _wrong(archives: Archives) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        again = wheel_of(archives.sdist, Path(folder))
        return problems(in_wheel(archives.wheel), in_sdist(archives.sdist), in_wheel(again), ROOT)


def _use(python: str, wheel: Path, folder: Path, *, whole: bool) -> None:
    environment = install(python, wheel, folder / "environment")
    print(f"{python}: installed in {environment.seconds:.0f} s", flush=True)
    for what, size in environment.sizes().items():
        print(f"  {what}: {size / 1e6:.1f} MB")
    (folder / "place").mkdir()

    def say(text: str) -> None:
        print(text, flush=True)

    first_use(environment, folder / "place", whole=whole, say=say)


if __name__ == "__main__":
    sys.exit(main())
