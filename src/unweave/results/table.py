"""Runs, their scores, and the circumstances of scores, as tables; and as a single tidy one."""

from __future__ import annotations

__all__ = ["CIRCUMSTANCES", "OWN", "SHARED", "TAKEN", "Results", "own_name"]

from dataclasses import dataclass, replace
from typing import Final, final

import polars as pl

from unweave.metrics.protocols import names_of
from unweave.results.reading import RUN_FIELDS

SHARED: Final = ("protocol", "data", "source", "part", "codes", "score_seed", "repeats")
"""Under which circumstances a score was computed: those that all scores of one call share."""

OWN: Final = ("settings", "samples", "score_precision")
"""Further circumstances, which differ from metric to metric."""

CIRCUMSTANCES: Final = (*SHARED, *OWN)
"""All that two scores must have in common before they are taken together."""

_DRAWS = ("draws_low", "draws_high", "draws_sd")
_LATER = ("score_step", "score_unweave")

TAKEN: Final = (
    "id", "case", *RUN_FIELDS, "metric", "value", "unit", *_DRAWS, *CIRCUMSTANCES, *_LATER,
)  # fmt: skip
"""Columns that are always there, which one of a configuration must not hide."""


@final
@dataclass(frozen=True)
class Results:
    """Runs and scores.

    Attributes:
        runs: One row a run: `id`, `RUN_FIELDS`, and the columns of the configuration.
        cases: One row for each metric under each circumstances: a number `case`, `metric`, `unit`
            and `CIRCUMSTANCES`, in the order in which they are shown.
        scores: One row a score: the `id` of its run, its `case`, `value`, which is null where it
            is not a number, the interval over draws of its table, `draws_low` and `draws_high`,
            with `draws_sd`, the optimiser step of the weights, `score_step`, and the version that
            computed it, `score_unweave`.
        config: Names of the columns of the configuration.
        quantities: Each metric, and each `METRIC.PART`, that any run has.
        notes: What was passed over, or stands in more than one place.
    """

    runs: pl.DataFrame
    cases: pl.DataFrame
    scores: pl.DataFrame
    config: tuple[str, ...]
    quantities: frozenset[str]
    notes: tuple[str, ...]

    def tidy(self) -> pl.LazyFrame:
        """One row a score, with everything that is known of its run beside it.

        A run without a score has one row, without a metric. The rows are those of the runs, and
        within a run by metric and circumstances.
        """
        facts = [name for name in RUN_FIELDS if name not in ("message", "unweave")]
        return (
            self.runs.lazy()
            .join(self.scores.lazy(), on="id", how="left", maintain_order="left_right")
            .join(self.cases.lazy(), on="case", how="left", maintain_order="left")
            .with_columns(pl.col("score_unweave").cast(pl.String))
            .select(
                *facts, "metric", "value", "unit", *_DRAWS, *CIRCUMSTANCES, *_LATER, "message",
                "unweave", *self.config,
            )
        )  # fmt: skip

    def _repr_html_(self) -> str:
        """How many runs and scores there are, and the scores run by run, for a notebook."""
        from unweave.results.formats import html
        from unweave.results.layouts import Sheet
        from unweave.results.notes import notes_of

        columns = ("run", "state", "objective", "dataset", "seed", "metric", "value", "unit",
                   "protocol")  # fmt: skip
        rows = self.tidy().select(*columns).collect().rows()
        sheet = Sheet(columns=columns, rows=tuple(rows))
        title = f"{self.scores.height:,} scores of runs"
        return html(sheet, title, *notes_of(self))

    def of_runs(self, kept: pl.DataFrame) -> Results:
        """The same for some of the runs."""
        return replace(self, runs=kept, scores=self.scores.join(kept, on="id", how="semi")).clean()

    def of_cases(self, kept: pl.DataFrame) -> Results:
        """The same for some of the cases, in a new order."""
        scores = self.scores.join(kept, on="case", how="semi", maintain_order="left")
        return replace(self, cases=kept, scores=scores).clean()

    def clean(self) -> Results:
        """Without cases of which there is no score any more."""
        cases = self.cases.join(self.scores, on="case", how="semi", maintain_order="left")
        return replace(self, cases=cases)


def own_name(asked: str) -> str:
    """A metric, or a part of one, by the metric's own name where it is asked for by an alias."""
    head, dot, part = asked.partition(".")
    return names_of((head,))[0] + dot + part
