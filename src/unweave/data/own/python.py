"""Images from Python, stored once under a name: arrays, a PyTorch dataset, a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.base import Dataset
from unweave.data.own.arrays import Arrays
from unweave.data.own.blocks import WHITE, array_blocks, block_size
from unweave.data.own.colours import Colour
from unweave.data.own.columns import Known, known_grid
from unweave.data.own.decoding import Unusable, plain_array
from unweave.data.own.fitting import Fit, Fitting
from unweave.data.own.given import known_of_labels, known_of_table, split_item
from unweave.data.own.items import read_items
from unweave.data.own.stored import StoredImages, keep
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import build

__all__ = ["Items", "from_arrays", "from_function", "from_torch"]


class Items(Protocol):
    """What `from_torch` takes: a length, and an item for each index."""

    def __len__(self) -> int:
        """How many items there are."""

    def __getitem__(self, index: int, /) -> Any:
        """An image, or an image with its label or labels."""


def from_arrays(
    images: Any,
    factors: ArrayLike | Mapping[str, ArrayLike] | None = None,
    *,
    name: str,
    factor_sizes: Sequence[int] | None = None,
    factor_names: Sequence[str] | None = None,
    size: int | None = None,
    colour: Colour | None = None,
    fit: Fit = "crop",
    background: int = 0,
    white: float | None = None,
    bins: int = 10,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Store images under a name, and open them as a dataset.

    The dataset's text is `stored(key="NAME")`, in any process with the same UNWEAVE_HOME.

    Args:
        images: (N, H, W), or (N, H, W, C) with one, three or four channels; or pictures of Pillow.
            A memory map or an array of h5py is read in blocks.
        factors: (N, K) numbers or texts; or columns (N,) by name, in a mapping or a table of
            pandas; or a mapping for each image. None where they are not known.
        name: Letters, digits, `_`, `-` and `.`.
        factor_sizes: (K,), instead of factors, when the images are the full grid in C order, the
            last factor fastest.
        factor_names: K names; `factor_0`, ... without.
        size: Height and width; None for those of the images.
        colour: `rgb`, `grey` or `hsv`; None for that of the images.
        fit: `crop`, `stretch` or `pad` images that are no squares and get a size.
        background: Grey of what is transparent or padded, 0 to 255.
        white: What stands for white; None for 255, or 1 for fractions, or 65535 for uint16.
        bins: Intervals of each continuous factor, for its index; its exact values are kept.
        overwrite: Replace other images that are stored under this name.
        progress: Called with what is being done, how much is done, and how much there is.

    Raises:
        SpecError: A setting is wrong.
        DataError: These are no images, factors do not fit them, or the name is taken by others.

    Example:
        >>> data = from_arrays(images, {"x": xs, "y": ys}, name="mine")  # doctest: +SKIP
    """
    fitting = _fitting(name, size, colour, fit, background, white, bins)
    shape = getattr(images, "shape", None)
    count = _count(images, name)
    if shape is None or len(shape) < 3:
        first = _first(fitting, lambda: images[0], name)
        blocks = read_items(lambda i: images[i], count, fitting, first, name, progress)
    else:
        if len(shape) > 4 or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
            raise DataError(
                f"{name}: images must have the shape (N, H, W), or (N, H, W, C) with 1, 3 or 4 "
                f"channels, which come last, not {tuple(shape)}."
            )
        first = fitting.shape((shape[1], shape[2], shape[3] if len(shape) == 4 else 1))
        where = f"{name}: the array of images"
        blocks = array_blocks(_sliced(images), count, fitting, where, progress)
    known = known_of_table(factors, factor_sizes, factor_names, count, bins, name)
    return keep(name, blocks, count, first, lambda: known, overwrite=overwrite, progress=progress)


def from_torch(
    dataset: Items,
    *,
    name: str,
    factor_names: Sequence[str] | None = None,
    labelled: bool | None = None,
    size: int | None = None,
    colour: Colour | None = None,
    fit: Fit = "crop",
    background: int = 0,
    white: float | None = None,
    bins: int = 10,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Store a `torch.utils.data.Dataset`, or anything like it, under a name, and open it.

    Each item is a picture of Pillow, an array or a tensor: (H, W), (H, W, C) or (C, H, W). Or it
    is a pair of one and its labels: a number or text, several, or a mapping from name to value.
    Or it is a mapping with the picture under `image` and a label under every other name.
    The items are asked for in order, once, but the first of them twice.

    Args:
        dataset: Has a length and items by index.
        name: As of `from_arrays`, which says the same of all that is not said here.
        factor_names: K names of the labels; `factor_0`, ... without, or those of a mapping.
        labelled: Whether labels are factors; None for whether there are any. False leaves them.
        size: Height and width; None for those of the items.
        colour: `rgb`, `grey` or `hsv`; None for that of the items.
        fit: `crop`, `stretch` or `pad` images that are no squares and get a size.
        background: Grey of what is transparent or padded, 0 to 255.
        white: What stands for white in arrays.
        bins: Intervals of each continuous factor.
        overwrite: Replace other images that are stored under this name.
        progress: Called with what is being done, how much is done, and how much there is.

    Raises:
        SpecError: A setting is wrong.
        DataError: An item is no image, labels do not fit, or the name is taken by others.

    Example:
        >>> data = from_torch(torchvision_dataset, name="mine", size=64)  # doctest: +SKIP
    """
    fitting = _fitting(name, size, colour, fit, background, white, bins)
    count = _count(dataset, name)
    begun: list[Any] = []

    def begin() -> Any:
        image, label = split_item(dataset[0])
        begun.append(label)
        return image

    first = _first(fitting, begin, name)
    if labelled is None:
        labelled = begun[0] is not None
    rows: list[Any] = []

    def item(index: int) -> Any:
        image, label = split_item(dataset[index])
        rows.append(label)
        return image

    def known() -> Known | None:
        return known_of_labels(rows, factor_names, count, bins, name) if labelled else None

    blocks = read_items(item, count, fitting, first, name, progress)
    return keep(name, blocks, count, first, known, overwrite=overwrite, progress=progress)


def from_function(
    render: Callable[[NDArray[np.int64]], Any],
    factors: FactorSpace | Sequence[int],
    *,
    name: str,
    factor_names: Sequence[str] | None = None,
    size: int | None = None,
    colour: Colour | None = None,
    fit: Fit = "crop",
    background: int = 0,
    white: float | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Draw every combination of some factors once, store the images under a name, and open them.

    Args:
        render: Called with the factor indices of one image, (K,) int64, in C order; gives a
            picture of Pillow or an array, (H, W), (H, W, C) or (C, H, W).
        factors: The factors, or how many values each has, (K,).
        name: As of `from_arrays`, which says the same of all that is not said here.
        factor_names: K names, where only sizes are given; `factor_0`, ... without.
        size: Height and width; None for those of the pictures.
        colour: `rgb`, `grey` or `hsv`; None for that of the pictures.
        fit: `crop`, `stretch` or `pad` pictures that are no squares and get a size.
        background: Grey of what is transparent or padded, 0 to 255.
        white: What stands for white in arrays.
        overwrite: Replace other images that are stored under this name.
        progress: Called with what is being done, how much is done, and how much there is.

    Raises:
        SpecError: A setting is wrong.
        DataError: What is drawn is no image, or the name is taken by others.

    Example:
        >>> data = from_function(draw, (8, 8), name="mine")  # doctest: +SKIP
    """
    fitting = _fitting(name, size, colour, fit, background, white)
    if isinstance(factors, FactorSpace):
        space = factors
        if factor_names is not None:
            raise DataError(f"{name}: a FactorSpace has names of its own: leave factor_names out.")
    else:
        space = known_grid(factors, factor_names, None, name).space
    if not callable(render):
        raise DataError(f"{name}: render must be a function, not {render!r:.100}.")

    def item(index: int) -> Any:
        return render(space.unravel([index])[0])

    first = _first(fitting, lambda: item(0), name)
    blocks = read_items(item, space.size, fitting, first, name, progress)
    return keep(
        name,
        blocks,
        space.size,
        first,
        lambda: Known(space, None),
        overwrite=overwrite,
        progress=progress,
    )


def _fitting(
    name: str,
    size: int | None,
    colour: Colour | None,
    fit: Fit,
    background: int,
    white: float | None,
    bins: int = 10,
) -> Fitting:
    """The settings, checked as those of the components are."""
    StoredImages(key=name)
    given = {"size": size, "colour": colour, "fit": fit, "background": background}
    checked = build(Arrays, given | {"path": name, "white": white, "bins": bins})
    return checked.fitting


def _count(items: Any, name: str) -> int:
    """How many items there are."""
    try:
        count = len(items)
    except TypeError:
        raise DataError(
            f"{name}: {type(items).__name__} has no length: give a list, an array, or a dataset "
            "with a length and items by index."
        ) from None
    if not count:
        raise DataError(f"{name}: there is no image.")
    return count


def _first(fitting: Fitting, item: Callable[[], Any], name: str) -> tuple[int, int, int]:
    """(H, W, C) of the first image, which all others must have, too."""
    try:
        height, width, channels = fitting.one(item()).shape
    except Unusable as reason:
        hint = f" {WHITE}" if str(reason).startswith("pixels") else ""
        raise DataError(f"{name}: the first image is {reason}.{hint}") from reason
    return (height, width, channels)


def _sliced(images: Any) -> Iterator[NDArray[Any]]:
    """Blocks of an array, or of anything with slices that are arrays."""
    step = block_size(images.shape[1:], 4)
    for start in range(0, len(images), step):
        yield plain_array(images[start : start + step])
