"""`unweave results`."""

from __future__ import annotations

__all__ = ["ResultsTable"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Int, Text, bar, names_of, say, to_number, writing
from unweave.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from unweave.results import Results, Sheet, Summary

Format = Literal["text", "json", "csv", "md", "latex"]
Layout = Literal["auto", "stats", "wide", "clg", "correlations"]


@final
@dataclass(kw_only=True)
class ResultsTable(Common):
    """One table from many runs: their scores in groups, with spread, and never across protocols.

    For instance: unweave results runs --metrics mig,dci.completeness --group-by objective.

    Only runs that were trained to the end count, with scores of their last weights; all others are
    counted and named. Each protocol, dataset, part, kind of codes and seed of scores stands in
    rows of its own.
    """

    folders: Positional[Annotated[tuple[str, ...], arg(metavar="DIR ...", help_behavior_hint="")]]
    """Studies, runs, or folders of either."""

    metrics: Text = None
    """Scores, with commas, as mig,dci.completeness,seconds,images_per_second (default: all)."""

    group_by: Text = None
    """Settings, with commas, as objective.beta,latents (default: all that differ but seeds)."""

    protocol: Text = None
    """Only scores of this protocol, such as dlib, or dlib/1."""

    where: Text = None
    """Only runs and scores with these values, such as objective.beta=4,part=all."""

    format: Format = "text"
    """How the table is printed; json is the same as --json."""

    layout: Layout = "auto"
    """All statistics (stats), mean and sd (wide), the columns of clg, or rank correlations."""

    parts: Flag = False
    """Take the parts of scores, such as dci.completeness, as scores, too."""

    seed: Int = "0"
    """Seed of the bootstrap (default 0)."""

    out: Text = None
    """File to write the tidy table to: .parquet or .csv, one row a score."""

    plots: Text = None
    """Folder to draw violins, rank correlations and ranks into."""

    def run(self) -> int:
        """Collect, and print or write what is asked for."""
        from pathlib import Path

        from unweave.results import Sheet, choose, collect, write_table
        from unweave.results.choosing import conditions
        from unweave.results.grouping import summarise
        from unweave.results.layouts import eleven_of
        from unweave.results.notes import notes_of, states_of
        from unweave.results.writing import check_place, check_table

        if self.json and self.format not in ("text", "json"):
            raise SpecError(f"--json and --format {self.format} exclude each other; give one.")
        seed = to_number("--seed", self.seed, int)
        if seed < 0:
            raise SpecError(f"--seed must be at least 0, not {seed}.")
        metrics = self._metrics()
        where = conditions(self.where)
        group_by = names_of(self.group_by, "--group-by")
        out = None if self.out is None else Path(self.out)
        plots = None if self.plots is None else Path(self.plots)
        if out is not None:
            check_table(out)
        if plots is not None:
            check_place(plots)
        with bar() as progress:
            everything = collect(
                self.folders, parts=None if self.parts else metrics or (), progress=progress
            )
        if self.layout == "clg":
            metrics = eleven_of(everything.quantities)
        results = choose(everything, metrics=metrics, protocol=self.protocol, where=where)
        if out is not None and "finished" not in states_of(results):
            # There is nothing to take together, but all scores can be written.
            write_table(results.tidy(), out)
            self._print(results, Sheet((), ()), None, notes_of(results), [out])
            return 0
        summary = summarise(results, group_by, seed=seed)
        sheet = self._sheet(results, summary, seed)
        written: list[Path] = []
        if out is not None:
            write_table(results.tidy(), out)
            written.append(out)
        notes = notes_of(results, summary)
        if self.layout == "correlations" and group_by and plots is None:
            notes.append("Rank correlations are over all runs together: --group-by has no part.")
        if plots is not None:
            from unweave.results.figures import draw

            drawn, more = draw(results, summary, plots, seed=seed)
            written += drawn
            notes += more
        self._print(results, sheet, summary, notes, written)
        return 0

    def _metrics(self) -> tuple[str, ...] | None:
        """What is asked for, or what the layout takes."""
        from unweave.results.layouts import ELEVEN

        if self.layout != "clg":
            return names_of(self.metrics)
        if self.metrics is not None:
            raise SpecError("--layout clg has eleven metrics of its own; leave --metrics out.")
        return tuple(name for names in ELEVEN.values() for name in names)

    def _sheet(self, results: Results, summary: Summary, seed: int) -> Sheet:
        from unweave.results import correlate, lay_out

        match self.layout:
            case "correlations":
                return correlate(results, seed=seed).sheet()
            case "auto":
                return lay_out(summary, "wide" if self.format in ("md", "latex") else "stats")
            case layout:
                return lay_out(summary, layout)

    def _print(
        self,
        results: Results,
        sheet: Sheet,
        summary: Summary | None,
        notes: list[str],
        written: list[Path],
    ) -> None:
        from unweave.results import formats
        from unweave.results.notes import states_of

        if self.json or self.format == "json":
            result: dict[str, Any] = {
                "group_by": list(summary.group_by) if summary else [],
                "runs": states_of(results),
                "rows": formats.json_rows(sheet),
                "left_out": {
                    reason: list(runs)
                    for reason, runs in (summary.left_out if summary else {}).items()
                },
                "notes": notes,
                "written": [str(path) for path in written],
            }
            self.json = True
            self.emit(result, "")
            return
        told = [*notes, *(f"Written: {path}" for path in written)]
        writer = {
            "text": formats.plain,
            "csv": formats.csv_text,
            "md": formats.markdown,
            "latex": formats.latex,
        }[self.format]
        with writing():
            if sheet.columns:
                print(writer(sheet), flush=True)
            if self.format == "text":
                print("\n" + "\n".join(told), flush=True)
        if self.format != "text":
            for line in told:
                say(line)
