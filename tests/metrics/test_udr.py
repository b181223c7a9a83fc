"""UDR: published values, closed forms, optimality of the lasso, and models that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reference.tables import table
from unweave.errors import DataError, SpecError
from unweave.metrics.label_free.udr import pair_score, rpu_kl, udr

G1 = ("g1_perfect", "g1_rot", "g1_warp", "g1_dup")
G2 = ("g2_noisy", "g2_mixed", "g2_missing")
# Latents whose codes vary by 0.05 or more over the whole table.
ACTIVE = {
    "g1_perfect": [0, 1, 1, 0, 0, 1, 1, 0, 0, 1],
    "g1_rot": [1] * 10,
    "g1_warp": [1, 1, 0, 1, 0, 1, 1, 0, 1, 1],
    "g1_dup": [1] * 10,
    "g2_noisy": [1, 1, 1, 1, 0, 1],
    "g2_mixed": [1, 0, 1, 1, 0, 1],
    "g2_missing": [1, 1, 0, 1, 0, 0],
}


def drawn(names, seed):
    """Codes of the models for the same 1,000 points, drawn ten at a time."""
    sizes = table(names[0]).factor_space.sizes
    state = np.random.RandomState(seed)
    points = np.concatenate(
        [np.stack([state.randint(size, size=10) for size in sizes], 1) for _ in range(100)]
    )
    rows = np.ravel_multi_index(tuple(points.T), sizes)
    return [table(name).mean[rows] for name in names]


def published(names, variant, seed):
    correlation, kl, filtered = variant.split("_")
    kls = [ACTIVE[n] if kl == "active" else np.ones(len(ACTIVE[n])) for n in names]
    return udr(
        drawn(names, seed),
        kls,
        correlation=correlation,
        filter_low_kl=filtered == "filter",
        compat="dlib",
    )


# Published values

PUBLISHED = [
    # models, correlation_kl_filter, seed, score of each model
    (G1, "lasso_active_filter", 0, (0.5867605773, 0.2022189496, 0.3452693152, 0.4629074573)),
    (G1, "lasso_active_filter", 4, (0.5817834561, 0.1940056572, 0.3669168384, 0.4594537669)),
    (G1, "lasso_active_nofilter", 0, (0.3429138428, 0.2022189496, 0.2927331616, 0.4257478861)),
    (G1, "lasso_ones_filter", 4, (0.3398329847, 0.1940056572, 0.3076285109, 0.4227318318)),
    (G1, "spearman_active_filter", 0, (0.5536501663, 0.1874582369, 0.4309471664, 0.4309471664)),
    (G1, "spearman_active_nofilter", 0, (0.0485951709, 0.0485951709, 0.0371497324, 0.1086920024)),
    (G1, "spearman_ones_filter", 0, (0.2989681035, 0.1788784425, 0.2989681035, 0.3758581172)),
    (G2, "lasso_active_filter", 0, (0.616270595, 0.6115590756, 0.6937864254)),
    (G2, "lasso_ones_filter", 0, (0.4212080073, 0.3972053982, 0.4174801341)),
    (G2, "spearman_active_filter", 0, (0.5996596626, 0.6174929759, 0.6554839409)),
    # A latent that does not vary, and is not left out, spoils rank correlations.
    (G2, "spearman_ones_filter", 0, (0.2975422465, 0.2898516281, 0.1851012126)),
]  # fmt: skip


@pytest.mark.parametrize(("names", "variant", "seed", "expected"), PUBLISHED)
def test_published_scores(names, variant, seed, expected):
    found = published(names, variant, seed)
    np.testing.assert_allclose(found.scores, expected, atol=1e-8)


@pytest.mark.parametrize("names", [G1, G2], ids=["g1", "g2"])
def test_every_published_value(reference, names):
    text = (reference / "metrics" / "reference_values.json").read_text(encoding="utf-8")
    results = json.loads(text)["udr"]["+".join(names)]["results"]
    assert len(results) >= 4
    for name, result in results.items():
        pairs = result["pairwise_disentanglement_scores"]
        scores = result["model_scores"]
        for k, seed in enumerate(scores["seeds"]):
            found = published(names, name.removeprefix("udr_"), seed)
            np.testing.assert_allclose(found.scores, scores["values"][k], atol=1e-6)
            expected = np.array(pairs["values"][k])[..., 0]
            np.testing.assert_allclose(found.pairs, expected, atol=1e-6)
            if seed == 0:
                raw = np.array(result["raw_correlations_seed0"], float)
                np.testing.assert_allclose(found.correlations, raw, atol=1e-6)


# Closed forms


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.eye(3), 1),
        ([[1, 1, 0], [1, 1, 0], [0, 0, 1]], 2 / 3),
        (np.ones((3, 3)), 1 / 3),
        (np.zeros((3, 3)), 0),
        (np.zeros((0, 3)), 0),
    ],
)
@pytest.mark.parametrize("pooled", [True, False])
def test_pair_scores_of_small_matrices(matrix, expected, pooled):
    assert pair_score(np.asarray(matrix, float), pooled=pooled) == pytest.approx(expected)


def test_the_two_means_differ_for_models_of_different_sizes():
    # One column: its strength is 1/2; of the two rows each is 1.
    matrix = np.array([[1.0], [1.0]])
    assert pair_score(matrix, pooled=False) == pytest.approx((0.5 + 1) / 2)
    assert pair_score(matrix, pooled=True) == pytest.approx((0.5 + 1 + 1) / 3)


def orthogonal(latents, rows=400, seed=0):
    """Codes whose columns have mean 0 and variance 1, and no correlation at all."""
    codes = np.random.default_rng(seed).normal(size=(rows, latents + 1))
    codes[:, 0] = 1
    return np.linalg.qr(codes)[0][:, 1:] * np.sqrt(rows)


@pytest.mark.parametrize("compat", ["none", "dlib", "rpu"])
@pytest.mark.parametrize("latents", [1, 4])
def test_copies_that_are_turned_and_permuted_reach_what_the_lasso_leaves(latents, compat):
    codes = orthogonal(latents)
    order = np.random.default_rng(1).permutation(latents)
    copies = [codes, 3 * codes[:, order] + 2, -0.1 * codes]
    found = udr(copies, [np.ones(latents)] * 3, compat=compat)
    np.testing.assert_allclose(found.scores, 0.9, atol=1e-6)
    assert found.mean == pytest.approx(0.9, abs=1e-6)
    found = udr(copies, [np.ones(latents)] * 3, alpha=0.25, compat=compat)
    np.testing.assert_allclose(found.scores, 0.75, atol=1e-6)


@pytest.mark.parametrize("correlation", ["lasso", "spearman"])
def test_latents_without_kl_are_left_out(correlation):
    # As in the tests of the published code: one shared latent, and nine of noise.
    rng = np.random.default_rng(0)
    shared = rng.normal(size=1000)
    models = []
    for _ in range(3):
        codes = rng.normal(size=(1000, 10))
        codes[:, 4] = shared
        models.append(codes)
    kl = [np.eye(10)[4]] * 3
    assert (udr(models, kl, correlation=correlation).scores >= 0.8).all()
    noise = udr(models, [np.ones(10)] * 3, correlation=correlation, filter_low_kl=False)
    assert (noise.scores <= 0.2).all()
    for compat in ("dlib", "rpu"):
        found = udr(models, kl, correlation=correlation, compat=compat)
        assert (found.scores >= 0.8).all()
        unfiltered = udr(models, kl, correlation=correlation, filter_low_kl=False, compat=compat)
        assert (unfiltered.scores <= 0.2).all()


def test_rank_correlations_see_through_a_warp():
    codes = orthogonal(3)
    found = udr([codes, np.exp(codes), -(codes**3)], [np.ones(3)] * 3, correlation="spearman")
    for i, j in ((0, 1), (1, 2)):
        np.testing.assert_allclose(found.correlations[i][j].diagonal(), 1, atol=1e-12)
    assert (found.scores > 0.8).all()


# The lasso


@pytest.mark.parametrize("spread", [1.0, 0.01, 1e-5])
def test_the_lasso_is_optimal(spread):
    # Neither a coefficient nor its absence can be bettered: the gradient of the squared error of
    # a latent in use is alpha, and that of another is no larger.
    rng = np.random.default_rng(0)
    scale = np.array([1, 1, 1, spread, spread, spread])
    source = (rng.normal(size=(300, 6)) * scale) @ rng.normal(size=(6, 6))
    target = source @ rng.normal(size=(6, 4)) + rng.normal(size=(300, 4))
    found = udr([source, target], [np.ones(6), np.ones(4)]).correlations[0][1]
    x, y = ((a - a.mean(0)) / a.std(0) for a in (source, target))
    assert 0 < (found == 0).sum() < found.size
    for k in range(4):
        # The signs are not told: those of the target that fit best.
        signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
        gradients = x.T @ (y[:, [k]] - x @ (signs * found[:, k]).T) / 300
        used = found[:, k] > 0
        excess = np.where(
            used, np.abs(gradients.T - 0.1 * signs), np.maximum(np.abs(gradients.T) - 0.1, 0)
        )
        assert excess.max(axis=1).min() < 1e-7


def test_the_published_lasso_stops_near_the_optimum():
    # Of these models, whose latents are not nearly dependent.
    models = drawn(("g2_noisy", "g2_mixed"), 0)
    ours = udr(models, [np.ones(6)] * 2, pooled=False)
    theirs = udr(models, [np.ones(6)] * 2, compat="dlib")
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)


# Scores


def test_a_score_is_the_median_of_being_explained_by_the_others():
    models = drawn(G1, 0)
    found = udr(models, [np.ones(10)] * 4)
    assert (found.pairs.diagonal() == 0).all()
    for j in range(4):
        column = sorted(found.pairs[i, j] for i in range(4) if i != j)
        assert found.scores[j] == column[1]
    assert found.pairs[0, 1] != found.pairs[1, 0]
    # The rows of a matrix are the latents that explain: those of the first model.
    one, two = orthogonal(1), orthogonal(4)
    mixed = udr([one, two], [np.ones(1), np.ones(4)])
    assert mixed.correlations[0][1].shape == (1, 4)
    assert mixed.correlations[1][0].shape == (4, 1)


def test_models_may_differ_in_their_latents():
    codes = orthogonal(5)
    found = udr([codes, codes[:, :3], codes[:, 1:]], [np.ones(5), np.ones(3), np.ones(4)])
    # Of 5 and 3 latents 3 match on each side: 0.9 of 6 in 8.
    assert found.pairs[0, 1] == pytest.approx(0.9 * 6 / 8, abs=1e-6)
    assert found.pairs[1, 2] == pytest.approx(0.9 * 4 / 7, abs=1e-6)


@pytest.mark.parametrize("compat", ["none", "dlib", "rpu"])
@pytest.mark.parametrize("correlation", ["lasso", "spearman"])
def test_a_collapsed_model_scores_nothing(compat, correlation):
    codes = orthogonal(3)
    still = np.full((400, 3), 0.5)
    kl = [np.ones(3), np.ones(3), np.ones(3), np.zeros(3)]
    given = [codes, codes, codes, still]
    found = udr(given, kl, compat=compat, correlation=correlation)
    assert found.scores[3] == 0
    assert found.scores[0] > 0.8
    assert not found.informative[3].any()
    # All of them.
    assert (udr([still, still], [np.zeros(3)] * 2, compat=compat).scores == 0).all()


def test_a_latent_that_does_not_vary_is_left_out_whatever_its_kl():
    codes = orthogonal(3)
    still = np.concatenate([codes, np.ones((400, 1))], axis=1)
    for correlation in ("lasso", "spearman"):
        found = udr([still, codes], [np.ones(4), np.ones(3)], correlation=correlation)
        plain = udr([codes, codes], [np.ones(3)] * 2, correlation=correlation)
        np.testing.assert_allclose(found.scores, plain.scores, atol=1e-9)


# The KL of rpu


def test_the_kl_of_rpu_is_that_of_its_code():
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(size=(25, 2)), rng.normal(-1, 1, size=(25, 2))
    expected = np.zeros(2)
    for j in range(2):
        for start in (0, 10):
            squares = sum(mean[i, j] ** 2 for i in range(start, start + 10)) / 10
            logstd = sum(logvar[i, j] / 2 for i in range(start, start + 10)) / 10
            expected[j] += 0.5 * (squares + np.exp(abs(logstd)) - abs(logstd) - 1) / 2
    np.testing.assert_allclose(rpu_kl(mean, logvar), expected)
    with pytest.raises(DataError, match="batches of 10 images, but has 9"):
        rpu_kl(mean[:9], logvar[:9])


def test_the_kl_of_the_published_code_is_infinite_of_a_variance_of_nothing():
    found = rpu_kl(np.zeros((10, 2)), np.tile([-2000.0, 0.0], (10, 1)))
    np.testing.assert_array_equal(found, [np.inf, 0.0])


# What is refused


CODES = orthogonal(3)


@pytest.mark.parametrize(
    ("codes", "kl", "words"),
    [
        ([CODES], [np.ones(3)], "at least 2, not 1"),
        ([CODES, CODES], [np.ones(3)], "2 models, but KLs of 1"),
        ([CODES, CODES[:5]], [np.ones(3)] * 2, "model 0 has 400 rows and model 1 has 5"),
        ([CODES, CODES], [np.ones(3), np.ones(2)], "Model 1 has 3 latents"),
        ([CODES, CODES[:, 0]], [np.ones(3)] * 2, "model 1 must have the shape"),
        ([CODES, CODES * np.nan], [np.ones(3)] * 2, "model 1 must be finite"),
        ([CODES, CODES], [np.ones(3), np.full(3, np.inf)], "model 1 must be finite"),
    ],
)
def test_models_that_are_refused(codes, kl, words):
    with pytest.raises(DataError, match=words):
        udr(codes, kl)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"correlation": "pearson"}, "lasso or spearman"),
        ({"compat": "paper"}, "none, dlib or rpu"),
        ({"alpha": 0}, "more than 0"),
    ],
)
def test_settings_that_are_refused(given, words):
    with pytest.raises(SpecError, match=words):
        udr([CODES, CODES], [np.ones(3)] * 2, **given)
