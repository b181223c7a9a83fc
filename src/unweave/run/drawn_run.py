"""Figures of a run: drawn into its folder, or shown."""

from __future__ import annotations

__all__ = ["DrawnRun"]

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unweave import plots
from unweave.errors import DataError
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
from unweave.representation import Representation
from unweave.run.trained_run import TrainedRun

log = logging.getLogger("unweave")


class DrawnRun(TrainedRun):
    """A run folder with a model, of which figures are drawn.

    Attributes:
        folder: Where it lies.
        config: What was trained.
    """

    def plot(
        self,
        *kinds: str,
        look: Look | None = None,
        animations: bool = False,
        format: str = "gif",
    ) -> plots.Drawn:
        """Draw figures into `figures/`.

        Args:
            *kinds: Names from `unweave.figures.FIGURES`; all usual ones when none is given, or
                `all`, without those whose images or codes cannot be had, which the log names.
            look: What is asked for of the pictures, such as rows and columns.
            animations: Whether moving pictures are drawn with the usual ones.
            format: What moving pictures are written as: `gif`, `webp`, or `mp4`, which needs
                `pip install 'unweave[video]'`.

        Returns:
            Paths of the files, a list that a notebook shows as pictures.

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
        return plots.Drawn(paths)

    def picture(self, kind: str, look: Look | None = None) -> Any | None:
        """A figure that is not written anywhere, such as for a notebook.

        Args:
            kind: A name from `unweave.figures.FIGURES`.
            look: What is asked for of the picture.

        Returns:
            A figure of matplotlib; or (H, W, C) uint8, of what is pixels alone; or an `Animation`,
            with `frames`; None where the run has nothing to draw it from. A notebook shows each.

        Raises:
            SpecError: As for `plot`.
            DataError: Its images or codes cannot be had.
        """
        asked_kinds((kind,))
        check_figure(kind, self.config)
        drawn = draw_from(kind, self.source(kind, look))
        return plots.pictured(drawn) if isinstance(drawn, np.ndarray) else drawn

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
