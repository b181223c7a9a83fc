"""What is said where the folder of a run is asked for, and another one is given."""

from __future__ import annotations

__all__ = ["check_run_folder"]

from pathlib import Path


def check_run_folder(given: str | Path) -> None:
    """Refuse the folder of a population, a recursion or a study where that of a run is asked for.

    The mere name of a run in the folder of runs is told its path. Whatever else is no run is left
    to those who read it.

    Args:
        given: The folder.

    Raises:
        RunError: It is one of them, or such a one that is damaged; it is said which of its runs
            can be named. Or it is not there, and a run of that name is where runs lie.
    """
    from unweave.errors import RunError
    from unweave.rundir import is_run, is_study, runs_root

    folder = Path(given)
    if is_run(folder):
        return
    if not folder.exists() and is_run(runs_root() / folder):
        raise RunError(f"{folder} does not exist. Did you mean {runs_root() / folder}?")
    if is_study(folder):
        what, run = "a study", _of_study(folder)
    elif _is_population(folder):
        what, run = "a population", _of_population(folder)
    elif _is_recursion(folder):
        what, run = "a recursion", _of_recursion(folder)
    else:
        return
    such = f", such as {run}" if run else "; there is none yet that could be named"
    raise RunError(f"{folder} is {what}, and no run. Name the folder of one of its runs{such}.")


def _is_population(folder: Path) -> bool:
    from unweave.population import PopulationFolder

    return PopulationFolder(folder).exists


def _is_recursion(folder: Path) -> bool:
    from unweave.population.recursion.folder import RecursionFolder

    return RecursionFolder(folder).exists


def _of_study(folder: Path) -> str:
    """The first run of a study, in the order of their names."""
    from unweave.inventory import find_runs

    runs = folder / "runs"
    return str(next(find_runs(runs), "")) if runs.is_dir() else ""


def _of_population(folder: Path) -> str:
    """The run of the best member so far."""
    from unweave.population import PopulationFolder
    from unweave.population.rounds import best_of

    place = PopulationFolder(folder)
    rounds = place.rounds()
    return f"that of its best member, {place.run_of(best_of(rounds))}" if rounds else ""


def _of_recursion(folder: Path) -> str:
    """The final model, or else the best one of the first population."""
    from unweave.population.recursion.folder import RecursionFolder
    from unweave.population.recursion.overview import survey

    found = survey(RecursionFolder(folder))
    best = found.to_dict()["best"]
    if best:
        return f"that of its final model, {best}"
    runs = [stage.run for stage in found.stages if stage.run]
    return runs[0] if runs else ""
