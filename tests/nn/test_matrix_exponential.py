"""The batched matrix exponential against SciPy, closed forms and finite differences."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import torch

from unweave.nn import matrix_exponential as module
from unweave.nn.matrix_exponential import LARGEST_NORM, matrix_exponential


def random_matrices(count, side, norm, seed=0):
    """Matrices (N, M, M) float64 of which the largest singular value is near `norm`."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, norm / (2 * math.sqrt(side)), (count, side, side))


def relative_error(found, expected):
    """Largest error of each matrix over its largest entry, and the largest of these."""
    size = np.abs(expected).max((1, 2))
    return (np.abs(np.asarray(found, np.float64) - expected).max((1, 2)) / size).max()


@pytest.mark.parametrize("side", [1, 2, 3, 5, 10, 20])
@pytest.mark.parametrize("norm", [0, 1e-3, 0.3, 1, 3, 8])
def test_it_is_scipys(side, norm):
    matrices = random_matrices(16, side, norm)
    expected = scipy.linalg.expm(matrices)
    single = matrix_exponential(torch.tensor(matrices, dtype=torch.float32))
    assert single.dtype == torch.float32
    assert relative_error(single, expected) < 1e-5
    assert relative_error(matrix_exponential(torch.tensor(matrices)), expected) < 1e-12


def test_matrices_of_many_norms_in_one_batch_have_the_exponential_they_have_alone():
    norms = np.geomspace(1e-4, 20, 24)
    matrices = np.concatenate([random_matrices(1, 6, n, seed=i) for i, n in enumerate(norms)])
    given = torch.tensor(matrices, dtype=torch.float32)
    together = matrix_exponential(given)
    alone = torch.cat([matrix_exponential(given[i : i + 1]) for i in range(len(given))])
    torch.testing.assert_close(together, alone, rtol=1e-6, atol=0)
    assert relative_error(together, scipy.linalg.expm(matrices)) < 2e-5


def test_no_value_is_looked_at_where_that_would_stop_a_device(monkeypatch):
    """The number of squarings that a GPU goes through depends on nothing; values are the same."""
    given = torch.tensor(random_matrices(8, 5, 2), dtype=torch.float32)
    on_processor = matrix_exponential(given)
    monkeypatch.setattr(module, "_most", lambda squarings, limit: limit)
    torch.testing.assert_close(matrix_exponential(given), on_processor, rtol=0, atol=0)
    meta = matrix_exponential(torch.empty(4, 3, 3, device="meta"))
    assert meta.shape == (4, 3, 3)


def test_closed_forms():
    angle = 40 * math.pi / 3
    turn = torch.tensor([[[0, -angle], [angle, 0]]])
    c, s = math.cos(angle), math.sin(angle)
    torch.testing.assert_close(
        matrix_exponential(turn), torch.tensor([[[c, -s], [s, c]]]), rtol=0, atol=5e-5
    )
    shift = torch.diag(torch.ones(3), 1)[None] * 5
    expected = [[1, 5, 12.5, 125 / 6], [0, 1, 5, 12.5], [0, 0, 1, 5], [0, 0, 0, 1]]
    torch.testing.assert_close(matrix_exponential(shift)[0], torch.tensor(expected))
    assert torch.equal(matrix_exponential(torch.zeros(2, 4, 4))[1], torch.eye(4))
    torch.testing.assert_close(
        matrix_exponential(torch.diag(torch.tensor([-100.0, 1.0]))[None])[0].diagonal(),
        torch.tensor([0.0, math.e]),
    )
    assert matrix_exponential(torch.empty(0, 3, 3)).shape == (0, 3, 3)


def test_exponentials_of_commuting_matrices_multiply_and_of_others_do_not():
    base = random_matrices(1, 6, 2)[0]
    family = torch.tensor(np.stack([base, base @ base / 4, 0.5 * np.eye(6) - base]))
    total = matrix_exponential(family.sum(0, keepdim=True))[0]
    product = torch.linalg.multi_dot(list(matrix_exponential(family)))
    torch.testing.assert_close(total, product, rtol=1e-11, atol=1e-11)
    loose = torch.tensor(random_matrices(2, 6, 2, seed=3))
    total = matrix_exponential(loose.sum(0, keepdim=True))[0]
    first, second = matrix_exponential(loose)
    assert (total - first @ second).abs().max() > 0.01


@pytest.mark.parametrize("norm", [0.01, 0.5, 4])
def test_gradients_are_those_of_finite_differences(norm):
    matrices = torch.tensor(random_matrices(3, 4, norm), requires_grad=True)
    assert torch.autograd.gradcheck(matrix_exponential, (matrices,))


def test_it_can_be_differentiated_twice():
    matrices = torch.tensor(random_matrices(2, 3, 1), requires_grad=True)
    assert torch.autograd.gradgradcheck(matrix_exponential, (matrices,))


def test_gradients_in_single_precision_are_pytorchs():
    matrices = torch.tensor(random_matrices(32, 10, 3), dtype=torch.float32)
    weights = torch.tensor(random_matrices(32, 10, 1, seed=1), dtype=torch.float32)
    found, expected = (
        torch.autograd.grad((function(given) * weights).sum(), given)[0]
        for function in (matrix_exponential, torch.matrix_exp)
        for given in (matrices.clone().requires_grad_(),)
    )
    assert relative_error(found, expected.numpy()) < 1e-5


def test_large_norms_are_never_wrong_finite_numbers():
    limit = LARGEST_NORM[torch.float32]
    assert limit > 88, "all exponentials that float32 has are within"
    below = torch.tensor([[[0.0, -0.99 * limit], [0.99 * limit, 0.0]]])
    expected = scipy.linalg.expm(below.double().numpy())
    assert np.abs(matrix_exponential(below).numpy() - expected).max() < 1e-4
    beyond = torch.cat([1.02 * below, below, torch.full((1, 2, 2), math.inf)])
    found = matrix_exponential(beyond)
    assert found[0].isnan().all()
    assert found[1].isfinite().all()
    assert not found[2].isfinite().any()
    huge = matrix_exponential(torch.eye(3)[None] * 100)
    assert huge[0].diagonal().isinf().all()
    nothing = matrix_exponential(torch.full((1, 2, 2), math.nan))
    assert nothing.isnan().all()


@torch.no_grad()
def test_it_is_computed_in_single_precision_under_autocast():
    matrices = torch.tensor(random_matrices(4, 8, 2), dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = matrix_exponential(matrices)
        half = matrix_exponential(matrices.bfloat16())
    assert found.dtype == half.dtype == torch.float32
    torch.testing.assert_close(found, matrix_exponential(matrices), rtol=0, atol=0)


def test_the_polynomial_is_taylors():
    """Its coefficients, from its value at x = 0, 1, ..., 8, are 1 / k!."""
    nodes = range(9)
    values = module._taylor(torch.arange(9, dtype=torch.float64)[:, None, None])[:, 0, 0]
    taylor = [sum(Fraction(x) ** k / math.factorial(k) for k in range(9)) for x in nodes]
    np.testing.assert_allclose(values, [float(value) for value in taylor], rtol=1e-14)


@pytest.mark.parametrize(("kind", "digits"), [(torch.float32, 24), (torch.float64, 53)])
def test_the_radius_leaves_no_error_but_rounding(kind, digits):
    radius = module._RADIUS[kind]
    left_out = sum(radius**k / math.factorial(k) for k in range(9, 60))
    assert left_out < 2.0**-digits * math.exp(-radius)
    more = 1.03 * radius
    left_out = sum(more**k / math.factorial(k) for k in range(9, 60))
    assert left_out > 2.0**-digits * math.exp(-more)
