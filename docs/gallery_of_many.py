"""Pictures of datasets, of many runs, of populations and of new combinations, for the gallery.

Each part has the commands that make its pictures, which `make_gallery.py` carries out, and writes
into the page. All of them are small: they show what pictures look like, not what methods can do.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SMALL = '"dsprites(grid=(3, 3, 4, 8, 8))"'
REPORT = "generalisation.html"
STUDY_FILE = "gallery.toml"
STUDY = """name = "gallery"
seeds = 3

[train]
dataset = "dsprites(grid=(3, 3, 4, 8, 8))"
steps = 150
batch_size = 64
lr = 0.001

[[sweep]]
grid.objective = ["vae", "beta_vae(beta=4)", "beta_tcvae(beta=4)", "dip_vae_ii"]

[evaluate]
metrics = ["mig", "sap", "dci_lasso", "modularity_explicitness"]
"""


@dataclass(frozen=True)
class Part:
    """A heading of the page, what is said below it, commands, and pictures with what they show.

    Attributes:
        heading: The heading.
        text: What is said below it.
        commands: Commands that make the pictures, without `unweave`.
        pictures: File in the folder of the page -> where the commands leave it, which may be a
            heading of an HTML page, behind a #; and what it shows.
    """

    heading: str
    text: str
    commands: tuple[str, ...]
    pictures: dict[str, tuple[str, str]]


PARTS = (
    Part(
        "Datasets",
        "Random images and one factor at a time; all factors at once, for some images; and, as a "
        "page, how often each value occurs and which values occur together.",
        (
            "data show two_shapes --out two_shapes.png",
            'data show "dsprites(grid=(3, 6, 20, 8, 8))" --out dsprites.gif',
            f"generalise splits --data {SMALL} --condition shape2tx --picture shape2tx.png",
        ),
        {
            "dataset.png": ("two_shapes.png", "Random images, and a row for each factor"),
            "dataset.gif": ("dsprites.gif", "A column for each image, a row for each factor"),
            "held_out_maps.png": ("shape2tx.png", "Which combinations are held out, and images"),
        },
    ),
    Part(
        "Scores of many runs",
        "Of the runs of a study, or of any folder of runs: how scores are spread, how they go "
        "with each other, and in which order groups are. [Tabulate the results of many "
        "runs](../how-to/results.md) tells more.",
        (f"study run {STUDY_FILE}", "results runs/gallery --plots results"),
        {
            "violins.png": (
                "results/violins-mig.png",
                "Scores of each method, a point a run, and their median",
            ),
            "rank_correlations.png": ("results/correlations.png", "Correlations between scores"),
            "ranks.png": ("results/ranks.png", "Rank of each method by each score"),
        },
    ),
    Part(
        "Populations",
        "Whose weights went where, what tuned settings were, how scores went from round to round, "
        "and which settings go with which scores. [Train a population]"
        "(../how-to/train-a-population.md) tells more.",
        (
            f'population run --data {SMALL} --objective beta_tcvae --fitness "mig(labels=500)" '
            "--population 4 --rounds 5 --steps-per-round 40 --out runs/four",
            "population status runs/four --plots",
        ),
        {
            "lineage.png": ("runs/four/figures/lineage.png", "A line for each copy of weights"),
            "schedules.png": ("runs/four/figures/schedules.png", "Settings over training"),
            "population_scores.png": ("runs/four/figures/scores.png", "Scores by round"),
            "population_fields.png": ("runs/four/figures/fields.png", "Scores over settings"),
        },
    ),
    Part(
        "New combinations",
        "Of runs that were trained without some combinations, each on its own and in a report: "
        "what they make of images that were held out, where their codes lie, how much larger "
        "errors are, where, and what disentanglement has to do with it. [Test what a model makes "
        "of new combinations](../how-to/generalise.md) tells more.",
        (
            f"generalise run --data {SMALL} --condition shape2tx --objective vae --steps 300 "
            "--lr 0.001 --without-probe --out runs/new",
            f'generalise run --data {SMALL} --condition shape2tx --objective "beta_tcvae(beta=4)" '
            "--steps 300 --lr 0.001 --without-probe --out runs/new_tc",
            f"generalise decode --data {SMALL} --condition shape2tx --steps 300 --lr 0.001 "
            "--without-probe --out runs/new_decoder",
            f"generalise report runs/new runs/new_tc runs/new_decoder --out {REPORT}",
        ),
        {
            "held_out.png": ("runs/new/figures/held_out.png", "Images held out, reconstructed"),
            "positions.png": ("runs/new/figures/positions.png", "Where held-out images lie"),
            "gaps.png": (f"{REPORT}#Errors and gaps", "Errors in both regions, and gaps"),
            "against_error.png": (
                f"{REPORT}#Disentanglement against errors",
                "Disentanglement against errors in both regions",
            ),
            "combinations.png": (f"{REPORT}#Errors by combination", "Errors, a cell each"),
            "compared.png": (f"{REPORT}#Reconstructions", "What several models make of images"),
            "hinton_models.png": (
                f"{REPORT}#Which latent tells which factor",
                "Weights of latents for factors, a diagram a model",
            ),
        },
    ),
)
"""What the page shows beside figures of single runs."""


def sections(pictures: Path) -> str:
    """The end of the page, with those pictures that there are."""
    lines: list[str] = []
    for part in PARTS:
        lines += ["", f"## {part.heading}", "", part.text, ""]
        if any(STUDY_FILE in command for command in part.commands):
            lines += [f"With the study `{STUDY_FILE}`:", "", "```toml", STUDY.rstrip(), "```", ""]
        lines += [f"    unweave {command}" for command in part.commands]
        for name, (_, about) in part.pictures.items():
            if (pictures / name).is_file():
                lines += ["", f"![{about}](../images/figures/{name})"]
    return "\n".join(lines) + "\n"


def make(folder: Path, pictures: Path, smaller: Callable[[Path], None]) -> None:
    """Carry out the commands in a folder, and take their pictures."""
    from unweave.cli.app import main

    folder.mkdir(parents=True, exist_ok=True)
    (folder / STUDY_FILE).write_text(STUDY, encoding="utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for part in PARTS:
            for command in part.commands:
                print(f"unweave {command}", flush=True)
                if code := main(shlex.split(command)):
                    raise SystemExit(f"unweave {command} ended with {code}.")
        for part in PARTS:
            for name, (place, _) in part.pictures.items():
                page, _, heading = place.partition("#")
                content = _in_page(Path(page), heading) if heading else Path(page).read_bytes()
                (pictures / name).write_bytes(content)
                smaller(pictures / name)
    finally:
        os.chdir(before)


def _in_page(page: Path, heading: str) -> bytes:
    """The picture of an HTML page that stands for a heading."""
    text = page.read_text(encoding="utf-8")
    for image in re.findall(r"<img [^>]*>", text):
        if f'alt="{heading}"' in image:
            return base64.b64decode(image.split("base64,", 1)[1].split('"', 1)[0])
    raise SystemExit(f"{page} has no picture {heading!r}.")
