"""What models are called beside each other: by what tells them apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from unweave.rundir import ASIDE
from unweave.spec import to_dict
from unweave.training import TrainConfig

__all__ = ["model_names"]

# Whatever else differs between two runs of one name is said, too, but for what no result is of.
_APART = ("dataset", "objective", *ASIDE)
_FURTHER = tuple(f.name for f in dataclasses.fields(TrainConfig) if f.name not in _APART)


def model_names(configs: Sequence[TrainConfig]) -> list[str]:
    """A short name for the model of each run, such as `factor_vae(gamma=20)`.

    Of an objective of one method its name, with the fields in which objectives of this name
    differ. Runs of one name that differ in more than their data and their seed have that in their
    names, too.

    Args:
        configs: What was trained.
    """
    short = [_objective_name(config, configs) for config in configs]
    names = []
    for config, name in zip(configs, short, strict=True):
        same = [other for other, its in zip(configs, short, strict=True) if its == name]
        differing = [
            f"{field}={getattr(config, field)}"
            for field in _FURTHER
            if len({str(getattr(other, field)) for other in same}) > 1
        ]
        names.append(", ".join([name, *differing]))
    return names


def _objective_name(config: TrainConfig, configs: Sequence[TrainConfig]) -> str:
    items = config.objective.items
    if len(items) > 1:
        return str(config.objective)
    method = items[0]
    alike = [
        other.objective.items[0]
        for other in configs
        if len(other.objective.items) == 1 and other.objective.items[0].name == method.name
    ]
    forms = [_fields(each) for each in alike]
    told = [
        f"{name}={value}"
        for name, value in _fields(method).items()
        if len({str(form[name]) for form in forms}) > 1
    ]
    return method.name + (f"({', '.join(told)})" if told else "")


def _fields(method: Any) -> dict[str, Any]:
    return {name: _shown(method, name) for name in to_dict(method) if name != "type"}


def _shown(method: Any, name: str) -> str:
    value = getattr(method, name)
    return f"{value:g}" if isinstance(value, float) else str(value)
