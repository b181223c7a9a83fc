"""Sphinx settings; the build needs no network."""

from __future__ import annotations

import sys
from pathlib import Path

from unweave._version import __version__

sys.path.append(str(Path(__file__).parent))  # of the extensions that lie here

from public_modules import context

project = "unweave"
author = "The unweave developers"
copyright = "The unweave developers"
version = release = __version__

extensions = [
    "aliases",
    "backlinks",
    "component_fields",
    "mathml",
    "myst_parser",
    "shared_navigation",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "reference/_template.md"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"unweave {release}"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_math_renderer = "mathml"

myst_heading_anchors = 3
# $a$ and $$a$$ are formulas.
myst_enable_extensions = ["dollarmath"]
myst_dmath_double_inline = False

# One page a room, made from its `__all__`; see _templates/autosummary/module.rst.
autosummary_generate = True
autosummary_ignore_module_all = False
autosummary_imported_members = True
autosummary_context = context()
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
