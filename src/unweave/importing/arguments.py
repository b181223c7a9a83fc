"""`args.pt`: what the Commutative Lie Group VAE program was called with, in our words."""

from __future__ import annotations

__all__ = ["KNOWN", "Arguments"]

import ast
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import CheckpointError, SpecError
from unweave.likelihoods import Bernoulli, Gaussian, Likelihood
from unweave.objectives import KL, AnnealedVAE, BetaVAE, LieGroupVAE, Method, Objective
from unweave.schedules import Linear

KNOWN: Final = (
    "model", "dataset", "latents", "batch_size", "learning_rate", "epochs", "split", "beta",
    "capacity", "capacity_leadin", "recons_loss_type", "hy_rec", "hy_hes", "hy_commute",
    "forward_eg_prob", "no_exp", "subgroup_sizes_ls", "subspace_sizes_ls", "lie_alg_init_scale",
)  # fmt: skip
"""The arguments that are read; the file's others are passed over."""

_DATASETS: Final = {"dsprites": "dsprites", "shapes3d": "shapes3d"}
_LIE: Final = "lie_group"
_BASELINES: Final = ("beta_celeb", "beta_shapes")
# The squared error without a factor of a half.
_SQUARED: Final = Gaussian(variance=0.5)
_LIKELIHOODS: Final[dict[str, Likelihood]] = {"l2": _SQUARED, "bce": Bernoulli()}
_MOST_TEXT: Final = 1000


@final
@dataclass(frozen=True)
class Arguments:
    """What `args.pt` says, and the defaults of the program where it is silent or missing.

    The file holds what was asked for: a training that broke off has fewer epochs.

    Attributes:
        path: The file, for messages.
        values: Its known arguments.
        assumed: Names of our settings that it does not say.
    """

    path: Path
    values: dict[str, Any]
    assumed: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, path: Path, said: dict[str, Any] | None) -> Arguments:
        """The known ones among what a file says: numbers, texts, and lists of them."""
        plain = (bool, int, float, str)
        kept = {}
        for name in KNOWN:
            value = None if said is None else said.get(name)
            parts = value if isinstance(value, list) else [value]
            if value is None or not all(type(part) in plain for part in parts):
                continue
            if len(str(value)) <= _MOST_TEXT:
                kept[name] = value
        return cls(path, kept)

    def check(self, latents: int, *, lie: bool) -> None:
        """Refuse arguments of another checkpoint.

        Raises:
            CheckpointError: They name another model, or other latents.
        """
        model = self.values.get("model", _LIE if lie else None)
        if (model == _LIE) != lie and model is not None:
            raise self._wrong("model", f"its weights are {'' if lie else 'not '}of {_LIE}")
        told = self.values.get("latents", latents)
        # Of the Lie group VAE the sizes of the groups count, and latents only for pictures.
        if not lie and told != latents:
            raise self._wrong("latents", f"its weights have {latents}")

    def dataset(self) -> DatasetSpec | None:
        """The dataset, or None where nothing says."""
        name = self.values.get("dataset")
        if name is None:
            self._assume("dataset")
            return None
        if not isinstance(name, str) or name not in _DATASETS:
            raise self._wrong("dataset", f"known are {', '.join(_DATASETS)}")
        return parse_dataset(_DATASETS[name])

    def objective(self, *, exponential: bool) -> Objective | None:
        """The objective with its settings, or None where nothing says, or we have none like it.

        Args:
            exponential: Whether the model has a group. Without one its program weights penalties
                on generators all the same, which nothing depends on; they are left out.

        Raises:
            CheckpointError: A setting is not one that the objective can have.
        """
        model = self.values.get("model")
        if model != _LIE and model not in _BASELINES:
            self._assume("objective")
            return None
        capacity, beta = self.values.get("capacity"), self._real("beta", 1.0, "objective")
        try:
            if capacity is not None:
                stop = self._real("capacity", 0.0, "objective")
                steps = self._whole("capacity_leadin", 100_000, "objective")
                held = Linear(start=0.0, stop=stop, steps=steps)
                if model == _LIE:
                    kl = KL(weight=beta, capacity=held)
                    return Objective((self._lie(1.0, exponential), kl))
                return Objective((AnnealedVAE(gamma=beta, capacity=held),))
            lie = model == _LIE
            method: Method = self._lie(beta, exponential) if lie else BetaVAE(beta=beta)
            return Objective((method,))
        except SpecError as error:
            raise CheckpointError(f"{self.path}: {error}") from error

    def _lie(self, beta: float, exponential: bool) -> Method:
        commutator = self._real("hy_commute", 0.0, "objective") if exponential else 0.0
        return LieGroupVAE(
            kl=beta,
            group_reconstruction=self._real("hy_rec", 0.1, "objective"),
            hessian=self._real("hy_hes", 40.0, "objective") if exponential else 0.0,
            commutator=commutator,
            feature_probability=self._real("forward_eg_prob", 0.2, "objective"),
            compat="clg" if commutator else "none",
        )

    def likelihood(self) -> Likelihood:
        """The distribution of pixels."""
        name = self.values.get("recons_loss_type")
        if name is None:
            self._assume("likelihood")
            return _SQUARED
        if not isinstance(name, str) or name not in _LIKELIHOODS:
            raise self._wrong("recons_loss_type", f"known are {', '.join(_LIKELIHOODS)}")
        return _LIKELIHOODS[name]

    def batch_size(self) -> int:
        """Images a batch."""
        return self._whole("batch_size", 128, "batch_size", 1)

    def lr(self) -> float:
        """Learning rate of Adam."""
        return self._real("learning_rate", 1e-4, "optimizer")

    def length(self, images: int) -> tuple[int | None, int | None]:
        """Epochs and optimiser steps that were asked for, None where nothing says.

        Args:
            images: Of the whole dataset, a part of which validates.
        """
        if "epochs" not in self.values:
            self._assume("steps")
            return None, None
        epochs = self._whole("epochs", 50, "steps", 1)
        split = self._real("split", 0.1, "steps")
        trained = images - int(images * min(max(split, 0.0), 1.0))
        return epochs, max(epochs * math.ceil(trained / self.batch_size()), 1)

    def _real(self, key: str, default: float, ours: str) -> float:
        value = self.values.get(key)
        if value is None:
            self._assume(ours)
            return default
        number = value
        if isinstance(value, str):
            try:
                number = ast.literal_eval(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                number = None
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise self._wrong(key, "it must be a number")
        if not abs(number) < 2**53:
            raise self._wrong(key, "it must be a finite number")
        return float(number)

    def _whole(self, key: str, default: int, ours: str, low: int = 0) -> int:
        number = self._real(key, default, ours)
        if number != int(number) or number < low:
            raise self._wrong(key, f"it must be a whole number of at least {low}")
        return int(number)

    def _assume(self, ours: str) -> None:
        if ours not in self.assumed:
            self.assumed.append(ours)

    def _wrong(self, key: str, reason: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path} says {key} {self.values.get(key)!r:.80}, and {reason}. It belongs to "
            "another checkpoint, or is damaged: move it away and give --dataset and --objective."
        )
