"""How long work tells of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

__all__ = ["Progress"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and how much there is (images, or bytes)."""
