"""Presets: published settings by name."""

from unweave.presets.base import Preset
from unweave.presets.catalog import PRESETS, preset

__all__ = ["PRESETS", "Preset", "preset"]
