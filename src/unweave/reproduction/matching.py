"""Which row a training belongs to, by its configuration alone."""

from __future__ import annotations

__all__ = ["base_text", "on_images", "row_of", "scored_data", "without_path"]

import dataclasses
import functools
import json
from collections.abc import Mapping
from typing import Any, Final

from unweave.conditions import held_out_text
from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import SpecError
from unweave.reproduction.catalog import ROWS
from unweave.reproduction.published import Row
from unweave.rundir import ASIDE
from unweave.spec import to_dict
from unweave.training import TrainConfig

# What may differ from the preset, and is told instead, beside the length and the seed.
_TOLD: Final = ("steps", "precision", "init_from", *ASIDE)
# Of a dataset: which images it has, and where they come from.
_IMAGES: Final = ("grid", "source", "path")


def row_of(config: TrainConfig) -> Row | None:
    """The row that a training repeats, or None where it repeats none.

    It has all settings of the row's preset but those that are told beside its scores: length,
    seed, precision, and whether images are drawn, those of the published file, or a part of
    either. A preset that goes on from other weights needs some, and the others have none.

    Args:
        config: What was trained.
    """
    row = _rows().get(_form(config))
    if row is None or (row.preset.after is None) != (config.init_from is None):
        return None
    return row


def scored_data(config: TrainConfig, data: str | None) -> str:
    """Text of the dataset that scores are of.

    Args:
        config: What was trained.
        data: None for what was trained on, or `HELD_OUT`.

    Raises:
        SpecError: Nothing is held out.
    """
    return str(config.dataset) if data is None else held_out_text(config.dataset)


def on_images(row: Row, dataset: str) -> TrainConfig:
    """The row's training on other images of the same dataset.

    Args:
        row: What is trained.
        dataset: Text of the whole dataset, such as `dsprites(source=archive)`, also where the row
            is trained on a part of it.

    Raises:
        SpecError: It is another dataset than the row's.
    """
    spec = parse_dataset(dataset)
    whole = _base(row.config.dataset)
    if type(spec) is type(whole):
        # A rule of the row's part is read in the new dataset, which must have its factors.
        config = dataclasses.replace(row.config, dataset=_replaced(row.config.dataset, spec))
        if _form(config) == _form(row.config):
            return config
    raise SpecError(
        f"{row.name} is trained on {row.config.dataset}, and {dataset} is no form of {whole}. "
        f'Give other images of the same dataset, such as "{whole.name}(source=archive)".'
    )


def without_path(spec: DatasetSpec) -> DatasetSpec:
    """The dataset without the place of its file on one machine."""
    base = _base(spec)
    if getattr(base, "path", None) is None:
        return spec
    changes: dict[str, Any] = {"path": None}
    return _replaced(spec, dataclasses.replace(base, **changes))


def base_text(dataset: str) -> str:
    """Text of the dataset of which another one is a part; else its own."""
    return str(_base(parse_dataset(dataset)))


def _base(spec: DatasetSpec) -> DatasetSpec:
    """The dataset of which another one is a part; else itself."""
    inner = getattr(spec, "data", None)
    return _base(inner) if isinstance(inner, DatasetSpec) else spec


def _replaced(spec: DatasetSpec, base: DatasetSpec) -> DatasetSpec:
    """The same part of another dataset."""
    inner = getattr(spec, "data", None)
    if not isinstance(inner, DatasetSpec):
        return base
    changes: dict[str, Any] = {"data": _replaced(inner, base)}
    return dataclasses.replace(spec, **changes)


def _form(config: TrainConfig) -> str:
    form = {name: value for name, value in to_dict(config).items() if name not in _TOLD}
    form["dataset"] = _without_images(form["dataset"])
    return json.dumps(form, sort_keys=True)


def _without_images(form: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_images(value) if isinstance(value, Mapping) else value
        for name, value in form.items()
        if name not in _IMAGES
    }


@functools.cache
def _rows() -> dict[str, Row]:
    """Each row by the form of its configuration."""
    return {_form(row.config): row for row in ROWS.values()}
