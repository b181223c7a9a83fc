"""Presets: published settings by name."""

from unweave.presets.base import Preset, Scoring
from unweave.presets.catalog import PRESETS, preset

__all__ = ["PRESETS", "Preset", "Scoring", "preset"]
