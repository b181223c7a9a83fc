"""What figures are drawn from: a run's folder, its model, its data."""

from __future__ import annotations

__all__ = ["Source"]

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.data import Dataset
from unweave.figures.look import Look
from unweave.figures.names import latent_names, mig_tables
from unweave.jsonlines import read_rows
from unweave.representation import Representation
from unweave.scores import load_scores
from unweave.training import TrainConfig
from unweave.vae import VAE


@final
@dataclass(frozen=True)
class Source:
    """A run, as far as figures look at it.

    Attributes:
        folder: The run folder.
        config: The run's configuration.
        model: Its model.
        dataset: Its dataset; None where a figure is drawn without images.
        step: Steps of the model's weights, whose scores are drawn; None for the newest scores.
        look: What is asked for of the picture.
        encode: Makes a table of codes and factors of images of the dataset; of every image, or of
            enough of them drawn at random. Called again it gives the same table, not a new one.
    """

    folder: Path
    config: TrainConfig
    model: VAE
    dataset: Dataset | None
    step: int | None = None
    look: Look = field(default_factory=Look)
    encode: Callable[[], Representation] | None = None

    @property
    def seed(self) -> int:
        """Of whatever is drawn."""
        return self.config.seed if self.look.seed is None else self.look.seed

    def codes(self) -> Representation | None:
        """Posteriors and factors of images of the dataset; None where they cannot be had."""
        return None if self.encode is None or not self.model.encodes else self.encode()

    def train_rows(self) -> list[dict[str, Any]]:
        """What was logged of the training, a mapping a record."""
        return [row for row in read_rows(self.folder / "metrics.jsonl") if row["event"] == "train"]

    def score_rows(self) -> list[dict[str, Any]]:
        """Scores during the training, a mapping a record."""
        return [
            row for row in read_rows(self.folder / "metrics.jsonl") if row["event"] == "scores"
        ]

    def last_kl(self) -> NDArray[np.float64] | None:
        """KL of each latent at the last record, (L,) nats; None where none was logged."""
        rows = self.train_rows()
        return np.array(rows[-1]["kl"]) if rows and rows[-1]["kl"] else None

    def mig_tables(self) -> list[dict[str, Any]]:
        """MIG scores with tables, of these weights on the run's own dataset, oldest first."""
        return mig_tables(self.folder, self.step, str(self.config.dataset))

    def tables(self, metrics: Collection[str]) -> list[dict[str, Any]]:
        """Scores by some metrics with tables, as `mig_tables` has them."""
        data = str(self.config.dataset)
        return [
            row
            for row in load_scores(self.folder)
            if row["metric"] in metrics
            and row.get("matrix")
            and self.step in (None, row.get("step"))
            and row.get("data") == data
        ]

    def latent_names(self) -> list[str | None]:
        """The factor that each latent follows where that is clear."""
        data = str(self.config.dataset)
        return latent_names(self.folder, self.model.latents, self.step, data)
