"""Runs of published studies, for tests."""

from __future__ import annotations

from typing import Any

from unweave.studies.fields import config_of
from unweave.studies.published import published, published_studies
from unweave.training import TrainConfig

__all__ = ["ALL", "SCRIPTS", "runs_of", "stood_in"]

ALL = {study.name: study for study in published_studies()}
SCRIPTS = [name for name in ALL if name.startswith("dpt/")]


def runs_of(name: str, scale: float = 1.0) -> list[dict[str, Any]]:
    """The settings of each run."""
    return published(name, scale).combinations()


def stood_in(settings: dict[str, Any]) -> TrainConfig:
    """The configuration, with what unweave has in the place of networks and rates to come."""
    stand_ins = {"architecture": "burgess", "optimizer": "adam(lr=0.0001)"}
    return config_of(settings | {n: t for n, t in stand_ins.items() if n in settings})
