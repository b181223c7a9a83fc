"""A training configuration from settings by path, such as `objective.beta` or `optimizer.lr`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from unweave.errors import SpecError, nearest
from unweave.presets import preset
from unweave.settings import make_config
from unweave.training import TrainConfig
from unweave.training.paths import tupled

__all__ = ["config_of"]


def config_of(settings: Mapping[str, Any]) -> TrainConfig:
    """The configuration that settings describe.

    Args:
        settings: Arguments of `unweave.train` by name, and `preset`; and fields of components by
            path: `objective.beta` is a field of the method, `objective.NAME.weight` of the term or
            method of that name, `dataset.grid` and `optimizer.lr` of those components, to any
            depth. Texts are read where a component is expected.

    Raises:
        SpecError: A name or a value is wrong, or something is missing, such as the run whose
            weights a preset goes on from.
    """
    plain = {path: value for path, value in settings.items() if "." not in path}
    if "preset" in plain:
        if not isinstance(plain["preset"], str):
            raise SpecError(f"preset takes the name of one, not {plain['preset']!r:.100}.")
        entry = preset(plain.pop("preset"))
        entry.check_start(plain)
        plain = entry.overridden(plain)
    for name in ("dataset", "objective"):
        if name not in plain:
            raise SpecError(
                f'A run has no {name}: write for instance {name} = "{_EXAMPLE[name]}".'
            )
    known = {field.name for field in dataclasses.fields(TrainConfig)} | {"epochs", "lr", "preset"}
    for name in plain:
        if name not in known:
            raise SpecError(f"There is no setting {name!r}. {nearest(name, known)}")
    plain = {name: tupled(value) for name, value in plain.items()}
    config = make_config(plain.pop("dataset"), plain.pop("objective"), **plain)
    deeper = [(path, value) for path, value in settings.items() if "." in path]
    for path, _ in deeper:
        if path.partition(".")[0] not in known:
            raise SpecError(f"There is no setting {path!r}. {nearest(path, known)}")
    return config.changed(deeper) if deeper else config


_EXAMPLE = {"dataset": "dsprites", "objective": "beta_tcvae(beta=6)"}
