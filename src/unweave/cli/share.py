"""`unweave push|pull`."""

from __future__ import annotations

__all__ = ["Pull", "Push"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Text, bar, say
from unweave.cli.words import size_text, table

if TYPE_CHECKING:
    from unweave.sharing import Pushed


@final
@dataclass(kw_only=True)
class Push(Common):
    """Put a run where others can pull it, with a model card.

    For instance: unweave push runs/first hf://ORG/NAME. Its caches, its log and what trackers keep
    stay here. Every file is listed with its checksum, and the list is written last. To push again
    replaces what is there of the same run.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    target: Positional[Annotated[str, arg(metavar="TARGET", help_behavior_hint="")]]
    """A folder, a URL such as s3://BUCKET/FOLDER, or hf://ORG/NAME of the Hugging Face Hub."""

    snapshots: Flag = False
    """Send weights of earlier steps, too."""

    license: Text = None
    """Of the weights, for the card, as the hub names it: apache-2.0, mit ... (default: none)."""

    private: Flag = False
    """A repository that is made on the hub is seen by its owners alone."""

    overwrite: Flag = False
    """Replace another run that is there, or a model card that was edited there."""

    dry_run: Flag = False
    """Only say what would be sent; the target is not looked at."""

    def run(self) -> int:
        """Push and say what was sent."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.run import load_run

        check_run_folder(self.run_folder)
        run = load_run(self.run_folder)
        with bar() as progress:
            pushed = run.push(
                self.target,
                snapshots=self.snapshots,
                license=self.license,
                private=self.private,
                overwrite=self.overwrite,
                dry_run=self.dry_run,
                progress=progress,
            )
        self.emit(pushed.to_dict() | {"dry_run": self.dry_run}, _shown(pushed, self.dry_run))
        return 0


def _shown(pushed: Pushed, dry_run: bool) -> str:
    rows = [[name, size_text(count)] for name, count in pushed.files.items()]
    lines = [table(["file", "size"], rows), ""]
    lines += [f"{name} stays here: {why}." for name, why in pushed.left_out.items()]
    lines += [] if not pushed.left_out else [""]
    what = f"{len(pushed.files)} files, {size_text(pushed.bytes)}"
    if dry_run:
        lines.append(f"{pushed.target}: {what} would be sent. Nothing was.")
        return "\n".join(lines)
    again = ", in the place of what was there" if pushed.replaced else ""
    lines.append(f"{pushed.target}: {what}{again}")
    lines.append(f"Pull it with: {pushed.pull or f'unweave pull {pushed.target}'}")
    return "\n".join(lines)


@final
@dataclass(kw_only=True)
class Pull(Common):
    """Fetch a run that was pushed, and check every file of it; every command takes it then.

    For instance: unweave pull hf://ORG/NAME --out runs/theirs. What came of a pull that was broken
    off is used by the next one. Weights are read from safetensors alone, and nothing that is
    fetched is run.
    """

    source: Positional[Annotated[str, arg(metavar="SOURCE", help_behavior_hint="")]]
    """A folder, a URL of fsspec, or hf://ORG/NAME, with @REVISION for a branch, tag or commit."""

    out: Text = None
    """Run folder to make (default: the name of the source under runs, or UNWEAVE_RUNS)."""

    report: Flag = False
    """Fetch report.html, too: a page with scripts, by whoever pushed it."""

    overwrite: Flag = False
    """Replace another run in the folder."""

    def run(self) -> int:
        """Pull and say what came."""
        from unweave.sharing import pull_run

        with bar() as progress:
            pulled = pull_run(
                self.source,
                self.out,
                overwrite=self.overwrite,
                report=self.report,
                progress=progress,
            )
        folder = pulled.folder
        if pulled.state == "there":
            text = f"{folder}: there already, the same run; nothing was done"
        else:
            what = f"{len(pulled.files)} files, {size_text(pulled.bytes)}"
            text = f"{folder}: {what} of {pulled.source}, step {pulled.step:,}"
        for name, why in pulled.left_out.items():
            say(f"{name} was not fetched: {why}.")
        self.emit(pulled.to_dict(), text)
        return 0
