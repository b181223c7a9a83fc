"""Presets: published settings by name."""

from unweave.studies.presets import PRESETS, Preset, preset

__all__ = ["PRESETS", "Preset", "preset"]
