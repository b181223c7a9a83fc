"""Cells: a partition of the images, constant in what is learned, and clear endings."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from reference.recursion_codes import cluster_values, product_grid
from reference.recursion_reference import cells_by_sets
from unweave.errors import DataError, SpecError
from unweave.population.recursion.cells import Cell, choose_cell, group
from unweave.population.recursion.clusters import Clusters, find_clusters


def clusters_of(ids, purities=None, widths=None):
    """Clusters with these ids; all usable."""
    ids = np.asarray(ids, np.int32)
    count = int(ids.max()) + 1
    sizes = np.bincount(ids[ids >= 0], minlength=count)
    return Clusters(
        edges=np.arange(count - 1) + 0.5,
        intervals=np.arange(count)[:, None]
        + np.multiply.outer(np.full(count, 0.8) if widths is None else widths, [-0.5, 0.5]),
        ids=ids,
        sizes=sizes,
        purities=np.ones(count) if purities is None else np.asarray(purities, float),
        usable=np.ones(count, bool),
        purity=0.99,
        coverage=float((ids >= 0).mean()),
    )


@given(
    ids=st.tuples(st.integers(1, 60), st.integers(1, 5)).flatmap(
        lambda shape: arrays(np.int64, shape, elements=st.integers(-1, 3))
    )
)
@settings(deadline=None)
def test_groups_are_the_sets_of_equal_rows(ids):
    cells, membership, sizes = group(ids)
    expected = cells_by_sets(ids)
    assert [tuple(row) for row in cells.tolist()] == sorted(expected)
    for k, row in enumerate(cells.tolist()):
        assert set(np.flatnonzero(membership == k).tolist()) == expected[tuple(row)]
        assert sizes[k] == len(expected[tuple(row)])
    # Each image is in one cell, or in none where an id is negative.
    np.testing.assert_array_equal(membership == -1, (ids < 0).any(axis=1))
    assert sizes.sum() == (membership >= 0).sum()


def test_groups_of_more_combinations_than_a_number_holds():
    generator = np.random.default_rng(0)
    ids = generator.integers(0, 3, (500, 2)) @ np.ones((2, 16), np.int64) * 20
    cells, membership, _ = group(ids)
    assert (int(ids.max()) + 1) ** 16 > 2**63
    assert len(cells) == 5
    np.testing.assert_array_equal(cells[membership], ids)


@given(
    ids=st.tuples(st.integers(20, 200), st.integers(1, 4)).flatmap(
        lambda shape: arrays(np.int64, shape, elements=st.integers(-1, 2))
    ),
    smallest=st.integers(1, 12),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None)
def test_cells_of_all_ranks_are_disjoint_constant_and_in_order(ids, smallest, seed):
    generator = np.random.default_rng(seed)
    named = {}
    for k, column in enumerate(ids.T):
        if (column >= 0).any():
            purities, widths = generator.uniform(
                [[0.9], [0.5]], [[1], [0.9]], (2, column.max() + 1)
            )
            named[f"latent {k}"] = clusters_of(column, purities, widths)
    if not named:
        return
    table = np.stack([each.ids for each in named.values()], axis=1)
    expected = {k: v for k, v in cells_by_sets(table).items() if len(v) >= smallest}
    usual = np.median([len(images) for images in expected.values()] or [1])
    found = []
    for rank in range(len(expected)):
        choice = choose_cell(named, rank=rank, smallest=smallest, coverage=0.0)
        cell = choice.outcome
        assert isinstance(cell, Cell)
        assert (np.diff(cell.positions) > 0).all()
        assert (table[cell.positions] == list(cell.values.values())).all()
        assert set(cell.positions.tolist()) == expected[tuple(cell.values.values())]
        assert (cell.rank, cell.cells, choice.used) == (rank, len(expected), tuple(named))
        purity = np.prod([named[name].purities[value] for name, value in cell.values.items()])
        assert cell.purity == pytest.approx(purity)
        score = purity * min(len(cell.positions) / usual, usual / len(cell.positions))
        for name, value in cell.values.items():
            widths = [high - low for low, high in named[name].intervals.tolist()]
            score *= min(statistics.median(widths) / widths[value], 1)
        found.append(score)
    np.testing.assert_allclose(found, sorted(found, reverse=True))
    # Different ranks have different images, since each has one combination.
    ending = choose_cell(named, rank=len(expected), smallest=smallest, coverage=0.0).outcome
    assert not isinstance(ending, Cell)
    assert ending.reason in (
        ("too_few_cells",) if expected else ("everything_learned", "cell_too_small")
    )


def test_purity_decides_between_cells_of_one_size():
    ids = np.repeat([0, 1, 2], 30)
    found = choose_cell({"latent 0": clusters_of(ids, [0.92, 0.99, 0.95])})
    assert found.outcome.values == {"latent 0": 1}
    assert found.outcome.positions.tolist() == list(range(30, 60))


def test_clusters_of_two_values_that_are_not_told_apart_are_avoided():
    # The third of five values lies where the second does: one cluster has two of them.
    generator = np.random.default_rng(2)
    truth = generator.integers(0, 5, 10_000)
    values = np.array([0, 1.0, 1.0, 2.0, 3.0])[truth] + 0.08 * generator.normal(size=10_000)
    other = generator.integers(0, 2, 10_000)
    named = {
        "latent 0": find_clusters(values),
        "latent 1": find_clusters(other + 0.08 * generator.normal(size=10_000)),
    }
    for rank in range(6):
        cell = choose_cell(named, rank=rank).outcome
        assert cell.values["latent 0"] != 1
        assert len(np.unique(truth[cell.positions])) == 1
    # A broad one, too, though it has as many images as the others.
    ids = np.repeat([0, 1, 2], 30)
    wide = clusters_of(ids, [0.99, 0.95, 0.95], [0.95, 0.4, 0.41])
    assert choose_cell({"latent 0": wide}).outcome.values == {"latent 0": 1}


@pytest.mark.parametrize("rank", [0, 1, 5])
def test_three_factors_of_ten_values_are_constant(rank):
    codes, factors = product_grid((10, 10, 10, 24), 0.08)
    named = {f"latent {j}": find_clusters(codes[:, j]) for j in range(3)}
    choice = choose_cell(named, rank=rank)
    assert (
        factors[choice.outcome.positions, :3] == factors[choice.outcome.positions[0], :3]
    ).all()
    assert len(choice.outcome.positions) == 24
    assert choice.skipped == ()


def test_latents_without_clear_clusters_are_passed_over():
    generator = np.random.default_rng(1)
    clear, truth = cluster_values(5, 5000, 0.1, seed=1)
    overlapping, _ = cluster_values(6, 5000, 0.29, seed=2)
    named = {
        "latent 0": find_clusters(generator.normal(size=5000)),
        "latent 1": find_clusters(clear),
        "latent 2": find_clusters(overlapping),
    }
    choice = choose_cell(named, coverage=0.95)
    assert choice.used == ("latent 1",)
    assert [each.name for each in choice.skipped] == ["latent 0", "latent 2"]
    assert choice.skipped[0].why == "the density of its values has one peak"
    assert "leave too many images out: coverage 0." in choice.skipped[1].why
    assert len(np.unique(truth[choice.outcome.positions])) == 1
    choice = choose_cell(named, purity=0.98)
    assert "overlap: purity 0." in choice.skipped[1].why


def test_unusable_clusters_make_no_cells():
    values, _ = cluster_values(4, 2000, 0.1, seed=3)
    values = np.append(values, np.random.default_rng(0).normal(4.0, 0.05, 50))
    clusters = find_clusters(values)
    assert clusters.usable.tolist() == [True] * 4 + [False]
    outcome = choose_cell({"latent 0": clusters}).outcome
    assert outcome.cells == 4


def test_endings_say_why():
    generator = np.random.default_rng(4)
    assert choose_cell({}).outcome.reason == "nothing_active"
    flat = find_clusters(generator.normal(size=1000))
    outcome = choose_cell({"latent 0": flat, "latent 1": flat}).outcome
    assert outcome.reason == "no_structure"
    assert "None of 2 active latents" in outcome.message
    # 9 images of each of 64 combinations: what varies is learned.
    ids = np.stack(np.unravel_index(np.arange(64 * 9) % 64, (8, 8)), axis=1)
    named = {f"latent {k}": clusters_of(column) for k, column in enumerate(ids.T)}
    outcome = choose_cell(named).outcome
    assert outcome.reason == "everything_learned"
    assert outcome.message == (
        "The largest of 64 cells has 9 images, fewer than 10: 576 images have 64 combinations of "
        "learned values."
    )
    assert isinstance(choose_cell(named, smallest=9).outcome, Cell)
    outcome = choose_cell(named, smallest=9, rank=64).outcome
    assert outcome.reason == "too_few_cells"
    # Two times two values, and images of which most are in no cluster of one or the other.
    one, other = np.arange(40) % 2, np.arange(40) // 2 % 2
    named = {
        "latent 0": clusters_of(np.where(np.arange(40) < 24, one, -1)),
        "latent 1": clusters_of(np.where(np.arange(40) >= 16, other, -1)),
    }
    outcome = choose_cell(named).outcome
    assert outcome.reason == "cell_too_small"
    assert "though there are 40 images" in outcome.message


def test_refuses_bad_input():
    one = clusters_of([0, 1] * 20)
    with pytest.raises(DataError, match="same images"):
        choose_cell({"a": one, "b": clusters_of([0, 1] * 10)})
    for bad in ({"rank": -1}, {"smallest": 0}):
        with pytest.raises(SpecError, match="rank must be at least 0 and smallest"):
            choose_cell({"a": one}, **bad)
