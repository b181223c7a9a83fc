"""Fitness by agreement: closed forms, orientation, what ranks runs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso

import unweave
from reference.trained_models import IMAGES, LATENTS, broken, changed, run
from unweave.errors import DataError, SpecError
from unweave.population.fitness import UDRFitness
from unweave.population.split import LabelSplit

SPLIT = LabelSplit(images=IMAGES)


def with_head(source, mean, logvar=None):
    """A copy whose latents are others: a matrix (L, L) for the means, and for log variances."""
    second = np.eye(LATENTS) if logvar is None else logvar
    mixing = torch.block_diag(torch.tensor(mean), torch.tensor(second)).float()
    return changed(
        source,
        lambda name, tensor: mixing @ tensor if name.startswith("model/head.") else tensor,
    )


def spread(source, widths):
    """A copy whose latents have codes so many times as wide."""
    return with_head(source, np.diag(widths).astype(float))


def slow_udr(runs, images, alpha=0.1):
    """Pair scores at [i][j] of explaining latents of model j by those of i, by scikit-learn."""
    codes, used = [], []
    for each in runs:
        mean, logvar = (x.astype(np.float64) for x in each.encode(images))
        kl = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).mean(axis=0)
        codes.append(((mean - mean.mean(axis=0)) / mean.std(axis=0))[:, kl > 0.01])
        used.append(int((kl > 0.01).sum()))
    pairs = np.zeros((len(runs), len(runs)))
    for i, source in enumerate(codes):
        for j, target in enumerate(codes):
            if i == j or not used[i] or not used[j]:
                continue
            matrix = np.array(
                [
                    np.abs(Lasso(alpha=alpha, tol=1e-10, max_iter=100_000).fit(source, y).coef_)
                    for y in target.T
                ]
            ).T
            lines = [*matrix, *matrix.T]
            pairs[i, j] = np.mean([max(x) ** 2 / sum(x) if sum(x) else 0.0 for x in lines])
    return pairs, used


def test_each_model_is_explained_by_the_others():
    # Different numbers of latents in use, so that explaining and being explained differ.
    runs = [
        spread(run(0), (9, 1e-4, 9, 4)),
        spread(run(1), (3, 9, 9, 9)),
        spread(run(2), (9,) * 4),
    ]
    pairs, used = slow_udr(runs, runs[0].dataset.images(np.arange(IMAGES)))
    assert np.abs(pairs - pairs.T).max() > 0.01
    found = UDRFitness(images=IMAGES).measure(runs, SPLIT, 0)
    expected = [np.median([pairs[i, j] for i in range(3) if i != j]) for j in range(3)]
    assert found.models == pytest.approx(expected, abs=1e-5)
    assert found.score == pytest.approx(np.mean(expected), abs=1e-5)
    assert found.best == int(np.argmax(expected))
    assert found.further["informative"] == pytest.approx(np.mean(used))
    assert found.further["ceiling"] == pytest.approx(0.9)


def test_two_identical_models_of_one_latent_have_the_ceiling():
    only = np.diag([9.0, 0, 0, 0])
    closed = with_head(run(0), only, np.zeros((LATENTS, LATENTS)))
    found = UDRFitness().measure([closed, closed], SPLIT, 0)
    assert found.further["informative"] == 1
    assert found.models == pytest.approx([0.9, 0.9], abs=1e-9)
    strict = UDRFitness(alpha=0.3).measure([closed, closed], SPLIT, 0)
    assert strict.score == pytest.approx(strict.further["ceiling"])
    assert strict.score == pytest.approx(0.7)
    ranks = UDRFitness(correlation="spearman").measure([closed, closed], SPLIT, 0)
    assert ranks.score == pytest.approx(1)
    assert ranks.further["ceiling"] == 1


def whitened(source):
    """A copy whose latents are uncorrelated over all images, each three wide."""
    mean, _ = source.encode(source.dataset.images(np.arange(IMAGES)))
    values, vectors = np.linalg.eigh(np.cov(mean.T.astype(np.float64)))
    return with_head(source, 3 * np.diag(values**-0.5) @ vectors.T)


def test_permuted_copies_with_other_signs_agree():
    one = whitened(run(0))
    order, signs = np.eye(LATENTS)[[2, 0, 3, 1]], np.diag([1.0, -1, -1, 1])
    other = with_head(one, signs @ order, order)
    found = UDRFitness(images=IMAGES).measure([one, other], SPLIT, 0)
    assert found.further["informative"] == LATENTS
    assert found.score == pytest.approx(0.9, abs=1e-3)


def test_no_latent_in_use_is_no_agreement():
    closed = with_head(run(0), np.zeros((LATENTS, LATENTS)), np.zeros((LATENTS, LATENTS)))
    found = UDRFitness().measure([closed, closed], SPLIT, 0)
    assert (found.score, found.models) == (0, (0, 0))
    assert found.further["informative"] == 0
    assert UDRFitness().measure([closed, run(0)], SPLIT, 0).score == 0


@pytest.mark.parametrize(("compat", "protocol"), [("none", "unweave"), ("rpu", "rpu")])
@pytest.mark.parametrize("images", [100, IMAGES])
def test_it_is_what_ranks_runs(compat, protocol, images):
    runs = [run(seed) for seed in range(3)]
    ranking = unweave.rank(runs, images=images, seed=2, protocol=protocol)
    ranked = {entry.run: entry.score for entry in ranking.runs}
    fitness = UDRFitness(images=images, compat=compat)
    found = fitness.measure(runs, SPLIT, 2)
    assert found.models == pytest.approx([ranked[str(each.folder)] for each in runs], abs=1e-9)


def test_codes_that_are_no_numbers_give_no_score():
    for fitness in (UDRFitness(), UDRFitness(compat="rpu")):
        found = fitness.measure([run(0), broken(), run(1)], SPLIT, 0)
        assert (found.score, found.models) == (None, (None,) * 3)
        assert "finite" in found.message


def test_what_is_refused_before_any_work():
    config = run().config
    UDRFitness().check(config, 2)
    assert (UDRFitness.least_models, UDRFitness.usual_models) == (2, 5)
    with pytest.raises(SpecError, match="at least 2 models a member, but there are 1"):
        UDRFitness().check(config, 1)
    with pytest.raises(SpecError, match="codes of autoencoder have none"):
        UDRFitness().check(run(objective="autoencoder").config, 2)
    small = run(dataset="dsprites(grid=(1, 1, 1, 3, 3))").config
    UDRFitness().check(small, 2)
    with pytest.raises(DataError, match=r"needs at least 10 images, and .* has 9"):
        UDRFitness(compat="rpu").check(small, 2)
