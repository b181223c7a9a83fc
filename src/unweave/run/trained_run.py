"""The model of a run folder, and what it makes of images and codes."""

from __future__ import annotations

__all__ = ["TrainedRun"]

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from unweave.analysis import load_parts
from unweave.data import Dataset, DatasetSpec, Progress
from unweave.data.codes import Factors
from unweave.encoding import Codes, Part, Precision, cached_posteriors, digest, represent
from unweave.errors import DataError, RunError, SpecError, UnweaveError
from unweave.inventory import why_no_weights
from unweave.nn.composition import Operator
from unweave.notebook import Asked, telling
from unweave.objectives import Composer, Plan
from unweave.objectives.composer import OPERATOR
from unweave.representation import Representation
from unweave.run.asked import asked_dataset, asked_rows, check_asked
from unweave.run.shown import run_html
from unweave.rundir import read_status
from unweave.session import CHECKPOINT, read_config
from unweave.splits import keyed_permutation
from unweave.trained import (
    Labels,
    compose_codes,
    decode_codes,
    encode_images,
    factor_codes,
    fingerprint,
    load_model,
    read_actions,
    read_labels,
)
from unweave.training.checkpoint import Checkpoint, load_tensors
from unweave.vae import VAE


class TrainedRun:
    """What was trained in a run folder: images to codes, and codes to images.

    Attributes:
        folder: Where it lies.
        config: What was trained.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = read_config(folder)

    def __repr__(self) -> str:
        """Folder, what was trained, and how far it came."""
        what = f"{self.config.objective} on {self.config.dataset}"
        try:
            status = self.status
            done = f"step {status.get('step')} of {status.get('steps')}, {status.get('state')}"
        except UnweaveError:
            done = "status.json is missing or damaged"
        return f"<Run {self.folder}: {what}, {done}>"

    def _repr_html_(self) -> str:
        """What it is, how far it came, its scores and small pictures, for a notebook.

        All of it is read from the folder: nothing is trained, encoded or opened.
        """
        hint = "run.evaluate() scores it, run.plot() draws it, run.explorer() moves its latents."
        return run_html(self.folder, self.config, lambda: self.status, hint)

    @property
    def status(self) -> dict[str, Any]:
        """Content of `status.json`.

        Raises:
            RunError: It is missing or damaged.
        """
        return read_status(self.folder)

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset that was trained on."""
        return self.config.dataset.open()

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        path = self.folder / CHECKPOINT
        if not path.is_file():
            told = f"{path} does not exist: the run has no weights there yet."
            raise RunError(f"{told} {why_no_weights(self.folder)}".strip())
        return load_tensors(path)

    @property
    def step(self) -> int:
        """Optimiser steps of the weights."""
        return self._checkpoint.step

    @cached_property
    def model(self) -> VAE:
        """The VAE in float32, in evaluation mode.

        Raises:
            RunError: There is no checkpoint, or it does not fit the configuration.
        """
        return load_model(self.config, self._checkpoint, self.folder)

    @cached_property
    def parts(self) -> dict[str, nn.Module]:
        """Further networks of the objective that the run has weights for, by name.

        Raises:
            RunError: There is no checkpoint, or it does not fit the configuration.
        """
        config = self.config
        tensors = self._checkpoint.weights
        return load_parts(config.objective, config.setup, tensors, self.model.device)

    def encode(
        self, images: ArrayLike, *, labels: Labels | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Posterior means and log variances of images.

        Args:
            images: (n, H, W, C), uint8 from 0 to 255 or floats from 0 to 1.
            labels: What a conditional model is told of them: values by name of the factor, each
                one or (n,), such as `{"shape": "heart"}`; or factor indices of the told labels in
                their order, (M,) or (n, M). Labels that are left out are unknown.

        Returns:
            Two arrays (n, L) float32.

        Raises:
            SpecError: The model is a decoder alone.
            DataError: The images have another shape or range, or the model is not told these
                labels.
        """
        self._plan.check_encodes("run.encode")
        told = self._told(labels, images)
        return encode_images(self.model, images, self.config.dataset.image_shape, told)

    def decode(self, z: ArrayLike, *, labels: Labels | None = None) -> NDArray[np.float32]:
        """Expected pixels of latents.

        Args:
            z: (n, L).
            labels: What a conditional model is told of them, as for `encode`.

        Returns:
            (n, H, W, C) float32 from 0 to 1.

        Raises:
            DataError: The latents have another shape, or the model is not told these labels.
        """
        told = self._told(labels, z)
        return decode_codes(self.model, z, self.config.dataset.image_shape, told)

    def compose(
        self, references: ArrayLike, transforms: ArrayLike, factors: str | ArrayLike
    ) -> NDArray[np.float32]:
        """Images as the references, each with one factor taken from its transform.

        The posterior means of both go through the operator of a composer, and what it gives is
        decoded.

        Args:
            references: (n, H, W, C), uint8 from 0 to 255 or floats from 0 to 1.
            transforms: As many, in either form.
            factors: Names of the factors that are taken, one for all or (n,); or their columns,
                as `Composition.actions` gives them.

        Returns:
            (n, H, W, C) float32 from 0 to 1.

        Raises:
            SpecError: The run has no operator.
            DataError: The images do not fit the model or each other, or it was not trained to take
                these factors.
        """
        method = self.config.objective.expand().method
        operator = self.parts.get(OPERATOR) if isinstance(method, Composer) else None
        if not isinstance(method, Composer) or not isinstance(operator, Operator):
            raise SpecError(
                f"run.compose needs the operator of a composer, and {self.config.objective} has "
                "none. Train one: unweave train DATASET composer"
            )
        reference, transform = self.encode(references)[0], self.encode(transforms)[0]
        if len(reference) != len(transform):
            raise DataError(
                f"Each reference needs its transform, but there are {len(reference)} references "
                f"and {len(transform)} transforms."
            )
        space = self.config.dataset.factor_space
        actions = read_actions(method, space, factors, len(reference))
        return self.decode(compose_codes(operator, reference, transform, actions))

    def factor_codes(self, factors: Factors) -> NDArray[np.float32]:
        """What a decoder that is given true factors takes for them, for `decode`.

        Args:
            factors: Values by name of the factor, each one or (n,), such as
                `{"shape": "heart", "pos_x": [0.2, 0.4], ...}`, of the whole dataset, also where
                the run was trained on a part of it; or factor indices of it, (K,) or (n, K).
                Values of ordinal and circular factors may lie between those of the dataset,
                unless inputs are one-hot.

        Returns:
            (n, L) float32.

        Raises:
            SpecError: The model has an encoder.
            DataError: A factor is missing or unknown, or a value has no code.
        """
        return factor_codes(self.model, factors)

    def render(self, factors: Factors) -> NDArray[np.float32]:
        """Expected pixels of combinations of factors, by a decoder that is given true ones.

        Args:
            factors: As for `factor_codes`; also those that no training image had.

        Returns:
            (n, H, W, C) float32 from 0 to 1.

        Raises:
            SpecError: The model has an encoder.
            DataError: A factor is missing or unknown, or a value has no code.
        """
        return self.decode(self.factor_codes(factors))

    @property
    def _plan(self) -> Plan:
        return self.config.objective.expand()

    def _told(self, labels: Labels | None, rows: ArrayLike) -> Tensor | None:
        """Labels of images or codes as the model takes them."""
        if labels is None:
            return None
        count = len(np.atleast_1d(np.asarray(rows)))
        return read_labels(self.model, self.config.dataset.factor_space, labels, count)

    def representation(
        self,
        *,
        part: Part = "all",
        codes: Codes = "mean",
        data: str | DatasetSpec | None = None,
        seed: int = 0,
        progress: Asked = "auto",
        precision: Precision = "float32",
        images: int | None = None,
    ) -> Representation:
        """The table of codes of a part of a dataset, encoded once and then read from the cache.

        Args:
            part: `train`, `holdout` or `all` of the images.
            codes: Posterior means, or one keyed sample of each posterior.
            data: Another dataset with images of the same shape; `held_out` is that of the images
                held out of the run's own.
            seed: Seed of sampled codes.
            progress: Shows the encoding; `auto` does so in a notebook alone.
            precision: `float32`, or `bfloat16`, which is faster where the processor has it.
            images: How many images at most, drawn at random; None for all of the part.

        Raises:
            SpecError: The model is a decoder alone, or there is no such dataset.
            RunError: There is no such part.
            DataError: The dataset does not fit the model.
        """
        self._plan.check_encodes("A table of codes")
        self._check(part, codes, data)
        with telling(progress) as told:
            dataset = self.dataset if data is None else asked_dataset(self.config, data, told)
            return self._table(dataset, part, codes, seed, told, precision, images)

    def _table(
        self,
        dataset: Dataset,
        part: Part,
        codes: Codes,
        seed: int,
        progress: Progress | None,
        precision: Precision,
        images: int | None,
    ) -> Representation:
        """That of a dataset which is open; what is asked for has been checked."""
        flat = asked_rows(self.config, part, dataset)
        name: str = part
        if images is not None and images < len(flat):
            chosen = keyed_permutation(len(flat), self.config.seed, "images that are encoded")
            flat, name = flat[np.sort(chosen[:images])], f"{part}_{images}"
        weights = digest(str(self.step), fingerprint(self._checkpoint))
        pixels = dataset.store.fingerprint()
        key = f"{name}-{digest(weights, str(dataset.spec), pixels, str(self.config.seed))}"
        mean, logvar = cached_posteriors(
            self.model, dataset, flat, self.folder / "cache", key, progress, precision
        )
        return represent(mean, logvar, dataset, flat, codes=codes, seed=seed)

    def _check(self, part: Part, codes: Codes, data: str | DatasetSpec | None) -> None:
        """Refuse what cannot be encoded, or a run without weights, before a dataset is opened."""
        check_asked(self.config, self.folder, part, codes, data)
        _ = self.model
