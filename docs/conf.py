"""Sphinx settings; the build needs no network."""

from __future__ import annotations

from unweave._version import __version__

project = "unweave"
author = "The unweave developers"
copyright = "The unweave developers"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"unweave {release}"
html_show_sphinx = False

myst_heading_anchors = 3

# One page a room, made from its `__all__`; see _templates/autosummary/module.rst.
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
    "show-inheritance": True,
}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
# A name that a room re-exports is found on two pages; either will do.
suppress_warnings = ["ref.python"]
