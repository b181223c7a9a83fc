"""The explorer of a run: latents moved by hand in its report or in a notebook."""

from __future__ import annotations

__all__ = ["Asking", "explorer_fragment", "explorer_of"]

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from unweave.data import Dataset
from unweave.errors import DataError, SpecError
from unweave.explorer import (
    ROOM,
    Explored,
    OnnxRuntime,
    Source,
    build,
    check_decoder,
    read_package,
)
from unweave.report import explorer_frame, explorer_page, page_room

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

    def check(self, *, explorer: bool = True) -> None:
        """Refuse what cannot be, before any work.

        Args:
            explorer: Whether there will be one.

        Raises:
            SpecError: An unknown way to decode, one without its package, or no explorer to ask.
        """
        check_decoder(self.decoder, self.package)
        if not explorer and not self.plain:
            raise SpecError(
                "A page without explorer has no decoder and no images to start from. Leave out "
                "--without-explorer, or --decoder, --onnxruntime-web and --start-images."
            )

    def runtime(self) -> OnnxRuntime | None:
        """ONNX Runtime Web, where it is given.

        Raises:
            SpecError: It is not there, or is another package.
        """
        return None if self.package is None else read_package(Path(self.package))


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


def explorer_fragment(run: Run, asking: Asking, height: int) -> str:
    """The explorer of a run as a frame for another page, `height` CSS pixels high.

    Raises:
        SpecError: What is asked for cannot be had.
        DataError: The dataset does not have one of the images.
    """
    made = _build(run, asking, ROOM)
    title = f"Explorer of {run.folder.resolve().name}"
    return explorer_frame(explorer_page(made.decoder, made.content, title), height)


def _build(run: Run, asking: Asking, room: int) -> Explored:
    asking.check()
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
        runtime=asking.runtime(),
        images=asking.images,
        room=room,
    )
