"""What a page starts from: images of the dataset with their codes, and the mean of the prior."""

from __future__ import annotations

__all__ = ["Start", "data_url", "starts", "without_images"]

import base64
import io
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from unweave.data import Dataset
from unweave.encoding import full_precision
from unweave.training.source import to_images
from unweave.vae import VAE


@final
@dataclass(frozen=True)
class Start:
    """Where moving begins.

    Attributes:
        given: What the decoder is given for it, (N,): latents, and labels behind them.
        image: The image whose code it is, (H, W, C) uint8, or None.
        name: What it is called.
    """

    given: NDArray[np.float32]
    image: NDArray[np.uint8] | None
    name: str

    def to_json(self) -> dict[str, Any]:
        """As a page has it."""
        image = None if self.image is None else data_url(self.image)
        return {"given": self.given.astype(float).tolist(), "image": image, "name": self.name}


@torch.inference_mode()
def starts(model: VAE, dataset: Dataset, flat: NDArray[np.int64]) -> list[Start]:
    """Images by flat index, with their posterior means.

    A conditional model is told their labels, and a decoder alone is given their factors.
    """
    images = dataset.images(flat)
    if model.given is not None:
        given = model.given.of(dataset)(flat)
    else:
        pixels, scale = dataset.gather(flat)
        told = None
        if model.conditions is not None:
            told = model.condition(torch.from_numpy(dataset.factors(flat)).to(model.device))
        with full_precision(model):
            z = model.encode(to_images(pixels, scale, model.device), told).mean
        given = (z if told is None else torch.cat([z, told], dim=1)).cpu().numpy()
    return [
        Start(code, image, f"image {place:,} of the dataset")
        for code, image, place in zip(given, images, flat.tolist(), strict=True)
    ]


def without_images(model: VAE, centre: NDArray[np.float64] | None = None) -> Start:
    """The mean of the prior, with labels not told; or the middle value of every factor."""
    if model.given is not None:
        middle = [[factor.size // 2 for factor in model.given.space.factors]]
        return Start(model.given.encode(middle)[0], None, "the middle value of every factor")
    z = np.zeros(model.latents) if centre is None else centre
    if model.conditions is not None:
        z = np.concatenate([z, model.conditions.neutral().numpy()])
    name = "the mean of all codes" if model.deterministic else "the mean of the prior"
    return Start(z.astype(np.float32), None, name)


def data_url(image: NDArray[np.uint8], form: str = "PNG") -> str:
    """An image (H, W, C) as the address of itself, without loss.

    Of images that are neither grey nor of three channels the first three are shown.
    """
    channels = image.shape[2]
    if channels == 2:
        image = np.concatenate([image, np.zeros_like(image[..., :1])], axis=2)
    pixels = image[..., 0] if channels == 1 else image[..., :3]
    buffer = io.BytesIO()
    # A palette of greys would be smaller, but these are a few kilobytes at most.
    options = {"lossless": True, "quality": 100} if form == "WEBP" else {"optimize": True}
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, form, **options)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{form.lower()};base64,{text}"
