"""`unweave cite`."""

from __future__ import annotations

__all__ = ["Cite"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Text
from unweave.errors import RunError, SpecError

if TYPE_CHECKING:
    from unweave.citing import Citations


@final
@dataclass(kw_only=True)
class Cite(Common):
    """Print what to cite for runs, or for components by name, as BibTeX.

    That is unweave, the dataset, the objective with its terms, the architecture, the metrics that
    were scored, and the publication of a preset or an imported model.
    """

    what: Positional[Annotated[tuple[str, ...], arg(metavar="RUN ...", help_behavior_hint="")]]
    """Runs, studies, populations, or folders of them; or names: "factor_vae(gamma=10)", a preset,
    a published study, a protocol."""

    style: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "bibtex"
    """bibtex (default), or text: a list of references."""

    out: Text = None
    """File to write instead."""

    overwrite: Flag = False
    """Replace a file that is there."""

    def run(self) -> int:
        """Read the folders and print."""
        from unweave.citing import cite

        if self.style not in ("bibtex", "text"):
            raise SpecError(f"--style takes bibtex or text, not {self.style!r:.100}.")
        if self.out is not None:
            _check_place(Path(self.out), overwrite=self.overwrite)
        found = cite(*self.what)
        told = found.text() if self.style == "text" else found.bibtex()
        if self.out is not None:
            _write(Path(self.out), told)
        result = found.to_dict() | {"file": self.out}
        self.emit(result, told if self.out is None else _said(self.out, found))
        return 0


def _check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a folder, and a file that is there, unless it may be replaced."""
    if path.is_dir():
        raise RunError(f"--out: {path} is a folder. Name a file, such as {path / 'cited.bib'}.")
    if path.exists() and not overwrite:
        raise RunError(f"--out: {path} is there already. Name another file, or --overwrite it.")


def _write(path: Path, text: str) -> None:
    from unweave.rundir import atomic_write

    with atomic_write(path) as file:
        file.write(f"{text}\n".encode())


def _said(path: str, found: Citations) -> str:
    return f"{path}: {len(found)} entries"
