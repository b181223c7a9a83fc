"""Charts of codes: numbers against slow loops, and which latents and factors are shown."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

import unweave
from session.runs import MINI, TINY, copy_of, lines, rich
from unweave import plots
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.figures import FIGURES, draw
from unweave.figures.circles import path_of
from unweave.figures.correlations import pearson
from unweave.figures.embedding import principal
from unweave.figures.generators import algebra
from unweave.figures.interventions import conditional_means, few, robustness
from unweave.figures.response import moments
from unweave.figures.shown import (
    grouped,
    information,
    shown_factors,
    shown_latents,
    used_latents,
)
from unweave.figures.usage import histograms
from unweave.metrics import IRS, Matrix, Score
from unweave.metrics.draws import Draws
from unweave.report.pictures import _KNOWN
from unweave.representation import Representation
from unweave.scores import ScoreRecord, save_scores

RNG = np.random.default_rng(0)


def table(codes, factors, *columns, logvar=None):
    return Representation(
        mean=np.asarray(codes, np.float32),
        factors=np.asarray(factors, np.int64),
        factor_space=FactorSpace(columns),
        logvar=None if logvar is None else np.asarray(logvar, np.float32),
    )


class TestMoments:
    def test_they_are_those_of_a_loop(self):
        # Far from zero, where squares lose digits.
        codes = 1000 + RNG.normal(size=(200, 3)) * (1.0, 0.01, 5.0)
        groups = RNG.integers(0, 4, 200)
        mean, deviation, share = moments(codes, groups, 5)
        for value in range(4):
            for j in range(3):
                those = [codes[i, j] for i in range(200) if groups[i] == value]
                middle = math.fsum(those) / len(those)
                spread = math.sqrt(math.fsum((x - middle) ** 2 for x in those) / len(those))
                assert mean[value, j] == pytest.approx(middle, rel=1e-12)
                assert deviation[value, j] == pytest.approx(spread, rel=1e-9)
        assert np.isnan(mean[4]).all()
        assert np.isnan(deviation[4]).all()
        for j in range(3):
            whole = codes[:, j].var()
            within = sum((groups == v).mean() * codes[groups == v, j].var() for v in range(4))
            assert share[j] == pytest.approx(1 - within / whole, abs=1e-9)

    def test_a_factor_that_sets_a_latent_makes_up_all_of_it(self):
        groups = np.repeat([0, 1, 2], 5)
        codes = np.stack([groups * 2.0, np.ones(15), np.tile(np.arange(5.0), 3)], axis=1)
        mean, deviation, share = moments(codes, groups, 3)
        np.testing.assert_allclose(mean[:, 0], [0, 2, 4])
        np.testing.assert_allclose(deviation[:, 0], 0, atol=1e-12)
        np.testing.assert_allclose(share, [1, 0, 0], atol=1e-12)


class TestValues:
    def test_a_circle_is_cut_by_its_period(self):
        column = np.array([0, 3, 1])
        open_ = grouped(Factor("turn", 4, (0.0, 90.0, 180.0, 270.0), "circular"), column)
        np.testing.assert_allclose(open_.places, [0, 0.25, 0.5, 0.75])
        closed = grouped(
            Factor("turn", 5, (0.0, 90.0, 180.0, 270.0, 360.0), "circular", closed=True), column
        )
        np.testing.assert_allclose(closed.places, [0, 0.25, 0.5, 0.75, 1])
        assert open_.names == ("0", "90", "180", "270")
        np.testing.assert_array_equal(open_.of, column)

    def test_values_stand_at_their_numbers(self):
        values = grouped(Factor("size", 3, (1.0, 2.0, 5.0)), np.zeros(1, int))
        np.testing.assert_allclose(values.places, [0, 0.25, 1])
        names = grouped(Factor("shape", 2, kind="categorical", labels=("cube", "ball")), [0])
        assert names.names == ("cube", "ball")
        np.testing.assert_allclose(names.places, [0.25, 0.75])
        assert grouped(Factor("one", 1), np.zeros(2, int)).places.tolist() == [0.5]

    def test_of_many_values_neighbours_are_taken_together(self):
        column = np.arange(10)
        values = grouped(Factor("x", 10), column, 4)
        groups = [[i for i in range(10) if values.of[i] == g] for g in range(4)]
        assert groups == [[0, 1, 2], [3, 4], [5, 6, 7], [8, 9]]
        np.testing.assert_allclose(values.places, [np.mean(g) / 9 for g in groups])
        assert values.names == ("0", "3", "5", "8")
        assert values.count == 4
        # Values without an order have no neighbours.
        assert grouped(Factor("x", 10, kind="categorical"), column, 4).count == 10


class TestShown:
    def test_used_latents_have_means_that_vary(self):
        mean = RNG.normal(size=(5000, 3)) * (1, 0.11, 0.05)
        assert used_latents(mean, np.zeros_like(mean)).tolist() == [True, True, False]
        # Without noise codes have any scale.
        assert used_latents(1e-6 * mean, None).tolist() == [True, True, False]
        assert used_latents(np.ones((4, 2)), None).tolist() == [False, False]

    def test_a_chart_has_the_latents_of_the_largest_kl(self):
        mean = RNG.normal(size=(400, 4)) * (1.0, 0.0, 1.2, 0.9)
        logvar = np.zeros_like(mean)
        logvar[:, 3] = -6
        few = table(mean, np.zeros((400, 1)), Factor("x", 2), logvar=logvar)
        latents, words = shown_latents(few, 10)
        assert latents.tolist() == [0, 2, 3]
        assert words == "Shown are the 3 used latents of 4."
        latents, words = shown_latents(few, 2)
        assert latents.tolist() == [2, 3]
        assert words == "Shown are 2 of 3 used latents, of the largest KL."
        none = table(np.ones((4, 2)), np.zeros((4, 1)), Factor("x", 2))
        latents, words = shown_latents(none, 3)
        assert (latents.tolist(), words) == ([0, 1], "No latent is used.")
        words = "No latent is used. Shown are 1 of 2 latents, of the largest variance."
        assert shown_latents(none, 1)[1] == words

    def test_a_chart_has_the_factors_that_latents_know_most_of(self):
        factors = RNG.integers(0, (2, 2, 2, 1, 40), (600, 5))
        codes = np.stack([factors[:, 2] + 0.01 * RNG.normal(size=600), factors[:, 0] + 0.8
                          * RNG.normal(size=600)], axis=1)  # fmt: skip
        space = [Factor(name, size, kind=kind) for name, size, kind in (
            ("a", 2, "ordinal"), ("b", 2, "ordinal"), ("c", 2, "ordinal"),
            ("still", 1, "ordinal"), ("who", 40, "categorical"),
        )]  # fmt: skip
        codes = table(codes, factors, *space)
        columns, words = shown_factors(codes, 9)
        assert columns == [0, 1, 2]
        assert words == "who is left out, with more than 24 values without an order."
        columns, words = shown_factors(codes, 2)
        assert columns == [0, 2]
        assert words.startswith("Of 3 factors, the 2 that some latent knows most of.")

    def test_information_is_that_of_a_loop(self):
        codes = table(RNG.normal(size=(300, 2)), RNG.integers(0, 3, (300, 1)), Factor("x", 3))
        found = information(codes)
        for j in range(2):
            column = codes.mean[:, j].astype(float)
            edges = np.histogram_bin_edges(codes.mean[:, j], 20)
            bins = np.clip(np.searchsorted(edges, column, "right") - 1, 0, 19)
            total = 0.0
            for b in range(20):
                for v in range(3):
                    both = np.mean((bins == b) & (codes.factors[:, 0] == v))
                    if both:
                        total += both * math.log(
                            both / np.mean(bins == b) / np.mean(codes.factors[:, 0] == v)
                        )
            assert found[j, 0] == pytest.approx(total, rel=1e-9)
        assert information(codes) is found


def test_histograms_are_those_of_a_loop():
    codes = RNG.normal(size=(500, 2)) * (1, 3)
    edges = np.linspace(-2, 2, 9)
    density, beyond = histograms(codes, edges)
    for j in range(2):
        for b in range(8):
            count = sum(edges[b] <= x < edges[b + 1] for x in codes[:, j])
            assert density[j, b] == pytest.approx(count / 500 / 0.5)
        assert beyond[j] == pytest.approx(np.mean(np.abs(codes[:, j]) > 2))
        assert density[j].sum() * 0.5 + beyond[j] == pytest.approx(1)


def test_robustness_is_that_of_irs():
    factors = RNG.integers(0, (3, 4), (400, 2))
    codes = np.stack([factors[:, 0] + 0.1 * RNG.normal(size=400), RNG.normal(size=400),
                      np.ones(400)], axis=1)  # fmt: skip
    rows = table(codes, factors, Factor("a", 3), Factor("b", 4))
    score = IRS().score(rows, Draws(0, "irs"))
    np.testing.assert_allclose(
        robustness(rows.mean, rows.factors), score.matrix.values, atol=1e-12
    )
    assert robustness(rows.mean, rows.factors)[0].argmax() == 0


def test_means_under_two_interventions_are_those_of_a_loop():
    first = grouped(Factor("a", 3), RNG.integers(0, 3, 60))
    second = grouped(Factor("b", 4), RNG.integers(0, 3, 60))
    codes = RNG.normal(size=60)
    found = conditional_means(codes, first, second)
    assert found.shape == (3, 4)
    for v in range(3):
        for w in range(3):
            those = codes[(first.of == v) & (second.of == w)]
            assert found[v, w] == pytest.approx(those.mean())
    assert np.isnan(found[:, 3]).all()


def test_of_many_categories_the_last_line_is_that_of_the_rest():
    values = grouped(Factor("kind", 9, kind="categorical"), np.arange(9))
    less = few(values)
    assert less.of.tolist() == [0, 1, 2, 3, 4, 4, 4, 4, 4]
    assert less.names == ("0", "1", "2", "3", "others")
    assert few(less) is less


def test_every_kind_has_words_on_a_page():
    for name, kind in FIGURES.items():
        assert all(_KNOWN[name]), name
        assert kind.about.endswith(".")


def test_the_path_of_a_circle_goes_round_it():
    values = grouped(Factor("turn", 8, kind="circular"), np.repeat(np.arange(8), 20))
    angle = 2 * np.pi * values.of / 8
    codes = np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.01 * RNG.normal(size=(160, 2))
    path = path_of(codes, values)
    expected = 2 * np.pi * np.arange(8) / 8
    np.testing.assert_allclose(path, np.stack([np.cos(expected), np.sin(expected)], 1), atol=0.02)
    # A value that does not occur is passed over.
    part = values.of != 3
    less = grouped(Factor("turn", 8, kind="circular"), values.of[part])
    np.testing.assert_allclose(path_of(codes[part], less), np.delete(path, 3, axis=0))


def test_correlations_are_those_of_numpy():
    first, second = RNG.normal(size=(2, 50, 3))
    second[:, 0] -= 2 * first[:, 1]
    found = pearson(first, second)
    for j in range(3):
        for k in range(3):
            assert found[j, k] == pytest.approx(np.corrcoef(first[:, j], second[:, k])[0, 1])
    first[:, 2] = 0.1
    assert np.isnan(pearson(first, second)[2]).all()


def test_principal_directions_are_those_of_a_singular_value_decomposition():
    codes = RNG.normal(size=(300, 4)) @ np.diag([1, 3, 0.5, 2]) + 7
    points, shares = principal(codes)
    centred = codes - codes.mean(axis=0)
    u, s, v = np.linalg.svd(centred, full_matrices=False)
    for axis in range(2):
        sign = np.sign(v[axis, np.abs(v[axis]).argmax()])
        np.testing.assert_allclose(points[:, axis], sign * s[axis] * u[:, axis], atol=1e-9)
    np.testing.assert_allclose(shares, s[:2] ** 2 / (s**2).sum())
    assert principal(np.ones((5, 2)))[1].tolist() == [0, 0]


class TestAlgebra:
    def test_rotations_of_space(self):
        """so(3): [L_x, L_y] = L_z, and so round; each turns by i and leaves its axis."""
        x, y, z = np.zeros((3, 3, 3))
        x[2, 1], x[1, 2] = 1, -1
        y[0, 2], y[2, 0] = 1, -1
        z[1, 0], z[0, 1] = 1, -1
        found = algebra([np.stack([x, 3 * y, z])])
        np.testing.assert_allclose(found.norms, math.sqrt(2) * np.array([1, 3, 1]))
        # Each commutator is a generator, of norm sqrt(2), over 2.
        np.testing.assert_allclose(found.commutators, (1 - np.eye(3)) / math.sqrt(2))
        for values, size in zip(found.eigenvalues, (1, 3, 1), strict=True):
            np.testing.assert_allclose(values[np.argsort(values.imag)],
                                       size * np.array([-1j, 0, 1j]), atol=1e-12)  # fmt: skip

    def test_it_is_that_of_one_group_of_blocks(self):
        one, other = RNG.normal(size=(2, 2, 2)), RNG.normal(size=(3, 3, 3))
        found = algebra([one, other])
        whole = np.zeros((5, 5, 5))
        whole[:2, :2, :2], whole[2:, 2:, 2:] = one, other
        for i in range(5):
            for j in range(5):
                a, b = whole[i], whole[j]
                scale = math.sqrt((a**2).sum()) * math.sqrt((b**2).sum())
                product = math.sqrt(((a @ b) ** 2).sum())
                commutator = math.sqrt(((a @ b - b @ a) ** 2).sum())
                assert found.products[i, j] == pytest.approx(product / scale, abs=1e-12)
                assert found.commutators[i, j] == pytest.approx(commutator / scale, abs=1e-12)

    def test_a_generator_of_norm_zero_has_no_products(self):
        found = algebra([np.stack([np.zeros((2, 2)), np.eye(2)])])
        assert np.isnan(found.products[0]).all()
        assert found.products[1, 1] == pytest.approx(1 / math.sqrt(2))


@pytest.fixture
def run(tmp_path):
    return unweave.load_run(copy_of(rich(), tmp_path))


def figure(kind, run):
    table = run.representation()
    given = (run.folder, run.config, run.model, run.dataset)
    return draw(kind, *given, encode=lambda: table)


@pytest.fixture
def drawn(monkeypatch):
    """What kinds hand to the plots, by the name of the plot."""
    calls = {}
    for name in ("latent_responses", "circles", "latent_usage", "interventions", "embeddings",
                 "code_correlations", "score_curves", "generators", "hinton_diagrams",
                 "latent_factor_matrix", "concentration_bars"):  # fmt: skip

        def fake(*arguments, _name=name, **keywords):
            calls[_name] = (arguments, keywords)
            return "figure"

        monkeypatch.setattr(plots, name, fake)
    return calls


class TestKinds:
    def test_responses_are_those_of_the_codes(self, run, drawn):
        assert figure("response", run) == "figure"
        (responses, names, _), _ = drawn["latent_responses"]
        codes = run.representation()
        used = [j for j in range(4) if codes.mean[:, j].astype(float).var() > 0.01] or range(4)
        assert names == [f"z{j}" for j in used]
        by_name = {each.factor: each for each in responses}
        assert list(by_name) == ["shape", "scale", "orientation", "pos_x", "pos_y"]
        assert by_name["orientation"].order == "circular"
        those = codes.factors[:, 3] == 2
        expected = codes.mean[those][:, list(used)].astype(float)
        np.testing.assert_allclose(by_name["pos_x"].mean[2], expected.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(by_name["pos_x"].deviation[2], expected.std(axis=0), rtol=1e-4)

    def test_usage_is_that_of_the_posteriors(self, run, drawn):
        figure("usage", run)
        (names, variance, (edges, _), _), given = drawn["latent_usage"]
        codes = run.representation()
        kl = codes.kl()
        assert names == [f"z{j}" for j in np.argsort(-kl)]
        np.testing.assert_allclose(given["kl"], np.sort(kl)[::-1])
        order = np.argsort(-kl)
        np.testing.assert_allclose(variance, codes.mean.astype(float).var(axis=0)[order])
        noise = np.exp(codes.logvar.astype(float)).mean(axis=0)[order]
        np.testing.assert_allclose(given["posterior"], noise)
        assert given["prior"]
        assert edges[0] == -edges[-1]

    def test_circles_are_on_the_latents_that_know_most(self, run, drawn):
        figure("circles", run)
        ((row,),), _ = drawn["circles"]
        codes = run.representation()
        known = information(codes)[:, 2]
        best = sorted(np.argsort(-known)[:2])
        assert [label.split()[0] for label in row.latents] == [f"z{j}" for j in best]
        assert [name for name, *_ in row.panels] == ["all images", "square", "ellipse", "heart"]
        _, points, places, path = row.panels[2]
        ellipses = codes.factors[:, 0] == 1
        np.testing.assert_allclose(points, codes.mean[ellipses][:, best], rtol=1e-6)
        turn = codes.factor_space.factors[2]
        angles = np.array(turn.values)[codes.factors[ellipses, 2]]
        np.testing.assert_allclose(places, (angles - turn.values[0]) / turn.period)
        assert path.shape == (4, 2)

    def test_interventions_and_correlations_and_embeddings(self, run, drawn):
        for kind in ("irs", "correlations", "embedding"):
            assert figure(kind, run) == "figure"
        (rows, factors, _), _ = drawn["interventions"]
        assert factors == ["shape", "scale", "orientation", "pos_x", "pos_y"]
        for row in rows:
            assert row.parent == row.robustness.argmax()
            assert [of is None for of in row.curves].index(True) == row.parent
        (among, names, beside, _), _ = drawn["code_correlations"]
        assert beside.shape == (len(names), 5)
        assert (beside[:, [0, 2]] >= 0).all()
        np.testing.assert_allclose(np.diag(among), 1)
        (points, panels, _), _ = drawn["embeddings"]
        assert points.shape == (len(run.dataset), 2)
        assert [panel.factor for panel in panels] == factors

    def test_tsne_keeps_clusters_apart(self, run, drawn):
        assert not FIGURES["tsne"].usual
        factors = np.repeat([[0], [1]], 40, axis=0)
        codes = table(RNG.normal(size=(80, 3)) + 20 * factors, factors, Factor("x", 2))
        given = (run.folder, run.config, run.model, run.dataset)
        draw("tsne", *given, encode=lambda: codes)
        (points, _, _), _ = drawn["embeddings"]
        one, other = points[:40], points[40:]
        apart = np.linalg.norm(one.mean(axis=0) - other.mean(axis=0))
        assert apart > 2 * max(np.linalg.norm(part - part.mean(0), axis=1).mean()
                               for part in (one, other))  # fmt: skip

    def test_codes_of_one_latent_have_no_plane(self, run, drawn):
        codes = table(RNG.normal(size=(9, 1)), RNG.integers(0, 2, (9, 1)), Factor("x", 2))
        given = (run.folder, run.config, run.model, run.dataset)
        for kind in ("circles", "embedding", "tsne"):
            assert draw(kind, *given, encode=lambda: codes) is None
        assert draw("response", *given, encode=lambda: codes) == "figure"

    def test_factors_that_are_constant_answer_nothing(self, run, drawn):
        codes = table(RNG.normal(size=(9, 3)), np.zeros((9, 1)), Factor("x", 2))
        given = (run.folder, run.config, run.model, run.dataset)
        for kind in ("response", "irs", "circles"):
            assert draw(kind, *given, encode=lambda: codes) is None

    def test_scores_during_the_training(self, run, drawn):
        rows = lines(run.folder, "scores")
        assert figure("score_curves", run) == "figure"
        (steps, scores), given = drawn["score_curves"]
        assert steps == [row["step"] for row in rows]
        assert scores == {"mig": [row["scores"]["mig"] for row in rows]}
        assert given == {"images": rows[0]["samples"]}
        (run.folder / "metrics.jsonl").unlink()
        assert figure("score_curves", run) is None

    def test_the_newest_table_of_its_dataset_is_drawn(self, run, drawn):
        for value, changes in (
            (0.1, {}), (0.2, {"seed": 1}), (0.3, {"data": "dsprites", "seed": 2}),
        ):  # fmt: skip
            save_scores(run.folder, (record("dci", value, run, **changes),))
        assert figure("dci", run) == "figure"
        (values, *_), _ = drawn["latent_factor_matrix"]
        np.testing.assert_array_equal(values, np.full((2, 2), 0.2))
        assert figure("hinton", run) == "figure"
        save_scores(run.folder, (record("dci_lasso", -0.5, run),))
        figure("hinton", run)
        (matrices, *_), _ = drawn["hinton_diagrams"]
        np.testing.assert_array_equal(matrices[0], np.full((2, 2), -0.5))
        assert figure("sap", run) is None

    def test_bars_are_those_of_the_table(self, run, drawn):
        values = np.array([[4.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
        scored = Score(0.5, {"completeness_f0": 0.1, "completeness_f1": 0.2}, None)
        given = record("dci_lasso", values, run)
        parts = dataclasses.replace(given.score, parts=scored.parts)
        save_scores(run.folder, (dataclasses.replace(given, score=parts),))
        assert figure("dci_bars", run) == "figure"
        ((latents, factors),), _ = drawn["concentration_bars"]
        # f2 is constant, so that there are two factors: one latent is sure, one undecided.
        np.testing.assert_allclose(latents.values, [1, 0, np.nan], atol=1e-12)
        np.testing.assert_allclose(latents.shares, [4 / 6, 2 / 6, 0])
        assert latents.mean == pytest.approx(4 / 6)
        assert factors.labels == ["f0", "f1"]
        spread = 1 + (0.8 * math.log(0.8) + 0.2 * math.log(0.2)) / math.log(3)
        np.testing.assert_allclose(factors.values, [spread, 1])
        assert factors.mean == pytest.approx((5 * spread + 1) / 6)

    def test_of_large_tables_the_largest_rows_and_columns_are_drawn(self, run, drawn):
        values = np.zeros((70, 40))
        values[69, 39] = values[0, 0] = 1
        save_scores(run.folder, (record("sap", values, run),))
        figure("sap", run)
        (shown, columns, rows, *_), _ = drawn["latent_factor_matrix"]
        assert shown.shape == (64, 16)
        assert (rows[0], rows[-1], columns[0], columns[-1]) == ("z0", "z69", "f0", "f39")


def record(metric, values, run, **changes):
    values = np.full((2, 2), values) if np.isscalar(values) else values
    rows, columns = values.shape
    matrix = Matrix(values=values, rows=tuple(f"z{j}" for j in range(rows)),
                    columns=tuple(f"f{k}" for k in range(columns)), label="weight")  # fmt: skip
    fields = {
        "metric": metric, "score": Score(0.5, {}, matrix), "text": metric,
        "protocol": "unweave/1", "data": str(run.config.dataset), "source": "rendered",
        "part": "all", "codes": "mean", "samples": 10, "seed": 0, "step": run.step,
        "unweave": "0",
    }  # fmt: skip
    return ScoreRecord(**{**fields, **changes})


class TestWhatRunsHave:
    def test_generators_are_those_of_the_model(self, tmp_path, drawn):
        run = unweave.train(MINI, "lie_group_vae", steps=1, out=tmp_path / "run", **TINY)
        assert figure("generators", run) == "figure"
        (norms, _, _, eigenvalues, names, _), _ = drawn["generators"]
        (basis,) = run.model.decoder.generators()
        expected = torch.linalg.matrix_norm(basis.detach()).numpy()
        np.testing.assert_allclose(norms, expected, rtol=1e-5)
        assert names == [f"z{j}" for j in range(10)]
        assert len(eigenvalues[0]) == 10

    def test_kinds_that_cannot_be_had_are_refused_by_name_alone(self, run):
        with pytest.raises(SpecError, match="train lie_group_vae"):
            run.plot("generators")
        assert "generators.png" not in {path.name for path in run.plot()}
        assert not (run.folder / "figures" / "tsne.png").exists()

    def test_factors_must_be_known(self, tmp_path):
        images = RNG.integers(0, 256, (40, 64, 64, 1), np.uint8)
        data = unweave.from_arrays(images, name="charts")
        run = unweave.train(data, "vae", steps=1, latents=2, out=tmp_path / "run", **TINY)
        for kind in ("response", "irs", "circles"):
            with pytest.raises(SpecError, match="are not known"):
                run.plot(kind)
        names = {path.stem for path in run.plot("usage", "correlations", "embedding")}
        assert names == {"usage", "correlations", "embedding"}

    def test_codes_are_encoded_once(self, run, monkeypatch):
        asked = []
        whole = type(run).representation
        monkeypatch.setattr(
            type(run), "representation",
            lambda self, **given: asked.append(given) or whole(self, **given),
        )  # fmt: skip
        run.plot("usage", "response", "embedding")
        assert asked == [{"images": 10_000}]

    def test_codes_that_are_not_finite_are_said(self, run, monkeypatch):
        def broken(self, **given):
            raise DataError("Codes must be finite.")

        monkeypatch.setattr(type(run), "representation", broken)
        with pytest.raises(DataError, match="finite"):
            run.plot("usage")
        assert "usage" not in {path.stem for path in run.plot()}
