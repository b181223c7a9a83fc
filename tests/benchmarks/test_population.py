"""The study of populations and the measure of their cost: pages from tiny sizes."""

from __future__ import annotations

import population_causes
import population_study
import pytest
from _population.sizes import FULL, TINY

import population

pytestmark = pytest.mark.slow


def test_what_a_population_costs(tmp_path):
    found = population.measured("dsprites(grid=(3, 6, 4, 8, 8))", 2, tmp_path)
    text = population.table(found)
    assert "two processes of one thread" in text
    for each in found:
        assert each.images == population.MEMBERS * population.ROUNDS * 2 * 64
        assert 0 < each.training < each.watched.seconds * each.way.workers
        assert 0 < each.orchestration < 1
        assert each.watched.memory > 100


def test_all_three_comparisons(tmp_path):
    text = population_study._page(TINY, tmp_path, list(population_study.PARTS))
    for heading in ("## Search", "## Ranking", "## Recursion"):
        assert heading in text
    assert text.count("criterion is") >= 1
    again = population_study._page(TINY, tmp_path, list(population_study.PARTS))
    assert again == text
    causes = population_causes._page(TINY, tmp_path)
    assert "Mean correlations: " in causes
    assert causes.count("\n| 1 | ") == 2


def test_the_protocol_compares_equal_images_and_first_members():
    pbt, random = (FULL.search(1, exploit=exploit) for exploit in (True, False))
    assert pbt.tuned == random.tuned
    assert (pbt.seed, pbt.members, pbt.rounds, pbt.images) == (
        random.seed, random.members, random.rounds, random.images,
    )  # fmt: skip
    assert not set(pbt.split.fitness) & set(pbt.split.evaluation)
