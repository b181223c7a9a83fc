"""What a ranking is, and how it is shown."""

from __future__ import annotations

__all__ = ["Compare", "GroupScore", "Ranked", "Ranking"]

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from unweave import display

Compare: TypeAlias = Literal["all", "config"]
"""Which runs are compared: all of one dataset, or those of one configuration."""


@final
@dataclass(frozen=True)
class Ranked:
    """A run and its score.

    Attributes:
        run: Its folder.
        score: The number that it is ranked by.
        seed: Seed of its training.
        group: What its group is called.
        low: Lower end of the 95 % bootstrap interval over the runs that it is compared with; None
            where there are fewer than three, or where it is not compared with others.
        high: Upper end.
        informative: Its latents that count for UDR; None for other scores.
    """

    run: str
    score: float
    seed: int
    group: str
    low: float | None = None
    high: float | None = None
    informative: int | None = None


@final
@dataclass(frozen=True)
class GroupScore:
    """Runs of one configuration.

    Attributes:
        group: What tells it from the others.
        runs: How many there are.
        mean: Mean of their scores.
        low: Lower end of the 95 % bootstrap interval of the mean over runs; None for fewer than 3.
        high: Upper end.
    """

    group: str
    runs: int
    mean: float
    low: float | None
    high: float | None


@final
@dataclass(frozen=True)
class Ranking:
    """Runs and groups of runs, the best first.

    Attributes:
        by: `udr`, or the name of the metric or analysis.
        protocol: Name and version of the protocol.
        higher_is_better: Direction of the score.
        data: Text of the dataset.
        compared: For UDR, whether `all` runs are compared, or those of one `config`.
        runs: The runs.
        groups: Their groups: one for each configuration apart from the seed.
    """

    by: str
    protocol: str
    higher_is_better: bool
    data: str
    compared: Compare | None
    runs: tuple[Ranked, ...]
    groups: tuple[GroupScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "by": self.by,
            "protocol": self.protocol,
            "higher_is_better": self.higher_is_better,
            "data": self.data,
            "compared": self.compared,
            "runs": [vars(entry) for entry in self.runs],
            "groups": [vars(entry) for entry in self.groups],
        }

    def _repr_html_(self) -> str:
        """The runs and their groups, the best first, for a notebook."""
        heads = ("rank", "score", "95 % over runs", "seed", "run", "configuration")
        rows = [
            (place, f"{r.score:.4f}", _span(r.low, r.high), r.seed, r.run, r.group)
            for place, r in enumerate(self.runs, start=1)
        ]
        groups = [(g.group, g.runs, f"{g.mean:.4f}", _span(g.low, g.high)) for g in self.groups]
        return display.shown(
            f"{len(self.runs)} runs, ranked by {self.by}",
            display.note(self._about()),
            display.table(heads, rows, ("score", "seed")),
            display.table(("configuration", "runs", "mean", "95 % over runs"), groups,
                          ("runs", "mean")),
        )  # fmt: skip

    def _about(self) -> str:
        """What was compared, and how."""
        better = "higher" if self.higher_is_better else "lower"
        compared = {
            None: "",
            "all": ", every run with every other",
            "config": ", runs of one configuration with each other",
        }[self.compared]
        return f"{self.by}, {better} is better, protocol {self.protocol}; {self.data}{compared}"

    def __str__(self) -> str:
        """A table for people."""
        lines = [self._about()]
        span = f"{'95 % over runs':<19}"
        lines += ["", f"{'rank':>4}{'score':>10}  {span}{'seed':>6}  run, configuration"]
        for place, entry in enumerate(self.runs, start=1):
            latents = "" if entry.informative is None else f", {entry.informative} latents in use"
            lines.append(
                f"{place:>4}{entry.score:>10.4f}  {_span(entry.low, entry.high):<19}"
                f"{entry.seed:>6}  {entry.run}, {entry.group}{latents}"
            )
        if any(entry.runs > 1 for entry in self.groups) and len(self.groups) > 1:
            lines += ["", f"{'runs':>4}{'mean':>10}  {span}  configuration"]
            lines += [
                f"{entry.runs:>4}{entry.mean:>10.4f}  {_span(entry.low, entry.high):<19}  "
                f"{entry.group}"
                for entry in self.groups
            ]
        return "\n".join(lines)


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4f} to {high:.4f}"
