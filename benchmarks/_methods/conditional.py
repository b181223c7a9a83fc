"""Do decoders follow the labels that they are told, and are the latents rid of them?"""

from __future__ import annotations

__all__ = ["LabelClassifier", "probe_accuracy", "requested_accuracy", "train_shape_classifier"]

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from unweave import Run
from unweave.data import Dataset
from unweave.nn import Burgess
from unweave.nn.initialise import construct
from unweave.splits import keyed_generator
from unweave.training.source import to_images

_BATCH = 256


@final
@dataclass(frozen=True)
class LabelClassifier:
    """A network that reads one label from images.

    Attributes:
        label: Name of the factor.
        network: From images (B, C, H, W) in [0, 1] to logits.
        accuracy: Share of true images, none of them trained on, that it reads right.
    """

    label: str
    network: nn.Module
    accuracy: float

    @torch.inference_mode()
    def read(self, images: NDArray[np.float32]) -> NDArray[np.int64]:
        """Indices of the label's values, (n,), of images (n, H, W, C) from 0 to 1."""
        found = []
        for start in range(0, len(images), _BATCH):
            pixels = torch.from_numpy(images[start : start + _BATCH]).permute(0, 3, 1, 2)
            found.append(self.network(pixels).argmax(1).numpy())
        read: NDArray[np.int64] = np.concatenate(found)
        return read


def train_shape_classifier(
    dataset: Dataset, label: str = "shape", *, steps: int = 1000, seed: int = 0
) -> LabelClassifier:
    """Train a classifier of a label on true images.

    Args:
        dataset: Images with factors.
        label: Name of the factor.
        steps: Steps of Adam, 128 images each.
        seed: Seed of weights and batches.
    """
    space = dataset.factor_space
    column = space.position(label)
    height, width, channels = dataset.image_shape

    def make() -> nn.Module:
        trunk, features = Burgess().trunk((height, width, channels))
        return nn.Sequential(trunk, nn.Linear(features, space.sizes[column]))

    network = construct(make, torch.Generator().manual_seed(seed))
    rng = keyed_generator(seed, "label classifier")
    order = rng.permutation(len(dataset))
    held = min(10_000, len(dataset) // 10)
    test, train = order[:held], order[held:]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        rows = np.sort(rng.choice(train, 128))
        logits = network(_images(dataset, rows))
        loss = F.cross_entropy(logits, _column(dataset, rows, column))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        right = [
            (network(_images(dataset, rows)).argmax(1) == _column(dataset, rows, column)).float()
            for rows in np.array_split(np.sort(test), max(1, held // _BATCH))
        ]
    return LabelClassifier(label, network, float(torch.cat(right).mean()))


def requested_accuracy(
    run: Run, classifier: LabelClassifier, *, images: int = 500, seed: int = 0
) -> float:
    """Share of decoded images that show the label which was asked for.

    Each of some random images is encoded, with its own labels where the encoder sees them, and
    its posterior mean decoded once with each value of the label; other labels stay as they are.

    Args:
        run: Of a model that is told the label.
        classifier: Reads the label.
        images: How many images are encoded.
        seed: Seed of their choice.
    """
    dataset, conditions = run.dataset, run.model.conditions
    assert conditions is not None
    column = dataset.factor_space.position(classifier.label)
    place = conditions.columns.index(column)
    rng = keyed_generator(seed, "images with other labels")
    rows = np.sort(rng.choice(len(dataset), min(images, len(dataset)), replace=False))
    told = dataset.factors(rows)[:, list(conditions.columns)]
    z = run.encode(dataset.images(rows), labels=told)[0]
    right = []
    for value in range(conditions.sizes[place]):
        told[:, place] = value
        right.append(classifier.read(run.decode(z, labels=told)) == value)
    return float(np.mean(right))


def probe_accuracy(
    run: Run, label: str = "shape", *, images: int = 20_000, steps: int = 3000, seed: int = 0
) -> float:
    """Accuracy of a new network that reads a label from samples of the posteriors.

    Samples, since a decoder sees no more; means may hold traces far below the noise. The network
    has two layers of 256 units, is trained on four fifths of the codes, each latent scaled to a
    deviation of 1, and judged on the rest.

    Args:
        run: Of any model with an encoder.
        label: Name of the factor.
        images: How many images are encoded at most.
        steps: Steps of Adam, 256 codes each.
        seed: Seed of samples, weights and batches.
    """
    table = run.representation(codes="sampled", images=images, seed=seed)
    column = table.factor_space.position(label)
    labels = torch.from_numpy(np.ascontiguousarray(table.factors[:, column]))
    codes = torch.from_numpy(np.ascontiguousarray(table.mean))
    codes = (codes - codes.mean(0)) / codes.std(0).clamp(min=1e-6)
    network = construct(
        lambda: nn.Sequential(
            nn.Linear(codes.shape[1], 256),
            nn.ReLU(),
            nn.Linear(256, 256),
            nn.ReLU(),
            nn.Linear(256, table.factor_space.sizes[column]),
        ),
        torch.Generator().manual_seed(seed),
    )
    rng = keyed_generator(seed, "probe of labels")
    order = torch.from_numpy(rng.permutation(len(codes)))
    test, train = order[: len(order) // 5], order[len(order) // 5 :]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(steps):
        rows = train[torch.from_numpy(rng.integers(0, len(train), 256))]
        loss = F.cross_entropy(network(codes[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        return float((network(codes[test]).argmax(1) == labels[test]).float().mean())


def _images(dataset: Dataset, rows: NDArray[np.int64]) -> Tensor:
    pixels, scale = dataset.gather(rows)
    return to_images(pixels, scale, torch.device("cpu"))


def _column(dataset: Dataset, rows: NDArray[np.int64], column: int) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(dataset.factors(rows)[:, column]))
