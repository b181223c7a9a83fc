"""What a recursion would cost: all its populations, of which leaf-runs go on side by side."""

from __future__ import annotations

import dataclasses

import pytest

from reference.populations import population_of
from unweave.population.costs import Measured, forecast
from unweave.population.recursion.costs import forecast_recursion
from unweave.population.recursion.folder import RecursionFolder
from unweave.population.recursion.spec import Recursion

EVEN = Measured(steps={8: 1.0}, weights_bytes=1000, step_bytes=0.0)


def recursion_of(**fields):
    """Populations that take 40, 80 and 60 s one after the other; three leaf-runs of two levels."""
    first = population_of(fitness="udr(images=20)", models=2, members=2, rounds=2, metrics=())
    given = {
        "first": first,
        "leaf": dataclasses.replace(first, members=4, seed=7),
        "final": population_of(fitness="leaf_mig(samples=200)", members=4, metrics=("mig",)),
        "leaf_runs": 3,
        "levels": 2,
    }
    return Recursion(**given | fields)


def costs_of(folder, workers=1, again=(), **fields):
    return forecast_recursion(
        recursion_of(**fields), workers, folder=folder, again=again, measured=EVEN
    )


@pytest.fixture
def folder(tmp_path):
    return RecursionFolder(tmp_path / "r")


def test_all_of_it(folder):
    found = costs_of(folder)
    assert list(found.parts) == ["first", "level", "final"]
    each = {name: part.seconds_serial for name, part in found.parts.items()}
    assert each == {"first": 40, "level": 80, "final": 60}
    assert (found.leaf_runs, found.levels, found.levels_left) == (3, 2, 6)
    assert found.seconds == found.seconds_serial == 40 + 6 * 80 + 60
    # Twelve members of leaf-runs keep eight workers busy; two and four do not.
    assert costs_of(folder, 8).seconds == 20 + 6 * 80 / 8 + 15
    # A level takes two rounds of ten seconds at least.
    assert costs_of(folder, 100).seconds == 20 + 2 * 20 + 15
    assert not folder.path.exists()


def test_the_disk_of_all_of_it(folder):
    found = costs_of(folder)
    first, level, final = found.parts.values()
    assert found.disk_bytes == first.disk_bytes + 6 * level.disk_bytes + final.disk_bytes
    # Three leaf-runs side by side have what goes afterwards at the same time.
    beside = 3 * (level.disk_peak_bytes - level.disk_bytes)
    assert found.disk_peak_bytes == found.disk_bytes + beside
    assert found.disk_taken_bytes == 0
    assert found.fits
    assert not dataclasses.replace(found, free_bytes=0).fits


def test_no_level_and_one(folder):
    found = costs_of(folder, levels=0)
    assert list(found.parts) == ["first", "final"]
    assert found.seconds == 100


def test_what_is_left_after_some_stages(folder):
    folder.path.mkdir()
    folder.write(recursion_of())
    record = folder.recorder(folder.events)
    record("first", {"run": "a", "why": "w"})
    assert list(costs_of(folder).parts) == ["level", "final"]
    assert costs_of(folder).levels_left == 6
    # A level that is over; a leaf-run that ends with its first labels, or for want of images.
    record("leaf-1/level-0/labels", {"labels": [], "why": ""})
    record("leaf-1/level-1", {"run": "b", "why": "all rounds are done"})
    assert costs_of(folder).levels_left == 5
    record("leaf-2/level-0/labels", {"labels": [], "why": "no cell"})
    assert costs_of(folder).levels_left == 3
    record("leaf-3/level-1", {"why": "too few images"})
    found = costs_of(folder)
    assert found.levels_left == 1
    assert found.seconds == 80 + 60
    again = costs_of(folder, again=["leaf-3/level-1", "leaf-3/merged", "final"])
    assert again.levels_left == 3
    record("final", {"why": "no leaf-run has labels"})
    found = costs_of(folder)
    assert (found.parts, found.seconds, found.levels_left) == ({}, 0, 0)
    assert found.disk_bytes == found.disk_taken_bytes > 0


def test_it_is_measured_as_populations_are(folder):
    recursion = recursion_of()
    alone = forecast(recursion.first, 1, measured=EVEN)
    # What is free may change from one question to the next.
    within = dataclasses.replace(costs_of(folder).parts["first"], free_bytes=alone.free_bytes)
    assert within == alone
