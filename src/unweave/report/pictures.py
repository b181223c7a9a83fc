"""The figures of a run as part of a page: in order, inlined, with words."""

from __future__ import annotations

__all__ = ["Picture", "picture", "pictures", "title_of", "training_pictures"]

import base64
import io
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import final

from PIL import Image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS_PER_INCH = 108
_METRES_PER_INCH = 0.0254
_MOST_TRAINING = 6
_ENDINGS = (".png", ".gif", ".webp")

# Known figures in the order of the page: heading, caption, text for those who cannot see it.
_KNOWN = {
    "samples": (
        "Samples",
        "What the model makes of latents drawn from the prior.",
        "Grid of decoded images.",
    ),
    "data_samples": ("Images of the dataset", "Drawn at random.", "Grid of images."),
    "reconstructions": (
        "Reconstructions",
        "Images of the dataset, and what the model makes of them by way of its latents.",
        "Pairs of rows: original images, and under each the model's reconstruction of it.",
    ),
    "traversals": (
        "Traversals",
        "One row for each latent, highest KL first, and at most 32: the image while this latent "
        "takes the value over the column and the others rest. Latents with a grey name carry "
        "nothing. Labels that the model is told have their middle value.",
        "Grid of decoded images, a row for each latent and a column for each of its values.",
    ),
    "reconstruct_traverse": (
        "Reconstructions and traversals",
        "Images, what the model makes of them, and what becomes of the first one while a latent "
        "walks, highest KL first.",
        "Rows of images, of their reconstructions, and one row for each latent.",
    ),
    "gif_traversals": (
        "Traversals of several images",
        "A column for each image, a row for each latent, highest KL first: it goes up and down "
        "while the others rest.",
        "Moving grid of decoded images, a row for each latent and a column for each image.",
    ),
    "lie_walks": (
        "Walks along the generators",
        "One row for each generator A of the group, with its norm: the image of expm(t A) g, "
        "where g is the group element of the original.",
        "Grid of decoded images, a row for each generator and a column for each t.",
    ),
    "attribute_traversals": (
        "One image under other labels",
        "The image while one label after the other takes each value, and, with its own labels, "
        "while one latent after the other does.",
        "Rows of decoded images, one for each label and one for each latent.",
    ),
    "gif_attribute_traversals": (
        "Several images under other labels",
        "A column for each image. Each label in turn takes all its values, and each latent goes "
        "up and down, while all else of the image rests.",
        "Moving grid of decoded images, a row for each label and each latent and a column for "
        "each image.",
    ),
    "group_reconstructions": (
        "Reconstructions past the latents",
        "Images, what the model makes of the group elements of their latents, and of the group "
        "features of its encoder. Where the last two differ, the group cannot express what the "
        "encoder has found.",
        "Three rows of images: originals, and two reconstructions of each.",
    ),
    "conditions": (
        "Labels that the model is told",
        "One row for each image, its reconstruction under its own labels, and what its latents "
        "become under each value of a label. A decoder that is given true factors renders those "
        "of the image, with one of them changed.",
        "Grid of decoded images, a row for each image and a column for each value of each label.",
    ),
    "mig": (
        "What each latent knows about each factor",
        "Mutual information of latents and factors. The latent that knows most about a factor is "
        "outlined; the further it is ahead of the rest of its column, the better.",
        "Heat map of mutual information, a row for each latent and a column for each factor.",
    ),
    "kl": (
        "KL of each latent during training",
        "How many nats each latent carries about an image. Latents in grey have switched off.",
        "Line chart of the KL of each latent against the training step.",
    ),
    "kl_bars": (
        "KL of each latent",
        "How many nats each latent carries about an image, highest first.",
        "Bar chart of the KL of each latent.",
    ),
    "usage": (
        "How latents are used",
        "KL of each latent, highest first; how much its means differ between images, and how wide "
        "its posteriors are; and where its means lie, beside the density of the prior. A latent "
        "that is used has a large variance of means and narrow posteriors.",
        "Table with a row for each latent: its KL as a bar, variances as dots, a histogram.",
    ),
    "response": (
        "Latents over the values of factors",
        "Mean and standard deviation of each latent among the images with each value of a factor. "
        "Circular factors go round, clockwise from the top, the further out the higher the "
        "latent. Blue where the factor explains a tenth of the latent's variance or more.",
        "Small panels, a row for each latent and a column for each factor.",
    ),
    "irs": (
        "Interventional effects",
        "Each latent over the values of the factor that it is most robust with, and once more "
        "while another factor is held at each of its values: where only the first one moves the "
        "latent, the lines lie upon each other.",
        "Small panels, a row for each latent and a column for each factor.",
    ),
    "circles": (
        "Circular factors",
        "Codes on the two latents that know most of a circular factor, coloured by its value, of "
        "all images and of those of each value of another factor. A model that has learned the "
        "circle shows a ring.",
        "Scatter plots of codes on two latents, a row for each circular factor.",
    ),
    "embedding": (
        "Codes along principal components",
        "The same codes once for each factor, by whose value they are coloured.",
        "Scatter plots of codes in two dimensions, one for each factor.",
    ),
    "tsne": (
        "Codes by t-SNE",
        "The same codes once for each factor, by whose value they are coloured. Neighbours stay "
        "neighbours; other distances mean nothing.",
        "Scatter plots of codes in two dimensions, one for each factor.",
    ),
    "correlations": (
        "Correlations of latents",
        "Of the posterior means with each other, and with factors.",
        "Heat maps of correlations, latents by latents and latents by factors.",
    ),
    "generators": (
        "Generators of the Lie group",
        "How large each generator is, which products of two are small and which pairs commute, "
        "and their eigenvalues: to the left and right what shrinks and grows, up and down what "
        "turns.",
        "Bars of norms, two heat maps of pairs of generators, and eigenvalues in the plane.",
    ),
    "dci": (
        "Importance of each latent for each factor",
        "From the boosted trees of the newest DCI. The most important latent of each factor is "
        "outlined.",
        "Heat map of importances, a row for each latent and a column for each factor.",
    ),
    "sap": (
        "What each latent alone tells of each factor",
        "From the newest SAP. The latent that tells most of a factor is outlined.",
        "Heat map of scores, a row for each latent and a column for each factor.",
    ),
    "dci_lasso": (
        "Weight of each latent for each factor",
        "From the lasso of the newest DCI. The best latent of each factor is outlined.",
        "Heat map of values, a row for each latent and a column for each factor.",
    ),
    "dci_forest": (
        "Importance by random forests",
        "From the newest DCI by random forests. The best latent of each factor is outlined.",
        "Heat map of values, a row for each latent and a column for each factor.",
    ),
    "dci_hist": (
        "Importance by trees of histograms",
        "From the newest DCI by trees of histograms. The best latent of each factor is outlined.",
        "Heat map of values, a row for each latent and a column for each factor.",
    ),
    "dci_per_tree": (
        "Importance by trees that count alike",
        "From the newest DCI of such trees. The best latent of each factor is outlined.",
        "Heat map of values, a row for each latent and a column for each factor.",
    ),
    "sap_continuous": (
        "What each latent alone tells of each factor as a number",
        "From the newest SAP of numbers. The best latent of each factor is outlined.",
        "Heat map of values, a row for each latent and a column for each factor.",
    ),
    "score_curves": (
        "Scores during training",
        "Of the same images each time; the highest value is circled.",
        "Line chart of each score against the training step.",
    ),
    "held_out": (
        "Combinations that were held out",
        "Images like those trained on, and images with combinations of factors that were held "
        "out, each with what the model makes of it.",
        "Rows of images and their reconstructions, in distribution and held out.",
    ),
    "composed": (
        "Composed images",
        "The reference, with one factor taken from the transform: the target as it is, and what "
        "the composer makes of the two.",
        "Rows of references, transforms, targets and composed images, by what was trained on.",
    ),
    "positions": (
        "Held-out images among latents",
        "Codes on the latents of two factors: of images trained on, by the value of one factor, "
        "and of held-out ones, with the positions where what was seen of each value puts them.",
        "Scatter plot of codes on two latents, with expected positions.",
    ),
    "dci_bars": (
        "Disentanglement of each latent, completeness of each factor",
        "Of the newest DCI, by lasso where there is one: the nearer to 1, the fewer factors a "
        "latent matters to, or the fewer latents matter to a factor. Orange: the share of all "
        "importance.",
        "Bar charts with a bar for each latent and for each factor.",
    ),
    "hinton": (
        "Which latent tells which factor",
        "The weight of each latent when factors are told from all latents, by lasso or by trees.",
        "Hinton diagram, a row for each latent and a column for each factor.",
    ),
    "training": (
        "Traversals during training",
        "What each latent does, from snapshot to snapshot, or pictures made on the way.",
        "Moving picture of the training, with the step above.",
    ),
    "loss_curves": (
        "Losses during training",
        "The total and each term before its weight, as they were logged, without smoothing.",
        "Small line charts of the loss and each of its terms against the training step.",
    ),
}


@final
@dataclass(frozen=True, kw_only=True)
class Picture:
    """One figure.

    Attributes:
        name: Its file's name without the ending.
        title: Heading.
        caption: What it shows.
        alt: What it shows, for those who cannot see it.
        source: `data:` address with the whole file.
        width: Width on the page in CSS pixels.
        height: Height on the page in CSS pixels.
    """

    name: str
    title: str
    caption: str
    alt: str
    source: str
    width: int
    height: int


def title_of(name: str) -> str:
    """The heading of a figure, known or not."""
    return _words(name)[0]


def pictures(figures: Path) -> list[Picture]:
    """Pictures of a folder: the known ones in the order of a page, then others by name.

    PNG files, and moving pictures that pages show without a player.
    """
    found: dict[str, Path] = {}
    for ending in _ENDINGS:
        for path in sorted(figures.glob(f"*{ending}")):
            found.setdefault(path.stem, path)
    order = [name for name in _KNOWN if name in found]
    order += [name for name in found if name not in _KNOWN]
    made = []
    for name in order:
        made.append(picture(name, found[name].read_bytes(), *_words(name)))
    return [each for each in made if each is not None]


def _words(name: str) -> tuple[str, str, str]:
    """Heading, caption, and text for those who cannot see it."""
    words = name.replace("_", " ").replace("-", " ")
    return _KNOWN.get(name, (words[:1].upper() + words[1:], "", words))


def training_pictures(figures: Path) -> list[Picture]:
    """Pictures made during training, at most six, evenly spread from the first to the last."""
    steps = []
    for path in (figures / "training").glob("*step-*.png"):
        if match := re.search(r"step-(\d+)$", path.stem):
            steps.append((int(match[1]), path.stem, path))
    steps.sort()
    chosen = sorted({round(i * (len(steps) - 1) / (_MOST_TRAINING - 1))
                     for i in range(_MOST_TRAINING)}) if steps else []  # fmt: skip
    made = []
    for step, _, path in (steps[i] for i in chosen):
        title = f"Step {step:,}"
        alt = f"What the model showed at step {step:,}."
        made.append(picture(path.stem, path.read_bytes(), title, "", alt))
    return [each for each in made if each is not None]


def picture(name: str, content: bytes, title: str, caption: str, alt: str) -> Picture | None:
    """The content of a PNG, GIF or WebP file as part of a page, or None when it is none."""
    form, width, height = "png", 0, 0
    if content.startswith(_SIGNATURE) and len(content) >= 33:
        width, height = struct.unpack(">II", content[16:24])
    elif content.startswith((b"GIF8", b"RIFF")):
        try:
            with Image.open(io.BytesIO(content), formats=("GIF", "WEBP")) as opened:
                width, height = opened.size
                form = (opened.format or "").lower()
        except OSError:
            return None
    else:
        return None
    # Figures store their resolution, so that their words are as large as those of the page.
    resolution = _resolution(content) if form == "png" else None
    scale = min(1.0, _PIXELS_PER_INCH / resolution) if resolution else 1
    return Picture(
        name=name,
        title=title,
        caption=caption,
        alt=alt,
        source=f"data:image/{form};base64,{base64.b64encode(content).decode('ascii')}",
        width=max(1, round(width * scale)),
        height=max(1, round(height * scale)),
    )


def _resolution(content: bytes) -> float | None:
    """Pixels an inch, as the file's pHYs chunk says."""
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == b"pHYs" and size == 9 and at + 17 <= len(content):
            across, _, unit = struct.unpack(">IIB", content[at + 8 : at + 17])
            return float(across) * _METRES_PER_INCH if unit == 1 and across else None
        if kind in (b"IDAT", b"IEND"):
            return None
        at += 12 + int(size)
    return None
