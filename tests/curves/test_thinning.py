"""Long curves keep their first and last point and both ends of every part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unweave.curves import POINTS, thinned

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300)


def curve(values):
    return [(10 * place + 7, value) for place, value in enumerate(values)]


@settings(max_examples=60, deadline=None)
@given(VALUES, st.integers(4, 60))
def test_points_are_those_of_the_curve_with_its_ends_and_extremes(values, most):
    points = curve(values)
    found = thinned(points, most)
    assert len(found) <= most
    assert set(found) <= set(points)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (points[0], points[-1])
    kept = [value for _, value in found]
    assert (min(kept), max(kept)) == (min(values), max(values))
    if len(points) <= most:
        assert found == points


@pytest.mark.parametrize("count", [601, 1199, 5000, 20_001])
def test_extremes_of_every_part_are_kept(count):
    values = np.random.default_rng(count).standard_cauchy(count)
    steps = np.arange(1, count + 1)
    found = np.array(thinned(list(zip(steps.tolist(), values.tolist(), strict=True))))
    # A slow oracle: parts of equal length, but for one, between the first point and the last.
    parts = np.array_split(np.arange(1, count - 1), 299)
    assert {len(part) for part in parts} <= {(count - 2) // 299, (count - 2) // 299 + 1}
    longest = max(len(part) for part in parts)
    assert len(found) <= POINTS == 600
    gaps = np.diff(found[:, 0])
    assert gaps.max() <= 2 * longest
    # Any window that surely holds a whole part holds points as low and as high as one in it.
    for begin in range(0, count - 3 * longest, longest):
        window = (steps > begin) & (steps <= begin + 3 * longest)
        inner = (steps > begin + longest) & (steps <= begin + 2 * longest)
        shown = found[(found[:, 0] > begin) & (found[:, 0] <= begin + 3 * longest), 1]
        assert shown.min() <= values[inner].min()
        assert shown.max() >= values[inner].max()
        assert values[window].min() <= shown.min()


def test_a_single_spike_stays():
    values = [1.0] * 100_000
    values[54_321] = 900.0
    points = thinned(curve(values))
    assert (10 * 54_321 + 7, 900.0) in points


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="at least 4; got 3"):
        thinned(curve([1.0, 2.0]), 3)
