"""Pictures asked for one by one, as blocks of images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.own.blocks import block_size
from unweave.data.own.decoding import Unusable
from unweave.data.own.fitting import Fitting
from unweave.errors import DataError
from unweave.progress import Progress

__all__ = ["read_items"]

_NAMED: Final = 10


def read_items(
    item: Callable[[int], Any],
    count: int,
    fitting: Fitting,
    image_shape: tuple[int, int, int],
    where: str,
    progress: Progress | None,
) -> Iterator[NDArray[np.uint8]]:
    """Images in blocks, (n, H, W, C).

    Args:
        item: Gives the picture of an index.
        count: How many there are.
        fitting: What is made of each.
        image_shape: What each must be then.
        where: What they are from, for messages.
        progress: Told how many are read.

    Raises:
        DataError: Some are no pictures, or of another shape; the message names the first ten.
    """
    wanted = block_size(image_shape)
    block: list[NDArray[np.uint8]] = []
    faults: list[str] = []
    brightest, mixed = 0, False
    for index in range(count):
        try:
            image = fitting.one(item(index))
            if image.shape != image_shape:
                mixed = True
                raise Unusable(f"the shape {image.shape}, where the first has {image_shape}")
            block.append(image)
            brightest = max(brightest, int(image.max()))
        except (Unusable, OSError, SyntaxError) as reason:
            faults.append(f"{index} ({reason})")
        except Exception as error:
            # One of the user's own code, which alone knows what it means.
            error.add_note(f"This was image {index:,} of {count:,} of {where}. Nothing is stored.")
            raise
        if progress is not None and (index % 64 == 63 or index + 1 == count):
            progress("reading images", index + 1, count)
        if len(block) >= wanted:
            if not faults:
                yield np.stack(block)
            block.clear()
    if faults:
        hint = " Pictures of several shapes: size=... and colour=... make them alike." * mixed
        more = f"; and {len(faults) - _NAMED:,} more" if len(faults) > _NAMED else ""
        raise DataError(
            f"{len(faults):,} of the {count:,} images of {where} cannot be used: "
            f"{'; '.join(faults[:_NAMED])}{more}.{hint} Nothing is stored."
        )
    if brightest == 1 and fitting.white is None:
        raise DataError(
            f"The images of {where} are all but black: no pixel is above 1 of 255. If 1 stands "
            "for white, give white=1. Nothing is stored."
        )
    if block:
        yield np.stack(block)
