"""Presets: published settings by name."""

from unweave.studies.base import Preset
from unweave.studies.presets import PRESETS, preset

__all__ = ["PRESETS", "Preset", "preset"]
