"""Runs of published studies, for tests."""

from __future__ import annotations

from typing import Any

from unweave.studies.published import published, published_studies

__all__ = ["ALL", "SCRIPTS", "runs_of"]

ALL = {study.name: study for study in published_studies()}
SCRIPTS = [name for name in ALL if name.startswith("dpt/")]


def runs_of(name: str, scale: float = 1.0) -> list[dict[str, Any]]:
    """The settings of each run."""
    return published(name, scale).combinations()
