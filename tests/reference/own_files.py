"""Small files of one's own, as a user would write them: a folder, npz, HDF5, a saved dataset."""

from __future__ import annotations

import csv
import json
import sys
from types import ModuleType, SimpleNamespace

import h5py
import numpy as np
from PIL import Image

from unweave.data import from_arrays

__all__ = [
    "OWN",
    "STAND_IN",
    "WITHOUT_FACTORS",
    "rows_of",
    "save_rows",
    "write_folder",
    "write_table",
]

SIZES = (2, 3, 4)
"""Values of shape, x and y in `OWN`."""


def pictures(count=24, side=16, seed=0):
    """Noise, no two alike: (count, side, side, 3)."""
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def grid(sizes=SIZES):
    """Factor indices of a full grid in C order, row by row, the last factor fastest."""
    rows = [[]]
    for size in sizes:
        rows = [[*row, value] for row in rows for value in range(size)]
    return np.array(rows)


def write_folder(folder, images, names=None):
    """PNG files; their names."""
    names = names or [f"{index:03d}.png" for index in range(len(images))]
    for name, image in zip(names, images, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name)
    return names


def write_table(path, header, rows, mark=","):
    """A CSV with a line of names."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, delimiter=mark).writerows([header, *rows])


def _folder(folder, patch):
    names = write_folder(folder, pictures())
    shapes = ("disc", "square")
    rows = [
        (name, shapes[shape], x, y / 4)
        for name, (shape, x, y) in zip(names, grid().tolist(), strict=True)
    ]
    write_table(folder / "factors.csv", ("file", "shape", "x", "y"), rows)
    return f"folder(path={str(folder)!r}, size=16, factors='factors.csv')"


def _arrays(folder, patch):
    np.savez(folder / "own.npz", images=pictures(), factors=grid(), factor_names=["a", "b", "c"])
    return f"arrays(path={str(folder / 'own.npz')!r})"


def _h5(folder, patch):
    with h5py.File(folder / "own.h5", "w") as file:
        file["train/images"] = pictures()[..., 0]
        # No grid: a row is missing, another stands twice.
        file["train/factors"] = np.concatenate([grid()[:1], grid()[:-1]])
    place = str(folder / "own.h5")
    return f"h5(path={place!r}, images='train/images', factors='train/factors')"


def _stored(folder, patch):
    patch.setenv("UNWEAVE_HOME", str(folder))
    from_arrays(pictures(), factor_sizes=SIZES, name="contract")
    return "stored(key='contract')"


def _hub(folder, patch):
    rows = [
        {"image": Image.fromarray(image), "shape": shape, "x": x, "y": y}
        for image, (shape, x, y) in zip(pictures(), grid().tolist(), strict=True)
    ]
    save_rows(folder / "saved", rows, {"shape": ["disc", "square"]}, patch)
    place = str(folder / "saved")
    return f"huggingface(path={place!r}, size=16, factors=('shape', 'x', 'y'))"


OWN = {
    "arrays": _arrays,
    "folder": _folder,
    "h5": _h5,
    "huggingface": _hub,
    "stored": _stored,
}
"""By the name of a dataset: writes a small one to a folder and gives its text."""


def _folder_alone(folder, patch):
    write_folder(folder, pictures())
    return f"folder(path={str(folder)!r}, size=16, colour=hsv)"


def _part_alone(folder, patch):
    return f"subset(data={_folder_alone(folder, patch)}, images=15)"


WITHOUT_FACTORS = {"folder without factors": _folder_alone, "part without factors": _part_alone}
"""Further datasets, whose factors are not known: writes one and gives its text."""


try:
    import datasets as _library
except ImportError:
    _library = None

STAND_IN = _library is None
"""Whether the library `datasets` is not there, and a stand-in with its interface is tested."""


def rows_of(rows, classes):
    """A dataset of the library of these rows; `classes` are names of class labels by column."""
    if _library is None:
        return _Rows(rows, classes)
    features = {}
    for column, value in rows[0].items():
        if column in classes:
            features[column] = _library.ClassLabel(names=classes[column])
        elif isinstance(value, Image.Image):
            features[column] = _library.Image()
        else:
            kinds = {int: "int64", float: "float64", str: "string"}
            features[column] = _library.Value(kinds[type(value)])
    return _library.Dataset.from_list(rows, features=_library.Features(features))


def save_rows(place, rows, classes, patch):
    """What `save_to_disk` writes of these rows, as a split `train`."""
    if _library is not None:
        _library.DatasetDict({"train": rows_of(rows, classes)}).save_to_disk(str(place))
        return
    place.mkdir(parents=True, exist_ok=True)
    columns = [column for column in rows[0] if not isinstance(rows[0][column], Image.Image)]
    (column,) = set(rows[0]).difference(columns)
    for index, row in enumerate(rows):
        row[column].save(place / f"{index}.png")
    form = {"rows": [{key: row[key] for key in columns} for row in rows], "classes": classes}
    (place / "dataset_dict.json").write_text("{}")
    (place / "data.arrow").write_text(json.dumps([form, column]))
    fake = ModuleType("datasets")
    fake.load_from_disk = _load
    patch.setitem(sys.modules, "datasets", fake)


def _load(place):
    from pathlib import Path

    form, column = json.loads((Path(place) / "data.arrow").read_text())
    rows = []
    for index, row in enumerate(form["rows"]):
        with Image.open(Path(place) / f"{index}.png") as image:
            rows.append({column: image.copy(), **row})
    return {"train": _Rows(rows, form["classes"])}


class _Rows:
    """As much of the library's Dataset as unweave uses."""

    def __init__(self, rows, classes):
        self._rows = rows
        self.column_names = list(rows[0])
        self.features = {
            name: SimpleNamespace(names=classes[name]) if name in classes else SimpleNamespace()
            for name in self.column_names
        }

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, key):
        return [row[key] for row in self._rows] if isinstance(key, str) else self._rows[key]

    def select_columns(self, names):
        return _Rows([{name: row[name] for name in names} for row in self._rows], {})
