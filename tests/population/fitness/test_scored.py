"""Fitness by metrics: scores of the images of a split, signs, texts, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.trained_models import IMAGES, broken, run
from unweave import metrics
from unweave.errors import DataError, SpecError
from unweave.population.fitness import Fitness, Measured, Scored, UDRFitness, parse_fitness
from unweave.population.split import LabelSplit
from unweave.representation import Representation
from unweave.spec import parse, to_dict


def codes(opened, rows):
    """Posterior means and log variances by the public way, image by image."""
    images = opened.dataset.images(rows)
    return opened.encode(images)


def slow_mig(means, factors, bins=20):
    """The gap of each factor from counts in loops, and their mean."""

    def information(a, b):
        total = 0.0
        for x in set(a):
            for y in set(b):
                joint = np.mean([p == x and q == y for p, q in zip(a, b, strict=True)])
                if joint > 0:
                    total += joint * math.log(joint / np.mean(a == x) / np.mean(b == y))
        return total

    gaps = []
    for k in range(factors.shape[1]):
        shares = []
        for j in range(means.shape[1]):
            low, high = means[:, j].min(), means[:, j].max()
            edges = np.linspace(low, high, bins + 1)[1:-1]
            binned = np.array([int((edges <= value).sum()) for value in means[:, j]])
            shares.append(information(binned, factors[:, k]))
        first, second = sorted(shares, reverse=True)[:2]
        gaps.append((first - second) / information(factors[:, k], factors[:, k]))
    return float(np.mean(gaps))


def test_the_score_is_that_of_the_labelled_images_alone():
    fitness = parse_fitness("mig(labels=60)")
    split = fitness.split_of(IMAGES, seed=5)
    runs = [run(0), run(1)]
    found = fitness.measure(runs, split, seed=0)
    rows = split.fitness
    assert len(rows) == 60
    factors = runs[0].dataset.factors(rows)
    expected = [slow_mig(codes(each, rows)[0], factors) for each in runs]
    assert found.models == pytest.approx(expected, abs=1e-6)
    assert found.score == pytest.approx(np.mean(expected), abs=1e-6)
    assert found.best == int(np.argmax(expected))
    assert found.message == ""
    assert found.further["mig"] == found.score
    assert {key for key in found.further if key != "mig"} == {
        f"mig.{name}" for name in runs[0].dataset.factor_space.names
    }
    # Nothing is left beside the run.
    assert not (runs[0].folder / "cache").exists()
    assert not (runs[0].folder / "scores.json").exists()
    # Other images, other scores; the same again, the same.
    assert fitness.measure(runs, fitness.split_of(IMAGES, seed=6), 0) != found
    assert fitness.measure(runs, fitness.split_of(IMAGES, seed=5), 0) == found


@pytest.mark.parametrize("text", ["sap", "mig(protocol=rpu)", "unsupervised", "mig_sampled"])
def test_scores_are_those_of_evaluate(text):
    fitness = parse_fitness(text)
    split = fitness.split_of(IMAGES)
    rows = fitness.rows(split)
    mean, logvar = codes(run(), rows)
    space, factors = run().dataset.known_factors(rows)
    table = Representation(mean, factors, space, logvar)
    name = fitness.metric.name
    score = metrics.evaluate(table, metrics=(name,), protocol=fitness.protocol, seed=3)[name]
    found = fitness.measure([run()], split, seed=3)
    sign = -1 if name == "unsupervised" else 1
    assert found.score == pytest.approx(sign * score.value, rel=1e-4, abs=1e-6)
    assert found.further[name] == pytest.approx(score.value, rel=1e-4, abs=1e-6)


def test_which_images_are_encoded():
    split = LabelSplit(images=737_280)
    count = {
        "mig": 10_000,
        "mig(protocol=fast)": 10_000,
        "mig(protocol=rpu)": 50_000,
        "sap": 15_000,
        "mig_sampled": 10_000,
        "dci": 15_000,
        "downstream_trees": 15_000,
        "strong_downstream": 2_000,
        "downstream_pairs": 589_824,
        "mig(images=20000)": 20_000,
        "mig(images=1000000)": 589_824,
        "mig(protocol=fast, images=1000000)": 100_000,
        "mig(labels=30000)": 30_000,
        "mig(labels=30000, images=200)": 200,
        "sap(labels=100)": 100,
    }
    found = {text: len(parse_fitness(text).rows(split)) for text in count}
    assert found == count
    few, many = (parse_fitness(f"mig(labels={k})").rows(split) for k in (100, 1000))
    assert set(few) < set(many)
    assert not set(many) & set(split.evaluation)


def test_codes_that_are_no_numbers_give_no_score():
    fitness = parse_fitness("mig")
    split = fitness.split_of(IMAGES)
    found = fitness.measure([run(), broken()], split, 0)
    assert found.score is None
    assert found.models[0] == fitness.measure([run()], split, 0).score
    assert found.models[1] is None
    assert found.message.startswith("Model 1: Codes must be finite")
    alone = fitness.measure([broken()], split, 0)
    assert (alone.score, alone.models, alone.best) == (None, (None,), 0)
    assert alone.further == {}


def test_what_was_measured_of_some_models():
    found = Measured.of([0.25, 0.5, 0.5], {"a": 1.0, "b": math.nan})
    assert (found.score, found.best, found.further) == (1.25 / 3, 1, {"a": 1.0})
    found = Measured.of([0.25, math.inf])
    assert (found.score, found.models, found.best) == (None, (0.25, None), 0)
    assert found.message == "The fitness is not a number."


# Texts


def test_a_metric_stands_for_its_score():
    assert parse_fitness("mig") == Scored(by="mig")
    assert parse_fitness(" mig(labels=1000, protocol=rpu) ") == Scored(
        by="mig", labels=1000, protocol="rpu"
    )
    # An alias of published code.
    assert parse_fitness("unsupervised_metrics") == Scored(by="unsupervised")
    assert parse_fitness("scored(by=dci)") == Scored(by="dci")
    assert parse_fitness("udr(images=500)") == UDRFitness(images=500)
    for fitness in (Scored(by="mig", labels=10), UDRFitness(compat="rpu")):
        assert parse_fitness(str(fitness)) == parse(str(fitness), Fitness) == fitness
    assert to_dict(Scored(by="mig"))["type"] == "scored"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("migg", r"Unknown fitness 'migg'\. Give one of .*udr.* Did you mean mig"),
        ("mig(bins=10)", "bins is a setting of the metric"),
        ("mig(labels=1)", "labels must be at least 2"),
        ("mig(10)", r"given by name, such as mig\(labels=1000\)"),
        ("mig(by=sap)", "by is given twice"),
        ("mig(label=10)", "has no field 'label'. Did you mean labels"),
        ("mig + sap", "'mig [+] sap' is a sum; one fitness is expected"),
        ("mig(", "Cannot read"),
        ("", "Expected the text of a fitness"),
        ("scored(by=nonsense)", "Unknown metric 'nonsense'"),
        ("scored(by=udr)", "udr is a fitness by itself"),
        ("scored", r"scored needs by: write scored\(by=...\)"),
        ("mig(protocol=dilb)", "Unknown protocol 'dilb'"),
        ("nmig(protocol=fast)", "Protocol fast/1 does not define nmig"),
        ("unsupervised(labels=9)", "unsupervised reads no labels"),
        ("udr(images=5, compat=rpu)", "images must be at least 10 with compat=rpu"),
        ("udr(alpha=1)", "alpha must be less than 1"),
    ],
)
def test_texts_that_are_refused(text, said):
    with pytest.raises(SpecError, match=said):
        parse_fitness(text)


# What is refused before any work


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("mig(labels=308)", SpecError, "labels must be from 1 to 307"),
        ("mig(protocol=dlib)", DataError, "draw from the full grid of 384 combinations"),
        (
            "dci(protocol=dlib, labels=20)",
            DataError,
            r"take a part of it: fast, .*Write scored\(by=dci, protocol=fast, labels=20\)",
        ),
        ("mig_sampled(protocol=disvae)", DataError, "cannot score 307 images"),
        ("mig", None, ""),
        ("dci(labels=20)", None, ""),
    ],
)
def test_settings_that_do_not_fit_the_data(text, error, said):
    fitness = parse_fitness(text)
    if error is None:
        fitness.check(run().config, 1)
        return
    with pytest.raises(error, match=said):
        fitness.check(run().config, 1)


def test_labels_that_are_all_the_same_are_refused():
    # Of two labelled images of one shape no metric can say anything.
    config = run(dataset="dsprites(grid=(1, 1, 1, 1, 32))").config
    split = LabelSplit(images=32, labels=2)
    space = config.dataset.factor_space.unravel(split.fitness)
    assert len({tuple(row) for row in space}) == 2
    parse_fitness("mig(labels=2)").check(config, 1, split)
    with pytest.raises(DataError, match="at least two must vary"):
        parse_fitness("factor_vae(labels=2)").check(config, 1, split)


def test_data_and_models_that_do_not_fit(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (40, 64, 64), np.uint8))
    config = run(dataset=f"arrays(path={str(path)!r})").config
    with pytest.raises(DataError, match=r"reads labels, and those of .* are not known"):
        parse_fitness("mig").check(config, 1)
    parse_fitness("unsupervised").check(config, 1)
    found = parse_fitness("unsupervised").measure(
        [run(dataset=f"arrays(path={str(path)!r})")], LabelSplit(images=40), 0
    )
    assert found.score == -found.further["unsupervised"]
    plain = run(objective="autoencoder")
    with pytest.raises(SpecError, match="codes of autoencoder have no noise"):
        parse_fitness("mig_sampled").check(plain.config, 1)
    assert parse_fitness("mig").measure([plain], LabelSplit(images=IMAGES), 0).score >= 0
    with pytest.raises(SpecError, match="reads 50 labels, and the split has 40"):
        parse_fitness("mig(labels=50)").check(plain.config, 1, LabelSplit(images=384, labels=40))
    with pytest.raises(SpecError, match=r"split is of 10 images, but .* has 384"):
        parse_fitness("mig").check(plain.config, 1, LabelSplit(images=10))
