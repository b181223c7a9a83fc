"""Labels that the code of rPU-VAE packed, level by level, read as labels of a dataset."""

from __future__ import annotations

import numpy as np
import pytest

from reference.trained_models import DATA, IMAGES, run
from unweave.errors import RunError
from unweave.population.fitness import LeafMIG
from unweave.population.fitness.packed_labels import read_any_labels
from unweave.population.split import LabelSplit
from unweave.population.surrogate_labels import SurrogateLabels, write_labels

SPLIT = LabelSplit(images=IMAGES, share=0)


def arrays():
    """Three levels of a dataset of 40 images, the second one not in the dataset's order."""
    generator = np.random.default_rng(0)
    return {
        "labels_0": generator.normal(size=(40, 3)).astype(np.float32),
        "indices_0": np.array([30, 4, 18, 7, 21]),
        "labels_1": np.array([[0.3, 3.0], [0.0, 0.4], [0.1, 1.8], [0.0, 0.7], [0.2, 2.1]]),
        "indices_1": np.array([1, 3, 4]),
        "labels_2": np.array([[4.0], [7.0], [21.0]]),
        "indices_2": np.zeros(1),
    }


def packed(folder, **changes):
    path = folder / "indices_and_labels.npz"
    np.savez(path, **{k: v for k, v in (arrays() | changes).items() if v is not None})
    return path


def test_positions_become_images_of_the_dataset(tmp_path):
    found = read_any_labels(packed(tmp_path), size=40, dataset="dsprites")
    assert (found.dataset, found.size, len(found.levels)) == ("dsprites", 40, 3)
    whole, second, third = found.levels
    np.testing.assert_array_equal(whole.flat, np.arange(40))
    np.testing.assert_array_equal(whole.labels, arrays()["labels_0"])
    # Labels stay with their images: a tenth of the image's number each.
    np.testing.assert_array_equal(second.flat, [4, 7, 18, 21, 30])
    np.testing.assert_allclose(second.labels[:, 1], second.flat / 10, rtol=1e-6)
    np.testing.assert_array_equal(third.flat, [4, 7, 21])
    np.testing.assert_array_equal(third.labels[:, 0], third.flat)
    assert [column.name for column in second.columns] == ["active 0", "active 1"]
    assert (second.ids == -1).all()


def test_levels_end_where_indices_do(tmp_path):
    found = read_any_labels(packed(tmp_path, indices_2=None))
    assert len(found.levels) == 2


def test_whole_numbers_may_be_stored_with_a_point(tmp_path):
    found = read_any_labels(packed(tmp_path, indices_0=arrays()["indices_0"].astype(float)))
    np.testing.assert_array_equal(found.levels[1].flat, [4, 7, 18, 21, 30])


def test_one_column_may_be_a_vector(tmp_path):
    path = packed(tmp_path, labels_2=np.array([4.0, 7.0, 21.0]))
    assert read_any_labels(path).levels[2].labels.shape == (3, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indices_0": np.array([30, 4, 18, 7, 40])}, "must be from 0 to below 40"),
        ({"indices_0": np.array([30, 4, 18, 7, 7])}, "ascend"),
        ({"labels_1": np.zeros((4, 2))}, "level 1 has 5 images, and labels of 4"),
        ({"labels_2": None}, "level 2 has 3 images, and labels of none"),
        ({"labels_0": np.full((40, 3), np.nan)}, "finite"),
        ({"labels_0": np.float32(1)}, "level 0 has 0 images, and labels of none"),
        ({"labels_0": np.zeros((0, 3))}, r"one image or more, not float64 \(0, 3\)"),
        ({"labels_1": np.full((5, 2), "x")}, r"labels_1 must be numbers .*<U1 \(5, 2\)"),
        ({"indices_0": np.array([30, 4, 18, 7, 20.5])}, "indices_0 must be whole numbers"),
        ({"indices_0": np.array([30, 4, 18, 7, np.nan])}, "indices_0 must be whole numbers"),
        ({"indices_0": np.array(["30", "4", "18", "7", "21"])}, "indices_0 must be whole"),
    ],
)
def test_levels_that_do_not_fit_together_are_refused(tmp_path, changes, message):
    with pytest.raises(RunError, match=message):
        read_any_labels(packed(tmp_path, **changes))


def test_another_number_of_images_is_refused(tmp_path):
    with pytest.raises(RunError, match="of a dataset of 40 images, and not of 60"):
        read_any_labels(packed(tmp_path), size=60)


def test_other_files_are_read_as_our_own(tmp_path):
    path = tmp_path / "labels.npz"
    with pytest.raises(RunError, match="does not exist"):
        read_any_labels(path)
    np.savez(path, labels_0=np.zeros((3, 1)))
    with pytest.raises(RunError, match="is not a label file"):
        read_any_labels(path)
    path.write_bytes(packed(tmp_path).read_bytes()[:200])
    with pytest.raises(RunError, match=r"labels\.npz"):
        read_any_labels(path)
    write_labels(path, read_any_labels(packed(tmp_path), dataset="shapes3d"))
    assert read_any_labels(path).dataset == "shapes3d"
    with pytest.raises(RunError, match="labels of shapes3d, and not of dsprites"):
        read_any_labels(path, dataset="dsprites")


def test_leaf_mig_is_that_of_the_same_labels_in_our_own_file(tmp_path):
    """All factors of all images, and of a cell of them that lies in no order."""
    factors = run().dataset.factors(np.arange(IMAGES))
    cell = np.random.default_rng(1).permutation(IMAGES)[: IMAGES // 2]
    theirs = tmp_path / "indices_and_labels.npz"
    np.savez(
        theirs,
        labels_0=factors.astype(np.float32),
        indices_0=cell,
        labels_1=factors[cell].astype(np.float32),
        indices_1=np.zeros(1),
    )
    ours = tmp_path / "labels.npz"
    read = read_any_labels(theirs)
    write_labels(ours, SurrogateLabels(dataset=DATA, size=IMAGES, levels=read.levels))
    scores = []
    for file in (theirs, ours):
        fitness = LeafMIG(files=(str(file),), compat="rpu")
        fitness.check(run().config, 1, SPLIT)
        scores.append(fitness.measure([run()], SPLIT, 0).models[0])
    assert scores[0] == scores[1] > 0
