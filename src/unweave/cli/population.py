"""`unweave population resume|status|export`, and what every command does that carries one out."""

from __future__ import annotations

__all__ = ["PopulationDriving", "PopulationExport", "PopulationResume", "PopulationStatus"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, bar
from unweave.cli.driving import Driving, StoppedBy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from unweave.population import Outcome, Population, PopulationFolder
    from unweave.population.recursion.folder import RecursionFolder

_Folder = Positional[Annotated[str, arg(metavar="POPULATION", help_behavior_hint="")]]


@dataclass(kw_only=True)
class PopulationDriving(Driving):
    """What carrying out a population takes."""

    unit: ClassVar[str] = "member"

    def drive(self, population: Population, folder: Path) -> int:
        """Carry out a population and show how it went; the exit code."""
        from unweave.cli.population_view import text_of, view
        from unweave.population import PopulationFolder, run_population
        from unweave.population.overview import survey

        where = self.where()
        if self.dry_run:
            return self._estimate(population, folder)
        place = PopulationFolder(folder)
        outcome: Outcome | None = None

        def work() -> None:
            nonlocal outcome
            with view(place) as listener:
                _, outcome = run_population(population, folder, listener=listener, **where)

        stopped_by = self.carry_out(work, lambda: place.exists)
        found = survey(place)
        self.emit(
            _result(place, outcome) | {"stopped_by": stopped_by},
            f"{text_of(found)}\n\n{_ending(place, stopped_by)}",
        )
        return 130 if stopped_by == "signal" else 0

    def _estimate(self, population: Population, folder: Path) -> int:
        from unweave.cli.population_view import forecast_text
        from unweave.population import PopulationFolder
        from unweave.population.costs import forecast
        from unweave.population.overview import survey
        from unweave.population.running import check_folder

        place = PopulationFolder(folder)
        population.check()
        check_folder(place, population)
        begun = survey(place, population) if place.exists else None
        workers = self.workers_for(population.threads)
        with bar() as progress:
            found = forecast(population, workers, progress, folder=folder, begun=begun)
        self.emit({"folder": str(folder)} | found.to_dict(), forecast_text(found, folder))
        return 0


@final
@dataclass(kw_only=True)
class PopulationResume(PopulationDriving):
    """Go on with a population or a recursion, also after a kill.

    More rounds are asked for by the command that began the population, with a larger --rounds:
    unweave population run ... --rounds 20.
    """

    folder: _Folder
    """Folder of the population or recursion, or its name where runs lie."""

    def run(self) -> int:
        """Go on with it as it was last asked for."""
        recursion = _recursion(self.folder)
        if recursion is not None:
            from unweave.cli.population_recurse import drive_recursion

            return drive_recursion(self, recursion.recursion(), recursion)
        place = _find(self.folder)
        return self.drive(place.population(), place.path)


@final
@dataclass(kw_only=True)
class PopulationStatus(Common):
    """Say how far a population or a recursion is: table or stages, best member, time left.

    Nothing is changed, but figures are drawn if they are asked for.
    """

    folder: _Folder
    """Folder of the population or recursion, or its name where runs lie."""

    plots: Flag = False
    """Also draw lineage, schedules, scores and tuned fields, of each population there is."""

    def run(self) -> int:
        """Read its folder and print."""
        recursion = _recursion(self.folder)
        return self._of_population() if recursion is None else self._of_recursion(recursion)

    def _of_population(self) -> int:
        from unweave.cli.population_text import standing
        from unweave.cli.population_view import text_of
        from unweave.population.overview import survey

        place = _find(self.folder)
        found = survey(place)
        paths = self._draw([place])
        # As `population run` has it.
        members = [
            {"id": each.member, "score": each.score, "hyper": each.hyper, "parent": each.parent}
            for each in sorted(found.table, key=lambda each: each.member)
        ]
        self.emit(
            found.to_dict() | {"population": members, "figures": paths},
            _blocks(text_of(found), standing(found.folder, found.state), self._drawn(paths)),
        )
        return 0

    def _of_recursion(self, recursion: RecursionFolder) -> int:
        from unweave.cli.population_recurse import recursion_text
        from unweave.cli.population_text import standing
        from unweave.population import PopulationFolder
        from unweave.population.recursion.overview import survey

        found = survey(recursion)
        begun = [stage.name for stage in found.stages if stage.rounds]
        paths = self._draw([PopulationFolder(recursion.path / name) for name in begun])
        self.emit(
            found.to_dict() | {"figures": paths},
            _blocks(
                recursion_text(found), standing(found.folder, found.state), self._drawn(paths)
            ),
        )
        return 0

    def _draw(self, places: Sequence[PopulationFolder]) -> list[str]:
        """Draw the figures of some populations, if that is asked for; the files."""
        if not self.plots:
            return []
        from unweave.population.figures import draw

        return [str(path) for place in places for path in draw(place)]

    def _drawn(self, paths: Sequence[str]) -> str:
        """The figures in words; empty where none are asked for."""
        if not self.plots:
            return ""
        none = "No figures: no round is over yet."
        return "\n".join(["figures:", *(f"  {path}" for path in paths)]) if paths else none


@final
@dataclass(kw_only=True)
class PopulationExport(Common):
    """Write what repeats the best member alone: a study of one run, with its whole schedule."""

    folder: _Folder
    """Folder of the population, or its name where runs lie."""

    out: Annotated[str, arg(metavar="TEXT", help_behavior_hint="(required)")]
    """File to write, such as best.toml; `unweave study run` takes it."""

    def run(self) -> int:
        """Write the file."""
        from pathlib import Path

        from unweave.errors import RunError
        from unweave.population.replay import write_replay
        from unweave.population.rounds import best_of

        place = _find(self.folder, recursions=False)
        rounds = place.rounds()
        if not rounds:
            raise RunError(
                f"{place.path} has no round that is over, so no member is the best yet."
            )
        best = best_of(rounds)
        path = write_replay(place, best, Path(self.out))
        result = {"file": str(path), "run": str(place.run_of(best)), "score": best.score}
        self.emit(result, f"{path} repeats {result['run']}: unweave study run {path}")
        return 0


def _blocks(*texts: str) -> str:
    """Texts with an empty line between, without those that say nothing."""
    return "\n\n".join(filter(None, texts))


def _recursion(text: str) -> RecursionFolder | None:
    """The folder of a recursion, by its path or by its name where runs lie; None if it is none."""
    from pathlib import Path

    from unweave.population.recursion.folder import RecursionFolder
    from unweave.rundir import runs_root

    tried = [RecursionFolder(Path(text)), RecursionFolder(runs_root() / text)]
    return next((folder for folder in tried if folder.exists), None)


def _find(text: str, *, recursions: bool = True) -> PopulationFolder:
    """The folder of a population, by its path, or by its name where runs lie.

    Args:
        text: What is given.
        recursions: Whether the folder of a recursion would have been taken, too.

    Raises:
        RunError: There is none.
    """
    from pathlib import Path

    from unweave.errors import RunError
    from unweave.population import PopulationFolder
    from unweave.rundir import runs_root

    tried = [PopulationFolder(Path(text)), PopulationFolder(runs_root() / text)]
    for folder in tried:
        if folder.exists:
            return folder
    recursion = _recursion(text)
    if recursion is not None:
        raise RunError(
            f"{recursion.path} is a recursion; name one of its populations, such as "
            f"{recursion.path / 'first'}."
        )
    places = " or ".join(dict.fromkeys(str(folder.path) for folder in tried))
    either = " or recursion" if recursions else ""
    files = "population.json or a recursion.json" if recursions else "population.json"
    begin = "population run or unweave population recurse" if recursions else "population run"
    raise RunError(
        f"There is no population{either} in {places}. Name its folder, which has a {files}; or "
        f"begin one: unweave {begin}."
    )


def _result(place: PopulationFolder, outcome: Outcome | None) -> dict[str, Any]:
    """The table for scripts."""
    from unweave.population.rounds import best_of

    rounds = place.rounds() if outcome is None else [list(rows) for rows in outcome.rounds]
    best = best_of(rounds) if rounds else None
    return {
        "folder": str(place.path),
        "rounds": len(rounds),
        "ended": None if outcome is None else outcome.why,
        "population": [
            {
                "id": row.member,
                "score": row.score,
                "hyper": dict(row.task.hyper),
                "parent": row.task.parent,
            }
            for row in (rounds[-1] if rounds else [])
        ],
        "best": None if best is None else str(place.run_of(best)),
        "best_score": None if best is None else best.score,
        "judged": None if outcome is None else outcome.judged,
    }


def _ending(place: PopulationFolder, stopped_by: StoppedBy) -> str:
    import shlex

    from unweave.cli.population_text import stopped_text

    figures = shlex.join(["unweave", "population", "status", str(place.path), "--plots"])
    return stopped_text(place.path, stopped_by) or f"Figures: {figures}"
