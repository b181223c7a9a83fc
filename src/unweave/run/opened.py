"""A run folder, opened: it is asked for codes, images, scores, figures, a report and files."""

from __future__ import annotations

__all__ = ["Run", "load_run"]

import functools
import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from unweave import plots
from unweave.analysis import TestLosses, choose, load_parts
from unweave.data import Dataset, DatasetSpec, Progress
from unweave.data.codes import Factors
from unweave.encoding import Codes, Part, Precision, cached_posteriors, digest, represent
from unweave.errors import DataError, SpecError
from unweave.exporting import Exported, check_export, export_model
from unweave.figures import (
    CODES,
    FIGURES,
    Look,
    Source,
    asked_kinds,
    check_figure,
    draw_from,
    unheeded,
    wants_images,
)
from unweave.metrics.protocols import DEFAULT, metrics_of, protocol
from unweave.nn.composition import Operator
from unweave.objectives import Composer, Plan
from unweave.objectives.composer import OPERATOR
from unweave.report import write_report
from unweave.representation import Representation
from unweave.run.asked import asked_dataset, asked_rows, check_asked, check_told
from unweave.run.exploring import Asking, explorer_fragment, explorer_of
from unweave.run.subjects import subject_of
from unweave.rundir import read_json
from unweave.scores import Scores, load_scores, save_scores
from unweave.scoring import check, check_codes, score
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
from unweave.training.precision import automatic
from unweave.vae import VAE

log = logging.getLogger("unweave")


@final
class Run:
    """A run folder, opened.

    Example:
        >>> run = load_run("runs/demo")  # doctest: +SKIP
        >>> run.evaluate()["mig"].value  # doctest: +SKIP
        0.18

    Attributes:
        folder: Where it lies.
        config: What was trained.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = read_config(folder)

    def __repr__(self) -> str:
        """Folder, what was trained, and how far it came."""
        status = self.status
        return (
            f"<Run {self.folder}: {self.config.objective} on {self.config.dataset}, "
            f"step {status.get('step')} of {status.get('steps')}, {status.get('state')}>"
        )

    @property
    def status(self) -> dict[str, Any]:
        """Content of `status.json`."""
        status: dict[str, Any] = read_json(self.folder / "status.json")
        return status

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset that was trained on."""
        return self.config.dataset.open()

    @cached_property
    def _checkpoint(self) -> Checkpoint:
        return load_tensors(self.folder / CHECKPOINT)

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
        progress: Progress | None = None,
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
            progress: Shows the encoding.
            precision: `float32`, or `bfloat16`, which is faster where the processor has it.
            images: How many images at most, drawn at random; None for all of the part.

        Raises:
            SpecError: The model is a decoder alone, or there is no such dataset.
            RunError: There is no such part.
            DataError: The dataset does not fit the model.
        """
        self._plan.check_encodes("A table of codes")
        self._check(part, codes, data)
        dataset = self.dataset if data is None else asked_dataset(self.config, data, progress)
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

    def evaluate(
        self,
        metric_names: tuple[str, ...] | None = None,
        *,
        protocol_name: str = DEFAULT,
        part: Part = "all",
        codes: Codes = "mean",
        data: str | DatasetSpec | None = None,
        seed: int = 0,
        repeats: int = 1,
        progress: Progress | None = None,
    ) -> Scores:
        """Score the run, and add the scores to `scores.json`.

        Args:
            metric_names: Names of metrics, or their aliases, and of analyses; None for what the
                protocol scores unasked, which no analysis is part of. A score stands under the
                metric's own name.
            protocol_name: Which settings to use.
            part: `train`, `holdout` or `all` of the images.
            codes: `mean` or `sampled`.
            data: Another dataset with images of the same shape; `held_out` is that of the images
                held out of the run's own.
            seed: Seed of whatever the metrics and analyses draw.
            repeats: Seeds that metrics draw with, from `seed` on, for means and intervals.
            progress: Shows the encoding.

        Raises:
            SpecError: An unknown name, protocol or dataset, settings that the protocol rules out,
                or metrics of a model without an encoder.
            RunError: The run has no weights, or there is no such part.
        """
        chosen = protocol(protocol_name)
        tabular, analyses = choose(chosen, metric_names)
        check_codes(self._plan, tabular)
        self._check(part, codes, data)
        check(tabular, analyses, part, codes)
        dataset = self.dataset if data is None else asked_dataset(self.config, data, progress)
        if analyses:
            check_told(self.config, dataset, [each.told for each in analyses])
        subject = subject_of(self, dataset, part=part, codes=codes, seed=seed, progress=progress)
        auto = chosen.encode == "auto"
        precision: Precision = automatic(self.model.device) if auto else "float32"

        def table() -> Representation:
            return self.representation(
                part=part,
                codes=codes,
                data=data,
                seed=seed,
                progress=progress,
                precision=precision,
                images=chosen.images,
            )

        given = (chosen, tabular, analyses, subject, table, part, metric_names)
        scores = score(*given, precision, repeats)
        save_scores(self.folder, tuple(scores.values()))
        return scores

    def plot(
        self,
        *kinds: str,
        look: Look | None = None,
        animations: bool = False,
        format: str = "gif",
    ) -> list[Path]:
        """Draw figures into `figures/`.

        Args:
            *kinds: Names from `unweave.figures.FIGURES`; all usual ones when none is given, or
                `all`, without those whose images or codes cannot be had, which the log names.
            look: What is asked for of the pictures, such as rows and columns.
            animations: Whether moving pictures are drawn with the usual ones.
            format: What moving pictures are written as: `gif`, `webp`, or `mp4`, which needs
                `pip install 'unweave[video]'`.

        Returns:
            Paths of the files.

        Raises:
            SpecError: An unknown kind or format, or one of codes, of a model without an encoder;
                or of factors that are not known, or of generators, of a model without a Lie
                group.
            DataError: A kind was asked for whose images or codes cannot be had.
        """
        look = look or Look()
        form = plots.check_format(format)
        chosen = asked_kinds(kinds, animations=animations)
        named = [kind for kind in chosen if kind in kinds]
        for kind in named:
            check_figure(kind, self.config)
        for note in unheeded(named, look):
            log.warning("%s", note)
        if any(wants_images(kind, self.model, look) for kind in named):
            _ = self.dataset
        paths, left_out = self._draw(chosen, look, form)
        for kind in named:
            if kind in left_out:
                raise DataError(left_out[kind])
        return paths

    def picture(self, kind: str, look: Look | None = None) -> Any | None:
        """A figure that is not written anywhere, such as for a notebook.

        Args:
            kind: A name from `unweave.figures.FIGURES`.
            look: What is asked for of the picture.

        Returns:
            A figure of matplotlib; or (H, W, C) uint8, of what is pixels alone; or an `Animation`,
            with `frames`; None where the run has nothing to draw it from.

        Raises:
            SpecError: As for `plot`.
            DataError: Its images or codes cannot be had.
        """
        asked_kinds((kind,))
        check_figure(kind, self.config)
        return draw_from(kind, self.source(kind, look))

    def source(
        self,
        kind: str,
        look: Look | None = None,
        encode: Callable[[], Representation] | None = None,
    ) -> Source:
        """What a figure of a kind is drawn from.

        Args:
            kind: A name from `unweave.figures.FIGURES`.
            look: What is asked for of the picture.
            encode: Gives a table of codes; None for those of `representation`.

        Raises:
            DataError: The images that it needs cannot be had.
        """
        dataset = self.dataset if wants_images(kind, self.model, look) else None
        return Source(
            self.folder,
            self.config,
            self.model,
            dataset,
            self.step,
            look or Look(),
            encode or (lambda: self.representation(images=CODES)),
        )

    @property
    def _usual(self) -> tuple[str, ...]:
        return tuple(name for name, kind in FIGURES.items() if kind.usual)

    def _draw(
        self, kinds: tuple[str, ...], look: Look | None = None, form: str = "gif"
    ) -> tuple[list[Path], dict[str, str]]:
        """Paths of the figures that can be drawn, and why others cannot, by kind."""
        paths: list[Path] = []
        left_out: dict[str, str] = {}
        # One table for all kinds, so that what they share is computed once.
        encode = functools.cache(lambda: self.representation(images=CODES))
        for kind in kinds:
            try:
                figure = draw_from(kind, self.source(kind, look, encode))
            except DataError as error:
                left_out[kind] = str(error)
                log.warning("The figure %s is left out. %s", kind, error)
                continue
            if figure is not None:
                name = FIGURES[kind].file(kind, form)
                paths.append(plots.save(figure, self.folder / "figures" / name))
        return paths, left_out

    def report(
        self,
        out: str | Path | None = None,
        *,
        explorer: bool = True,
        decoder: str = "auto",
        onnxruntime_web: str | Path | None = None,
        images: Sequence[int] = (),
    ) -> Path:
        """Draw the figures, score the run if its weights are not scored yet, write the report.

        What the default protocol scores unasked is what the page needs; an analysis alone does
        not count, but for a model without an encoder, whose page has its test losses. What cannot
        be had, such as scores without images, is named on the page.

        Args:
            out: File to write; `report.html` in the run folder by default.
            explorer: Whether latents can be moved by hand on the page.
            decoder: How the explorer decodes, as `explorer_html` takes it.
            onnxruntime_web: The package onnxruntime-web, as `explorer_html` takes it.
            images: Flat indices of the images that the explorer starts from.

        Returns:
            Path of the page.

        Raises:
            SpecError: The way to decode that is asked for cannot be had.
            DataError: The dataset does not have one of the images.
        """
        asking = Asking(decoder, onnxruntime_web, images)
        asking.check(explorer=explorer)
        needed = {metric.name for metric in metrics_of(protocol(DEFAULT), None)}
        asked = None
        if not self._plan.encodes:
            asked = (TestLosses.name,)
            needed = set(asked)
        data = str(self.config.dataset)
        rows = [row for row in load_scores(self.folder) if row["data"] == data]
        left_out: dict[str, str] = {}
        if not any(row["step"] == self.step and row["metric"] in needed for row in rows):
            # A model that no metric can score, such as one of a single latent, has a page too.
            try:
                self.evaluate(asked)
            except DataError as error:
                left_out["scores"] = str(error)
        left_out |= self._draw(self._usual)[1]
        moved = None
        if explorer:
            moved, missing = explorer_of(self, asking)
            left_out |= missing
        path = None if out is None else Path(out)
        return write_report(self.folder, path, left_out=left_out, explorer=moved)

    def explorer_html(
        self,
        *,
        decoder: str = "auto",
        onnxruntime_web: str | Path | None = None,
        images: Sequence[int] = (),
        height: int = 780,
    ) -> str:
        """The explorer as a fragment of a page, such as a notebook: latents are moved by hand.

        It is a frame that holds all it needs, and which styles and scripts around it do not reach.

        Args:
            decoder: `javascript` for our own runtime; `onnx` for ONNX Runtime Web; `strips` for
                pictures that are decoded ahead; `auto` for the first of these that can be had.
            onnxruntime_web: The file that `npm pack onnxruntime-web` writes, or the folder of the
                installed package.
            images: Flat indices of the images that it starts from; by default those that the
                figure of reconstructions shows.
            height: Of the frame, in CSS pixels.

        Raises:
            SpecError: The way to decode that is asked for cannot be had.
            DataError: The dataset does not have one of the images.
        """
        return explorer_fragment(self, Asking(decoder, onnxruntime_web, images), height)

    def export(
        self,
        format: str,
        out: str | Path,
        *,
        what: str = "encoder",
        labels: bool = False,
        overwrite: bool = False,
        check: bool = True,
    ) -> list[Exported]:
        """Write encoder or decoder as files that other programs run.

        The encoder takes images (N, C, H, W) from 0 to 1 and gives posterior means (N, L). The
        decoder takes latents (N, L) and gives expected pixels (N, C, H, W). N is any number.

        Args:
            format: `onnx`, `torchscript`, `torch-export`, or `challenge` for the folder of the
                NeurIPS 2019 disentanglement challenge.
            out: File to write, or the folder of the challenge.
            what: `encoder`, `decoder`, or `both`, which adds `-encoder` and `-decoder` to the
                name of the file.
            labels: Whether a conditional model takes labels (N, width) as a second input, in the
                form of `Conditions.encode`; else none of them is known.
            overwrite: Whether a file that is there may be replaced.
            check: Whether each file is run on random inputs and compared with the model, where
                there is something that runs it.

        Raises:
            SpecError: An unknown format or half, or a model that does not fit it, or packages
                that the format needs are missing.
            RunError: A file is in the way, or gives something else than the model; nothing is
                written.
        """
        paths = check_export(
            self.config, format, Path(out), what, labels=labels, overwrite=overwrite
        )
        return export_model(
            self.model, self.config, self.step, paths, format, labels=labels, check=check
        )

    def _check(self, part: Part, codes: Codes, data: str | DatasetSpec | None) -> None:
        """Refuse what cannot be encoded, or a run without weights, before a dataset is opened."""
        check_asked(self.config, self.folder, part, codes, data)
        _ = self.model


def load_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: It is not one, or is of a format that this version does not read.
    """
    return Run(Path(path))
