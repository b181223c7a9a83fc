"""A run folder, opened: it is asked for scores, figures, a report and files."""

from __future__ import annotations

__all__ = ["Run", "load_run", "pull"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from unweave.analysis import choose
from unweave.citing import Citations, cite
from unweave.data import DatasetSpec
from unweave.encoding import Codes, Part, Precision
from unweave.exporting import Exported, check_export, export_model
from unweave.metrics.protocols import DEFAULT, protocol
from unweave.notebook import Asked, telling
from unweave.report import write_report
from unweave.report.place import RUN, check_page
from unweave.representation import Representation
from unweave.run.asked import asked_dataset, check_told
from unweave.run.drawn_run import DrawnRun
from unweave.run.exploring import Asking, Explorer, explorer_alone, explorer_of
from unweave.run.subjects import subject_of
from unweave.run.unscored import score_unscored
from unweave.scores import Scores, save_scores
from unweave.scoring import check, check_codes, score
from unweave.sharing import Pushed, pull_run, push_run
from unweave.training.precision import automatic


@final
class Run(DrawnRun):
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
        progress: Asked = "auto",
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
            progress: Shows the encoding and the scoring; `auto` does so in a notebook alone.

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
        with telling(progress) as told:
            dataset = self.dataset if data is None else asked_dataset(self.config, data, told)
            if analyses:
                check_told(self.config, dataset, [each.told for each in analyses])
            subject = subject_of(self, dataset, part=part, codes=codes, seed=seed, progress=told)
            auto = chosen.encode == "auto"
            precision: Precision = automatic(self.model.device) if auto else "float32"

            def table() -> Representation:
                return self._table(dataset, part, codes, seed, told, precision, chosen.images)

            given = (chosen, tabular, analyses, subject, table, part, metric_names)
            scores = score(*given, precision, repeats)
        save_scores(self.folder, tuple(scores.values()))
        return scores

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
            out: File to write, which ends in `.html`; `report.html` in the run folder by default.
            explorer: Whether latents can be moved by hand on the page.
            decoder: How the explorer decodes, as `explorer_html` takes it.
            onnxruntime_web: The package onnxruntime-web, as `explorer_html` takes it.
            images: Flat indices of the images that the explorer starts from.

        Returns:
            Path of the page.

        Raises:
            SpecError: The way to decode that is asked for cannot be had, or the name of the file
                is none of a page, or a file is there that is no report of a run.
            DataError: The dataset does not have one of the images.
        """
        path = None if out is None else Path(out)
        own = self.folder / "report.html"
        if path is not None and path.resolve() != own.resolve():
            check_page(path, RUN)
        asking = Asking(decoder, onnxruntime_web, images)
        asking.check(self.config.dataset, explorer=explorer)
        # A model that no metric can score, such as one of a single latent, has a page too.
        left_out: dict[str, str] = {}
        if reason := score_unscored(self):
            left_out["scores"] = reason
        left_out |= self._draw(self._usual)[1]
        moved = None
        if explorer:
            moved, missing = explorer_of(self, asking)
            left_out |= missing
        return write_report(self.folder, path, left_out=left_out, explorer=moved)

    def explorer(
        self,
        *,
        decoder: str = "auto",
        onnxruntime_web: str | Path | None = None,
        images: Sequence[int] = (),
        height: int = 780,
    ) -> Explorer:
        """The explorer, which a notebook shows: latents are moved by hand.

        It is a frame that holds all it needs, and which styles and scripts around it do not reach.
        Its `html` is that frame for another page, and `save` writes it as a page of its own.

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
        return explorer_alone(self, Asking(decoder, onnxruntime_web, images), height)

    def explorer_html(self, **asked: Any) -> str:
        """The frame of `explorer` as text, for a page; it takes and raises the same."""
        return self.explorer(**asked).html

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

    def cite(self) -> Citations:
        """What to cite for the run: printing gives BibTeX, and what each entry is cited for.

        That is unweave, its dataset, objective and terms, architecture, the metrics that it has
        been scored with, and the publication of its preset or of the project it was imported from.

        Raises:
            RunError: Its files are damaged.
        """
        return cite(self.folder)

    def push(
        self,
        target: str | Path,
        *,
        snapshots: bool = False,
        license: str | None = None,
        private: bool = False,
        overwrite: bool = False,
        dry_run: bool = False,
        progress: Asked = "auto",
    ) -> Pushed:
        """Put the run where others can `pull` it, with a model card.

        Caches, the log and what trackers keep stay here. To push again replaces what is there.

        Args:
            target: A folder, a URL of fsspec such as `s3://BUCKET/FOLDER`, or `hf://ORG/NAME` of
                the Hugging Face Hub, which needs `pip install 'unweave[hub]'`.
            snapshots: Whether weights of earlier steps go with it.
            license: Of the weights, by the name that the hub has for it, such as `mit`.
            private: Whether a repository of the hub that is made is seen by its owners alone.
            overwrite: Whether another run may be replaced that is there, or a card that was
                edited.
            dry_run: Only say what would be pushed; the target is not looked at.
            progress: Shows what is sent; `auto` does so in a notebook alone.

        Returns:
            What was pushed: `files` with their bytes, `left_out`, `notes`.

        Raises:
            RunError: The run has no weights or is being trained; or the target is in the way,
                does not answer, or may not be written.
            SpecError: The target or licence is none, or a package for the target is missing.
        """
        with telling(progress) as told:
            return push_run(
                self.folder,
                target,
                snapshots=snapshots,
                license=license,
                private=private,
                overwrite=overwrite,
                dry_run=dry_run,
                progress=told,
            )


def pull(
    source: str | Path,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    report: bool = False,
    progress: Asked = "auto",
) -> Run:
    """Fetch a run that was pushed, and open it; where it is there already, only open it.

    Every file is checked before the folder appears. Weights are read from safetensors alone, and
    nothing that is fetched is run.

    Args:
        source: A folder, a URL of fsspec, or `hf://ORG/NAME`, with `@REVISION` for a branch, tag
            or commit.
        out: The run folder to make; by default the name of the source, under `runs/` or
            `UNWEAVE_RUNS`.
        overwrite: Whether another run may be replaced that is there.
        report: Whether `report.html` is fetched, too, a page with scripts by whoever pushed it.
        progress: Shows what is fetched; `auto` does so in a notebook alone.

    Raises:
        RunError: There is no such run, or not all of it; it is damaged or of something else; or
            the folder is in the way.
        SpecError: The source is no place, or a package for it is missing.
        UnweaveError: The folder cannot be written.
    """
    with telling(progress) as told:
        made = pull_run(source, out, overwrite=overwrite, report=report, progress=told)
    return load_run(made.folder)


def load_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises:
        RunError: It is not one, or is of a format that this version does not read.
    """
    return Run(Path(path))
