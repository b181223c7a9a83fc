"""A class that two rooms export is found under the name of its own module as well, once.

Sphinx takes the second description for a mistake. The first is what such a name leads to.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain

__all__ = ["Domain"]


class Domain(PythonDomain):
    """The domain of Python, in which several rooms may describe what a module defines."""

    def note_object(
        self, name: str, objtype: str, node_id: str, aliased: bool = False, location: Any = None
    ) -> None:
        """Note a name; a further description of what a module defines changes nothing.

        Args:
            name: The full name.
            objtype: What it is.
            node_id: Where on its page it is described.
            aliased: Whether it is the name in the module that defines it, not that of the page.
            location: For warnings.
        """
        known = self.objects.get(name)
        if not (aliased and known is not None and known.aliased):
            super().note_object(name, objtype, node_id, aliased, location)


def setup(app: Sphinx) -> dict[str, Any]:
    """Stand in the place of Sphinx's own."""
    app.add_domain(Domain, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
