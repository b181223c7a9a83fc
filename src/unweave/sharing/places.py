"""From a text to the place that it names."""

from __future__ import annotations

__all__ = ["HERE", "place_of"]

import re
from typing import Final

from unweave.errors import SpecError
from unweave.sharing.hub import HUB, HubPlace
from unweave.sharing.place import Place
from unweave.sharing.storage import StoragePlace

HERE: Final = "a folder, a URL of fsspec such as s3://BUCKET/FOLDER, or hf://ORG/NAME"


def place_of(text: str, *, private: bool = False, quiet: bool = True) -> Place:
    """The place of a shared run.

    Args:
        text: A folder, a URL of fsspec, or hf://ORG/NAME.
        private: Whether a repository of the hub that is made is seen by its owners alone.
        quiet: Whether a library that shows progress of its own is silent.

    Raises:
        SpecError: It names no place, or a package for it is missing.
    """
    if not text or "\0" in text:
        raise SpecError(f"A run is pushed to, and pulled from, {HERE}; not {text!r}.")
    page = re.match(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([^/?#]+/[^/?#]+)", text)
    if page:
        raise SpecError(f"{text!r:.200} is a page of the hub. Write hf://{page[1]}.")
    if text.startswith(HUB):
        return HubPlace(text, private=private, quiet=quiet)
    if private:
        raise SpecError("--private is for a repository of the hub, hf://ORG/NAME, alone.")
    return StoragePlace(text)
