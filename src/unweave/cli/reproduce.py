"""`unweave reproduce list|run`: published numbers, and the trainings that repeat them."""

from __future__ import annotations

__all__ = ["ReproduceList", "ReproduceRun"]

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Float, Int, Text, bar, minutes_of, to_number

if TYPE_CHECKING:
    from unweave.reproduction import Row, RowPlan


@final
@dataclass(kw_only=True)
class ReproduceList(Common):
    """List published numbers by row: a training, its numbers, its length, where it waits.

    A row has the name of the preset that repeats it; `unweave reproduce run ROW` does so.
    """

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[ROW ...]", help_behavior_hint="")]
    ] = ()
    """Only these rows, or those of a source, such as clg; all when no name is given."""

    def run(self) -> int:
        """Print the list."""
        from unweave.reproduction import SOURCES, find_rows

        found = find_rows(self.names)
        named = {row.source for row in found}
        printed = {source.name: dict(source.printed) for source in SOURCES if source.name in named}
        rows = [_row_form(row) for row in found]
        lines: list[str] = []
        for row in found:
            config = row.config
            told = f"{row.name}  ({row.label})" if row.label else row.name
            lines.append(f"{told}: {config.steps:,} steps of {config.dataset}")
            lines += [
                f"    {value.label:<18}{value.text:<26}{value.protocol:<10}{value.printed}"
                for value in row.values
            ]
        lines += ["", "Columns: score, published number, protocol that computes it, place."]
        lines += ["", "Printed in"]
        for source, places in printed.items():
            lines += [f"    {source}, {place}: {where}" for place, where in places.items()]
        lines += ["", "How long one takes: unweave reproduce run ROW --dry-run"]
        self.emit({"rows": rows, "printed": printed}, "\n".join(lines))
        return 0


def _row_form(row: Row) -> dict[str, Any]:
    """A row for JSON."""
    return {
        "row": row.name,
        "label": row.label,
        "dataset": str(row.config.dataset),
        "steps": row.config.steps,
        "seed": row.config.seed,
        "after": row.preset.after,
        "values": [
            {
                "score": value.label,
                "value": value.value,
                "sd": value.sd,
                "runs": value.runs,
                "metric": value.metric,
                "part": value.part or None,
                "protocol": value.protocol,
                "data": value.data,
                "printed": value.printed,
            }
            for value in row.values
        ],
    }


@final
@dataclass(kw_only=True)
class ReproduceRun(Common):
    """Repeat published trainings, score them as published, and show both numbers.

    What is there is gone on with: the same command after a stop, and a longer --steps after a
    shorter one. The runs are run folders as any other.
    """

    names: Positional[Annotated[tuple[str, ...], arg(metavar="ROW ...", help_behavior_hint="")]]
    """Rows, or a source for all of its rows; `unweave reproduce list` has them."""

    steps: Int = None
    """Optimiser steps of each training (default: the published length)."""

    seeds: Int = "1"
    """How many trainings of each row, from the preset's seed on (default 1)."""

    repeats: Int = "5"
    """With how many seeds metrics draw, for the interval of a single training (default 5)."""

    dataset: Text = None
    """Other images of the row's dataset, such as "dsprites(source=archive)"."""

    threads: Int = None
    """Processor threads (default: as many as PyTorch finds cores)."""

    device: Text = None
    """auto (default), cpu, cuda or cuda:N."""

    precision: Text = None
    """auto (default), bfloat16, float32; published trainings are in float32."""

    out: Text = None
    """Folder of the runs (default: runs/reproduction, or under UNWEAVE_RUNS)."""

    max_minutes: Float = None
    """Stop training at a checkpoint after this many minutes in all; the same command goes on."""

    dry_run: Flag = False
    """Only say what would be trained and scored, and how long training takes."""

    def run(self) -> int:
        """Train and score each row."""
        from unweave.cli.watch import make_watch
        from unweave.errors import SpecError
        from unweave.reproduction import carry_out, find_rows

        minutes = minutes_of(self.max_minutes)
        if not self.names:
            raise SpecError("Name a row, such as disvae/VAE_dsprites.")
        plans = [self._plan(row) for row in find_rows(self.names)]
        if self.dry_run:
            return self._estimate(plans)
        begun = time.monotonic()
        forms: list[dict[str, Any]] = []
        lines: list[str] = []
        for plan in plans:
            left = None if minutes is None else minutes - (time.monotonic() - begun) / 60
            with bar() as progress:
                outcome = carry_out(plan, max_minutes=left, watch=make_watch, progress=progress)
            form, told = _result(plan, outcome.state, outcome.step)
            forms.append(form)
            lines += told
            if outcome.state != "finished":
                lines.append("Go on with the same command.")
                break
        self.emit({"rows": forms}, "\n".join(lines))
        return 0

    def _plan(self, row: Row) -> RowPlan:
        from unweave.reproduction import plan_of

        given = {
            "threads": to_number("--threads", self.threads, int),
            "device": self.device,
            "precision": self.precision,
        }
        return plan_of(
            row,
            steps=to_number("--steps", self.steps, int),
            seeds=to_number("--seeds", self.seeds, int),
            repeats=to_number("--repeats", self.repeats, int),
            dataset=self.dataset,
            out=None if self.out is None else Path(self.out),
            **{name: value for name, value in given.items() if value is not None},
        )

    def _estimate(self, plans: list[RowPlan]) -> int:
        """Say what would be done, and what it takes."""
        from unweave import estimate
        from unweave.cli.words import duration

        forms: list[dict[str, Any]] = []
        lines: list[str] = []
        for plan in plans:
            # Runs of a row differ in their seeds alone.
            each = {piece.scored: piece.config for piece in plan.pieces}
            costs = {scored: estimate.estimate(config) for scored, config in each.items()}
            trainings = []
            for piece in plan.pieces:
                cost = costs[piece.scored]
                left = max(0, piece.config.steps - piece.done)
                seconds = left * cost["seconds_per_step"]
                trainings.append(
                    {
                        "run": str(piece.folder),
                        "command": piece.config.command,
                        "steps": piece.config.steps,
                        "done": piece.done,
                        "seconds": seconds,
                        "dataset_missing": cost["dataset_missing"],
                    }
                )
                lines.append(
                    f"{plan.row.name}: {left:,} of {piece.config.steps:,} steps are left, about "
                    f"{duration(seconds)} ({1000 * cost['seconds_per_step']:.1f} ms a step in "
                    f"{cost['precision']}, {cost['threads']} threads), in {piece.folder}"
                )
                if cost["dataset_missing"] is not None:
                    lines.append(f"    It cannot be trained yet. {cost['dataset_missing']}")
            asked = [request.to_dict() for request in plan.requests]
            for request in plan.requests:
                data = "" if request.data is None else f" of {request.data}"
                lines.append(
                    f"    scored: {', '.join(request.metrics or ())}{data}, protocol "
                    f"{request.protocol}"
                )
            published = plan.row.config.steps
            forms.append(
                {
                    "row": plan.row.name,
                    "published_steps": published,
                    "trainings": trainings,
                    "scores": asked,
                }
            )
            if plan.pieces[-1].config.steps < published:
                lines.append(f"    shortened: the published training has {published:,} steps")
        total = sum(each["seconds"] for form in forms for each in form["trainings"])
        lines.append(f"All: about {duration(total)} of training, and scoring beside.")
        self.emit({"rows": forms, "seconds": total}, "\n".join(lines))
        return 0


def _result(plan: RowPlan, state: str, step: int) -> tuple[dict[str, Any], list[str]]:
    """What a row has come to, as a form and as lines."""
    from unweave.cli.words import table
    from unweave.reproduction import groups_of, record_of
    from unweave.reproduction.page import score_cells

    runs = [str(piece.folder) for piece in plan.pieces]
    form: dict[str, Any] = {
        "row": plan.row.name, "state": state, "runs": runs, "steps": step, "scores": [],
    }  # fmt: skip
    lines = [f"{plan.row.name}: {state} at step {step:,}"]
    if state != "finished":
        return form, lines
    records = [record_of(piece.folder) for piece in plan.pieces if piece.scored]
    (group,) = groups_of(records)
    if group.shortened:
        lines[0] += f", shortened: the published training has {plan.row.config.steps:,}"
    cells = [score_cells(comparison) for comparison in group.comparisons]
    form |= {"steps": group.steps, **group.to_dict(), "state": state, "runs": runs}
    lines.append(table(list(cells[0]), [list(each.values()) for each in cells]))
    return form, lines
