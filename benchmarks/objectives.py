"""How long an update takes under each method, beside that of a plain VAE.

Protocol
--------
Every method is updated on one batch of noise of 64x64 images with one channel, in the form that it
needs, with the factors of dSprites; nothing is read from disk. Batches have 64 images in the
reconstruction. A round goes through all methods of a table, the plain VAE with the same networks
first, 40 updates each after 10 that are not timed; what counts is the ratio to the VAE of the same
round, and its median over the rounds. Methods encode different numbers of images in a step, so
that the ratio is one of times per encoded image.

Criteria, per encoded image: terms that look at posteriors alone at most 1.2 times the VAE; pairs
and few labels at most 1.3 times; FactorVAE at most 2.2 times; conditional methods have none, and
the IFCVAE passes three networks of an encoder's size in each step. The Lie group VAE, in batches
of 256: at most 1.6 times a VAE on its convolutions, and at least 1.5 times faster than the form
that was published, which decodes three times in each step, written anew in
`_objectives/published_lie.py`.

Usage
-----
    python benchmarks/objectives.py --out DIR

writes `benchmarks/results/objectives.md`. Finished rounds stand in DIR and are not measured again.
Without --out everything runs once, at tiny lengths, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from _machine import circumstances
from _objectives.published_lie import published_form
from _objectives.timing import Timed, milliseconds

from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, read_lines
from unweave.rundir import atomic_write
from unweave.settings import make_config
from unweave.training.precision import resolve, training_process

ROOT = Path(__file__).resolve().parents[1]
DATA: Final = "dsprites"
PUBLISHED: Final = "published form"


@final
@dataclass(frozen=True)
class Table:
    """Methods with one criterion.

    Attributes:
        title: What they have in common.
        most: How many times the time of the VAE is allowed, per encoded image; None without limit.
        objectives: Their texts.
        baseline: Settings of the VAE that they are compared with.
        settings: Settings of the methods.
    """

    title: str
    most: float | None
    objectives: tuple[str, ...]
    baseline: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


TABLES: Final = (
    Table(
        "Terms of the posterior",
        1.2,
        (
            "beta_vae",
            "annealed_vae",
            "beta_tcvae",
            "dip_vae_i",
            "dip_vae_ii",
            "info_vae",
            "autoencoder",
            "wae_mmd",
        ),
    ),
    Table(
        "Pairs and few labels",
        1.3,
        (
            "ada_gvae",
            "ada_mlvae",
            "group_vae_labels",
            "mlvae_labels",
            "slow_vae",
            "s2_vae",
            "s2_beta_tcvae",
            "s2_dip_vae",
            "fully_supervised",
        ),
    ),
    Table("FactorVAE", 2.2, ("factor_vae", "s2_factor_vae")),
    Table("Conditional", None, ("cvae", "ifcvae")),
    Table(
        "The Lie group VAE",
        1.6,
        ("lie_group_vae", PUBLISHED),
        {"architecture": "beta_celeb", "batch_size": 256},
        {"batch_size": 256},
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description="Time of an update; see the file.")
    parser.add_argument("--out", type=Path, help="folder of finished rounds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=40)
    given = parser.parse_args(arguments)
    try:
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("Tiny lengths: these figures show that everything runs, nothing else.\n")
                print(_measure(Path(temporary), 1, 1))
            return
        text = _measure(given.out, given.rounds, given.steps)
    except UnweaveError as error:
        sys.exit(str(error))
    target = ROOT / "benchmarks" / "results" / "objectives.md"
    with atomic_write(target) as handle:
        handle.write(text.encode())
    print(f"Wrote {target}.")


def _measure(out: Path, rounds: int, steps: int) -> str:
    out.mkdir(parents=True, exist_ok=True)
    lines = out / "rounds.jsonl"
    with training_process(resolve(make_config(DATA, "vae", steps=1))):
        for table in TABLES:
            done = [row["round"] for row in read_lines(lines) if row["table"] == table.title]
            todo = [number for number in range(rounds) if number not in done]
            if todo:
                _rounds(lines, table, todo, steps)
    text = ["# Objectives: time of an update", ""]
    text += [f"- {name}: {value}" for name, value in circumstances()]
    text += ["- protocol: the docstring of `benchmarks/objectives.py`", ""]
    for table in TABLES:
        rows = [row for row in read_lines(lines) if row["table"] == table.title]
        text += _section(table, rows)
    return "\n".join(text)


def _rounds(lines: Path, table: Table, numbers: Sequence[int], steps: int) -> None:
    """Measure a table's methods in turns; networks are built once."""
    made: dict[str, Any] = {"vae": Timed("vae", DATA, table.baseline)}
    for objective in table.objectives:
        made[objective] = (
            published_form(DATA, table.settings)
            if objective == PUBLISHED
            else Timed(objective, DATA, table.settings)
        )
    for number in numbers:
        times = {name: milliseconds(timed, steps) for name, timed in made.items()}
        encoded = {name: timed.encoded for name, timed in made.items()}
        row = {"table": table.title, "round": number, "times": times, "encoded": encoded}
        append_line(lines, row)
        print(f"{table.title}: round {number + 1} done", file=sys.stderr)


def _section(table: Table, rows: list[dict[str, Any]]) -> list[str]:
    baseline = _settings_text(table.baseline)
    limit = "" if table.most is None else f": at most {table.most:g} times the VAE"
    text = [
        f"## {table.title}{limit}",
        "",
        f"{len(rows)} rounds. The VAE is `vae`{baseline}.",
        "",
        "| objective | ms an update | encoded images | times the VAE, per encoded image | |",
        "|---|---|---|---|---|",
    ]
    for name in ("vae", *table.objectives):
        ratios = [_per_image(row, name) / _per_image(row, "vae") for row in rows]
        ratio = statistics.median(ratios)
        verdict = ""
        if table.most is not None and name not in ("vae", PUBLISHED):
            verdict = "met" if ratio <= table.most else "missed"
        spread = f"{ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        time = statistics.median(row["times"][name] for row in rows)
        label = name if name == PUBLISHED else f"`{name}`"
        text.append(
            f"| {label} | {time:.1f} | {rows[0]['encoded'][name]} | {spread} | {verdict} |"
        )
    if PUBLISHED in table.objectives:
        faster = [row["times"][PUBLISHED] / row["times"]["lie_group_vae"] for row in rows]
        text += [
            "",
            f"Against the published form it is {statistics.median(faster):.2f} times faster "
            f"({min(faster):.2f} to {max(faster):.2f}); 1.5 are asked for.",
        ]
    return [*text, "", "Medians over the rounds, with the range in brackets.", ""]


def _per_image(row: dict[str, Any], name: str) -> float:
    return float(row["times"][name] / row["encoded"][name])


def _settings_text(settings: dict[str, Any]) -> str:
    words = [f"{key} {value}" for key, value in settings.items()]
    return f" with {' and '.join(words)}" if words else ""


if __name__ == "__main__":
    main()
