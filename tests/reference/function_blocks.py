"""What the pages of functions say that the code knows: their arguments."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

__all__ = ["arguments"]


def arguments(function: Callable[..., Any]) -> str:
    """A table of the arguments of a function, as its signature and its documentation have them."""
    told = _told(inspect.getdoc(function) or "")
    lines = ["| argument | default | what it is |", "|---|---|---|"]
    for name, parameter in inspect.signature(function).parameters.items():
        required = parameter.default is inspect.Parameter.empty
        default = "" if required else f"`{parameter.default}`"
        lines.append(f"| `{name}` | {default} | {told[name]} |")
    return "\n".join(lines)


def _told(doc: str) -> dict[str, str]:
    """What a Google style docstring says of each argument."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", doc, re.S | re.M)
    assert section
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section[1], re.S | re.M)
    return {name: " ".join(text.split()) for name, text in entries}
