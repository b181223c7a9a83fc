"""`unweave population recurse`."""

from __future__ import annotations

__all__ = ["PopulationRecurse", "drive_recursion", "recursion_text"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

from tyro.conf import Positional, arg

from unweave.cli.common import Float, Int, Text, bar, say, to_number
from unweave.cli.driving import Driving
from unweave.cli.words import duration, table

if TYPE_CHECKING:
    from unweave.population.recursion.costs import RecursionForecast
    from unweave.population.recursion.folder import RecursionFolder
    from unweave.population.recursion.overview import RecursionOverview
    from unweave.population.recursion.spec import Recursion

# A label tells of a factor clearly that agrees with it so much.
CLEAR = 0.5


@dataclass(kw_only=True)
class _Asked:
    """What the recursion is; help lists these flags before those that say where it is trained."""

    dataset: Positional[Annotated[str | None, arg(metavar="DATASET", help_behavior_hint="")]] = (
        None
    )
    """What to train on (default: that of the preset)."""

    preset: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "rpu/tiny"
    """rpu/tiny, for minutes on two cores, or rpu/published, as the released code has it."""

    scale: Float = None
    """Length of rounds as a part of the preset's, from 0 to 1 (default 1)."""

    leaf_runs: Int = None
    """How many cells are gone down from."""

    levels: Int = None
    """Levels of a leaf-run, at most."""

    reduction: Text = None
    """From codes to labels and cells: robust or rpu, with fields if need be."""

    seed: Int = None
    """Seed of every draw (default 0)."""

    again: Text = None
    """Do a stage again, with all that needs it: first, leaf-1, leaf-1/level-2, final ..."""

    out: Text = None
    """Folder of the recursion (default: runs/recursion-DATASET, or under UNWEAVE_RUNS)."""


@final
@dataclass(kw_only=True)
class PopulationRecurse(Driving, _Asked):
    """Learn factors a few at a time without labels: populations, labels, cells, and a final model.

    For instance: unweave population recurse "dsprites(grid=(3, 6, 1, 16, 16))" --preset rpu/tiny
    --out runs/tiny. The same command goes on with what is there.
    """

    unit: ClassVar[str] = "member"

    def run(self) -> int:
        """Describe the recursion and carry it out."""
        from pathlib import Path

        from unweave.population.recursion.folder import RecursionFolder
        from unweave.population.recursion.presets import make_recursion
        from unweave.population.recursion.running import do_again
        from unweave.rundir import runs_root

        _where(self)
        given: dict[str, Any] = {
            "leaf_runs": to_number("--leaf-runs", self.leaf_runs, int),
            "levels": to_number("--levels", self.levels, int),
            "reduction": self.reduction,
            "scale": to_number("--scale", self.scale, float),
            "seed": to_number("--seed", self.seed, int),
        }
        recursion = make_recursion(
            self.dataset, self.preset, **{k: v for k, v in given.items() if v is not None}
        )
        name = f"recursion-{recursion.dataset.name}"
        folder = RecursionFolder(Path(self.out) if self.out else runs_root() / name)
        if self.again is not None and not self.dry_run:
            stages = do_again(recursion, folder.path, self.again)
            say(f"Done again: {', '.join(stages)}.")
        return drive_recursion(self, recursion, folder, again=self.again)


def drive_recursion(
    driving: Driving, recursion: Recursion, folder: RecursionFolder, again: str | None = None
) -> int:
    """Carry out a recursion, or say what it takes, and show how it went; the exit code.

    Args:
        driving: Where it is carried out.
        recursion: What it is.
        folder: Its folder.
        again: The stage that would be done again, where it is only said what it takes.
    """
    from unweave.cli.population_text import stopped_text
    from unweave.population.recursion.overview import survey
    from unweave.population.recursion.running import run_recursion

    where = _where(driving)
    if driving.dry_run:
        return _forecast(driving, recursion, folder, again)
    stopped_by = driving.carry_out(
        lambda: run_recursion(recursion, folder.path, listener=_tell, **where),
        lambda: folder.exists,
    )
    found = survey(folder)
    driving.emit(
        found.to_dict() | {"stopped_by": stopped_by},
        "\n".join(filter(None, [recursion_text(found), stopped_text(folder.path, stopped_by)])),
    )
    return 130 if stopped_by == "signal" else 0


def _forecast(
    driving: Driving, recursion: Recursion, folder: RecursionFolder, again: str | None
) -> int:
    """Say what the populations of all images cost, and a level of a leaf-run, and all of them."""
    from unweave.population.recursion.costs import forecast_recursion
    from unweave.population.recursion.running import check_folder

    recursion.check()
    check_folder(folder, recursion)
    stages: list[str] = []
    if again is not None:
        folder.recursion()
        stages = folder.needing(again)
    workers = driving.workers_for(recursion.first.threads)
    with bar() as progress:
        found = forecast_recursion(recursion, workers, progress, folder=folder, again=stages)
    driving.emit(
        {"folder": str(folder.path), "again": stages} | found.to_dict(),
        _forecast_text(found, folder, stages),
    )
    return 0


def _forecast_text(found: RecursionForecast, folder: RecursionFolder, again: Sequence[str]) -> str:
    """What a recursion would cost, stage by stage and in all."""
    from unweave.cli.population_text import disk_text, forecast_lines, workers_text

    titles = {"level": "each level of a leaf-run, at most"}
    blocks = [forecast_lines(part, titles.get(name, name)) for name, part in found.parts.items()]
    runs = "one leaf-run" if found.leaf_runs == 1 else f"{found.leaf_runs} leaf-runs"
    each = " each" if found.leaf_runs > 1 else ""
    levels = "one level" if found.levels == 1 else f"{found.levels} levels"
    lines = [f"{folder.path}: {runs} of at most {levels}{each}"]
    if found.disk_taken_bytes:
        lines[0] += f", {found.levels_left} of them left"
    if again:
        lines.append(f"done again: {', '.join(again)}")
    total = [
        "nothing is left"
        if not found.parts
        else f"in all: at most about {duration(found.seconds)} with "
        f"{workers_text(found.workers)}, for trainings without scores and labels "
        f"({duration(found.seconds_serial)} one after the other)"
    ]
    if found.parts:
        total.append(disk_text(found))
    if not found.fits:
        total.append("The disk is too small: give another --out.")
    return "\n\n".join("\n".join(block) for block in (lines, *blocks, total))


def _where(driving: Driving) -> dict[str, Any]:
    """Where the work is done.

    Raises:
        SpecError: A flag is wrong, or there is a storage.
    """
    from unweave.errors import SpecError

    if driving.storage is not None:
        raise SpecError("A recursion has no --storage: workers must see its folder.")
    return driving.where()


def _tell(row: Mapping[str, Any]) -> None:
    """Say on standard error which stage is over, with what it has found, and what fails."""
    if row["event"] == "stage" and row["found"] is not None:
        say(f"{row['stage']}: {_found(row['found'])}")
    elif row["event"] in ("failed", "lost", "late"):
        say(f"{row['key']}: {row['message']}")


def recursion_text(found: RecursionOverview) -> str:
    """A recursion in words and a table of its stages."""
    rows = [
        [stage.name, stage.state, ", ".join(stage.needs) or "nothing", _stage(stage)]
        for stage in found.stages
    ]
    lines = [
        f"{found.folder}: {found.state}, {duration(found.seconds)} so far",
        "",
        table(["stage", "state", "after", "what it found"], rows),
    ]
    told = found.to_dict()
    if any("factor" in label for label in told["labels"]):
        clear = [label for label in told["labels"] if label["agreement"] >= CLEAR]
        factors = list(dict.fromkeys(label["factor"] for label in clear if not label["merged"]))
        lines += ["", f"labels tell {', '.join(factors) or 'no factor clearly'}"]
    if found.state == "finished" and told["best"] is None:
        lines += ["", *_without_final(found)]
    if told["scores"]:
        scores = ", ".join(f"{name} {value:.4g}" for name, value in told["scores"].items())
        lines += ["", f"final model, scored with true labels: {scores}", f"  run {told['best']}"]
    if found.error:
        lines += ["", f"error: {found.error}"]
    return "\n".join(lines)


def _without_final(found: RecursionOverview) -> list[str]:
    """What to do where a recursion has ended without a final model, and what there is instead."""
    why = next((s.found["why"] for s in found.stages if s.name == "final" and s.found), "")
    lines = [
        f"There is no final model: {why}. Begin again with another --out: with longer rounds (a "
        "--scale nearer to 1), so that models learn something that can be labelled, or with "
        'another reduction, such as --reduction "robust(threshold=0.5)".'
    ]
    first = next((stage for stage in found.stages if stage.name == "first"), None)
    if first is not None and first.run:
        lines += [f"best model of the first population, score {_number(first.score)}:"]
        lines += [f"  run {first.run}"]
    return lines


def _stage(stage: Any) -> str:
    if stage.found:
        return _found(stage.found)
    if stage.rounds:
        return f"{stage.rounds} rounds, best score {_number(stage.score)}"
    return ""


def _found(found: Mapping[str, Any]) -> str:
    """What a stage has found, in a few words."""
    if "merged" in found:
        count = len(found["merged"])
        return f"{_count(count)} left out, since others say the same" if count else "all labels"
    if "labels" in found:
        labels = [_label(label) for label in found["labels"]]
        cell = found["cell"]
        ending = f"cell of {cell['images']:,} images" if cell else f"no cell: {found['why']}"
        if not labels:
            return f"no labels; {ending}"
        return f"{_count(len(labels))}: {', '.join(labels)}; {ending}"
    if "score" in found:
        return f"{found['rounds']} rounds, best score {_number(found['score'])}; {found['why']}"
    return str(found.get("why", ""))


def _label(label: Mapping[str, Any]) -> str:
    """A label: how pure its clusters are by its own model and by others, and what they tell."""
    told = []
    if label.get("clusters"):
        told.append(f"purity {label['purity']:.2f}")
        # Older records lack it.
        if "agreed" in label:
            told.append(f"agreed {_share(label['agreed'])}")
    if "factor" in label:
        told.append(f"{label['factor']} {label['agreement']:.2f}")
    return f"{label['name']} ({', '.join(told)})" if told else str(label["name"])


def _count(labels: int) -> str:
    return "one label" if labels == 1 else f"{labels} labels"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.2f}"


def _number(score: float | None) -> str:
    return "none" if score is None else f"{score:.4g}"
