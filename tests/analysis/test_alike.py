"""What looks the same is no error, against loops and against images."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reference import factor_errors_reference as reference
from unweave.analysis.probe import RIGHT, Alike
from unweave.data import parse_dataset
from unweave.data.render import sprites

TINY = "dsprites(grid=(3, 2, 4, 4, 4))"


def alike(text):
    data = parse_dataset(text)
    return Alike(data, data.factor_space)


def draws(space, count, seed):
    return space.sample(count, np.random.default_rng(seed))


@pytest.mark.parametrize("text", ["dsprites", TINY, "dsprites(grid=(3, 1, 7, 3, 2))"])
def test_steps_are_those_of_loops_over_images(text):
    each = alike(text)
    true, told = draws(each.space, 400, 1), draws(each.space, 400, 2)
    expected = [
        reference.dsprites_steps(each.space, one, other)
        for one, other in zip(true, told, strict=True)
    ]
    np.testing.assert_allclose(each.steps(true, told), expected, atol=1e-5)


@pytest.mark.parametrize("text", ["shapes3d", "mpi3d", "circles", "cars3d"])
def test_steps_without_symmetries(text):
    each = alike(text)
    true, told = draws(each.space, 200, 3), draws(each.space, 200, 4)
    for column, factor in enumerate(each.space.factors):
        found = each.steps(true, told)[:, column]
        gap = np.abs(true[:, column] - told[:, column])
        if factor.kind == "circular":
            gap = np.minimum(gap, factor.size - factor.closed - gap)
        np.testing.assert_allclose(found, gap > 0 if factor.kind == "categorical" else gap)


def test_poses_of_a_square_count_modulo_a_quarter_turn_and_of_an_ellipse_modulo_half():
    each = alike("dsprites")

    def right(shape, one, other):
        rows = np.array([[shape, 3, one, 9, 9], [shape, 3, other, 9, 9]])
        return bool(each.steps(rows[:1], rows[1:])[0, 2] < RIGHT)

    # 39 steps are a full turn, so a quarter of one is 9.75 of them.
    for shape, turns in ((0, (9.75, 19.5, 29.25, 39)), (1, (19.5, 39)), (2, (39,))):
        for other in range(40):
            near = min(abs(other - turn) for turn in (0, *turns))
            assert right(shape, 0, other) == (near < 1), (shape, other)


def test_every_value_has_its_distance():
    each = alike("dsprites")
    rows = draws(each.space, 30, 11)
    found = each.of_values(rows)
    assert [part.shape for part in found] == [(30, size) for size in each.space.sizes]
    for column, part in enumerate(found):
        for value in range(part.shape[1]):
            told = rows.copy()
            told[:, column] = value
            np.testing.assert_array_equal(part[:, value], each.steps(rows, told)[:, column])


def test_the_symmetry_is_that_of_the_true_shape():
    each = alike("dsprites")
    square, heart = np.array([[0, 0, 0, 0, 0]]), np.array([[2, 0, 10, 0, 0]])
    assert each.steps(square, heart)[0].tolist() == [1, 0, 0.25, 0, 0]
    assert each.steps(heart, square)[0].tolist() == [1, 0, 10, 0, 0]


def test_a_part_of_the_circle_keeps_its_period():
    # Four poses of 0, 9, 19 and 29 of 39 steps: modulo a quarter turn all are nearly one.
    each = alike(TINY)
    rows = np.array([[0, 0, pose, 0, 0] for pose in range(4)])
    for one, other in itertools.product(range(4), repeat=2):
        assert each.steps(rows[one][None], rows[other][None])[0, 2] < 0.1
    hearts = rows + np.array([2, 0, 0, 0, 0])
    assert each.steps(hearts[:1], hearts[3:])[0, 2] == pytest.approx(10 / 9, abs=1e-6)


def test_without_its_shape_a_pose_has_no_symmetry():
    each = alike("dsprites_noshape")
    rows = np.array([[0, 0, 0, 0], [0, 10, 0, 0], [0, 39, 0, 0]])
    assert each.steps(rows[[0, 0]], rows[1:])[:, 1].tolist() == [10, 0]


def test_two_things_may_have_either_order():
    each = alike("two_shapes")
    space = each.space
    assert space.names[:4] == ("pos_x_1", "pos_y_1", "shape_1", "hue_1")
    true, told = draws(space, 300, 5), draws(space, 300, 6)
    told[:100] = true[:100][:, [4, 5, 6, 7, 0, 1, 2, 3]]
    told[50:100, 3] = draws(space, 50, 7)[:, 3]
    found = each.steps(true, told)
    assert (found[:50] == 0).all()
    for row, (one, other) in enumerate(zip(true, told, strict=True)):
        orders = []
        for order in (one, one[[4, 5, 6, 7, 0, 1, 2, 3]]):
            off = [
                reference.steps(factor, a, b, full=1.0)
                for factor, a, b in zip(space.factors, order, other, strict=True)
            ]
            orders.append((sum(each >= 0.999 for each in off), round(sum(off), 6), off))
        np.testing.assert_allclose(found[row].sum(), min(orders)[1], atol=1e-4)
        assert (found[row] >= RIGHT).sum() == min(orders)[0]


def test_shapes_that_keep_apart_have_one_order():
    each = alike("two_shapes(apart=True)")
    rows = draws(each.space, 50, 8)
    np.testing.assert_array_equal(each.first(rows), rows)
    other = rows[:, [4, 5, 6, 7, 0, 1, 2, 3]]
    differ = (rows != other).any(axis=1)
    assert (each.steps(rows, other)[differ].max(axis=1) > 0).all()


@pytest.mark.parametrize("text", ["dsprites", TINY, "two_shapes", "shapes3d", "circles"])
def test_the_first_of_what_looks_the_same(text):
    each = alike(text)
    rows = draws(each.space, 500, 9)
    first = each.first(rows)
    assert (each.steps(rows, first) == 0).all()
    assert (each.space.ravel(first) <= each.space.ravel(rows)).all()
    np.testing.assert_array_equal(each.first(first), first)


def test_the_first_has_the_same_image():
    each = alike("dsprites")
    rows = draws(each.space, 200, 10)
    rows[::2, 2] = 39
    first = each.first(rows)
    assert (first[::2, 2] == 0).all()
    assert (first[:, [0, 1, 3, 4]] == rows[:, [0, 1, 3, 4]]).all()
    np.testing.assert_array_equal(sprites.render(first), sprites.render(rows))
