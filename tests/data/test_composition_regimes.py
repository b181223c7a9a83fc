"""Triplets by what was trained on, against lists of all triplets there are."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from scipy import stats

from reference.triplets_reference import law_of_triplets, triplets
from unweave.data import load_dataset
from unweave.data.samplers import Composition, CompositionRegimes
from unweave.data.samplers.composition_regimes import REGIMES
from unweave.errors import DataError, SpecError

GRID = "dsprites(grid=(3, 1, 2, 4, 2))"
SQUARES = "shape == 'square' and pos_x > 0.5"
SIDE = "pos_x > 0.5"
CELL = "shape == 'ellipse' and index(orientation) == 1 and index(pos_x) == 2 and index(pos_y) == 1"
MANY = 30_000

# Which factors have triplets, by what is left out: shape, orientation, pos_x and pos_y vary.
FACTORS = {
    SQUARES: {
        "id_id": ("shape", "orientation", "pos_x", "pos_y"),
        "id_ood": ("shape", "pos_x"),
        "ood_ood": ("orientation", "pos_x", "pos_y"),
    },
    SIDE: {
        "id_id": ("shape", "orientation", "pos_x", "pos_y"),
        "id_ood": (),
        "ood_ood": ("shape", "orientation", "pos_x", "pos_y"),
    },
    CELL: {
        "id_id": ("shape", "orientation", "pos_x", "pos_y"),
        "id_ood": ("shape", "orientation", "pos_x", "pos_y"),
        "ood_ood": (),
    },
}
WITH_TRIPLETS = [(rule, r) for rule, each in FACTORS.items() for r, found in each.items() if found]


@pytest.fixture(scope="module")
def data():
    return load_dataset(GRID)


def listed(dataset, left_out, regime):
    """Factors of all images, and which of them may be inputs and targets."""
    rows = [tuple(row) for row in dataset.factors(np.arange(len(dataset))).tolist()]
    parts = {
        "id": set(np.flatnonzero(~left_out).tolist()),
        "ood": set(np.flatnonzero(left_out).tolist()),
    }
    inputs, _, targets = regime.partition("_")
    return rows, parts[inputs], parts[targets], set(range(5))


@pytest.mark.parametrize("rule", FACTORS)
@pytest.mark.parametrize("regime", REGIMES)
def test_factors_are_those_that_have_triplets(data, rule, regime):
    regimes = CompositionRegimes(data, rule)
    every = triplets(*listed(data, regimes.left_out, regime))
    assert regimes.factors(regime) == FACTORS[rule][regime]
    names = data.factor_space.names
    assert {names[column] for column in every} == set(FACTORS[rule][regime])


def check_law(dataset, regimes, regime, columns=None):
    """Draws against the list; every triplet that there is comes, and no other."""
    given = listed(dataset, regimes.left_out, regime)
    if columns is not None:
        given = (*given[:3], columns)
    law = law_of_triplets(*given)
    assert sum(law.values()) == pytest.approx(1)
    drawn = regimes.draw(regime, MANY, np.random.default_rng(1))
    assert drawn.shape == (MANY, 3)
    assert drawn.dtype == np.int64
    found = collections.Counter(map(tuple, drawn.tolist()))
    assert set(found) <= set(law)
    # Pearson's statistic, of triplets and of factors; chances of one in a million.
    actions = Composition().actions(dataset, np.array(list(law))).tolist()
    for keys in (list(law), actions):
        expected, counted = collections.Counter(), collections.Counter()
        for key, (triplet, chance) in zip(keys, law.items(), strict=True):
            expected[key] += chance * MANY
            counted[key] += found[triplet]
        often = [cell for cell in expected if expected[cell] >= 5]
        rare = [cell for cell in expected if expected[cell] < 5]
        cells = [(counted[cell], expected[cell]) for cell in often]
        if rare:
            cells.append((sum(counted[c] for c in rare), sum(expected[c] for c in rare)))
        if len(cells) > 1:
            statistic = sum((count - mean) ** 2 / mean for count, mean in cells)
            assert statistic < stats.chi2.isf(1e-6, len(cells) - 1)
            assert statistic > stats.chi2.ppf(1e-6, len(cells) - 1)
    return drawn


@pytest.mark.parametrize(("rule", "regime"), WITH_TRIPLETS)
def test_the_law_is_that_of_the_list(data, rule, regime):
    regimes = CompositionRegimes(data, rule)
    drawn = check_law(data, regimes, regime)
    np.testing.assert_array_equal(regimes.actions(data, drawn), Composition().actions(data, drawn))
    inputs, targets = regime.split("_")
    kinds = regimes.left_out[drawn]
    assert (kinds[:, :2] == (inputs == "ood")).all()
    assert (kinds[:, 2] == (targets == "ood")).all()


def test_masks_factors_and_odds():
    """A mask that no rule says, of images on no grid that have odds, with two factors."""
    data = load_dataset(
        f"correlated(data=subset(data={GRID}, images=36, seed=2), pairs=((pos_x, shape),))"
    )
    mask = np.random.default_rng(4).random(36) < 0.4
    for regime in REGIMES:
        regimes = CompositionRegimes(data, mask, factors=("shape", "orientation"))
        check_law(data, regimes, regime, {0, 2})
    np.testing.assert_array_equal(regimes.left_out, mask)
    assert regimes.left_out is not mask


def test_what_was_trained_on_has_the_law_of_the_sampler(data):
    """The regime of seen images is `composition` on the part that a training sees."""
    part = load_dataset(f"without(data={GRID}, where={SQUARES!r})")
    regimes = CompositionRegimes(data, SQUARES)
    seen = np.flatnonzero(~regimes.left_out)
    whole = regimes.draw("id_id", 500, np.random.default_rng(3))
    trained = Composition().draw(part, 500, np.random.default_rng(3))
    np.testing.assert_array_equal(whole, seen[trained])


def test_draws_go_by_the_generator_alone(data):
    one, other = (CompositionRegimes(data, SQUARES) for _ in range(2))
    other.draw("ood_ood", 3, np.random.default_rng(9))
    drawn = [each.draw("id_ood", 40, np.random.default_rng(5)) for each in (one, other)]
    np.testing.assert_array_equal(*drawn)
    assert one.draw("id_ood", 0, np.random.default_rng(5)).shape == (0, 3)


@pytest.mark.parametrize(
    ("rule", "regime", "said"),
    [
        (SIDE, "id_ood", "has a value of it that another one that is trained on has"),
        (CELL, "ood_ood", "no two images that are left out differ in one factor alone"),
        ("index(orientation) > -1 and not (" + CELL + ")", "id_id", "that are trained on differ"),
    ],
)
def test_regimes_without_triplets_are_said(data, rule, regime, said):
    with pytest.raises(DataError) as caught:
        CompositionRegimes(data, rule).draw(regime, 5, np.random.default_rng(0))
    assert said in str(caught.value)
    assert f"no triplets {regime} of shape, orientation, pos_x, pos_y" in str(caught.value)


def test_what_makes_no_sense_is_refused(data):
    with pytest.raises(SpecError, match="Did you mean id_ood"):
        CompositionRegimes(data, SQUARES).draw("id_odd", 5, np.random.default_rng(0))
    with pytest.raises(SpecError, match="cannot draw -1 times"):
        CompositionRegimes(data, SQUARES).draw("id_id", -1, np.random.default_rng(0))
    with pytest.raises(SpecError, match="None of the 48 images of dsprites"):
        CompositionRegimes(data, "pos_x > 2")
    with pytest.raises(SpecError, match="All of the 48 images"):
        CompositionRegimes(data, np.ones(48, np.bool_))
    with pytest.raises(DataError, match=r"bool of shape \(48,\), not int64 of shape \(48,\)"):
        CompositionRegimes(data, np.ones(48, np.int64))
    with pytest.raises(DataError, match=r"not bool of shape \(3,\)"):
        CompositionRegimes(data, np.ones(3, np.bool_))
    with pytest.raises(SpecError, match="scale has one value"):
        CompositionRegimes(data, SQUARES, factors=("scale",))
    with pytest.raises(SpecError, match="'colour' is no factor"):
        CompositionRegimes(data, "colour == 1")
