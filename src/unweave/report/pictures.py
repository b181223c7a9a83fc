"""The figures of a run as part of a page: in order, inlined, with words."""

from __future__ import annotations

__all__ = ["Picture", "picture", "pictures", "training_pictures"]

import base64
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import final

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS_PER_INCH = 108
_METRES_PER_INCH = 0.0254
_MOST_TRAINING = 6

# Known figures in the order of the page: heading, caption, text for those who cannot see it.
_KNOWN = {
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
    "hinton": (
        "Which latent tells which factor",
        "The weight of each latent when factors are told by lasso from all latents, on the images "
        "that were trained on.",
        "Hinton diagram, a row for each latent and a column for each factor.",
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


def pictures(figures: Path) -> list[Picture]:
    """The PNG files of a folder: the known ones in the order of a page, then others by name."""
    found = {path.stem: path for path in sorted(figures.glob("*.png"))}
    order = [name for name in _KNOWN if name in found]
    order += [name for name in found if name not in _KNOWN]
    made = []
    for name in order:
        words = name.replace("_", " ").replace("-", " ")
        title, caption, alt = _KNOWN.get(name, (words[:1].upper() + words[1:], "", words))
        made.append(picture(name, found[name].read_bytes(), title, caption, alt))
    return [each for each in made if each is not None]


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
    """The content of a PNG file as part of a page, or None when it is not one."""
    if not content.startswith(_SIGNATURE) or len(content) < 33:
        return None
    width, height = struct.unpack(">II", content[16:24])
    # Figures store their resolution, so that their words are as large as those of the page.
    scale = min(1.0, _PIXELS_PER_INCH / resolution) if (resolution := _resolution(content)) else 1
    return Picture(
        name=name,
        title=title,
        caption=caption,
        alt=alt,
        source=f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}",
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
