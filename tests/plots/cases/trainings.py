"""Figures of trainings and of populations: curves, settings, lineages."""

from __future__ import annotations

import numpy as np

from plots.cases.given import LONG, RNG
from unweave import plots


def history(count, length):
    steps = np.arange(1, length + 1) * 50
    names = ["total", "reconstruction", "mutual_information", "total_correlation",
             "dimension_wise_kl", "discriminator loss", "accuracy"]  # fmt: skip
    made = {}
    for place, name in enumerate(names[:count]):
        values = 500 * np.exp(-steps / (400 + 300 * place)) + 20 + RNG.normal(size=length)
        made[name] = (steps, values)
    return made


def broken_history():
    """A training that fell apart: NaN from the middle on, infinity, and a term without a value."""
    made = history(3, 400)
    made["total"][1][200:] = np.nan
    made["reconstruction"][1][120] = np.inf
    made["mutual_information"][1][:] = np.nan
    return made


def score_curves(count, points):
    steps = np.arange(points) * 500
    names = ["mig", "sap", "modularity_explicitness", "kl", "gaussian_total_correlation"]
    return plots.score_curves(
        steps, {name: RNG.uniform(size=points) * (1 if k < 3 else 40)
                for k, name in enumerate(names[:count])}, images=10_000,
    )  # fmt: skip


def score_gaps():
    values = np.array([np.nan, 0.1, np.nan, 0.3])
    return plots.score_curves([0, 500, 1000, 1500], {"mig": values, "sap": np.full(4, np.nan)})


def kl_curves(latents, points):
    steps = np.arange(1, points + 1) * 50
    ends = np.maximum(np.linspace(4, -1, latents), 0)
    return plots.kl_curves(steps, ends * (1 - np.exp(-steps / 700))[:, None])


def kl_lost():
    steps = np.arange(1, 101) * 50
    kl = np.linspace(3, 1, 4) * (1 - np.exp(-steps / 700))[:, None]
    kl[60:] = np.nan
    return plots.kl_curves(steps, kl)


def population(members, rounds):
    count = members * rounds
    member = np.tile(np.arange(members), rounds)
    number = np.repeat(np.arange(rounds), members)
    scores = 0.1 + 0.02 * number + 0.05 * RNG.normal(size=count)
    scores[:: max(7, count // 9)] = np.nan
    origins = np.arange(count) - members
    copied = (member % 4 == 0) & (number > 0)
    origins[copied] += (1 - member[copied]) + (members - 1) // 2 - 0
    origins[number == 0] = -1
    origins = np.where(origins >= count, -1, origins)
    return number + 1, member, scores, origins


def lineage(members, rounds):
    number, member, scores, origins = population(members, rounds)
    return plots.lineage(
        number, member, scores, origins, winner=len(number) - 1,
        title=f"{members} members, {rounds} rounds", score_label="MIG on labelled images",
    )  # fmt: skip


def schedules(members, rounds, fields):
    number, _, _, origins = population(members, rounds)
    every = {
        "objective.beta": 4 * np.exp(RNG.normal(size=len(number))),
        "optimizer.lr": 1e-4 * np.exp(RNG.normal(size=len(number))),
        "batch_size": RNG.choice([32, 64, 128], size=len(number)),
        "objective.total_correlation.estimator": RNG.choice(["mws", "mss"], size=len(number)),
    }
    return plots.schedules(
        (number - 1) * 1000, number * 1000, dict(list(every.items())[:fields]), origins,
        winner=len(number) - 1, log=("objective.beta", "optimizer.lr"),
        title=f"{members} members, {rounds} rounds", choices=("batch_size",),
    )  # fmt: skip


def hyper(fields, count):
    every = {
        "objective.beta": 4 * np.exp(RNG.normal(size=count)),
        "optimizer.lr": 1e-4 * np.exp(RNG.normal(size=count)),
        "batch_size": RNG.choice([32, 64, 128], size=count),
        "objective.total_correlation.estimator": RNG.choice(["mws", "mss"], size=count),
    }
    scores = RNG.uniform(size=count)
    scores[0] = np.nan
    return plots.hyper_map(
        dict(list(every.items())[:fields]), scores, log=("objective.beta", "optimizer.lr"),
        title="Settings of 8 members, 12 rounds", score_label="MIG on labelled images",
        choices=("batch_size",),
    )  # fmt: skip


def round_scores(members, rounds):
    number, _, scores, _ = population(members, rounds)
    return plots.round_scores(number, scores, title=f"{members} members, {rounds} rounds",
                              score_label="MIG on labelled images")  # fmt: skip


CASES = {
    "hyper_map": {
        "usual": lambda: hyper(2, 96),
        "one": lambda: hyper(1, 40),
        "four": lambda: hyper(4, 600),
    },
    "kl_bars": {
        "usual": lambda: plots.kl_bars(np.linspace(3, 0, 10)),
        "one": lambda: plots.kl_bars([2.5]),
        "32": lambda: plots.kl_bars(np.linspace(3, 0, 32)),
        "long": lambda: plots.kl_bars([3.0, 2.0, 1.0], LONG),
    },
    "kl_curves": {
        "usual": lambda: kl_curves(10, 60),
        "one": lambda: kl_curves(1, 1),
        "32 latents, long": lambda: kl_curves(32, 20_000),
        "not finite": kl_lost,
    },
    "lineage": {
        "usual": lambda: lineage(8, 12),
        "one": lambda: lineage(1, 1),
        "large": lambda: lineage(64, 60),
    },
    "loss_curves": {
        "usual": lambda: plots.loss_curves(
            history(5, 100), {"total": "nats an image", "reconstruction": "nats an image"}
        ),
        "one point": lambda: plots.loss_curves(history(3, 1)),
        "long": lambda: plots.loss_curves(
            history(7, 60_000), dict.fromkeys(history(7, 1), "nats an image")
        ),
        "not finite": lambda: plots.loss_curves(
            broken_history(), dict.fromkeys(history(3, 1), "squared nats an image")
        ),
    },
    "round_scores": {
        "usual": lambda: round_scores(8, 12),
        "one": lambda: round_scores(3, 1),
        "many": lambda: round_scores(30, 100),
    },
    "schedules": {
        "usual": lambda: schedules(8, 12, 4),
        "one": lambda: schedules(2, 1, 1),
    },
    "score_curves": {
        "usual": lambda: score_curves(4, 8),
        "one": lambda: score_curves(1, 1),
        "gaps": score_gaps,
        "long": lambda: score_curves(5, 5000),
    },
}
