"""Images for the fitness of a population, and images for its evaluation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unweave.errors import SpecError
from unweave.population.split import LabelSplit


@given(
    images=st.integers(2, 300),
    seed=st.integers(0, 10**6),
    share=st.floats(0, 0.9),
    data=st.data(),
)
def test_the_two_share_no_image_and_are_ascending(images, seed, share, data):
    try:
        whole = LabelSplit(images=images, seed=seed, share=share)
    except SpecError:
        assert round(share * images) in (0, images)
        return
    labels = data.draw(st.integers(1, whole.most))
    split = LabelSplit(images=images, seed=seed, share=share, labels=labels)
    for rows in (whole.evaluation, whole.fitness, split.fitness, split.first(2)):
        assert rows.dtype == np.int64
        assert rows.tolist() == sorted(set(rows.tolist()))
    assert sorted([*whole.evaluation, *whole.fitness]) == list(range(images))
    assert split.evaluation.tolist() == whole.evaluation.tolist()
    assert len(whole.evaluation) == round(share * images)
    assert len(split.fitness) == labels
    # Fewer labels are some of more labels.
    assert set(split.fitness) <= set(whole.fitness)
    assert set(split.first(2)) <= set(split.fitness)
    assert split.first(images).tolist() == split.fitness.tolist()


def test_the_same_key_gives_the_same_images_and_another_seed_others():
    one, again, other = (LabelSplit(images=5000, seed=seed) for seed in (3, 3, 4))
    assert one.evaluation.tolist() == again.evaluation.tolist()
    assert one.evaluation.tolist() != other.evaluation.tolist()
    # Any image may be kept: a fifth of them are, wherever they stand.
    counts = np.zeros(50)
    for seed in range(400):
        counts[LabelSplit(images=50, seed=seed).evaluation] += 1
    # 80 expected of each, with a deviation of 8.
    assert 80 - 40 < counts.min() <= counts.max() < 80 + 40


def test_all_labels_without_evaluation():
    split = LabelSplit(images=7, share=0)
    assert split.evaluation.tolist() == []
    assert split.fitness.tolist() == list(range(7))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"images": 0}, "needs images, and there are 0"),
        ({"images": 10, "share": 1}, "at least 0 and less than 1, but is 1"),
        ({"images": 10, "share": -0.1}, "at least 0 and less than 1"),
        ({"images": 10, "share": 0.01}, "keeps none for evaluation: give at least 0.1"),
        ({"images": 10, "share": 0.99}, "leaves none for the fitness"),
        ({"images": 10, "labels": 9}, "labels must be from 1 to 8"),
        ({"images": 10, "labels": 0}, "but is 0"),
        ({"images": 10, "seed": -1}, "seed must be at least 0"),
    ],
)
def test_what_leaves_nothing_is_refused(fields, said):
    with pytest.raises(SpecError, match=said):
        _ = LabelSplit(**fields).evaluation
