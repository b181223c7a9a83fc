"""Merging: labels that say the same become one, the purest; others stay."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score

from reference.recursion_codes import product_grid
from unweave.errors import SpecError
from unweave.population.recursion.clusters import find_clusters
from unweave.population.recursion.merging import LabelKey, agreement, merge_labels
from unweave.population.surrogate_labels import LabelColumn, LabelLevel, SurrogateLabels


def level(flat, codes, purities, *, clustered=True):
    """Labels whose clusters are those of the codes, with purities of the test's own."""
    columns, ids = [], []
    for j, purity in enumerate(purities):
        found = find_clusters(codes[:, j])
        told = clustered and bool(found.count)
        columns.append(
            LabelColumn(
                name=f"latent {j}",
                latents=(j,),
                kl=2.0,
                purity=purity if told else 0.0,
                coverage=found.coverage,
                intervals=tuple(map(tuple, found.intervals.tolist())) if told else (),
            )
        )
        ids.append(found.ids if told else np.full(len(codes), -1, np.int32))
    return LabelLevel(
        flat=np.asarray(flat, np.int64),
        labels=codes.astype(np.float32),
        ids=np.stack(ids, axis=1),
        columns=tuple(columns),
    )


def file(*levels, size=4000):
    return SurrogateLabels(dataset="d", size=size, levels=levels)


CODES, FACTORS = product_grid((4, 5, 200), 0.1)
NOISY = CODES + 0.05 * np.random.default_rng(1).normal(size=CODES.shape)
ALL = range(4000)


@given(
    first=st.lists(st.integers(0, 5), min_size=2, max_size=60),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None)
def test_agreement_is_that_of_scikit_learn(first, seed):
    generator = np.random.default_rng(seed)
    one = np.array(first)
    other = np.where(generator.random(len(one)) < 0.7, one, generator.integers(0, 4, len(one)))
    counts = [np.bincount(each)[np.bincount(each) > 0] / len(one) for each in (one, other)]
    entropy = min(-(share * np.log(share)).sum() for share in counts)
    expected = normalized_mutual_info_score(one, other) if entropy >= 0.1 else 0.0
    assert agreement(one, other) == pytest.approx(expected, abs=1e-9)


def test_labels_of_two_runs_that_say_the_same_are_one():
    first = file(level(ALL, CODES[:, :2], [0.95, 0.9]))
    # The other way round, and the second factor is purer.
    second = file(level(ALL, -NOISY[:, [1, 0]], [0.99, 0.94]))
    found = merge_labels([first, second])
    assert found.kept == (LabelKey(0, 0, 0), LabelKey(1, 0, 0))
    assert [(each.label, each.into) for each in found.merged] == [
        (LabelKey(0, 0, 1), LabelKey(1, 0, 0)),
        (LabelKey(1, 0, 1), LabelKey(0, 0, 0)),
    ]
    assert all(each.agreement > 0.99 for each in found.merged)
    assert all(3500 < each.images <= 4000 for each in found.merged)
    one, other = found.apply([first, second])
    assert [column.name for column in one.levels[0].columns] == ["latent 0"]
    np.testing.assert_array_equal(other.levels[0].labels[:, 0], second.levels[0].labels[:, 0])


def test_labels_of_levels_are_compared_on_the_images_they_share():
    # The first factor is constant in the part, and the second is learned again there.
    part = np.flatnonzero(FACTORS[:, 0] == 2)
    again = np.stack([NOISY[part, 1], CODES[part, 2]], axis=1)
    labels = file(level(ALL, CODES[:, :2], [0.9, 0.9]), level(part, again, [0.99, 0.0]))
    found = merge_labels([labels])
    assert found.kept == (LabelKey(0, 0, 0), LabelKey(0, 1, 0), LabelKey(0, 1, 1))
    (merged,) = found.merged
    assert (merged.label, merged.into) == (LabelKey(0, 0, 1), LabelKey(0, 1, 0))
    assert 900 < merged.images <= 1000
    assert [len(each.columns) for each in found.apply([labels])[0].levels] == [1, 2]


def test_equally_pure_labels_are_kept_where_they_have_more_images():
    part = np.arange(0, 4000, 2)
    few, many = level(part, NOISY[part, :1], [0.95]), level(ALL, CODES[:, :1], [0.95])
    assert merge_labels([file(few), file(many)]).kept == (LabelKey(1, 0, 0),)
    assert merge_labels([file(many), file(many)]).kept == (LabelKey(0, 0, 0),)


def test_raw_labels_are_compared_in_bins():
    generator = np.random.default_rng(2)
    value = generator.uniform(-1, 1, 4000)
    codes = np.stack(
        [value, 1e-4 * generator.normal(size=4000) - value, generator.uniform(size=4000)], axis=1
    )
    found = merge_labels([file(level(ALL, codes, [0, 0, 0], clustered=False))])
    assert found.kept == (LabelKey(0, 0, 0), LabelKey(0, 0, 2))
    # One with clusters and one without.
    mixed = [file(level(ALL, CODES[:, :1], [0.9])),
             file(level(ALL, CODES[:, :1], [0.9], clustered=False))]  # fmt: skip
    found = merge_labels(mixed)
    assert found.kept == (LabelKey(0, 0, 0),)
    assert found.merged[0].agreement == pytest.approx(1)


def test_few_common_images_and_other_factors_merge_nothing():
    codes = CODES[:, :2]
    first, second = range(2050), range(1950, 4000)
    files = [file(level(each, codes[list(each)], [0.9, 0.9])) for each in (first, second)]
    assert len(merge_labels(files, fewest=101).merged) == 0
    assert len(merge_labels([file(level(ALL, codes, [0.9, 0.9]))]).merged) == 0
    assert merge_labels([]).kept == ()


def test_refuses_bad_input():
    labels = file(level(ALL, CODES[:, :1], [0.9]))
    for bad, message in (
        ({"threshold": 0}, "threshold must be"), ({"threshold": 1.1}, "threshold must be"),
        ({"fewest": 0}, "fewest must be"), ({"bins": 1}, "fewest must be"),
    ):  # fmt: skip
        with pytest.raises(SpecError, match=message):
            merge_labels([labels], **bad)
    with pytest.raises(SpecError, match="of one dataset"):
        merge_labels([labels, dataclasses.replace(labels, dataset="other")])
