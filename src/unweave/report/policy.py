"""Which scripts a page may run: those that stand in it, by their digests, and no others."""

from __future__ import annotations

__all__ = ["script_policy"]

import base64
import hashlib
import re
from typing import Final

_SCRIPT: Final = re.compile(r"<script data-script=[^>]*>(.*?)</script>", re.DOTALL)


def script_policy(html: str, sources: str = "", more: str = "") -> str:
    """The end of a content security policy, for a page with scripts of its own.

    Args:
        html: The page or a part of it. Scripts that it runs have the attribute `data-script`.
        sources: What scripts need beside their digests, such as `'wasm-unsafe-eval'`.
        more: Further directives.

    Returns:
        Directives, each with `; ` before it; nothing where there is no script.
    """
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in _SCRIPT.findall(html))
    allowed = dict.fromkeys(
        f"'sha256-{base64.b64encode(each).decode('ascii')}'" for each in digests
    )
    if not allowed:
        return ""
    scripts = " ".join(filter(None, ["; script-src", *allowed, sources]))
    return f"{scripts}; {more}" if more else scripts
