"""Errors that tell a user what is wrong and how to mend it."""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "DataError",
    "RunError",
    "SpecError",
    "TrainingDivergedError",
    "UnweaveError",
    "nearest",
]

import difflib
from collections.abc import Iterable


class UnweaveError(Exception):
    """What the user asked for cannot be done; the text is one paragraph that names the fix.

    The command line prints it without a traceback and exits with `exit_code`.

    Attributes:
        exit_code: What the command line ends with.
        lasting: Whether it would come again if the same was tried again at once.
    """

    exit_code = 2
    lasting = True


class SpecError(UnweaveError, ValueError):
    """A text or field of a component is wrong: unknown name, wrong type, out of range."""


class DataError(UnweaveError):
    """A dataset's files are missing, damaged or not what they should be."""


class CheckpointError(UnweaveError):
    """A file to import is missing, damaged, dangerous, or of a model that is not known."""


class RunError(UnweaveError):
    """A run folder is missing, damaged, in the way, or not a run folder."""


class TrainingDivergedError(UnweaveError):
    """A loss term stopped being finite; the last good checkpoint is kept."""

    exit_code = 1


def nearest(name: str, allowed: Iterable[str], otherwise: str | None = None) -> str:
    """A phrase that helps with an unknown name: the nearest allowed ones, or all of them.

    Args:
        name: The unknown name.
        allowed: The names that there are.
        otherwise: What is said in place of all names, where they are many.

    Example:
        >>> nearest("beta_va", ["beta_vae", "vae"])
        'Did you mean beta_vae?'
    """
    choices = sorted(allowed)
    # The nearest whatever the case.
    lower = {choice.lower(): choice for choice in choices}
    many = 1 if name.lower() in lower else 3
    found = difflib.get_close_matches(name.lower(), lower, n=many, cutoff=0.6)
    close = [lower[choice] for choice in found]
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if otherwise is not None:
        return otherwise
    return f"Choose one of: {', '.join(choices)}." if choices else "There are none to choose from."
