"""`unweave study run|status|resume|clean`."""

from __future__ import annotations

__all__ = ["StudyClean", "StudyResume", "StudyRun", "StudyStatus"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Text, bar, say
from unweave.cli.driving import Driving
from unweave.cli.words import duration, size_text

if TYPE_CHECKING:
    from unweave.studies import Forecast, Overview, Study, StudyFolder

_MOST_PATHS = 20

_Folder = Positional[Annotated[str, arg(metavar="STUDY", help_behavior_hint="")]]


@dataclass(kw_only=True)
class _Driving(Driving):
    """What carrying out a study takes."""

    def drive(self, study: Study, out: str | None) -> int:
        """Carry out a study and show how it went; the exit code."""
        from unweave.cli.study_view import view
        from unweave.studies import place_of, run_study, survey

        where = self.where()
        folder = place_of(study, out)
        if self.dry_run:
            return self._estimate(study, folder)

        def work() -> None:
            with view(folder) as listener:
                run_study(study, out=out, listener=listener, **where)

        stopped_by = self.carry_out(work, lambda: folder.exists)
        found = survey(folder)
        self.emit(found.to_dict() | {"stopped_by": stopped_by}, _ending(found, stopped_by))
        if stopped_by == "signal":
            return 130
        return 1 if found.of("failed") else 0

    def _estimate(self, study: Study, folder: StudyFolder) -> int:
        from unweave.studies import forecast, plan
        from unweave.studies.running import check_place, check_same_study

        runs = plan(study)
        check_place(folder)
        check_same_study(folder, runs)
        workers = self.workers_for(max(run.config.threads or 1 for run in runs))
        with bar() as progress:
            found = forecast(study, runs, folder, workers=workers, progress=progress)
        result = {"study": study.name, "folder": str(folder.path), "keep": study.keep}
        self.emit(result | found.to_dict(), _forecast_text(study, folder, found))
        return 0


@final
@dataclass(kw_only=True)
class StudyRun(_Driving):
    """Carry out a study: train, score and draw each of its runs, once.

    For instance: unweave study run study.toml --workers 2, or unweave study run --preset
    generalise/dsprites --scale tiny. A study that is there already is gone on with: what is done
    stays, what is new is added. Runs that other studies beside it have are taken from there.
    `unweave results STUDY` makes the table of its scores.
    """

    file: Positional[Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")]] = None
    """What to train: a TOML file, or FILE.py:FUNCTION for a function that makes a study."""

    preset: Text = None
    """Instead of a file: one that `unweave study list` has, such as disvae/train_all."""

    scale: Annotated[str, arg(metavar="SCALE", help_behavior_hint="")] = "1"
    """Of a preset: share of its length, such as 0.01; of generalise/...: tiny, small or full."""

    out: Text = None
    """Folder of the study (default: runs/NAME, or under UNWEAVE_RUNS)."""

    def run(self) -> int:
        """Read the study and carry it out."""
        from pathlib import Path

        from unweave.errors import SpecError
        from unweave.rundir import is_study
        from unweave.studies import read_study

        if (self.file is None) == (self.preset is None):
            raise SpecError(
                "Give either the file of a study, such as study.toml or study.py:make_study, or a "
                "--preset."
            )
        if self.file is not None:
            if self.scale != "1":
                raise SpecError("--scale is of a --preset; a file says how long to train.")
            if is_study(Path(self.file)):
                raise SpecError(
                    f"{self.file} is the folder of a study. Go on with it: unweave study resume "
                    f"{self.file}."
                )
            return self.drive(read_study(self.file), self.out)
        assert self.preset is not None
        return self._named(self.preset)

    def _named(self, name: str) -> int:
        from unweave.cli.named_studies import named_study, scale_of
        from unweave.errors import SpecError
        from unweave.studies.published import ready

        study, waiting = ready(scale_of(named_study(name), self.scale))
        for what, count in waiting.items():
            runs = "One run waits" if count == 1 else f"{count:,} runs wait"
            say(f"{runs} for {what}, and {'is' if count == 1 else 'are'} left out.")
        if not study.combinations():
            raise SpecError(f"Every run of {name} waits for something that is not there yet.")
        return self.drive(study, self.out)


@final
@dataclass(kw_only=True)
class StudyResume(_Driving):
    """Go on with a study, also after a kill; runs that had failed are tried anew."""

    study: _Folder
    """Folder of the study, or its name where runs lie."""

    def run(self) -> int:
        """Go on with it as it was last asked for."""
        folder = _find(self.study)
        return self.drive(folder.study(), str(folder.path))


@final
@dataclass(kw_only=True)
class StudyStatus(Common):
    """Say how far a study is: its runs, what failed, time spent and left. Nothing is changed."""

    study: _Folder
    """Folder of the study, or its name where runs lie."""

    def run(self) -> int:
        """Read its folder and print."""
        from unweave.cli.study_view import rows
        from unweave.studies import survey

        found = survey(_find(self.study))
        self.emit(found.to_dict(), f"{rows(found)}\n\n{_ending(found, None)}")
        return 0


@final
@dataclass(kw_only=True)
class StudyClean(Common):
    """Remove what a study does not need: runs it no longer has, what it does not keep, debris.

    Without --yes nothing is removed. Other studies keep runs that they share with this one.
    """

    study: _Folder
    """Folder of the study, or its name where runs lie."""

    codes: Flag = False
    """Also codes that can be encoded again from the weights beside them."""

    yes: Flag = False
    """Remove it; else only say what would go."""

    def run(self) -> int:
        """Look, and remove."""
        from unweave.studies import clean, superfluous

        folder = _find(self.study)
        choose = clean if self.yes else superfluous
        found = choose(folder, codes=self.codes)
        total = sum(group.size.bytes for group in found)
        lines = [
            line
            for group in found
            for line in (
                f"{group.why}: {size_text(group.size.bytes)} in {group.size.files} files",
                *(f"  {path}" for path in group.paths[:_MOST_PATHS]),
                *(["  ..."] if len(group.paths) > _MOST_PATHS else []),
            )
        ]
        if not found:
            lines = [f"{folder.path} has nothing that could go."]
        elif self.yes:
            lines.append(f"{size_text(total)} removed.")
        else:
            lines.append(f"Nothing was removed. Remove {size_text(total)} with --yes.")
        groups = [
            {"why": g.why, "paths": [str(p) for p in g.paths], "bytes": g.size.bytes}
            for g in found
        ]
        result = {"folder": str(folder.path), "removed": self.yes, "bytes": total}
        self.emit(result | {"groups": groups}, "\n".join(lines))
        return 0


def _find(text: str) -> StudyFolder:
    """The folder of a study, by its path, by its name where runs lie, or by the study's file.

    Raises:
        RunError: There is none.
    """
    from pathlib import Path

    from unweave.errors import RunError
    from unweave.rundir import runs_root
    from unweave.studies import StudyFolder

    tried = [StudyFolder(Path(text)), StudyFolder(runs_root() / text)]
    if Path(text).is_file() or ".py:" in text:
        from unweave.studies import place_of, read_study

        tried = [place_of(read_study(text))]
    for folder in tried:
        if folder.exists:
            return folder
    places = " or ".join(dict.fromkeys(str(folder.path) for folder in tried))
    raise RunError(
        f"There is no study in {places}. Name its folder, which has a study.json; or begin it: "
        "unweave study run FILE."
    )


def _ending(study: Overview, stopped_by: str | None) -> str:
    """How a study stands, and what to do next."""
    import shlex

    from unweave.cli.study_view import failures, headline

    lines = [f"{study.name} in {study.folder}: {headline(study)}"]
    failed = failures(study)
    if failed:
        lines += ["", failed, ""]
    if study.state == "running":
        lines.append("A driver is at work.")
    elif study.state == "finished":
        lines.append(f"Scores in one table: {shlex.join(['unweave', 'results', study.folder])}")
    else:
        why = {"time": "The time is over. ", "signal": "Stopped. "}.get(stopped_by or "", "")
        command = shlex.join(["unweave", "study", "resume", study.folder])
        lines.append(f"{why}Go on with: {command}")
    return "\n".join(lines)


def _forecast_text(study: Study, folder: StudyFolder, found: Forecast) -> str:
    left = found.runs - found.finished - found.shared
    lines = [
        f"{study.name} in {folder.path}: {found.runs:,} runs, {found.finished:,} of them finished "
        f"already, {found.shared:,} in other studies, {left:,} to train"
        + (f" ({found.begun:,} of them begun)" if found.begun else "")
    ]
    further = ("architecture", "latents", "batch_size")
    differing = [n for n in further if len({kind[n] for kind in found.kinds}) > 1]
    for kind in found.kinds:
        with_ = "".join(f", {name}={kind[name]}" for name in differing)
        lines.append(
            f"  {kind['runs']:,} of {kind['objective']} on {kind['dataset']}{with_}: about "
            f"{duration(kind['seconds'])} and {size_text(kind['bytes'])} each"
        )
    workers = "one worker" if found.workers == 1 else f"{found.workers} workers"
    lines += [
        f"time: about {duration(found.seconds)} with {workers}, for trainings without scores "
        f"({duration(found.seconds_serial)} one after the other)",
        f'disk: about {size_text(found.disk_bytes)} in the end, as keep = "{study.keep}" says, at '
        f"most {size_text(found.disk_peak_bytes)} before; {size_text(found.free_bytes)} are free",
    ]
    lines += [
        f"to be prepared first: {entry['text']}, {size_text(entry['bytes'])}"
        for entry in found.datasets
    ]
    if found.disk_peak_bytes > found.free_bytes:
        lines.append('The disk is too small: keep less (keep = "scores"), or give another --out.')
    return "\n".join(lines)
