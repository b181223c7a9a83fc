"""MIG over labels of levels: closed forms, a slow reference, and MIG where it is one."""

from __future__ import annotations

import numpy as np
import pytest

from reference.leaf_mig_reference import slow_leaf_scores
from unweave import metrics
from unweave.errors import DataError
from unweave.population.fitness.levels import leaf_mig, leaf_nmig


def drawn(seed, sizes=((80, 2), (50, 3))):
    """Levels whose labels follow the codes in part."""
    rng = np.random.default_rng(seed)
    levels = []
    for rows, columns in sizes:
        codes = rng.normal(size=(rows, 4))
        labels = codes[:, :columns] + rng.normal(size=(rows, columns)) * 0.3
        levels.append((codes, labels.astype(np.float32)))
    return levels


@pytest.mark.parametrize("seed", range(4))
def test_it_is_that_of_loops_over_columns_of_all_levels(seed):
    levels = drawn(seed)
    levels[1][1][:, 0] = np.random.default_rng(seed).integers(0, 40, len(levels[1][1]))
    # Images of which a column says nothing.
    levels[1][1][:9, 0] = levels[0][1][30:50, 1] = np.nan
    for compat in ("none", "rpu"):
        mig, nmig = slow_leaf_scores(levels, whole_as_they_are=compat == "none")
        assert leaf_mig(levels, compat=compat) == pytest.approx(mig, abs=1e-9)
        assert leaf_nmig(levels, compat=compat) == pytest.approx(nmig, abs=1e-9)
    # Of forty whole numbers twenty bins make other classes.
    assert abs(leaf_mig(levels) - leaf_mig(levels, compat="rpu")) > 1e-6


@pytest.mark.parametrize("compat", ["none", "rpu"])
@pytest.mark.parametrize("size", [2, 7, 20])
def test_one_level_of_whole_numbers_is_mig(compat, size):
    rng = np.random.default_rng(size)
    factors = rng.integers(0, size, (3000, 3))
    # Every value, since bins lie between the least and the largest.
    factors[:size] = np.arange(size)[:, np.newaxis]
    codes = (factors @ rng.normal(size=(3, 5)) + rng.normal(size=(3000, 5))).astype(np.float32)
    scores = metrics.evaluate(codes, factors, metrics=("mig", "nmig"))
    level = (codes, factors.astype(np.float32))
    assert leaf_mig([level], compat=compat) == pytest.approx(scores["mig"].value, abs=1e-12)
    assert leaf_nmig([level], compat=compat) == pytest.approx(scores["nmig"].value, abs=1e-12)


def test_every_column_weighs_the_same_whatever_its_level():
    grid = np.indices((4, 5)).reshape(2, -1).T.astype(float)
    known = np.hstack([grid, np.zeros((20, 1))])
    unknown = np.hstack([np.zeros((20, 2)), grid[:, :1]])
    # The second level says of its one column what two latents know alike.
    twice = np.hstack([grid[:, :1], grid[:, :1], grid[:, :1]])
    assert leaf_mig([(known, grid)]) == 1
    assert leaf_mig([(known, grid), (unknown, grid[:, :1])]) == 1
    assert leaf_mig([(known, grid), (twice, grid[:, :1])]) == pytest.approx(2 / 3)
    assert leaf_mig([(np.zeros((20, 3)), grid)]) == 0
    # A column that does not vary has no share in the mean.
    constant = np.hstack([grid, np.full((20, 1), 3.5)])
    assert leaf_mig([(known, constant)]) == 1
    # Nothing else is told by the latent of a single column.
    assert leaf_nmig([(known, grid[:, :1])]) == 1


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "at least one level"),
        ([(np.zeros((3, 2)), np.ones((3, 1)))], "every column is constant"),
        ([(np.zeros((3, 2)), np.zeros((3, 0)))], "every column is constant"),
        ([(np.zeros((3, 1)), np.arange(3.0)[:, None])], "there is only one"),
        ([(np.zeros((3, 2)), np.arange(4.0)[:, None])], "codes of 3 images and labels of 4"),
        ([(np.zeros((3, 2)), np.arange(3.0))], r"labels \(n, C\), not \(3, 2\) and \(3,\)"),
        (
            [(np.zeros((3, 2)), np.arange(3.0)[:, None]), (np.zeros((3, 4)), np.zeros((3, 1)))],
            "with as many latents as level 0",
        ),
        ([(np.full((3, 2), np.nan), np.arange(3.0)[:, None])], "Codes must be finite"),
        ([(np.zeros((3, 2)), np.full((3, 1), np.inf))], "Labels must be finite or NaN"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(levels, said):
    with pytest.raises(DataError, match=said):
        leaf_mig(levels)
