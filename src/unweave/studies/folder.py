"""The folder of a study: what was asked for, every event, and its runs."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

from unweave.errors import RunError
from unweave.execution import DrivenFolder, Progressed, replay
from unweave.rundir import (
    ENDED,
    STUDY_FILE,
    explain_os_error,
    is_run,
    link_file,
    read_state,
    runs_root,
)

if TYPE_CHECKING:
    from unweave.studies.planning import PlannedRun
    from unweave.studies.spec import Study

__all__ = ["StudyFolder"]

# What study.json says of each run.
_OF_RUN: Final = {"key", "varied", "steps", "command"}


@final
@dataclass(frozen=True)
class StudyFolder(DrivenFolder):
    """A study on disk.

    `study.json` says what was asked for, with the settings of each run; `state.jsonl` is the event
    log; `runs/KEY` are the run folders.

    Attributes:
        path: The folder.
    """

    what: ClassVar[str] = "study"
    file: ClassVar[str] = STUDY_FILE
    inside: ClassVar[str] = "runs"
    hint: ClassVar[str] = "Look with 'unweave study status {path}'; wait for it, or stop it first."

    def run_folder(self, key: str) -> Path:
        """Where a run lies, or will."""
        return self.path / "runs" / key

    def read(self) -> dict[str, Any]:
        """What `study.json` says.

        Raises:
            RunError: There is no study here, or one of another format, or it is damaged.
        """
        form = super().read()
        study, runs = form.get("study"), form.get("runs")
        if not (
            isinstance(study, dict)
            and isinstance(study.get("name"), str)
            and isinstance(runs, list)
            and all(isinstance(run, dict) and run.keys() >= _OF_RUN for run in runs)
        ):
            raise self._damaged()
        return form

    def _damaged(self) -> RunError:
        return RunError(
            f"{self.path / STUDY_FILE} is damaged. Remove it, and run the study's file again with "
            f"'--out {self.path}': what has been done stays."
        )

    def keys(self) -> list[str]:
        """The runs that are asked for, in the order of the study.

        Raises:
            RunError: There is no study here.
        """
        return [run["key"] for run in self.read()["runs"]]

    def write(self, study: Study, runs: Sequence[PlannedRun]) -> None:
        """Write down what is asked for; runs that were asked for before stay in the folder.

        Args:
            study: The study.
            runs: Its runs.

        Raises:
            UnweaveError: The folder cannot be written.
        """
        self.put(
            study=study.to_dict(),
            runs=[
                {
                    "key": run.key,
                    "varied": run.varied,
                    "steps": run.config.steps,
                    "command": run.config.command,
                }
                for run in runs
            ],
        )

    def study(self) -> Study:
        """The study, as it was last asked for.

        Raises:
            RunError: There is none here.
        """
        from unweave.studies.spec import Study

        form = self.read()["study"]
        try:
            return Study.from_dict(form)
        except (KeyError, TypeError, AttributeError) as error:
            raise self._damaged() from error

    def states(self) -> dict[str, Progressed]:
        """How far each run has come, in the order of the study."""
        found = replay(self.events.read())
        return {key: found.get(key, Progressed()) for key in self.keys()}

    @cached_property
    def neighbours(self) -> tuple[Path, ...]:
        """Other studies beside this one, and where studies lie by default, once looked for."""
        own, names = self.path.resolve(), (f"*/{STUDY_FILE}", f"*/*/{STUDY_FILE}")
        roots = {own.parent, runs_root().resolve()}
        found = {path.parent for root in roots for name in names for path in root.glob(name)}
        return tuple(sorted(found - {own}))

    def elsewhere(self, key: str) -> Path | None:
        """Another study's folder of a run, which has ended; None where there is none."""
        for study in self.neighbours:
            found = study / "runs" / key
            with contextlib.suppress(RunError):  # it is damaged
                if read_state(found) in ENDED:
                    return found
        return None

    def take_over(self, key: str) -> bool:
        """Have a run from another study that has it already, at no cost of disk where possible.

        Only runs that have ended are taken, file by file, as further links to the same data; files
        of runs are replaced, never changed, so neither study notices the other.

        Returns:
            Whether there is such a run now.
        """
        place = self.run_folder(key)
        if is_run(place):
            return True
        found = self.elsewhere(key)
        return found is not None and _link(found, place)


def _link(source: Path, target: Path) -> bool:
    """The same files under another folder: all of them or none.

    Returns:
        Whether they are there: the other study may have removed some meanwhile, such as weights
        that it does not keep.
    """
    temporary = target.with_name(f".{target.name}.taken")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                # Lines are added to these, which the other study would have, too.
                grows = path.suffix in (".jsonl", ".txt")
                (shutil.copy2 if grows else link_file)(path, temporary / name)
        temporary.rename(target)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise explain_os_error(error, target) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True
