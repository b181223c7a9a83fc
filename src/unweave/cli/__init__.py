"""The command line."""

from unweave.cli.app import main

__all__ = ["main"]
