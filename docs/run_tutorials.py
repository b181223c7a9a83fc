"""Carry out the tutorials, and write what their blocks give into their pages.

`python docs/run_tutorials.py` carries out all of them, `python docs/run_tutorials.py NAME...`
some, one after the other, each in a new process and a new folder, for some minutes each. Outputs
go into docs/tutorials/NAME.md, pictures into docs/images/tutorials. With `--mini` data and
trainings are small, and nothing is written: a test that the code runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from tutorial_pages import DOCS, PAGES, PICTURES, Cell, Output, cells_of, with_outputs

# How long each block took, for the time that is left the next time; nobody needs it.
SECONDS = DOCS / "_build" / "tutorial_seconds.json"
# Also in `unweave.plots`; a page with larger pictures takes long to open.
LARGEST = 400_000


def names() -> list[str]:
    """The tutorials."""
    return sorted(page.stem for page in PAGES.glob("*.md") if page.stem != "index")


def carry_out(page: Path, cells: list[Cell], *, mini: bool) -> bool:
    """Carry out a page; write its outputs unless it is small. Whether all blocks ran."""
    key = f"{page.stem} mini" if mini else page.stem
    known = _known().get(key, [])
    clock = _Clock(page, cells, known if len(known) == len(cells) else [])
    outputs: list[Output] = []
    with tempfile.TemporaryDirectory(prefix=f"{page.stem}-") as name:
        folder = Path(name)
        work, pictures = folder / "work", folder / "pictures"
        work.mkdir()
        pictures.mkdir()
        asked = {
            "page": str(page),
            "cells": [(c.line, c.mini if mini and c.mini else c.code) for c in cells],
            "pictures": str(pictures),
        }
        (folder / "asked.json").write_text(json.dumps(asked))
        # Runs of the page lie in its folder, and no tracker of the user's is told of them.
        hidden = ("UNWEAVE_RUNS", "UNWEAVE_TRACK")
        environment = {k: v for k, v in os.environ.items() if k not in hidden}
        command = [sys.executable, str(DOCS / "tutorial_cells.py"), str(folder / "asked.json")]
        with subprocess.Popen(
            command, cwd=work, env=environment, text=True, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line)
                if "begun" in event:
                    clock.begin(event["begun"])
                elif "done" in event:
                    clock.end()
                    files = tuple(event["pictures"])
                    outputs.append(Output(text=event["text"], pictures=files))
                else:
                    told = f"{page}, line {event['line']}: the block that begins in line "
                    told += f"{cells[event['failed']].line} fails."
                    print(f"{event['traceback']}\n{told}", file=sys.stderr)
        if process.returncode or len(outputs) < len(cells):
            if process.returncode not in (0, 1):
                print(f"{page}: the process ended with {process.returncode}.", file=sys.stderr)
            return False
        _remember(key, clock.seconds)
        if not mini:
            _write(page, outputs, pictures)
    return True


def _write(page: Path, outputs: list[Output], pictures: Path) -> None:
    """Write outputs into a page; its earlier pictures are replaced."""
    written = with_outputs(page.read_text("utf-8"), outputs)
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob(f"{page.stem}-[0-9]*"):
        old.unlink()
    for picture in sorted(pictures.iterdir()):
        size = picture.stat().st_size
        if size > LARGEST:
            print(f"{picture.name} is large: {size:,} bytes.", file=sys.stderr)
        shutil.copyfile(picture, PICTURES / picture.name)
    page.write_text(written, "utf-8")


class _Clock:
    """Says which block is carried out and how long the rest will take, as far as is known."""

    def __init__(self, page: Path, cells: list[Cell], known: list[float]) -> None:
        self.seconds: list[float] = []
        self._page, self._cells, self._known = page, cells, known
        self._since = time.monotonic()

    def begin(self, number: int) -> None:
        """Say what is begun."""
        left = sum(self._known[number:])
        told = f", about {left / 60:.0f} min {left % 60:02.0f} s left" if self._known else ""
        block = f"block {number + 1} of {len(self._cells)}, line {self._cells[number].line}"
        print(f"{self._page.stem}: {block}{told}", file=sys.stderr, flush=True)
        self._since = time.monotonic()

    def end(self) -> None:
        """Remember how long it took."""
        self.seconds.append(round(time.monotonic() - self._since, 3))


def _known() -> dict[str, list[float]]:
    """Seconds of blocks, by page."""
    try:
        found = json.loads(SECONDS.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _remember(key: str, seconds: list[float]) -> None:
    """Keep the seconds of a page's blocks."""
    SECONDS.parent.mkdir(parents=True, exist_ok=True)
    SECONDS.write_text(json.dumps(_known() | {key: seconds}))


def main() -> int:
    """Carry out what is asked for; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--mini", action="store_true", help="small, and nothing is written")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in names()]
    if unknown:
        parser.error(f"There is no tutorial {unknown[0]}. There are: {', '.join(names())}.")
    failed = []
    for name in asked.names or names():
        page = PAGES / f"{name}.md"
        if not carry_out(page, cells_of(page.read_text("utf-8")), mini=asked.mini):
            failed.append(name)
    if failed:
        print(f"Failed, and left as they were: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
