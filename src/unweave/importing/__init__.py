"""Checkpoints of other projects as runs: read without running anything, converted, recorded."""

from unweave.importing.importer import import_run

__all__ = ["import_run"]
