"""`unweave generalise splits|modifiers`: what is held out of training, and why that is hard."""

from __future__ import annotations

__all__ = ["GeneraliseModifiers", "GeneraliseSplits"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import arg

from unweave.cli.common import Common, Flag, Float, Int, Text, bar, say, to_number
from unweave.errors import DataError, SpecError

if TYPE_CHECKING:
    from unweave.conditions import Condition, Split
    from unweave.conditions.leaks import Leaks
    from unweave.data import Dataset


@final
@dataclass(kw_only=True)
class GeneraliseSplits(Common):
    """List what published studies hold out of training; or show one condition, or any rule.

    Each condition divides a dataset into images to train on and images held out, in which factors
    are combined as in no image of training.
    """

    data: Text = None
    """Only conditions of this dataset: its text, also a smaller grid or a part."""

    condition: Annotated[str | None, arg(metavar="NAME_OR_RULE", help_behavior_hint="")] = None
    """Show this one: a name, or a rule of what is held out, such as "pos_x > 0.5"."""

    modifier: Annotated[str | None, arg(metavar="NAME_OR_RULE", help_behavior_hint="")] = None
    """Which images take part at all, in training or held out."""

    leaks: Flag = False
    """Read all images, and count held-out ones that are equal to one of training."""

    picture: Text = None
    """PNG file to draw into: maps of what is held out, and a few images."""

    out: Text = None
    """Folder to write flat indices (npz) and all that is said (JSON) into."""

    holdout: Float = None
    """Share of the training images that a training holds out; written as in_distribution."""

    seed: Int = "0"
    """Seed of that training, and of the images in the picture (default 0)."""

    def run(self) -> int:
        """Print the list, or all that is said of one."""
        from unweave.conditions.describing import (
            describe,
            describe_leaks,
            describe_slice,
            lines_of,
        )

        seed = self._checked_seed()
        holdout = to_number("--holdout", self.holdout, float)
        if self.picture is not None and Path(self.picture).suffix.lower() != ".png":
            raise SpecError(f"--picture must end in .png, but is {self.picture!r}.")
        if self.picture is not None:
            from unweave.plots import check_picture

            check_picture(Path(self.picture))
        chosen = self._chosen()
        if self.condition is None or len(chosen) > 1:
            return self._list(chosen, holdout, seed)
        split = self._split(chosen[0])
        row: dict[str, Any] = describe(split) | {"problem": None}
        notes = []
        if holdout is not None:
            row["in_distribution"] = describe_slice(split, holdout, seed)
            notes.append(
                f"  A training with --holdout {holdout:g} --seed {seed} is on "
                f"{row['in_distribution']['num_train']:,} images, and "
                f"{row['in_distribution']['num_in_distribution']:,} like them are left for tests."
            )
        dataset, leaks = self._leaks(split)
        row["leaks"] = describe_leaks(leaks)
        lines = [*lines_of(split, leaks), *notes]
        files = [] if self.picture is None else [self._draw(split, dataset, seed)]
        if self.out is not None:
            files += self._write([split], holdout, seed, leaks)
        self.emit(
            {"splits": [row], "files": [str(file) for file in files]},
            "\n".join([*lines, *map(str, files)]),
        )
        return 0

    def _checked_seed(self) -> int:
        seed: int = to_number("--seed", self.seed, int)
        if seed < 0:
            raise SpecError(f"--seed must be at least 0, but is {seed}.")
        return seed

    def _chosen(self) -> list[Condition]:
        """The conditions that are asked for, at least one."""
        from unweave.conditions import CONDITIONS, conditions_of, find_condition, fitting
        from unweave.conditions.condition import is_name

        if self.condition is not None:
            if is_name(self.condition):
                return fitting(self.condition, self.data)
            return [find_condition(self.condition, self.data)]
        if self.data is None:
            if self.modifier is not None:
                raise SpecError("--modifier needs to know of what: give --data or --condition.")
            return list(CONDITIONS)
        found = conditions_of(self.data)
        if not found:
            raise SpecError(
                f"No published condition is known of {self.data}: give a rule with --condition, "
                'such as "index(FACTOR) >= 16".'
            )
        return found

    def _split(self, condition: Condition) -> Split:
        from unweave.conditions import split_of

        return split_of(condition, self.data, self.modifier)

    def _list(self, chosen: list[Condition], holdout: float | None, seed: int) -> int:
        """Print many conditions, a few lines each."""
        from unweave.conditions.describing import describe, describe_slice

        for flag, given in (("--leaks", self.leaks), ("--picture", self.picture is not None)):
            if given:
                names = list(dict.fromkeys(condition.dataset for condition in chosen))
                of = f" and --data, one of {', '.join(names)}" if self.condition else ""
                raise SpecError(f"{flag} is of one condition: name it with --condition{of}.")
        rows: list[dict[str, Any]] = []
        splits: list[Split] = []
        for condition in chosen:
            try:
                split = self._split(condition)
            except (SpecError, DataError) as error:
                # Of a smaller grid, some conditions hold nothing out, and others do.
                rows.append(self._problem(condition, str(error)))
                continue
            splits.append(split)
            rows.append(describe(split) | {"problem": None})
            if holdout is not None:
                rows[-1]["in_distribution"] = describe_slice(split, holdout, seed)
        if not splits:
            raise SpecError(rows[0]["problem"])
        files = [] if self.out is None else self._write(splits, holdout, seed, None)
        self.emit(
            {"splits": rows, "files": [str(file) for file in files]},
            "\n".join([*_listing(rows), *map(str, files)]),
        )
        return 0

    def _problem(self, condition: Condition, problem: str) -> dict[str, Any]:
        """What is said of a condition that does not fit the dataset."""
        return {
            "name": condition.name,
            "dataset": self.data or condition.dataset,
            "condition": condition.kind,
            "predicate": condition.held_out,
            "num_train": None,
            "num_held_out": None,
            "num_discarded": None,
            "also": list(condition.also),
            "problem": problem,
        }

    def _leaks(self, split: Split) -> tuple[Dataset | None, Leaks]:
        """What is known of leaks, and the images if they were read for it."""
        from unweave.conditions.leaks import leaks_of

        if not self.leaks:
            return None, leaks_of(split)
        split.data.check_loadable()
        with bar() as progress:
            dataset = split.data.open(progress)
            return dataset, leaks_of(split, dataset, progress)

    def _draw(self, split: Split, dataset: Dataset | None, seed: int) -> Path:
        """Draw the picture; images are drawn or read, but nothing is downloaded for it."""
        from unweave.held_out_figure import held_out_figure
        from unweave.plots import save

        assert self.picture is not None
        if dataset is None and (split.data.source == "rendered" or split.data.ready()):
            with bar() as progress:
                dataset = split.data.open(progress)
        if dataset is None:
            say(
                f"The images of {split.data} are not on this machine, so the picture has none; "
                "unweave data prepare tells how to get them."
            )
        return save(held_out_figure(split, dataset, seed), self.picture)

    def _write(
        self, splits: list[Split], holdout: float | None, seed: int, leaks: Leaks | None
    ) -> list[Path]:
        from unweave.conditions.writing import write_split

        assert self.out is not None
        slice_of = None if holdout is None else (holdout, seed)
        return [
            file
            for split in splits
            for file in write_split(split, self.out, in_distribution=slice_of, leaks=leaks)
        ]


def _listing(rows: list[dict[str, Any]]) -> list[str]:
    """Conditions by dataset, two lines each."""
    width = max(len(_called(row)) for row in rows) + 2
    lines: list[str] = []
    for dataset in dict.fromkeys(row["dataset"] for row in rows):
        lines += [*([""] if lines else []), dataset]
        for row in rows:
            if row["dataset"] != dataset:
                continue
            head = f"  {_called(row):<{width}}"
            if row["problem"] is not None:
                lines += [f"{head}{row['problem']}"]
                continue
            total = row["num_train"] + row["num_held_out"] + row["num_discarded"]
            counts = f"{row['num_train']:>9,} trained on {row['num_held_out']:>8,} held out"
            counts += f" ({100 * row['num_held_out'] / total:.3g} %)"
            if row["num_discarded"]:
                counts += f", {row['num_discarded']:,} neither"
            kind = row["condition"]
            if kind != row["kind"]:
                kind += f", found {row['kind']}"
            lines += [f"{head}{counts}", f"    {kind}: {row['predicate']}"]
    return [
        *lines,
        "",
        "All that is known of one: --condition NAME, with --data where it is not"
        " the only one of that name.",
    ]


def _called(row: dict[str, Any]) -> str:
    return ", ".join([row["name"], *row["also"]])


@final
@dataclass(kw_only=True)
class GeneraliseModifiers(Common):
    """List modifiers of published studies: which images take part in a condition at all."""

    data: Text = None
    """Only modifiers of this dataset."""

    def run(self) -> int:
        """Print the list."""
        from unweave.conditions import MODIFIERS
        from unweave.conditions.registry import modifiers_of

        found = MODIFIERS if self.data is None else modifiers_of(self.data)
        rows: list[dict[str, Any]] = [
            {
                "name": each.name,
                "dataset": each.dataset,
                "predicate": each.rule,
                "doubts": list(each.doubts),
                "source": each.source,
            }
            for each in found
        ]
        lines = [
            line
            for row in rows
            for line in (
                f"{row['name']} of {row['dataset']}",
                f"  only images with: {row['predicate']}",
                *(f"  note: {doubt}" for doubt in row["doubts"]),
            )
        ]
        self.emit({"modifiers": rows}, "\n".join(lines) or "No modifier is known of it.")
        return 0
