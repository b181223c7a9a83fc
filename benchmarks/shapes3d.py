"""How close the rendered 3DShapes are to published ones, and what they cost.

Protocol, set before the measurement: the six factor indices of each of the 50 published images are
found by search over all 480,000 rendered ones (sum of squared differences). Then, of pictures
against the rendered images of the same indices,

- the mean absolute difference of all pixels, of 255;
- the same of sky, lit wall (the one behind), shaded wall (the others), floor, object and shadow,
  where a pixel of the rendered image shows nothing else, pooled over the images: at most 12;
- intersection over union of the object, which in the published image are the pixels whose hue is
  nearest to the object's, for the images whose object has a hue of its own: at least 0.90;
- the same of the shadow, which in the published image are the dark pixels of the near floor: at
  least 0.6.

Time and memory until the dataset is ready, and the time to gather a batch of 64, are taken in a
process of its own with an empty cache folder: at most 60 s and 1 GB, and 1.5 ms.

    UNWEAVE_REFERENCE=FOLDER python benchmarks/shapes3d.py [--out FILE] [--picture FILE]

FOLDER has the figures of the published images under `shapes3d`. Writes
`benchmarks/results/shapes3d.md`, and `docs/images/shapes3d.png` with ten of the images.
"""

from __future__ import annotations

__all__ = ["LIMITS", "main", "report"]

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from _machine import command, machine, versions
from _shapes3d.measure import Closeness, measure
from _shapes3d.search import Scenes, search
from _shapes3d.tiles import published
from numpy.typing import NDArray

from unweave.data.render import rooms
from unweave.rundir import atomic_write

ROOT = Path(__file__).resolve().parents[1]

LIMITS = {"objects": 0.90, "shadows": 0.6, "colour": 12.0}
"""What was asked for."""

# All shapes, from the left, the right and the front, in many hues.
_SHOWN = (0, 1, 17, 31, 19, 5, 22, 14, 38, 30)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare rendered 3DShapes with published ones.")
    results, images = ROOT / "benchmarks" / "results", ROOT / "docs" / "images"
    parser.add_argument("--out", type=Path, default=results / "shapes3d.md")
    parser.add_argument("--picture", type=Path, default=images / "shapes3d.png")
    given = parser.parse_args(arguments)
    folder = os.environ.get("UNWEAVE_REFERENCE")
    if not folder:
        sys.exit("UNWEAVE_REFERENCE names no folder with the published images.")
    # First, since a process begins with the peak of memory of the one that starts it.
    cost = _cost()
    pictures = published(Path(folder) / "shapes3d")
    indices = search(pictures, Scenes())
    drawn = rooms.render(indices)
    text = report(measure(pictures, drawn, indices), cost)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = (
        f"# Rendered 3DShapes beside published ones\n\n    {command()}\n\n{today}. {machine()}.\n"
    )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(given.out) as file:
        file.write(f"{head}{versions()}.\n\n{text}".encode())
    _show(pictures[list(_SHOWN)], drawn[list(_SHOWN)], given.picture)
    print(text)


def report(found: Closeness, cost: dict[str, float]) -> str:
    """The results as text."""
    rows = [
        f"| mean difference of all pixels, of 255 | {found.mean.mean():.2f} (at most "
        f"{found.mean.max():.2f} of one image) | |",
        *(
            f"| difference of the {name}, of 255 | {value:.2f} | at most {LIMITS['colour']:.0f} |"
            for name, value in found.colours.items()
        ),
        f"| object, intersection over union | {found.objects.mean():.3f} (least "
        f"{found.objects.min():.3f}; {len(found.objects)} images) | at least 0.90 |",
        f"| shadow, intersection over union | {found.shadows.mean():.3f} (least "
        f"{found.shadows.min():.3f}; {len(found.shadows)} images) | at least 0.6 |",
        f"| ready after | {cost['seconds']:.1f} s ({cost['processor']:.1f} s of the processor) "
        "| at most 60 s |",
        f"| largest memory until then | {cost['megabytes']:.0f} MB | at most 1,024 MB |",
        f"| on disk | {cost['stored']:.0f} MB | |",
        f"| a batch of 64 | {cost['batch']:.2f} ms | at most 1.5 ms |",
    ]
    return "\n".join(["| | measured | asked |", "|---|---|---|", *rows]) + "\n"


def _cost() -> dict[str, float]:
    """What `ready` measures, with an empty cache folder."""
    script = Path(__file__).parent / "_shapes3d" / "ready.py"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "UNWEAVE_HOME": folder},
            check=True,
            capture_output=True,
            text=True,
        )
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


def _show(pictures: NDArray[np.uint8], drawn: NDArray[np.uint8], path: Path) -> None:
    """Published images above, rendered ones below, twice as large."""
    from PIL import Image

    rows = []
    for images in (pictures, drawn):
        framed = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), constant_values=255)
        rows.append(np.concatenate(list(framed), axis=1))
    sheet = np.kron(np.concatenate(rows), np.ones((2, 2, 1), dtype=np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        Image.fromarray(sheet).save(file, "PNG", optimize=True)


if __name__ == "__main__":
    main()
