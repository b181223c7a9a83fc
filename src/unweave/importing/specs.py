"""`specs.json`: the settings that disentangling-vae keeps beside a checkpoint, in our words."""

from __future__ import annotations

__all__ = ["DATASETS", "Specs", "read_specs"]

import json
import math
from collections.abc import Iterator
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
    parse_objective,
)
from unweave.presets import Preset
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
    """What `specs.json` says, and what is taken where it is silent or missing.

    That is what the preset of a published model says, and the default of the published program for
    any other model.

    The file is written after a predefined experiment has replaced the arguments that it sets, so
    it holds what was trained. It holds the settings of the other losses, too, which had no part in
    it; only those of its own loss are read.

    Attributes:
        path: The file, for messages.
        values: Its content.
        assumed: Names of our settings that it does not say.
        preset: The experiment that the weights are known to come from, or None.
    """

    path: Path
    values: dict[str, Any]
    assumed: list[str]
    preset: Preset | None = None

    def factor(self, minimised: Objective) -> int:
        """How many batches of ours one of the program's is; its epochs are as many times more.

        Two for FactorVAE, which counts its second batch as well; one for all else.

        Args:
            minimised: Tells where nothing says what the loss was.
        """
        if "loss" in self.values:
            return 2 if self.values["loss"] == "factor" else 1
        known = parse_objective(self.preset.objective) if self.preset else minimised
        return 2 if known.method_name == FactorVAE.name else 1

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Refuse a file that is not of these weights.

        Raises:
            CheckpointError: Image shape, number of latents or architecture differ, or the loss or
                dataset of a published model.
        """
        height, width, channels = image_shape
        for key, ours, expected in (
            ("img_size", "image shape", [channels, height, width]),
            ("latent_dim", "number of latents", latents),
            ("model_type", "architecture", "Burgess"),
            *self._published(),
        ):
            found = self.values.get(key, expected)
            if found != expected or isinstance(found, bool):
                raise CheckpointError(
                    f"{self.path} says {key} {found!r:.80}, but the {ours} of the weights is "
                    f"{expected!r}. It belongs to another checkpoint: put the right one there, or "
                    "move it away and give --dataset and --objective."
                )

    def _published(self) -> Iterator[tuple[str, str, str]]:
        if self.preset is not None:
            words = self.preset.name.partition("/")[2].split("_")
            yield from zip(("loss", "dataset"), ("loss", "dataset"), words, strict=False)

    def dataset(self) -> DatasetSpec | None:
        """The dataset, or None when nothing says."""
        if "dataset" not in self.values:
            self._assume("dataset")
            return parse_dataset(self.preset.dataset) if self.preset else None
        return parse_dataset(DATASETS[self._choice("dataset", DATASETS)])

    def objective(self) -> Objective | None:
        """The loss with its settings, or None when nothing says.

        Raises:
            CheckpointError: A setting is not one that the loss can have.
        """
        if "loss" not in self.values:
            self._assume("objective")
            return parse_objective(self.preset.objective) if self.preset else None
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

    def batch_size(self, factor: int) -> int:
        """Images a batch as the program counts them."""
        usual = self._usual("batch_size", 64) * factor
        return self._whole("batch_size", usual, "batch_size", factor)

    def seed(self) -> int:
        """The seed."""
        return self._whole("seed", self._usual("seed", 1234), "seed")

    def lr(self) -> float:
        """Learning rate of the model's Adam."""
        return self._real("lr", self._usual("lr", 5e-4), "optimizer")

    def epochs(self, factor: int) -> int | None:
        """Passes through the data as the program counts them, or None when nothing says."""
        if "epochs" not in self.values and self.preset is None:
            self._assume("steps")
            return None
        return self._whole("epochs", self._usual("epochs", 1) * factor, "steps", 1)

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
            estimator="stratified",
            compat="disvae",
        )

    def _warm(self, stop: float, start: float = 0.0) -> float | Schedule:
        steps = self._whole("reg_anneal", 10_000)
        return Linear(start=start, stop=stop, steps=steps) if steps else stop

    def _usual(self, ours: str, default: Any) -> Any:
        return default if self.preset is None else self.preset.settings[ours]

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


def read_specs(path: Path) -> dict[str, Any] | None:
    """Read the file, or None when there is none.

    Raises:
        CheckpointError: It is damaged.
    """
    if not path.exists():
        return None
    try:
        if not path.is_file():
            raise ValueError("it is not a file")
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
    return values
