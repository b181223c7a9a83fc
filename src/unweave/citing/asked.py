"""Citing from Python: runs, studies, populations, and texts of components."""

from __future__ import annotations

__all__ = ["cite"]

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from unweave.citing.citations import Citations, citations_of
from unweave.citing.used import (
    Used,
    used_by_run,
    used_by_settings,
    used_by_study,
    used_by_text,
)
from unweave.errors import RunError, SpecError
from unweave.inventory import find_runs
from unweave.rundir import POPULATION_FILE, RECURSION_FILE, is_run, is_study

_POPULATIONS: Final = (POPULATION_FILE, RECURSION_FILE)


def cite(*what: str | os.PathLike[str]) -> Citations:
    """What to cite for runs, or for components by name.

    Args:
        *what: Each the folder of a run, a study, a population or a recursion; another folder with
            runs in it; or the text of a component or objective such as `factor_vae(gamma=10)`, or
            the name of a preset, of a published study or of a protocol.

    Returns:
        The entries of the bibliography, unweave itself first, each with what it is cited for.

    Raises:
        SpecError: Nothing is named, or a text is none of these.
        RunError: A folder has no runs, or a run is damaged.
    """
    if not what:
        raise SpecError("Name what to cite for: the folder of a run, or a text like factor_vae.")
    used = Used()
    for each in what:
        _reader(each)(used)
    return citations_of(used, tuple(os.fspath(each) for each in what))


def _reader(what: str | os.PathLike[str]) -> Callable[[Used], None]:
    """What notes down everything that a folder or a text stands for."""
    text = os.fspath(what)
    if not text.strip():
        raise SpecError("An empty text names nothing to cite for.")
    folder = Path(text)
    if folder.is_dir():
        return lambda used: _folder(folder, used)
    if isinstance(what, os.PathLike) or folder.is_absolute() or text.startswith(("./", "../")):
        raise RunError(f"{text} is not there. 'unweave runs list' says which runs there are.")
    return lambda used: used_by_text(text, used)


def _folder(folder: Path, used: Used) -> None:
    if is_run(folder):
        used_by_run(folder, used)
        return
    asked = [folder / name for name in _POPULATIONS if (folder / name).is_file()]
    for file in asked:
        used_by_settings(file, used)
    if is_study(folder):
        used_by_study(folder, used)
    runs = list(find_runs(folder))
    for run in runs:
        used_by_run(run, used)
    if not (runs or asked or is_study(folder)):
        raise RunError(
            f"{folder} has no runs. Name the folder of a run; 'unweave runs list' says which "
            "there are."
        )
