"""The explorer of a run: latents moved by hand in its report or in a notebook."""

from __future__ import annotations

__all__ = ["Asking", "Explorer", "explorer_alone", "explorer_of"]

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from unweave.data import Dataset, DatasetSpec
from unweave.errors import DataError, SpecError
from unweave.explorer import (
    ROOM,
    Explored,
    OnnxRuntime,
    Source,
    build,
    check_decoder,
    check_starts,
    read_package,
)
from unweave.report import explorer_frame, explorer_page, page_room
from unweave.rundir import atomic_write

if TYPE_CHECKING:
    from unweave.run.opened import Run

log = logging.getLogger("unweave")


@final
@dataclass(frozen=True)
class Asking:
    """What is asked of an explorer.

    Attributes:
        decoder: One of `unweave.explorer.DECODERS`.
        package: Where the package onnxruntime-web lies, or None.
        images: Flat indices of the images that it starts from; none for those of the figures.
    """

    decoder: str = "auto"
    package: str | Path | None = None
    images: Sequence[int] = ()

    @property
    def plain(self) -> bool:
        """Whether nothing in particular is asked for, so that a page can do without it."""
        return self.decoder == "auto" and self.package is None and not len(self.images)

    def check(self, dataset: DatasetSpec, *, explorer: bool = True) -> None:
        """Refuse what cannot be, before any work.

        Args:
            dataset: What was trained on.
            explorer: Whether there will be one.

        Raises:
            SpecError: An unknown way to decode, one without its package, a package that is not
                there or is another one, or no explorer to ask.
            DataError: The dataset does not have one of the images.
        """
        check_decoder(self.decoder, self.package)
        if not explorer and not self.plain:
            raise SpecError(
                "A page without explorer has no decoder and no images to start from. Leave out "
                "--without-explorer, or --decoder, --onnxruntime-web and --start-images."
            )
        check_starts(dataset, self.images)
        _ = self.runtime

    @cached_property
    def runtime(self) -> OnnxRuntime | None:
        """ONNX Runtime Web, where it is given.

        Raises:
            SpecError: It is not there, or is another package.
        """
        return None if self.package is None else read_package(Path(self.package))


@final
@dataclass(frozen=True, repr=False)
class Explorer:
    """The explorer of a run, which a notebook shows: latents are moved by hand.

    Attributes:
        name: Name of the run.
        page: A page of HTML that holds all it needs.
        height: Of its frame, in CSS pixels.
    """

    name: str
    page: str
    height: int

    @property
    def html(self) -> str:
        """A frame for another page, whose styles and scripts do not reach it."""
        return explorer_frame(self.page, self.height)

    def save(self, path: str | Path) -> Path:
        """Write it as a page of its own.

        Raises:
            UnweaveError: The disk is full or the folder cannot be written.
        """
        path = Path(path)
        with atomic_write(path) as handle:
            handle.write(self.page.encode("utf-8"))
        return path

    def __repr__(self) -> str:
        """How large it is, and how it is looked at where there is no notebook."""
        size = len(self.html.encode("utf-8")) / 1e6
        return (
            f"<Explorer of {self.name}, {size:.1f} MB of HTML. A notebook shows it; elsewhere "
            ".save('explorer.html') writes a page for the browser, and .html is a frame for a "
            "page of yours.>"
        )

    def _repr_html_(self) -> str:
        return self.html


def explorer_of(
    run: Run, asking: Asking
) -> tuple[tuple[str, Mapping[str, Any]] | None, dict[str, str]]:
    """The explorer of a run's report, or None with the reason.

    Whatever fails where nothing in particular was asked for leaves a page without it.

    Raises:
        SpecError: What is asked for cannot be had.
        DataError: The dataset does not have one of the images.
    """
    try:
        made = _build(run, asking, page_room(run.folder))
    except Exception as error:
        if not asking.plain:
            raise
        log.warning("The explorer is left out. %s", error)
        return None, {"explorer": str(error)}
    return (made.decoder, made.content), {}


def explorer_alone(run: Run, asking: Asking, height: int) -> Explorer:
    """The explorer of a run by itself, in a frame of `height` CSS pixels.

    Raises:
        SpecError: What is asked for cannot be had.
        DataError: The dataset does not have one of the images.
    """
    made = _build(run, asking, ROOM)
    name = run.folder.resolve().name
    return Explorer(name, explorer_page(made.decoder, made.content, f"Explorer of {name}"), height)


def _build(run: Run, asking: Asking, room: int) -> Explored:
    asking.check(run.config.dataset)
    dataset: Dataset | None
    try:
        dataset = run.dataset
    except DataError:
        if len(asking.images):
            raise
        dataset = None
    source = Source(run.folder, run.config, run.model, dataset, run.step)
    return build(
        source,
        decoder=asking.decoder,
        runtime=asking.runtime,
        images=asking.images,
        room=room,
    )
