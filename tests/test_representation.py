"""The table of codes: what fits together, the KL of its latents, and parts of it."""

from __future__ import annotations

import numpy as np
import pytest

from reference import objectives_reference
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.representation import Representation

SPACE = FactorSpace((Factor("shape", 3), Factor("place", 4)))


def make(**changes):
    rng = np.random.default_rng(0)
    fields = {
        "mean": rng.normal(size=(12, 5)).astype(np.float32),
        "factors": SPACE.unravel(np.arange(12)),
        "factor_space": SPACE,
        "logvar": rng.uniform(-4, 1, (12, 5)).astype(np.float32),
    }
    return Representation(**fields | changes)


def test_size():
    table = make()
    assert len(table) == 12
    assert table.latents == 5


def test_kl_is_that_of_each_latent():
    table = make()
    found = table.kl()
    assert found.dtype == np.float64
    for j in range(5):
        column = slice(j, j + 1)
        expected = objectives_reference.kl(table.mean[:, column], table.logvar[:, column])
        assert found[j] == pytest.approx(expected)


def test_kl_needs_variances():
    with pytest.raises(DataError, match="needs posterior variances"):
        make(logvar=None).kl()


def test_a_subset_keeps_the_order_given():
    table = make()
    part = table.subset(np.array([7, 2, 2]))
    np.testing.assert_array_equal(part.mean, table.mean[[7, 2, 2]])
    np.testing.assert_array_equal(part.logvar, table.logvar[[7, 2, 2]])
    np.testing.assert_array_equal(part.factors, table.factors[[7, 2, 2]])
    assert part.factor_space is table.factor_space
    assert make(logvar=None).subset(np.array([1])).logvar is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mean": np.zeros(12)}, r"Codes have shape \(N, L\), not \(12,\)"),
        ({"mean": np.zeros((12, 0))}, r"Codes have shape \(N, L\), not \(12, 0\)"),
        ({"mean": np.zeros((11, 5))}, r"Factors have shape \(12, 2\); \(11, 2\) is expected"),
        ({"factors": np.zeros((12, 3), int)}, r"Factors have shape \(12, 3\); \(12, 2\)"),
        ({"logvar": np.zeros((12, 4))}, r"Logvars have shape \(12, 4\), codes \(12, 5\)"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes, reason):
    with pytest.raises(DataError, match=reason):
        make(**changes)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_codes_must_be_finite(value):
    mean = make().mean.copy()
    mean[7, 3] = value
    with pytest.raises(DataError, match="Codes must be finite, but row 7 is"):
        make(mean=mean)


def test_arrays_may_be_mapped_from_disk(tmp_path):
    np.save(tmp_path / "mean.npy", make().mean)
    mapped = np.load(tmp_path / "mean.npy", mmap_mode="r")
    table = make(mean=mapped)
    assert table.mean is mapped
    np.testing.assert_array_equal(table.kl(), make().kl())


def test_what_metrics_share_is_computed_once_a_table():
    table = make()
    made = []

    def value(name):
        made.append(name)
        return name

    assert [table.once("a", lambda: value("x")), table.once("a", lambda: value("y"))] == ["x", "x"]
    assert table.once(("a", 1), lambda: value("z")) == "z"
    assert make().once("a", lambda: value("w")) == "w"
    assert table.subset(np.arange(3)).once("a", lambda: value("v")) == "v"
    assert made == ["x", "z", "w", "v"]
