"""Steps of the recursion: three of four factors are held constant, and the fourth is left."""

from __future__ import annotations

import numpy as np
import pytest

from reference.recursion_codes import product_grid, representation
from unweave import spec
from unweave.errors import DataError, SpecError
from unweave.population.recursion.cells import Cell
from unweave.population.recursion.published import PublishedEnding
from unweave.population.recursion.reduction import (
    Reduction,
    RobustReduction,
    RpuReduction,
    label_level,
)
from unweave.population.surrogate_labels import (
    SurrogateLabels,
    compose,
    read_labels,
    write_labels,
)

SIZES = (10, 10, 10, 12)
CODES, FACTORS = product_grid(SIZES, 0.08)
# A model that has learned three factors; its further latents are noise, one of it with some KL.
LEARNED = np.concatenate(
    [CODES[:, [2, 0, 1]], np.random.default_rng(3).normal(size=(len(CODES), 2))], axis=1
)
KL = [3.0, 4.0, 2.5, 0.05, 1.5]


@pytest.mark.parametrize("rank", [0, 1, 7])
def test_three_factors_of_ten_values_are_constant_in_the_cell(rank):
    step = RobustReduction().step(representation(LEARNED, KL), level=0, rank=rank)
    assert isinstance(step.outcome, Cell)
    positions = step.cell.positions
    assert len(positions) == 12
    assert (FACTORS[positions, :3] == FACTORS[positions[0], :3]).all()
    # What is not learned still has all its values.
    assert sorted(FACTORS[positions, 3]) == list(range(12))
    assert (np.diff(positions) > 0).all()
    assert [label.name for label in step.labels] == [f"latent {j}" for j in (0, 1, 2, 4)]
    assert [label.clusters.count for label in step.labels] == [10, 10, 10, 0]
    assert step.used == ("latent 0", "latent 1", "latent 2")
    assert [each.name for each in step.skipped] == ["latent 4"]
    np.testing.assert_allclose([label.kl for label in step.labels], [3, 4, 2.5, 1.5], rtol=1e-4)
    for label, j in zip(step.labels, (0, 1, 2, 4), strict=True):
        np.testing.assert_array_equal(label.values, LEARNED[:, j].astype(np.float32))


def test_deeper_levels_take_the_first_cell():
    codes = representation(LEARNED, KL)
    cells = [RobustReduction().step(codes, level=1, rank=rank).cell for rank in (0, 3)]
    np.testing.assert_array_equal(cells[0].positions, cells[1].positions)
    different = RobustReduction().step(codes, level=0, rank=3).cell
    assert not set(different.positions) & set(cells[0].positions)


def test_published_cells_have_an_image_of_a_neighbour():
    # The same model: intervals are off by one image, so that cells need not be constant.
    codes = representation(LEARNED[:, :3], KL[:3])
    step = RpuReduction().step(codes, level=0, rank=0)
    assert isinstance(step.outcome, Cell)
    assert step.used == ("latent 0", "latent 1", "latent 2")
    assert set(step.outcome.values) == set(step.used)
    assert step.outcome.purity is None
    assert all(label.clusters.count == 0 for label in step.labels)
    alone = representation(LEARNED[:, :1], 3.0)
    positions = RpuReduction().step(alone, level=0, rank=0).cell.positions
    values, counts = np.unique(FACTORS[positions, 2], return_counts=True)
    assert counts.tolist() == [1, 1199]
    assert values[1] == values[0] + 1
    positions = RobustReduction().step(alone, level=0, rank=0).cell.positions
    assert len(np.unique(FACTORS[positions, 2])) == 1


def test_published_rule_ends_where_one_latent_has_no_jumps():
    step = RpuReduction().step(representation(LEARNED, KL), level=0, rank=0)
    assert isinstance(step.outcome, PublishedEnding)
    assert step.cell is None
    assert len(step.labels) == 4


def test_an_angle_of_two_latents_is_one_label():
    generator = np.random.default_rng(4)
    angle = FACTORS[:, 3] * 2 * np.pi / 12
    circle = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    circle += 0.05 * generator.normal(size=circle.shape)
    codes = np.stack([circle[:, 0], CODES[:, 0], circle[:, 1], CODES[:, 1]], axis=1)
    step = RobustReduction().step(representation(codes, [2.0, 3.0, 2.5, 3.0]), level=0, rank=0)
    assert [label.latents for label in step.labels] == [(0, 2), (1,), (3,)]
    ring = step.labels[0]
    assert ring.name == "ring of 0 and 2"
    assert ring.kl == pytest.approx(4.5, rel=1e-4)
    assert (ring.clusters.circular, ring.clusters.count) == (True, 12)
    positions = step.cell.positions
    assert (FACTORS[positions][:, [0, 1, 3]] == FACTORS[positions[0], [0, 1, 3]]).all()
    plain = RobustReduction(rings=False).step(representation(codes), level=0, rank=0)
    assert [label.latents for label in plain.labels] == [(0,), (1,), (2,), (3,)]


def test_two_levels_give_a_label_file_whose_indices_chain(tmp_path):
    # 480 images of each combination of two factors, of which a second model learns a third one.
    codes, factors = product_grid((10, 10, 6, 80), 0.08, seed=5)
    flat, positions, levels = np.arange(len(codes)), [], []
    for level, learned in enumerate(([1, 0], [2])):
        table = representation(codes[flat][:, learned], 3.0)
        step = RobustReduction().step(table, level=level, rank=4)
        levels.append(label_level(step, flat, run=f"runs/{level}", digest="ab" * 32))
        positions.append(step.cell.positions)
        flat = flat[step.cell.positions]
    assert len(flat) == 80
    assert (factors[flat, :3] == factors[flat[0], :3]).all()
    labels = SurrogateLabels(dataset="grid", size=len(codes), levels=tuple(levels))
    write_labels(tmp_path / "labels.npz", labels)
    again = read_labels(tmp_path / "labels.npz", size=len(codes))
    np.testing.assert_array_equal(again.positions(1), positions[0])
    np.testing.assert_array_equal(compose(again.levels[0].flat, *positions), flat)
    np.testing.assert_array_equal(again.levels[1].flat, compose(np.arange(48_000), positions[0]))
    assert [len(level.columns) for level in again.levels] == [2, 1]
    assert again.levels[1].columns[0].coverage > 0.99
    # Clusters are those of the file's own intervals.
    for level in again.levels:
        for j, column in enumerate(level.columns):
            for k, (low, high) in enumerate(column.intervals):
                inside = (level.labels[:, j] >= low) & (level.labels[:, j] < high)
                assert (inside == (level.ids[:, j] == k)).mean() > 0.9999


def test_everything_learned_ends_the_recursion():
    step = RobustReduction().step(representation(CODES, 3.0), level=0, rank=0)
    assert step.outcome.reason == "everything_learned"
    assert step.cell is None
    assert len(step.labels) == 4


def test_nothing_active_leaves_no_labels():
    codes = representation(LEARNED, 0.5)
    for reduction in (RobustReduction(), RpuReduction()):
        step = reduction.step(codes, level=0, rank=0)
        assert (step.labels, step.outcome.reason) == ((), "nothing_active")
        empty = label_level(step, np.arange(len(LEARNED)))
        assert empty.labels.shape == (len(LEARNED), 0)


def test_reductions_are_components():
    # Other tests may have made some of their own.
    found = spec.members(Reduction).items()
    own = {name for name, cls in found if cls.__module__.startswith("unweave.")}
    assert own == {"robust", "rpu"}
    for text in ("robust", "robust(rings=False, smallest=50)", "rpu(side_cutoff=0.1)"):
        assert str(spec.parse(text, Reduction)) == text
    with pytest.raises(SpecError, match="side_cutoff"):
        RpuReduction(side_cutoff=0.5)


def test_refuses_indices_that_do_not_fit():
    step = RobustReduction().step(representation(LEARNED, KL), level=0, rank=0)
    with pytest.raises(DataError, match="There are 10 indices"):
        label_level(step, np.arange(10))
    with pytest.raises(DataError, match="ascend"):
        label_level(step, np.arange(len(LEARNED))[::-1])
