"""Pages of source code in one folder share their navigation, which takes most of a build to make.

None of them stands in it, so that it differs from one to another by its relative links alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

_SOURCES = "_modules/"
_Navigation = Callable[..., str]


class _Shared:
    """The navigation of each folder, kept once it has been made."""

    def __init__(self) -> None:
        self._kept: dict[tuple[object, ...], str] = {}

    def give(
        self, app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
    ) -> None:
        """Let a page of source code take what another one of its folder had."""
        if page.startswith(_SOURCES) and "toctree" in context:
            context["toctree"] = self._keeping(posixpath.dirname(page), context["toctree"])

    def _keeping(self, folder: str, make: _Navigation) -> _Navigation:
        def navigation(**options: object) -> str:
            key = (folder, *sorted(options.items()))
            if key not in self._kept:
                self._kept[key] = make(**options)
            return self._kept[key]

        return navigation


def setup(app: Sphinx) -> dict[str, Any]:
    """Give pages their navigation before the theme asks for it."""
    app.connect("html-page-context", _Shared().give, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
