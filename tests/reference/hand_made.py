"""A model whose encoder and decoder do what a table says, for whole datasets of a few images."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from unweave.analysis import Subject
from unweave.latents import Point
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.objectives import Setup, parse_objective
from unweave.representation import Representation

__all__ = ["HandMade", "subject_of"]

# A pixel that is right costs less than 1e-13 nats, and one that is wrong this many.
SHARP = 30.0


class HandMade(nn.Module):
    """Knows every image of a dataset, all of them different.

    Args:
        images: (N, H, W, C) uint8, each pixel 0 or 255.
        codes: What each image is encoded to, (N, L).
        places: Codes that it decodes, (M, L): a code is decoded as the nearest of them.
        shows: Which image each of these is decoded to, (M,).
    """

    given = None
    conditions = None
    deterministic = True
    autocast_dtype = None
    encodes = True
    device = torch.device("cpu")
    likelihood = Bernoulli()

    def __init__(self, images, codes, places=None, shows=None):
        super().__init__()
        self.pixels = torch.tensor(images / 255.0, dtype=torch.float32).permute(0, 3, 1, 2)
        self.rows = {row.numpy().tobytes(): k for k, row in enumerate(self.pixels.flatten(1))}
        assert len(self.rows) == len(images), "two images are the same"
        self.codes = torch.tensor(np.asarray(codes), dtype=torch.float32)
        self.places = np.asarray(codes if places is None else places, np.float64)
        self.shows = np.arange(len(self.places)) if shows is None else np.asarray(shows)
        self.latents = self.codes.shape[1]

    def encode(self, images):
        """The codes of images (B, C, H, W)."""
        rows = [self.rows[row.contiguous().numpy().tobytes()] for row in images.flatten(1)]
        return Point(mean=self.codes[rows])

    def decode(self, z, condition=None):
        """Logits of the image that is nearest to each code."""
        away = ((z.double().numpy()[:, None] - self.places) ** 2).sum(axis=2)
        return (2 * self.pixels[self.shows[away.argmin(axis=1)]] - 1) * SHARP


def subject_of(model, dataset, trained, rows=None, **changes):
    """A subject of a hand-made model.

    Args:
        model: The model.
        dataset: That of the images to score.
        trained: That of the images trained on.
        rows: Flat indices of the images to score; all by default.
        changes: Further fields.
    """

    def codes(most):
        chosen = np.arange(len(trained))[:most]
        pixels = torch.tensor(trained.images(chosen) / 255.0, dtype=torch.float32)
        mean = model.encode(pixels.permute(0, 3, 1, 2)).mean.numpy()
        space, factors = trained.known_factors(chosen)
        return Representation(mean=mean, factors=factors, factor_space=space)

    fields = {
        "model": model,
        "parts": {},
        "objective": parse_objective("vae"),
        "setup": Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=model.latents),
        "dataset": dataset,
        "flat": np.arange(len(dataset)) if rows is None else np.asarray(rows),
        "num_train": len(trained),
        "trained_on": trained.spec,
        "trained": codes,
    }
    return Subject(**fields | changes)
