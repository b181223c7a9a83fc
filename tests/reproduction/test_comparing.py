"""Means, intervals and differences of made-up runs."""

from __future__ import annotations

import numpy as np
import pytest

from reproduction.made import record, score
from unweave.reproduction import groups_of, merged

NAME = "clg/components_vae"  # FactorVAE 0.694 ± 0.109, MIG 0.078 ± 0.064, ten runs


def runs(*numbers, **changes):
    return [
        record(NAME, score("factor_vae", number), seed=seed, **changes)
        for seed, number in enumerate(numbers)
    ]


def only(records):
    (group,) = groups_of(merged(records))
    (comparison,) = group.comparisons
    return group, comparison


def test_over_seeds():
    numbers = (0.61, 0.66, 0.75, 0.72)
    group, found = only(runs(*numbers))
    assert (found.ours, found.values) == (pytest.approx(np.mean(numbers)), numbers)
    assert found.difference == pytest.approx(0.685 - 0.694)
    assert (found.over, found.inside) == ("runs", True)
    # All resamples of four numbers have one of 35 means; the ends lie close to the exact ones.
    every = np.array(np.meshgrid(*[numbers] * 4)).reshape(4, -1).mean(axis=0)
    low, high = np.percentile(every, (2.5, 97.5))
    assert found.low == pytest.approx(low, abs=0.01)
    assert found.high == pytest.approx(high, abs=0.01)
    assert (group.shortened, group.shorter) == (False, 0)
    assert only(runs(0.1, 0.2, 0.3))[1].inside is False


def test_of_one_run_the_draws_and_of_two_none():
    drawn = {"over": "draws", "low": 0.6, "high": 0.8, "sd": 0.1, "values": [0.6, 0.8]}
    _, found = only([record(NAME, score("factor_vae", 0.7, interval=drawn))])
    assert (found.low, found.high, found.over, found.inside) == (0.6, 0.8, "draws", None)
    still = drawn | {"low": 0.7, "high": 0.7, "sd": 0.0}
    _, found = only([record(NAME, score("factor_vae", 0.7, interval=still))])
    assert (found.low, found.over) == (None, "")
    _, found = only(runs(0.5, 0.7))
    assert (found.ours, found.low, found.over) == (pytest.approx(0.6), None, "")


def test_the_longest_runs_count():
    records = [*runs(0.1, 0.2, steps=10), *runs(0.6, steps=500)]
    group, found = only(records)
    # Seed 0 is there once, with its longest; seed 1 is shorter, and left out.
    assert (group.steps, group.shorter, found.values) == (500, 1, (0.6,))
    assert group.shortened
    later = record(NAME, score("factor_vae", 0.9), steps=500, trained="2031-01-01")
    assert only([later, *records])[1].values == (0.9,)
    files = "dsprites(source=archive)"
    groups = groups_of(merged([*records, *runs(0.3, dataset=files, source="archive")]))
    assert [group.records[0].dataset for group in groups] == ["dsprites", files]


def test_what_some_runs_lack():
    first = record(NAME, score("factor_vae", 0.5), score("mig", 0.2))
    second = record(NAME, score("factor_vae", 0.7), seed=1)
    (group,) = groups_of(merged([first, second]))
    assert [(c.published.metric, c.values) for c in group.comparisons] == [
        ("factor_vae", (0.5, 0.7)),
        ("mig", (0.2,)),
    ]
    losses = record(
        "dag/vae_dsprites_shape2tx",
        score("test_losses", 9.0, protocol="unweave/1", recon=20.0),
        score("test_losses", 9.0, protocol="unweave/1", data="held_out", recon=150.0),
    )
    (group,) = groups_of([losses])
    assert [c.difference for c in group.comparisons] == pytest.approx(
        [20.0 - 18.82, 150.0 - 200.36]
    )
