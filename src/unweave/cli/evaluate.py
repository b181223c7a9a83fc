"""`unweave evaluate`."""

from __future__ import annotations

__all__ = ["Evaluate"]

from dataclasses import dataclass
from typing import Annotated, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Int, Protocol, Text, as_asked, bar, names_of, to_number


@final
@dataclass(kw_only=True)
class Evaluate(Common):
    """Score a run; the scores are added to its scores.json.

    For instance: unweave evaluate runs/first --metrics mig,dci --repeats 5. `unweave metrics`
    lists metrics, analyses and protocols.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Folder of the run."""

    metrics: Text = None
    """Names, with commas (default: what the protocol scores unasked; no analyses)."""

    protocol: Protocol = "unweave"
    """Whose settings the metrics and analyses have, such as dlib (default unweave)."""

    part: Literal["train", "holdout", "all"] = "all"
    """Which of the run's images to score on; holdout is what --holdout kept apart."""

    codes: Literal["mean", "sampled"] = "mean"
    """Posterior means, or one sample of each posterior."""

    data: Text = None
    """Images to score on instead: a dataset, or held_out for those that its training left out."""

    seed: Int = "0"
    """Seed of whatever the metrics and analyses draw (default 0)."""

    repeats: Int = "1"
    """Seeds to score with, from --seed on: mean and 95 % interval over draws (default 1)."""

    def run(self) -> int:
        """Score and print."""
        from unweave.cli.run_folder import check_run_folder
        from unweave.errors import SpecError
        from unweave.run import load_run

        names = names_of(self.metrics)
        seed = to_number("--seed", self.seed, int)
        if seed < 0:
            raise SpecError(f"--seed must be at least 0, but is {seed}.")
        repeats = to_number("--repeats", self.repeats, int)
        if repeats < 1:
            raise SpecError(f"--repeats must be at least 1, but is {repeats}.")
        check_run_folder(self.run_folder)
        run = load_run(self.run_folder)
        with bar() as progress:
            scores = run.evaluate(
                names,
                protocol_name=self.protocol,
                part=self.part,
                codes=self.codes,
                data=self.data,
                seed=seed,
                repeats=repeats,
                progress=progress,
            )
        result = {
            "run": str(run.folder),
            "scores": as_asked({n: record.to_dict() for n, record in scores.items()}, names),
        }
        self.emit(result, str(scores))
        return 0
