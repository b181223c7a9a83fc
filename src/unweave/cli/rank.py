"""`unweave rank`."""

from __future__ import annotations

__all__ = ["Rank"]

from dataclasses import dataclass
from typing import Annotated, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Int, Protocol, Text, bar, check_json, to_number


@final
@dataclass(kw_only=True)
class Rank(Common):
    """Put finished runs of one dataset in order: by UDR, which needs no labels, or by a metric.

    For instance: unweave rank runs/a runs/b runs/c --by mig. UDR, the unsupervised disentanglement
    ranking, is higher for runs whose latents agree with those of other runs.
    """

    run_folders: Positional[
        Annotated[tuple[str, ...], arg(metavar="RUN ...", help_behavior_hint="")]
    ]
    """Folders of the runs, at least two."""

    by: Annotated[str, arg(metavar="TEXT", help_behavior_hint="")] = "udr"
    """udr (default), or a metric or an analysis, by which runs are scored where need be."""

    compare: Literal["all", "config"] = "all"
    """UDR compares a run with all others, or with those that differ in nothing but the seed."""

    protocol: Protocol = "unweave"
    """Whose settings the scores have; `unweave metrics` lists protocols (default unweave)."""

    images: Int = "1000"
    """For UDR: how many images are encoded (default 1000, or all if there are fewer)."""

    seed: Int = "0"
    """Which images those are, or seed of the metric's draws (default 0)."""

    out: Text = None
    """JSON file to write the ranking to as well."""

    def run(self) -> int:
        """Rank and print."""
        from pathlib import Path

        from unweave.cli.run_folder import check_run_folder
        from unweave.ranking import rank
        from unweave.rundir import write_json

        images = to_number("--images", self.images, int)
        seed = to_number("--seed", self.seed, int)
        check_json(self.out, "ranking", {"by", "higher_is_better", "compared", "runs"})
        for folder in self.run_folders:
            check_run_folder(folder)
        with bar() as progress:
            ranking = rank(
                self.run_folders,
                self.by,
                compare=self.compare,
                protocol=self.protocol,
                images=images,
                seed=seed,
                progress=progress,
            )
        result = ranking.to_dict()
        if self.out is not None:
            write_json(Path(self.out), result)
        self.emit(result, str(ranking))
        return 0
