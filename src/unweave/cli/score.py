"""`unweave score`."""

from __future__ import annotations

__all__ = ["Score"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import (
    Common,
    Int,
    Protocol,
    Text,
    as_asked,
    bar,
    check_json,
    names_of,
    to_number,
)

if TYPE_CHECKING:
    from unweave.representation import Representation


@final
@dataclass(kw_only=True)
class Score(Common):
    """Score codes of any model from a file: npz, or npy or csv pairs.

    The npz holds `codes`, (N, L), and either `factors`, (N, K), or `factor_sizes`, (K,), when the
    rows are the full grid in C order, the last factor fastest. It may hold `factor_names`, (K,),
    and `logvar`, (N, L). Or give codes and factors as two files, npy or csv. For instance: unweave
    score codes.npz --protocol dlib --metrics mig,dci.
    """

    file: Positional[Annotated[str, arg(metavar="FILE", help_behavior_hint="")]]
    """File of codes, with or without their factors."""

    factors_file: Positional[
        Annotated[str | None, arg(metavar="[FACTORS_FILE]", help_behavior_hint="")]
    ] = None
    """File of the factors of the same rows."""

    metrics: Text = None
    """Names from `unweave metrics`, with commas (default: what the protocol scores unasked)."""

    protocol: Protocol = "unweave"
    """Whose settings the metrics have, such as dlib; see `unweave metrics` (default unweave)."""

    seed: Int = "0"
    """Seed of whatever the metrics draw (default 0)."""

    repeats: Int = "1"
    """Seeds to score with, from --seed on: mean and 95 % interval over draws (default 1)."""

    out: Text = None
    """JSON file to write the scores to as well."""

    def run(self) -> int:
        """Score and print."""
        from pathlib import Path

        from unweave.metrics import evaluate
        from unweave.metrics.files import read_table
        from unweave.metrics.protocols import metrics_of
        from unweave.metrics.protocols import protocol as protocol_of
        from unweave.rundir import write_json

        names = names_of(self.metrics)
        seed = to_number("--seed", self.seed, int)
        repeats = to_number("--repeats", self.repeats, int)
        chosen = protocol_of(self.protocol)
        # What is misspelt is said before a large file is read.
        asked = metrics_of(chosen, names)
        check_json(self.out, "file of scores", {"factors_file", "protocol", "versions", "scores"})
        needed = names is None or any("factors" in metric.needs for metric in asked)
        table = read_table(self.file, self.factors_file, factors_needed=needed)
        with bar() as progress:
            scores = evaluate(
                table,
                metrics=names,
                protocol=self.protocol,
                seed=seed,
                repeats=repeats,
                progress=progress,
            )
        result = self._result(table, scores, seed, repeats)
        result["scores"] = as_asked(result["scores"], names)
        if self.out is not None:
            write_json(Path(self.out), result)
        self.emit(result, self._text(table, scores, seed, repeats))
        return 0

    def _result(
        self, table: Representation, scores: dict[str, Any], seed: int, repeats: int
    ) -> dict[str, Any]:
        """All that must be known to compare the scores with others."""
        from unweave.metrics import show
        from unweave.metrics.protocols import metrics_of
        from unweave.metrics.protocols import protocol as protocol_of

        chosen = protocol_of(self.protocol)
        texts = {metric.name: str(metric) for metric in metrics_of(chosen, tuple(scores))}
        return {
            "file": self.file,
            "factors_file": self.factors_file,
            "rows": len(table),
            "latents": table.latents,
            "factors": [{"name": f.name, "size": f.size} for f in table.factor_space.factors],
            "protocol": chosen.label,
            "seed": seed,
            "repeats": repeats,
            "versions": _versions(),
            "scores": {
                name: {
                    "metric": name,
                    "text": texts[name],
                    "protocol": chosen.label,
                    **show.form(score),
                    "samples": len(table),
                    "seed": seed,
                }
                for name, score in scores.items()
            },
        }

    def _text(self, table: Representation, scores: dict[str, Any], seed: int, repeats: int) -> str:
        from unweave.metrics import show
        from unweave.metrics.protocols import protocol as protocol_of

        known = ", ".join(f"{f.name} {f.size}" for f in table.factor_space.factors)
        factors = f"factors {known}" if known else "factors not known"
        seeds = f"seed {seed}" if repeats == 1 else f"seeds {seed} to {seed + repeats - 1}"
        lines = [
            f"{self.file}: {len(table):,} rows, {table.latents} latents; {factors}",
            f"protocol {protocol_of(self.protocol).label}, {seeds}",
        ]
        if len(scores) > show.IN_FULL:
            return "\n".join([*lines, "", show.compact(scores)])
        for name, score in scores.items():
            unit = f" {score.unit}" if score.unit else ""
            lines += ["", f"{name} = {score.value:.4f}{unit}", *show.details(name, score)]
        return "\n".join(lines)


def _versions() -> dict[str, str]:
    """Versions that scores depend on."""
    import platform
    from importlib.metadata import version

    from unweave._version import __version__

    found = {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {"unweave": __version__, "python": platform.python_version(), **found}
