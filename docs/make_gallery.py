"""The page of figures and its pictures, of small models that this script trains itself.

`python docs/make_gallery.py` trains five models on parts of dSprites, for some minutes, draws
every kind of figure into docs/images/figures, with those of datasets and of many runs that
`gallery_of_many.py` has commands for, and writes docs/reference/figures.md.
`python docs/make_gallery.py KIND...` draws these kinds alone, `--many` those of many runs alone,
and `--page` writes the page alone, with the pictures that there are. UNWEAVE_GALLERY names a
folder in which the models are kept.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from unweave.figures import FIGURES, GRID_KINDS, Look

sys.path.insert(0, str(Path(__file__).parent))
import gallery_of_many

DOCS = Path(__file__).parent
PAGE = DOCS / "reference" / "figures.md"
PICTURES = DOCS / "images" / "figures"

DATA = "dsprites(grid=(3, 4, 8, 12, 12))"
# A heart in the middle at all orientations: nothing but what turns all the way round.
HEARTS = "only(data=dsprites(grid=(3, 1, 40, 1, 1)), where=\"shape == 'heart'\")"
RUNS = {
    "tc": (DATA, "beta_tcvae(beta=4)", {"latents": 6, "steps": 4000, "snapshot_every": 400}),
    "vae": (DATA, "vae", {"latents": 6, "steps": 1500}),
    "cvae": (DATA, "cvae(labels=('shape', 'scale'))", {"latents": 5, "steps": 3000}),
    "lie": (DATA, "lie_group_vae", {"latents": 10, "steps": 2000}),
    "hearts": (HEARTS, "beta_vae(beta=2)", {"latents": 2, "steps": 1200, "batch_size": 40}),
}
SETTINGS = {"batch_size": 64, "lr": 0.001, "log_every": 50, "evaluate_every": 500, "seed": 0}
SCORED = ("mig", "sap", "sap_continuous", "dci", "dci_lasso", "dci_forest", "dci_hist",
          "dci_per_tree")  # fmt: skip
# Of which run a kind is drawn where it is not the first that has it, and what is said of it.
SHOWN = {
    "circles": (
        "hearts",
        "This model has two latents and was trained on nothing but a heart at 40 orientations, so "
        "that it can, and does, lay them out as a ring.",
    ),
}
# What is asked for of some pictures, so that they are small; and the flags that ask for it.
LOOKS = {
    "gif_traversals": ({"rows": 3, "cols": 4}, "--rows 3 --cols 4"),
    "gif_attribute_traversals": ({"rows": 3, "cols": 4}, "--rows 3 --cols 4"),
    "training": ({"rows": 5, "cols": 5}, "--rows 5 --cols 5"),
    "attribute_traversals": ({"rows": 5}, "--rows 5"),
    "lie_walks": ({"rows": 6}, "--rows 6"),
    "samples": ({"rows": 4}, "--rows 4"),
    "data_samples": ({"rows": 4}, "--rows 4"),
}
# A still picture of more bytes than that, such as a scatter plot, is brought to 256 colours where
# that changes no more than a share of its pixels by more than so many levels, and none of a colour
# that as many pixels have as a small mark has.
_LARGE, _COLOURS, _LEVELS, _SHARE, _MARK = 120_000, 256, 24, 0.0002, 12
# Greys of a moving one.
_GREYS = 16

# Flags by the field of `Look`, and what they ask for.
FLAGS = {
    "rows": ("`--rows`", "rows: of images, of pairs of them, or of latents"),
    "cols": ("`--cols`", "columns: of images, or of the values that a latent takes"),
    "range": (
        "`--range`",
        "how far latents walk to each side of 0, at least 0.5; below that, between which "
        "quantiles: 0.475 is from 2.5 % to 97.5 %, of the prior, or of the posterior around its "
        "mean",
    ),
    "indices": (
        "`--indices`",
        "images that are shown first, by their numbers in the dataset; walks start from the first",
    ),
    "upsample": ("`--upsample`", "how often each pixel is repeated in both directions"),
    "start": (
        "`--posterior`, `--prior`",
        "whether walks start from the code of an image, or from the centre of the prior",
    ),
    "labels": (
        "`--labels`, `--no-labels`",
        "words beside rows; pictures without them are pixels alone",
    ),
    "seed": ("`--seed`", "the seed of what is drawn at random"),
    "layout": (
        "`--layout`",
        "`disvae` for the pictures of disentangling-vae, pixel by pixel: sizes, order of rows, "
        "and the images and latents that its code draws with the same seed",
    ),
    "cycle": (
        "`--cycle`",
        "how latents of `gif_traversals` go up, down and back, as disentanglement_lib animates "
        "them: `std_gaussian`, `fitted_gaussian`, `fixed_interval`, `conf_interval`, `minmax`",
    ),
}
HEAD = """<!-- Made by docs/make_gallery.py -->
# Figures

`unweave plot RUN` draws the usual figures of a run into its folder `figures`,
`unweave plot RUN KIND...` those that are named, and `--animations` the moving ones with the usual
ones. `--format webp` or `mp4` writes these in another format, MP4 with
`pip install 'unweave[video]'`; `--out FILE` writes a single figure elsewhere. The pictures below
are of small models, trained for a minute or two each on a part of dSprites.

In Python `run.plot("traversals", look=Look(rows=5))`, with `from unweave.figures import Look`,
writes files; `run.picture("traversals")` gives a figure of matplotlib, pixels, or an animation.

"""


def _flags() -> str:
    lines = ["| flag | field of `Look` | what it asks for |", "|---|---|---|"]
    lines += [f"| {flag} | `{field}` | {text} |" for field, (flag, text) in FLAGS.items()]
    return "\n".join(lines) + "\n"


def page() -> str:
    """The page, with those pictures that there are."""
    parts = [HEAD + _flags()]
    for name, kind in FIGURES.items():
        flags = LOOKS.get(name, ({}, ""))[1]
        command = f"unweave plot RUN {name} {flags}".strip()
        about = [f"## `{name}`", "", kind.about]
        if kind.wants:
            wants = re.sub(r"--[a-z-]+", r"`\g<0>`", kind.wants)
            about[-1] += f" It needs {wants}."
        if not kind.usual:
            also = ", or with `--animations`" if kind.animated else ""
            about[-1] += f" Drawn when it is named{also}."
        if kind.heeds:
            about += ["", f"Heeds {', '.join(FLAGS[field][0] for field in kind.heeds)}."]
        about += ["", f"    {command}"]
        picture = PICTURES / kind.file(name)
        if picture.is_file():
            about += ["", f"![{kind.about}](../images/figures/{picture.name})"]
            if name in SHOWN:
                about += ["", SHOWN[name][1]]
        parts.append("\n".join(about) + "\n")
    parts.append(_of_runs())
    return "\n".join(parts) + gallery_of_many.sections(PICTURES)


def _of_runs() -> str:
    kinds = ", ".join(f"`{kind}`" for kind in GRID_KINDS)
    lines = [
        "## Several runs in one picture",
        "",
        f"Of {kinds}: where the runs are all combinations of objectives and datasets, each once, "
        "a row is an objective and a column a dataset; else each run has a row of its own, with "
        "the seed (or folder) where objective and dataset are those of another. In Python: "
        "`unweave.plot_runs(runs, kind, out=FILE)`.",
        "",
        "    unweave plot RUN RUN traversals --rows 4 --out traversals.png",
        "    unweave plot RUN RUN gif_traversals --out traversals.gif",
    ]
    for name in ("runs.png", "runs.gif"):
        if (PICTURES / name).is_file():
            lines += ["", f"![Panels of two runs, one above the other](../images/figures/{name})"]
    return "\n".join(lines) + "\n"


def make(folder: Path, kinds: list[str]) -> None:
    """Train, draw, and write the pictures of some kinds; of all of them where none is named."""
    import unweave
    from unweave.errors import UnweaveError
    from unweave.plots import save
    from unweave.scores import load_scores

    runs = {}
    for name, (data, objective, settings) in RUNS.items():
        print(f"training {objective}", flush=True)
        place = folder / name
        runs[name] = (
            unweave.load_run(place)
            if (place / "status.json").is_file()
            else unweave.train(data, objective, out=place, **(SETTINGS | settings))
        )
    scored = {score["metric"] for score in load_scores(runs["tc"].folder)}
    if missing := [name for name in SCORED if name not in scored]:
        print(f"scoring by {', '.join(missing)}", flush=True)
        runs["tc"].evaluate(tuple(missing))
    PICTURES.mkdir(exist_ok=True)
    for name, kind in FIGURES.items():
        if kinds and name not in kinds:
            continue
        look = Look(**LOOKS.get(name, ({}, ""))[0])
        first = [runs[SHOWN[name][0]]] if name in SHOWN else []
        for run in [*first, *runs.values()]:
            try:
                picture = run.picture(name, look)
            except UnweaveError:
                continue
            if picture is not None:
                _smaller(save(picture, PICTURES / kind.file(name)))
                break
        else:
            print(f"no run has {name}", flush=True)
    pair = [runs["tc"], runs["vae"]]
    look = Look(rows=4)
    _smaller(_written(pair, "traversals", "runs.png", look))
    _smaller(_written(pair, "gif_traversals", "runs.gif", Look(rows=2)))


def _written(runs: list, kind: str, name: str, look: Look) -> Path:
    import unweave

    path = PICTURES / name
    unweave.plot_runs(runs, kind, out=path, look=look)
    return path


def _smaller(path: Path) -> None:
    """Bring a still picture to few colours where nobody sees it, and a moving one to few greys."""
    from unweave.plots import Animation, save

    with Image.open(path) as picture:
        time = picture.info.get("duration", 0)
        frames = []
        for frame in ImageSequence.Iterator(picture):
            # Equal frames in a row are kept as one that lasts.
            lasts = frame.info.get("duration", time)
            frames += [np.asarray(frame.convert("RGB"))] * (round(lasts / time) if time else 1)
        if not time:
            dpi = picture.info.get("dpi", (100, 100))
            _few(Image.fromarray(frames[0])).save(path, optimize=True, dpi=dpi)
            return
    step = 255 // (_GREYS - 1)
    greys = (np.stack(frames).astype(int) + step // 2) // step * step
    save(Animation(frames=greys.astype(np.uint8), milliseconds=time), path)


def _few(picture: Image.Image) -> Image.Image:
    """A picture in grey, or a large one in 256 colours, where that looks the same."""
    pixels = np.asarray(picture).astype(int)
    if (pixels == pixels[..., :1]).all():
        return picture.convert("L")
    whole = io.BytesIO()
    picture.save(whole, "PNG", optimize=True)
    if len(whole.getvalue()) <= _LARGE:
        return picture
    few = picture.quantize(_COLOURS, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    off = np.abs(np.asarray(few.convert("RGB")).astype(int) - pixels).max(axis=-1) > _LEVELS
    same = np.unique(pixels @ (1 << 16, 1 << 8, 1), return_inverse=True, return_counts=True)
    often = (same[2] >= _MARK)[same[1].reshape(off.shape)]
    return few if off.mean() <= _SHARE and not (off & often).any() else picture


if __name__ == "__main__":
    if "--page" not in sys.argv:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(os.environ.get("UNWEAVE_GALLERY", place))
            kinds = [word for word in sys.argv[1:] if word != "--many"]
            if kinds or "--many" not in sys.argv:
                make(folder, kinds)
            if not kinds:
                gallery_of_many.make(folder / "many", PICTURES, _smaller)
    PAGE.write_text(page(), encoding="utf-8")
