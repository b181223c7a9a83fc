"""Runs that are pushed and pulled in tests."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from PIL import Image

from session.runs import copy_of, rich
from unweave.scores import save_scores
from unweave.sharing import push_run
from unweave.sharing.contents import MANIFEST


@functools.cache
def whole() -> Path:
    """A finished run with a score, a picture and all that stays at home; copy it to change it."""
    from session.runs import folder_for_runs
    from unweave import load_run

    run = load_run(copy_of(rich(), folder_for_runs()))
    scores = run.evaluate(("mig",), repeats=3)
    save_scores(run.folder, tuple(scores.values()))
    Image.new("L", (8, 8)).save(run.folder / "figures" / "traversals.png")
    (run.folder / "report.html").write_text("<p>A page.</p>")
    for name in ("tracking/ids.json", "notes.txt", ".hidden"):
        (run.folder / name).parent.mkdir(exist_ok=True)
        (run.folder / name).write_text("{}")
    return run.folder


def manifest(place: Path) -> dict:
    """The manifest of a folder that was pushed to."""
    return json.loads((place / MANIFEST).read_text())


def pushed(place: Path, **asked: object) -> Path:
    """The shared run, pushed into a folder."""
    push_run(whole(), place, **asked)
    return place


def change(place: Path, **fields: object) -> None:
    """Write other fields into the manifest of a folder."""
    (place / MANIFEST).write_text(json.dumps(manifest(place) | fields))
