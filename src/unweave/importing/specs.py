"""`specs.json`: the settings that disentangling-vae keeps beside a checkpoint, in our words."""

from __future__ import annotations

__all__ = ["DATASETS", "Specs", "read_specs"]

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import CheckpointError, SpecError
from unweave.likelihoods import Bernoulli, Gaussian, Laplace, Likelihood
from unweave.objectives import (
    AnnealedVAE,
    BetaTCVAE,
    BetaVAE,
    FactorVAE,
    Method,
    Objective,
    VAEMethod,
)
from unweave.schedules import Linear, Schedule

# Their name -> ours.
DATASETS = {
    "dsprites": "dsprites",
    "mnist": "mnist",
    "fashion": "fashion_mnist",
    "celeba": "celeba",
    "chairs": "chairs3d",
}
_LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
}
_MOST_BYTES = 2**20


@final
@dataclass(frozen=True)
class Specs:
    """What `specs.json` says; what it leaves out has the default of the published program.

    The file is written after a predefined experiment has replaced the arguments that it sets, so
    it holds what was trained. It holds the settings of the other losses, too, which had no part in
    it; only those of its own loss are read.

    Attributes:
        path: The file, for messages.
        values: Its content.
        assumed: Names of our settings that it does not say and that were taken on their default.
    """

    path: Path
    values: dict[str, Any]
    assumed: list[str]

    @property
    def doubled(self) -> bool:
        """Whether a batch is two batches of ours: FactorVAE counts its second batch as well."""
        return self.values.get("loss") == "factor"

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Refuse a file that is not of these weights.

        Raises:
            CheckpointError: Image shape, number of latents or architecture differ.
        """
        height, width, channels = image_shape
        for key, ours, expected in (
            ("img_size", "image shape", [channels, height, width]),
            ("latent_dim", "number of latents", latents),
            ("model_type", "architecture", "Burgess"),
        ):
            found = self.values.get(key, expected)
            if found != expected or isinstance(found, bool):
                raise CheckpointError(
                    f"{self.path} says {key} {found!r:.80}, but the {ours} of the weights is "
                    f"{expected!r}. It belongs to another checkpoint: put the right one there, or "
                    "move it away and give --dataset and --objective."
                )

    def dataset(self) -> DatasetSpec | None:
        """The dataset, or None when the file does not say."""
        if "dataset" not in self.values:
            return None
        return parse_dataset(DATASETS[self._choice("dataset", DATASETS)])

    def objective(self) -> Objective | None:
        """The loss with its settings, or None when the file does not say."""
        if "loss" not in self.values:
            return None
        makers = {
            "VAE": self._vae,
            "betaH": self._beta_h,
            "betaB": self._beta_b,
            "factor": self._factor,
            "btcvae": self._btcvae,
        }
        try:
            return Objective((makers[self._choice("loss", makers)](),))
        except SpecError as error:
            raise CheckpointError(f"{self.path}: {error}") from error

    def likelihood(self) -> Likelihood:
        """The distribution of pixels."""
        if "rec_dist" not in self.values:
            self._assume("likelihood")
            return Bernoulli()
        return _LIKELIHOODS[self._choice("rec_dist", _LIKELIHOODS)]()

    def batch_size(self) -> int:
        """Images a batch as the program loads them."""
        low = 2 if self.doubled else 1
        return self._whole("batch_size", 64 * low, "batch_size", low)

    def seed(self) -> int:
        """The seed."""
        return self._whole("seed", 1234, "seed")

    def lr(self) -> float:
        """Learning rate of the model's Adam."""
        return self._real("lr", 5e-4, "optimizer")

    def epochs(self) -> int | None:
        """Passes through the data, or None when the file does not say."""
        return self._whole("epochs", 1, "steps", 1) if "epochs" in self.values else None

    def _vae(self) -> Method:
        return VAEMethod(kl=self._warm(1.0))

    def _beta_h(self) -> Method:
        return BetaVAE(beta=self._warm(self._real("betaH_B", 4.0)))

    def _beta_b(self) -> Method:
        start, stop = self._real("betaB_initC", 0.0), self._real("betaB_finC", 25.0)
        return AnnealedVAE(gamma=self._real("betaB_G", 100.0), capacity=self._warm(stop, start))

    def _factor(self) -> Method:
        return FactorVAE(
            gamma=self._warm(self._real("factor_G", 6.0)), lr=self._real("lr_disc", 5e-5)
        )

    def _btcvae(self) -> Method:
        return BetaTCVAE(
            alpha=self._real("btcvae_A", 1.0),
            beta=self._real("btcvae_B", 6.0),
            gamma=self._warm(self._real("btcvae_G", 1.0)),
            compat="disvae",
        )

    def _warm(self, stop: float, start: float = 0.0) -> float | Schedule:
        steps = self._whole("reg_anneal", 10_000)
        return Linear(start=start, stop=stop, steps=steps) if steps else stop

    def _assume(self, ours: str) -> None:
        if ours not in self.assumed:
            self.assumed.append(ours)

    def _choice(self, key: str, allowed: Any) -> str:
        value = self.values[key]
        if not isinstance(value, str) or value not in allowed:
            raise CheckpointError(
                f"{self.path} says {key} {value!r:.80}; known are {', '.join(allowed)}. Correct "
                "it, or move it away and give --dataset and --objective."
            )
        return value

    def _real(self, key: str, default: float, ours: str = "objective") -> float:
        if key not in self.values:
            self._assume(ours)
        value = self.values.get(key, default)
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if isinstance(value, str) or not math.isfinite(number):
            raise CheckpointError(f"{self.path} says {key} {value!r:.80}; it must be a number.")
        return number

    def _whole(self, key: str, default: int, ours: str = "objective", low: int = 0) -> int:
        number = self._real(key, default, ours)
        if number != int(number) or not low <= number < 2**53:
            raise CheckpointError(
                f"{self.path} says {key} {self.values.get(key)!r:.80}; it must be a whole number "
                f"of at least {low}."
            )
        return int(number)


def read_specs(path: Path) -> Specs | None:
    """Read the file, or None when there is none.

    Raises:
        CheckpointError: It is damaged.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as handle:
            text = handle.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError(f"more than {_MOST_BYTES:,} bytes")
        values = json.loads(text.decode("utf-8"))
        if not isinstance(values, dict):
            raise ValueError("it must hold one JSON object")
        # What cannot be written again as JSON cannot be kept beside the run.
        json.dumps(values, allow_nan=False).encode("utf-8")
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is damaged: {' '.join(str(error).split())[:200]}. Correct it, or move it "
            "away and give --dataset and --objective."
        ) from error
    return Specs(path, values, [])
