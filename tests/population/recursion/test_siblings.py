"""What other models say of a label's purity: merged values are seen, unless all merge them."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.population.recursion.siblings import agreed

VALUES = np.arange(6000) % 6


def merged(groups):
    """The clusters of a label that has these values at one place each."""
    place = {value: k for k, group in enumerate(groups) for value in group}
    return np.array([place[value] for value in VALUES], np.int32)


CLEAN = merged([[0], [1], [2], [3], [4], [5]])
PAIRS = merged([[0, 1], [2, 3], [4, 5]])
SHIFTED = merged([[0], [1, 2], [3, 4], [5]])
NOISE = np.random.default_rng(0).integers(0, 6, 6000).astype(np.int32)


@pytest.mark.parametrize(
    ("label", "other", "share"),
    [
        (CLEAN, CLEAN, 1.0),
        (PAIRS, CLEAN, 1 / 2),
        (SHIFTED, CLEAN, (1 + 1 + 1 + 1) / 6),
        (PAIRS, PAIRS, 1.0),
        # Of a pair the shifted one keeps one value apart, and one with a value of the next pair.
        (PAIRS, SHIFTED, (1 + 1 + 1) / 6),
    ],
)
def test_the_share_is_that_of_the_values_that_the_other_model_parts(label, other, share):
    found = agreed(label, [[other]])
    assert found.share == pytest.approx(share)
    assert found.models == 1


def test_the_label_that_tells_the_same_is_found_among_others():
    found = agreed(PAIRS, [[NOISE, CLEAN], [NOISE]])
    assert found.share == pytest.approx(1 / 2)
    assert found.models == 1
    assert agreed(PAIRS, [[NOISE], []]) is None
    assert agreed(PAIRS, []) is None
    assert agreed(np.zeros(6000, np.int32), [[CLEAN]]) is None


def test_the_median_stands_for_several_models():
    found = agreed(PAIRS, [[CLEAN], [PAIRS], [PAIRS]])
    assert (found.share, found.models) == (1.0, 3)
    found = agreed(PAIRS, [[CLEAN], [CLEAN], [PAIRS]])
    assert found.share == pytest.approx(1 / 2)


def test_images_in_no_cluster_say_nothing():
    label, other = PAIRS.copy(), CLEAN.copy()
    label[:600] = -1
    other[-600:] = -1
    assert agreed(label, [[other]]).share == pytest.approx(1 / 2)
    assert agreed(np.full(6000, -1, np.int32), [[CLEAN]]) is None
