"""The published choice of a cell: the same as by literal loops and sets, defects included."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.recursion_reference import peaks_by_loops, published_by_sets
from unweave.errors import DataError, SpecError
from unweave.population.recursion.cells import Cell
from unweave.population.recursion.published import PublishedEnding, published_cell


def latent(values, noise, seed):
    generator = np.random.default_rng(seed)
    return np.asarray(values, float) + noise * generator.uniform(-1, 1, len(values))


def told(outcome):
    return outcome.positions.tolist() if isinstance(outcome, Cell) else outcome.reason


@given(
    values=st.lists(st.integers(0, 6), max_size=80),
    height=st.integers(0, 6),
    distance=st.integers(1, 12),
)
@settings(deadline=None)
def test_peaks_by_loops_are_those_of_scipy(values, height, distance):
    # The reference's own reference: what it says of peaks is what SciPy defines.
    expected, _ = scipy.signal.find_peaks(np.array(values), height=height, distance=distance)
    assert peaks_by_loops(values, height, distance) == expected.tolist()


@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    images=st.integers(40, 400),
    noise=st.floats(0.0, 0.3),
    kind=st.sampled_from(["f4", "f8"]),
    level=st.integers(0, 1),
    x_peak=st.integers(0, 3),
    side_cutoff=st.sampled_from([0.0, 0.1, 0.3]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=300, deadline=None)
def test_cells_are_those_of_loops_and_sets(
    counts, images, noise, kind, level, x_peak, side_cutoff, seed
):
    generator = np.random.default_rng(seed)
    columns = [
        latent(generator.integers(0, count, images), noise, seed + k)
        for k, count in enumerate(counts)
    ]
    table = np.stack(columns, axis=1).astype(kind)
    outcome = published_cell(table, level=level, x_peak=x_peak, side_cutoff=side_cutoff)
    assert told(outcome) == published_by_sets(table, level, x_peak, side_cutoff)


def test_those_cases_are_not_all_alike():
    generator = np.random.default_rng(0)
    found = set()
    for seed in range(300):
        count, latents = generator.integers(1, 9), generator.integers(1, 4)
        images = int(generator.integers(40, 400))
        table = np.stack(
            [
                latent(generator.integers(0, count, images), generator.uniform(0, 0.3), seed + k)
                for k in range(latents)
            ],
            axis=1,
        )
        level, x_peak = generator.integers(0, 2).item(), generator.integers(0, 4).item()
        outcome = published_cell(table, level=level, x_peak=x_peak)
        assert told(outcome) == published_by_sets(table, level, x_peak)
        found.add("cell" if isinstance(outcome, Cell) else outcome.reason)
    assert found >= {
        "cell", "too_few_images", "no_peak", "no_such_interval", "no_cell", "no_such_cell",
        "cell_too_small",
    }  # fmt: skip


def test_an_interval_is_off_by_one_image():
    # Twelve clusters of 100 images, in order: the cell of one has the last image of the cluster
    # before it, and not its own last one.
    truth = np.repeat(np.arange(12), 100)
    values = latent(truth, 0.1, 3)
    outcome = published_cell(values[:, None], level=0)
    order = np.argsort(values)
    place = np.flatnonzero(np.isin(order, outcome.positions))
    assert len(place) == 100
    assert place[0] % 100 == 99
    inside = truth[order[place]]
    assert inside[0] == inside[1] - 1
    assert (inside[1:] == inside[1]).all()


def test_images_at_both_ends_are_dropped_where_one_latent_is_active():
    truth = np.repeat(np.arange(12), 100)
    values = latent(truth, 0.1, 3)[:, None]
    whole = published_cell(values, level=0)
    part = published_cell(values, level=0, side_cutoff=0.25)
    ordered = whole.positions[np.argsort(values[whole.positions, 0])]
    np.testing.assert_array_equal(np.sort(ordered[25:75]), part.positions)
    # Where there are two it is ignored.
    grid = np.stack(np.unravel_index(np.arange(2400) % 120, (12, 10)), axis=1)
    both = np.stack([latent(column, 0.1, k) for k, column in enumerate(grid.T)], axis=1)
    np.testing.assert_array_equal(
        published_cell(both, level=1, side_cutoff=0.25).positions,
        published_cell(both, level=1).positions,
    )


def test_a_single_jump_leaves_the_side_asked_for_or_the_denser_one():
    values = np.concatenate([np.linspace(0, 1, 300), np.linspace(9, 9.2, 200)])[:, None]
    # The jump is behind image 299, which goes to the right side.
    assert told(published_cell(values, level=0, x_peak=0)) == list(range(299))
    assert told(published_cell(values, level=0, x_peak=1)) == list(range(299, 500))
    assert told(published_cell(values, level=0, x_peak=2)) == "no_such_interval"
    assert told(published_cell(values, level=3, x_peak=2)) == list(range(299, 500))


def test_ten_latents_take_one_pass():
    # Combinations of five intervals of each would be nearly ten million sets.
    generator = np.random.default_rng(1)
    factor = generator.integers(0, 8, 20_000)
    table = np.stack([latent(factor, 0.1, k) for k in range(10)], axis=1)
    outcome = published_cell(table, level=0)
    assert isinstance(outcome, Cell)
    values, sizes = np.unique(factor[outcome.positions], return_counts=True)
    assert sizes.max() > 0.98 * sizes.sum()
    assert len(values) <= 2


def test_one_latent_without_jumps_ends_it_all():
    generator = np.random.default_rng(2)
    table = np.stack(
        [latent(generator.integers(0, 8, 2000), 0.1, 5), np.linspace(0, 1, 2000)], axis=1
    )
    outcome = published_cell(table, level=0)
    assert outcome == PublishedEnding(
        "no_peak", "Of active latent 1, counted from 0: its sorted values have no jump."
    )


def test_nothing_active_and_bad_input():
    assert told(published_cell(np.empty((100, 0)), level=0)) == "nothing_active"
    with pytest.raises(DataError, match="finite"):
        published_cell(np.full((100, 1), np.nan), level=0)
    with pytest.raises(DataError, match="finite"):
        published_cell(np.zeros(100), level=0)
    for bad in ({"level": -1}, {"level": 0, "x_peak": -1}, {"level": 0, "side_cutoff": 0.5}):
        with pytest.raises(SpecError, match="side_cutoff"):
            published_cell(np.zeros((100, 1)), **bad)
