"""Figures of several runs side by side."""

from __future__ import annotations

import numpy as np

from plots.cases.given import RNG
from unweave import plots

METRICS = ["mig", "dci", "sap", "irs", "modularity_explicitness", "reconstruction_nll"]


def runs_of(count):
    return [f"{'ABCDEFGHIJKL'[k]}  dsprites-beta_tcvae-4f0{k}c21ab" for k in range(count)]


def scores(metrics, count, groups=0):
    runs = runs_of(count)
    means = [f"A, {'BCDEFGH'[k]}  beta_tcvae" for k in range(groups)]
    panels = {}
    for metric in metrics:
        values = {}
        for name in [*runs, *means]:
            middle = RNG.uniform(0, 1)
            values[name] = (middle, middle - 0.05, middle + 0.05)
        panels[f"{metric} \N{UPWARDS ARROW}"] = values
    return plots.run_scores(panels, runs, means)


def curves(titles, count, start=1.0):
    steps = np.arange(1, 61) * 500.0
    return plots.run_curves(
        {
            title: {
                name: (steps, 100 + 5 * RNG.normal(size=60) + start * 1e5 / steps)
                for name in runs_of(count)
            }
            for title in titles
        },
        runs_of(count),
    )


def matches(first, second):
    table = np.clip(0.2 * RNG.normal(size=(first, second)), -1, 1)
    np.fill_diagonal(table, -0.95)
    return plots.matched_latents(
        table, [f"z{7 * k}" for k in range(first)], [f"z{5 * k}" for k in range(second)],
        row_label="latents of A", column_label="latents of B",
        value_label="Spearman correlation",
    )  # fmt: skip


PANELS = ["loss of the model", "reconstruction (nats an image)", "KL of all latents (nats)"]

CASES = {
    "matched_latents": {
        "usual": lambda: matches(8, 10),
        "one": lambda: matches(1, 1),
        "many": lambda: matches(40, 40),
        "wide": lambda: matches(2, 30),
    },
    "run_curves": {
        "usual": lambda: curves(PANELS, 3),
        "one": lambda: curves(PANELS[:1], 1),
        "many": lambda: curves([*PANELS, "reconstruction (squared error)"], 12, start=0.0),
    },
    "run_scores": {
        "usual": lambda: scores(METRICS[:4], 3, 1),
        "one": lambda: scores(METRICS[:1], 1),
        "many": lambda: scores(METRICS, 12, 4),
    },
}
