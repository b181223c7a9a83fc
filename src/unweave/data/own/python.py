"""Images from Python, stored once under a name: arrays, a PyTorch dataset, a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.base import Dataset
from unweave.data.own.arrays import Arrays
from unweave.data.own.base import block_size
from unweave.data.own.colours import Colour
from unweave.data.own.columns import (
    Known,
    factor_name,
    known_grid,
    known_of,
    named_columns,
)
from unweave.data.own.decoding import Unusable
from unweave.data.own.fitting import Fit, Fitting
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
        factors: (N, K) numbers or texts, or a column (N,) by name; None where they are not known.
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
    count = len(images)
    _check_count(name, count)
    if shape is None or len(shape) < 3:
        first = _first(fitting, images[0], name)
        blocks = read_items(lambda i: images[i], count, fitting, first, name, progress)
    else:
        if len(shape) > 4 or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
            raise DataError(
                f"{name}: images must have the shape (N, H, W), or (N, H, W, C) with 1, 3 or 4 "
                f"channels, which come last, not {tuple(shape)}."
            )
        first = fitting.shape((shape[1], shape[2], shape[3] if len(shape) == 4 else 1))
        blocks = _array_blocks(images, fitting, name, progress)
    known = _known(factors, factor_sizes, factor_names, count, bins, name)
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
    count = len(dataset)
    _check_count(name, count)
    image, label = _split(dataset[0])
    if labelled is None:
        labelled = label is not None
    first = _first(fitting, image, name)
    rows: list[Any] = []

    def item(index: int) -> Any:
        image, label = _split(dataset[index])
        rows.append(label)
        return image

    def known() -> Known | None:
        return _of_labels(rows, factor_names, bins, name) if labelled else None

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
        product = int(np.prod(np.asarray(factors, dtype=np.int64)))
        space = known_grid(factors, factor_names, product, name).space

    def item(index: int) -> Any:
        return render(space.unravel([index])[0])

    first = _first(fitting, item(0), name)
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


def _check_count(name: str, count: int) -> None:
    if not count:
        raise DataError(f"{name}: there is no image.")


def _first(fitting: Fitting, item: Any, name: str) -> tuple[int, int, int]:
    """(H, W, C) of the first image, which all others must have, too."""
    try:
        height, width, channels = fitting.one(item).shape
    except Unusable as reason:
        raise DataError(f"{name}: the first image is {reason}.") from reason
    return (height, width, channels)


def _array_blocks(
    images: Any, fitting: Fitting, name: str, progress: Progress | None
) -> Iterator[NDArray[np.uint8]]:
    """Images of an array, or of anything with slices that are arrays."""
    count = len(images)
    brightest, whole = 0.0, False
    step = block_size(images.shape[1:], 4)
    for start in range(0, count, step):
        rows = images[start : start + step]
        rows = np.asarray(rows.detach().cpu() if hasattr(rows, "detach") else rows)
        brightest, whole = max(brightest, float(rows.max())), rows.dtype.kind in "iu"
        try:
            yield fitting.block(rows)
        except Unusable as reason:
            raise DataError(
                f"{name}: among the images {start} to {start + len(rows) - 1} there are {reason}. "
                "Say with white=... what stands for white."
            ) from reason
        if progress is not None:
            progress("reading images", start + len(rows), count)
    if fitting.white is None and whole and brightest == 1:
        raise DataError(
            f"{name}: the images have pixels of 0 and 1 alone, as whole numbers: give white=1, or "
            "make them true and false. Nothing is stored."
        )


def _known(
    factors: ArrayLike | Mapping[str, ArrayLike] | None,
    sizes: Sequence[int] | None,
    names: Sequence[str] | None,
    count: int,
    bins: int,
    where: str,
) -> Known | None:
    """Factors as they are given."""
    if factors is None:
        return None if sizes is None else known_grid(sizes, names, count, where)
    if sizes is not None:
        raise DataError(f"{where}: give either factors or factor_sizes, not both.")
    if isinstance(factors, Mapping):
        if names is not None:
            raise DataError(f"{where}: a mapping has names of its own: leave factor_names out.")
        columns = {factor_name(str(key)): np.asarray(value) for key, value in factors.items()}
        for key, column in columns.items():
            if column.shape != (count,) or len(columns) < len(factors):
                raise DataError(
                    f"{where}: {key} must have a name of its own and one value for each of the "
                    f"{count:,} images, but has the shape {column.shape}."
                )
        return known_of(columns, bins, where) if columns else None
    return known_of(named_columns(factors, names, count, where), bins, where)


def _split(item: Any) -> tuple[Any, Any]:
    """An image and its labels, None without."""
    if isinstance(item, tuple | list):
        if len(item) == 1:
            return item[0], None
        return item[0], item[1] if len(item) == 2 else tuple(item[1:])
    return item, None


def _of_labels(rows: list[Any], names: Sequence[str] | None, bins: int, where: str) -> Known:
    """Factors of labels, one of each image."""
    if isinstance(rows[0], Mapping):
        keys = list(rows[0])
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping) or list(row) != keys:
                raise DataError(
                    f"{where}: the labels of image {index} are not of "
                    f"{', '.join(map(str, keys))}, as those of the first."
                )
        table = {str(key): [_value(row[key]) for row in rows] for key in keys}
        known = _known(table, None, names, len(rows), bins, where)
        assert known is not None
        return known
    first = _values(rows[0])
    cells = [_values(row) for row in rows]
    for index, row in enumerate(cells):
        if len(row) != len(first):
            raise DataError(
                f"{where}: image {index} has {len(row)} labels, but the first has {len(first)}."
            )
    columns = np.empty((len(cells), len(first)), dtype=object)
    columns[:] = cells
    return known_of(named_columns(columns, names, len(rows), where), bins, where)


def _values(label: Any) -> list[Any]:
    """The labels of one image, as plain values."""
    if hasattr(label, "detach"):
        label = label.detach().cpu().numpy()
    if isinstance(label, tuple | list):
        return [_value(each) for each in label]
    return np.asarray(label).reshape(-1).tolist()


def _value(label: Any) -> Any:
    """A label as a number or text of Python."""
    return label.item() if hasattr(label, "item") else label
