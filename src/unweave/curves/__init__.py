"""Interactive curves of what was logged: from rows to curves, and what draws them on a page."""

from __future__ import annotations

__all__ = ["GROUPS", "POINTS", "SCRIPTS", "STYLE", "asset", "collect", "thinned", "unfinite"]

from unweave.curves.assets import SCRIPTS, STYLE, asset
from unweave.curves.rows import GROUPS, collect, unfinite
from unweave.curves.thinning import POINTS, thinned
