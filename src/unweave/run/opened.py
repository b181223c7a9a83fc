"""A run folder, opened: it is asked for scores, figures, a report and files."""

from __future__ import annotations

__all__ = ["Run", "load_run"]

import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from unweave import plots
from unweave.analysis import choose
from unweave.data import DatasetSpec, Progress
from unweave.encoding import Codes, Part, Precision
from unweave.errors import DataError
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
from unweave.metrics.protocols import DEFAULT, protocol
from unweave.report import write_report
from unweave.representation import Representation
from unweave.run.asked import asked_dataset, check_told
from unweave.run.exploring import Asking, explorer_fragment, explorer_of
from unweave.run.subjects import subject_of
from unweave.run.trained_run import TrainedRun
from unweave.run.unscored import score_unscored
from unweave.scores import Scores, save_scores
from unweave.scoring import check, check_codes, score
from unweave.training.precision import automatic

log = logging.getLogger("unweave")


@final
class Run(TrainedRun):
    """A run folder, opened.

    Example:
        >>> run = load_run("runs/demo")  # doctest: +SKIP
        >>> run.evaluate()["mig"].value  # doctest: +SKIP
        0.18

    Attributes:
        folder: Where it lies.
        config: What was trained.
    """

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
            return self._table(dataset, part, codes, seed, progress, precision, chosen.images)

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
        # A model that no metric can score, such as one of a single latent, has a page too.
        left_out: dict[str, str] = {}
        if reason := score_unscored(self):
            left_out["scores"] = reason
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


def load_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: It is not one, or is of a format that this version does not read.
    """
    return Run(Path(path))
