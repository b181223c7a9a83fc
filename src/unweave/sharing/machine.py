"""What in a run tells of the machine that it lies on, so that people know before they share it."""

from __future__ import annotations

__all__ = ["machine_paths"]

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from unweave.sharing.contents import SharedFile

# From the root, from the home folder or from a drive; with two parts at least, since "/1" is none.
_PATH: Final = re.compile(
    r"""(?:^|(?<=[\s'"=(\[]))(?:/[^/\s'"()\[\],;]+(?=/)|~(?=/)|[A-Za-z]:(?=\\))[^\s'"()\[\],;]+"""
)
# What these say follows from the rest of the configuration.
_REPEATED: Final = ("text", "command")


def machine_paths(files: Iterable[SharedFile]) -> dict[str, list[str]]:
    """Folders and files of this machine that a run's documents name.

    Such are where a dataset was read from, or the run that another one took its weights from. They
    stay in what is shared, since the run would be another one without them.

    Args:
        files: What is shared.

    Returns:
        Names of the documents by path.
    """
    found: dict[str, list[str]] = {}
    for file in files:
        if isinstance(file.content, bytes) and file.name.endswith(".json"):
            for text in _texts(_read(file.content)):
                for path in _PATH.findall(text):
                    names = found.setdefault(path, [])
                    if file.name not in names:
                        names.append(file.name)
    return found


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _REPEATED or not isinstance(item, str | dict):
                yield from _texts(item)
