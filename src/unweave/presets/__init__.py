"""Presets: published settings by name."""

from unweave.presets.base import Preset, Scoring
from unweave.presets.catalog import NUMBERED, PRESETS, preset, presets_of
from unweave.presets.numbered import NumberedPresets

__all__ = [
    "NUMBERED",
    "PRESETS",
    "NumberedPresets",
    "Preset",
    "Scoring",
    "preset",
    "presets_of",
]
