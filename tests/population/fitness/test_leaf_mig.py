"""Fitness by label files: MIG where it is one, medians over files, draws, clusters, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from reference.leaf_mig_reference import slow_leaf_scores
from reference.trained_models import DATA, IMAGES, broken, run
from unweave.errors import DataError, RunError, SpecError
from unweave.population.fitness import LeafMIG, parse_fitness
from unweave.population.split import LabelSplit
from unweave.population.surrogate_labels import (
    LabelColumn,
    LabelLevel,
    SurrogateLabels,
    write_labels,
)
from unweave.ranking import codes as ranking_codes

SPLIT = LabelSplit(images=IMAGES, share=0)


def level(flat, labels, ids=None, intervals=(), note=""):
    """Labels of images, with clusters of every column or of none."""
    columns = tuple(
        LabelColumn(name=f"latent {c}", latents=(c,), kl=2.0, intervals=intervals, note=note)
        for c in range(labels.shape[1])
    )
    return LabelLevel(
        flat=np.asarray(flat, np.int64),
        labels=labels.astype(np.float32),
        ids=np.full(labels.shape, -1, np.int32) if ids is None else ids.astype(np.int32),
        columns=columns,
    )


def written(path, *levels, dataset=DATA, size=IMAGES):
    """The file of these levels."""
    write_labels(path, SurrogateLabels(dataset=dataset, size=size, levels=levels))
    return str(path)


def codes(opened, flat):
    """Posterior means by the public way."""
    return opened.encode(opened.dataset.images(flat))[0]


def noisy(flat, columns, seed):
    """Labels that follow the first factors of some images."""
    factors = run().dataset.factors(flat)[:, -columns:]
    return factors + np.random.default_rng(seed).normal(size=factors.shape) * 0.4


@pytest.mark.parametrize("compat", ["none", "rpu"])
def test_true_labels_of_the_whole_dataset_give_mig(tmp_path, compat):
    everything = np.arange(IMAGES)
    factors = run().dataset.factors(everything)
    file = written(tmp_path / "true.npz", level(everything, factors))
    fitness = LeafMIG(files=(file,), compat=compat)
    fitness.check(run().config, 1)
    found = fitness.measure([run(0), run(1)], SPLIT, 0)
    mig = parse_fitness("mig(images=384)").measure([run(0), run(1)], SPLIT, 0)
    nmig = parse_fitness("nmig(images=384)").measure([run(0), run(1)], SPLIT, 0)
    assert found.models == pytest.approx(mig.models, abs=1e-9)
    assert found.score == pytest.approx(mig.score, abs=1e-9)
    assert found.best == mig.best
    assert found.further["mig.0"] == pytest.approx(mig.score, abs=1e-9)
    assert found.further["nmig.0"] == pytest.approx(nmig.score, abs=1e-9)


def test_the_median_over_files_of_levels(tmp_path):
    everything, cell, deep = np.arange(IMAGES), np.arange(40, 200, 2), np.arange(60, 120, 6)
    files, slow = [], {0: [], 1: []}
    for k, sizes in enumerate([(2, 2, 1), (1, 3), (2, 1)]):
        levels = [
            level(flat, noisy(flat, columns, 10 * k + columns))
            for flat, columns in zip((everything, cell, deep), sizes, strict=False)
        ]
        files.append(written(tmp_path / f"{k}.npz", *levels))
        for seed, found in slow.items():
            pairs = [(codes(run(seed), each.flat), each.labels) for each in levels]
            found.append(slow_leaf_scores(pairs))
    fitness = LeafMIG(files=tuple(files))
    fitness.check(run().config, 1)
    found = fitness.measure([run(0), run(1)], SPLIT, 0)
    expected = [np.median([mig for mig, _ in slow[seed]]) for seed in slow]
    assert found.models == pytest.approx(expected, abs=1e-5)
    assert found.score == pytest.approx(np.mean(expected), abs=1e-5)
    assert set(found.further) == {f"{name}.{k}" for name in ("mig", "nmig") for k in range(3)}
    for k in range(3):
        for column, name in enumerate(("mig", "nmig")):
            mean = np.mean([slow[seed][k][column] for seed in slow])
            assert found.further[f"{name}.{k}"] == pytest.approx(mean, abs=1e-5)


def test_clusters_stand_for_labels_where_they_are_good(tmp_path):
    flat = np.arange(IMAGES)
    raw = noisy(flat, 2, 5)
    ids = np.rint(raw).clip(-1, 3)
    bounds = tuple((k - 0.5, k + 0.5) for k in range(4))
    told = np.where(ids < 0, np.nan, ids)
    assert np.isnan(told).any()
    means = codes(run(), flat)
    for note, compat, labels in (
        ("", "none", told),
        ("", "rpu", raw),
        ("coverage is low", "none", raw),
    ):
        file = written(tmp_path / "labels.npz", level(flat, raw, ids, bounds, note))
        found = LeafMIG(files=(file,), compat=compat).measure([run()], SPLIT, 0)
        expected, _ = slow_leaf_scores([(means, labels.astype(np.float32))], compat == "none")
        assert found.score == pytest.approx(expected, abs=1e-5)


def test_samples_are_the_same_for_all_and_images_are_encoded_once(tmp_path, monkeypatch):
    everything, cell = np.arange(IMAGES), np.arange(100, 160)
    files = [
        written(
            tmp_path / f"{k}.npz",
            level(everything, noisy(everything, 2, k)),
            level(cell, noisy(cell, 1, k)),
        )
        for k in range(2)
    ]
    seen = []
    real = ranking_codes.encode

    def encode(opened, dataset, rows, progress):
        seen.append(rows)
        return real(opened, dataset, rows, progress)

    monkeypatch.setattr("unweave.population.fitness.leaf_mig.encode", encode)
    fitness = LeafMIG(files=tuple(files), samples=50)
    one = fitness.measure([run(0), run(1)], SPLIT, 3)
    # 50 of all images, the same for both files, and 50 of the 60 of the cell.
    assert len(set(map(tuple, seen))) == 1
    rows = seen[0]
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert 50 <= ((rows >= 100) & (rows < 160)).sum() <= 60
    assert 40 <= ((rows < 100) | (rows >= 160)).sum() <= 50
    assert fitness.measure([run(0), run(1)], SPLIT, 3) == one
    assert fitness.measure([run(0), run(1)], SPLIT, 4) != one
    assert LeafMIG(files=tuple(files), samples=60).measure([run(0), run(1)], SPLIT, 3) != one


def test_a_file_that_is_written_anew_is_read_anew(tmp_path):
    flat = np.arange(IMAGES)
    scores = []
    for seed in range(2):
        file = written(tmp_path / "labels.npz", level(flat, noisy(flat, 2, seed)))
        scores.append(LeafMIG(files=(file,)).measure([run()], SPLIT, 0).score)
    assert scores[0] != scores[1]


def test_codes_that_are_no_numbers_give_no_score(tmp_path):
    flat = np.arange(IMAGES)
    file = written(tmp_path / "labels.npz", level(flat, noisy(flat, 2, 0)))
    found = LeafMIG(files=(file,)).measure([run(), broken()], SPLIT, 0)
    assert found.score is None
    assert found.models[0] is not None
    assert found.models[1] is None
    assert found.message.startswith("Model 1: Codes must be finite")


def test_what_is_refused_before_any_work(tmp_path):
    config = run().config
    flat = np.arange(IMAGES)
    good = written(tmp_path / "good.npz", level(flat, noisy(flat, 2, 0)))
    (tmp_path / "text.npz").write_text("labels")
    for files, error, said in (
        ((), SpecError, "give their files, such as leaf_mig"),
        ((good, str(tmp_path / "missing.npz")), RunError, "missing.npz does not exist"),
        ((str(tmp_path / "text.npz"),), RunError, "is not a label file|is damaged"),
        (
            (written(tmp_path / "other.npz", level([0, 1], noisy([0, 1], 1, 0)), dataset="d"),),
            RunError,
            r"has labels of d, and not of dsprites",
        ),
        (
            (written(tmp_path / "size.npz", level([0, 1], noisy([0, 1], 1, 0)), size=10),),
            RunError,
            "of a dataset of 10 images, and not of 384",
        ),
        (
            (written(tmp_path / "constant.npz", level(flat, np.ones((IMAGES, 2)))),),
            DataError,
            "has no labels that vary",
        ),
        ((written(tmp_path / "none.npz"),), DataError, "has no labels that vary"),
    ):
        with pytest.raises(error, match=said):
            LeafMIG(files=files).check(config, 1)
    with pytest.raises(SpecError, match="is given twice"):
        LeafMIG(files=(good, good))
    with pytest.raises(SpecError, match="compares two latents, but latents is 1"):
        LeafMIG(files=(good,)).check(run(latents=1).config, 1)


def test_texts():
    fitness = LeafMIG(files=("a.npz", "b c.npz"), compat="rpu")
    assert parse_fitness(str(fitness)) == fitness
    assert parse_fitness("leaf_mig(files=('a.npz',))").files == ("a.npz",)
    assert parse_fitness("leaf_mig(compat=rpu)").files == ()
