"""Runs whose model is told labels: codes, images, figures, scores, and going on."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import unweave
from session.runs import RICH as MINI
from session.runs import RICH_IMAGES, TINY, lines
from unweave import figures, plots
from unweave.data import DatasetSpec
from unweave.encoding import encode_rows
from unweave.errors import DataError, SpecError
from unweave.figures import wants_images
from unweave.objectives import parse_objective
from unweave.pictures import reconstruct, traverse, vary_labels
from unweave.session import CHECKPOINT
from unweave.spec import parse
from unweave.training import TrainConfig
from unweave.training.checkpoint import load_tensors

OBJECTIVES = ("cvae(labels=(shape, scale))", "ifcvae(labels=(shape, scale))")


@pytest.fixture(scope="module", params=OBJECTIVES)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return unweave.train(
        MINI, request.param, steps=4, out=folder, latents=3, log_every=2, lr=1e-3, **TINY
    )


@pytest.fixture(scope="module")
def told(run):
    """The run's images with their labels and what the model makes of them, by torch alone."""
    flat = np.array([3, 200, 383])
    factors = run.dataset.factors(flat)
    shape, scale = factors[:, 0], factors[:, 1]
    numbers = np.concatenate([np.eye(3)[shape], np.eye(2)[scale]], axis=1).astype(np.float32)
    return flat, factors, torch.from_numpy(numbers)


@torch.inference_mode()
def encoded(run, flat, condition):
    pixels = torch.from_numpy(run.dataset.images(flat).astype(np.float32) / 255)
    return run.model.encode(pixels.permute(0, 3, 1, 2), condition).mean.numpy()


@torch.inference_mode()
def decoded(run, z, condition):
    logits = run.model.decode(torch.as_tensor(z), condition)
    return torch.sigmoid(logits).permute(0, 2, 3, 1).numpy()


def test_accuracies_of_the_networks_are_logged_and_drawn(run, monkeypatch):
    rows, drawn = lines(run.folder, "train"), []
    monkeypatch.setattr(plots, "loss_curves", lambda *given: drawn.extend(given))
    figures.draw("loss_curves", run.folder, run.config, run.model, None)
    if run.config.objective.method_name == "cvae":
        assert not any("watched" in row for row in rows)
        return
    for name in ("label_encoder_accuracy", "auxiliary_accuracy"):
        values = [row["watched"][name] for row in rows]
        assert len(values) == 2
        assert all(0 <= value <= 1 for value in values)
        np.testing.assert_array_equal(drawn[0][name][1], values)
        assert drawn[1][name] == ""


@pytest.mark.parametrize(("encoding", "unit"), [("one_hot", "nats an image"), ("continuous", "")])
def test_losses_of_networks_have_the_unit_of_their_terms(tmp_path, monkeypatch, encoding, unit):
    steps = dict.fromkeys(("model", "label_encoder", "auxiliary"), 1.5)
    raw = {"reconstruction": 2.5, "label_agreement": 0.5}
    row = {"event": "train", "step": 2, "loss": steps, "raw": raw, "kl": []}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    config = TrainConfig(
        dataset=parse(MINI, DatasetSpec),
        objective=parse_objective(f"ifcvae(labels=(shape,), encoding={encoding})"),
        steps=2,
    )
    drawn = []
    monkeypatch.setattr(plots, "loss_curves", lambda *given: drawn.extend(given))
    figures.draw("loss_curves", tmp_path, config, None, None)
    assert drawn[1] == {
        "model loss": "nats an image",
        "label_encoder loss": unit,
        "auxiliary loss": unit,
        "reconstruction": "nats an image",
        "label_agreement": unit,
    }


class TestCodes:
    def test_labels_as_factor_indices(self, run, told):
        flat, factors, numbers = told
        mean = run.encode(run.dataset.images(flat), labels=factors[:, :2])[0]
        np.testing.assert_allclose(mean, encoded(run, flat, numbers), rtol=1e-4, atol=1e-6)
        images = run.decode(mean, labels=factors[:, :2])
        np.testing.assert_allclose(images, decoded(run, mean, numbers), rtol=1e-4, atol=1e-6)
        assert np.abs(images - run.decode(mean)).max() > 1e-4

    def test_labels_by_name(self, run, told):
        factors = told[1]
        space = run.dataset.factor_space
        shapes = [space.factors[0].labels[index] for index in factors[:, 0]]
        scales = [space.factors[1].values[index] for index in factors[:, 1]]
        z = np.ones((3, 3), np.float32)
        expected = run.decode(z, labels=factors[:, :2])
        for labels in (
            {"shape": shapes, "scale": scales},
            {"scale": np.array(scales), "shape": factors[:, 0] + 1},
        ):
            np.testing.assert_array_equal(run.decode(z, labels=labels), expected)

    def test_one_label_for_all(self, run):
        z = np.ones((2, 3), np.float32)
        expected = run.decode(z, labels=np.array([[2, 1], [2, 1]]))
        np.testing.assert_array_equal(run.decode(z, labels=(2, 1)), expected)
        by_name = run.decode(z, labels={"shape": "heart", "scale": 1.0})
        np.testing.assert_array_equal(by_name, expected)

    def test_labels_that_are_left_out_are_unknown(self, run):
        z = np.ones((2, 3), np.float32)
        numbers = torch.tensor([[0, 0, 1, 0.5, 0.5]]).expand(2, -1)
        found = run.decode(z, labels={"shape": "heart"})
        np.testing.assert_allclose(found, decoded(run, z, numbers), rtol=1e-4, atol=1e-6)
        unknown = run.model.conditions.neutral().expand(2, -1)
        np.testing.assert_allclose(run.decode(z), decoded(run, z, unknown), rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(run.decode(z, labels={}), run.decode(z))

    @pytest.mark.parametrize(
        ("labels", "words"),
        [
            ({"shap": 1}, "not told 'shap'. Did you mean shape"),
            ({"pos_x": 1}, "not told 'pos_x'"),
            (
                {"shape": "star"},
                "shape has no value 'star'. Choose one of: square, ellipse, heart",
            ),
            ({"shape": 0}, "shape has no value '0'. Choose one of: 1, 2, 3"),
            ({"scale": "small"}, "Labels of scale must be numbers, not 'small'"),
            ({"shape": None}, "Labels of shape must be numbers or names"),
            ({"shape": [1, 2, 3]}, "Labels of shape must be one value or 2"),
            ((1, 2, 3), "whole numbers of shape (2, 2): one each for shape, scale"),
            ((0.0, 1.0), "whole numbers of shape"),
            ((3, 0), "Labels of shape must be indices from 0 to 2"),
            ((0, -1), "Labels of scale must be indices from 0 to 1"),
        ],
    )
    def test_labels_that_it_is_not_told_are_refused(self, run, labels, words):
        with pytest.raises(DataError) as caught:
            run.decode(np.ones((2, 3)), labels=labels)
        assert words in str(caught.value)

    def test_a_plain_model_is_told_nothing(self, tmp_path):
        plain = unweave.train(MINI, "vae", steps=1, out=tmp_path / "run", latents=3, **TINY)
        with pytest.raises(DataError, match="is told no labels"):
            plain.decode(np.ones((2, 3)), labels=(0,))
        assert plain.plot("conditions") == []

    def test_no_images(self, run):
        mean, logvar = run.encode(np.empty((0, 64, 64, 1)), labels=(0, 0))
        assert mean.shape == logvar.shape == (0, 3)


class TestScores:
    def test_codes_for_metrics_are_encoded_without_labels(self, run):
        table = run.representation()
        flat = np.array([3, 200, 383])
        expected = run.encode(run.dataset.images(flat))[0]
        np.testing.assert_allclose(table.mean[flat], expected, rtol=1e-4, atol=1e-5)

    def test_in_bfloat16_too(self, run):
        flat = np.arange(0, RICH_IMAGES, 24)
        exact, rough = (np.empty((len(flat), 3), np.float32) for _ in range(2))
        logvar = np.empty_like(exact)
        encode_rows(run.model, run.dataset, flat, exact, logvar)
        encode_rows(run.model, run.dataset, flat, rough, logvar, precision="bfloat16")
        assert np.isfinite(rough).all()
        np.testing.assert_allclose(rough, exact, rtol=0.1, atol=0.05)

    def test_metrics_and_test_losses(self, run):
        scores = run.evaluate(("mig", "test_losses"))
        assert 0 <= scores["mig"].value <= 1
        parts = scores["test_losses"].parts
        names = {"loss", "recon", "kl"}
        if run.config.objective.method_name == "ifcvae":
            names |= {"label_agreement", "adversarial_information"}
        assert set(parts) == names
        if names == {"loss", "recon", "kl"}:
            assert parts["loss"] == pytest.approx(parts["recon"] + 4 * parts["kl"], rel=1e-6)

    def test_losses_on_data_with_other_factors_are_refused(self, run):
        with pytest.raises(DataError, match="has other factors"):
            run.evaluate(("test_losses",), data="circles")
        assert run.evaluate(("mig",), data="dsprites(grid=(2, 2, 4, 4, 4))")

    def test_losses_are_refused_where_labels_were_not_trained_on(self, run):
        other = "dsprites(grid=(2, 3, 4, 4, 4))"
        with pytest.raises(DataError, match=r"cannot be told scale 0\.7 of dsprites\(grid=\(2, 3"):
            run.evaluate(("test_losses",), data=other)
        assert run.evaluate(("mig",), data=other)


class TestPictures:
    def test_reconstructions_are_told_the_labels_of_the_images(self, run, told):
        flat, _, numbers = told
        pixels = reconstruct(run.model, run.dataset, flat)[1]
        expected = 255 * decoded(run, encoded(run, flat, numbers), numbers)
        assert np.abs(pixels - expected).max() <= 1

    def test_traversals_may_be_told_labels(self, run):
        start, values = np.array([0.5, -1.0, 0.0], np.float32), np.array([-1.0, 1.0])
        grid = traverse(run.model, start, values, labels=(2, 0))
        z = np.tile(start, (2, 1))
        z[:, 1] = values
        expected = 255 * run.decode(z, labels=(2, 0))
        assert np.abs(grid[1] - expected).max() <= 1
        unknown = traverse(run.model, start, values)
        assert np.abs(unknown[1] - 255 * run.decode(z)).max() <= 1

    def test_labels_vary_and_latents_stay(self, run, told):
        flat, factors, _ = told
        grid = vary_labels(run.model, run.dataset, flat, [(0, 2), (1, 0), (1, 1)])
        assert grid.shape == (3, 3, 64, 64, 1)
        assert grid.dtype == np.uint8
        z = run.encode(run.dataset.images(flat), labels=factors[:, :2])[0]
        for column, (place, index) in enumerate([(0, 2), (1, 0), (1, 1)]):
            labels = factors[:, :2].copy()
            labels[:, place] = index
            expected = 255 * run.decode(z, labels=labels)
            assert np.abs(grid[:, column] - expected).max() <= 1

    def test_the_figure_names_labels_and_values(self, run, monkeypatch):
        calls = []
        monkeypatch.setattr(plots, "conditions", lambda *given: calls.append(given) or "figure")
        source = (run.folder, run.config, run.model, run.dataset)
        assert figures.draw("conditions", *source) == "figure"
        originals, reconstructed, changed, groups = calls[0]
        assert groups == [("shape", ["square", "ellipse", "heart"]), ("scale", ["0.5", "1"])]
        assert originals.shape == reconstructed.shape == (8, 64, 64, 1)
        assert changed.shape == (8, 5, 64, 64, 1)
        # The column of an image's own value is its reconstruction, where one label is told.
        monkeypatch.setattr(figures.told, "SHOWN_CONDITIONS", 2)
        figures.draw("conditions", *source)
        assert calls[1][3] == [("shape", ["square", "heart"])]
        assert calls[1][2].shape[1] == 2

    def test_it_wants_images_of_conditional_models_alone(self, run):
        assert wants_images("conditions", run.model)
        assert wants_images("reconstructions", run.model)
        assert not wants_images("traversals", run.model)

    def test_all_figures_and_the_report(self, run, request):
        names = {path.stem for path in run.plot()}
        assert {"conditions", "reconstructions", "traversals"} <= names
        # The page has those that lie there.
        request.getfixturevalue("one_figure")
        assert "Labels that the model is told" in run.report().read_text()


def test_a_resume_leaves_the_same_weights(run, tmp_path):
    given = {"steps": 3, "latents": 3, "log_every": 1, **TINY}
    objective = str(run.config.objective)
    stopped = unweave.train(MINI, objective, out=tmp_path / "a", max_minutes=1e-9, **given)
    assert stopped.step == 1
    resumed = unweave.train(MINI, objective, out=tmp_path / "a", resume=True, **given)
    assert resumed.status["state"] == "finished"
    unweave.train(MINI, objective, out=tmp_path / "b", **given)
    one, other = (load_tensors(tmp_path / name / CHECKPOINT).tensors for name in "ab")
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_holding_out_needs_no_more(tmp_path):
    settings = {"latents": 3, "holdout": 0.25, "evaluate_every": 2, "picture_every": 2} | TINY
    run = unweave.train(MINI, "cvae", steps=2, out=tmp_path / "run", **settings)
    assert run.evaluate(("test_losses",), part="holdout")["test_losses"].value > 0
    assert list((run.folder / "figures" / "training").glob("*.png"))


def test_a_dataset_without_factors_is_refused_before_work(tmp_path):
    images = np.zeros((20, 64, 64, 1), np.uint8)
    data = unweave.from_arrays(images, name="no_factors_for_conditional_runs")
    with pytest.raises(SpecError, match=r"needs labels, and the factors of .* are not known"):
        unweave.train(data, "cvae", steps=1, out=tmp_path / "run", batch_size=4)
    assert not (tmp_path / "run").exists()


def test_labels_of_ones_own_images(tmp_path):
    """Values that no grid has every combination of, some of them not whole numbers."""
    rng = np.random.default_rng(0)
    kind = rng.choice(["cat", "dog"], 40)
    images = rng.integers(0, 256, (40, 64, 64, 1), dtype=np.uint8)
    factors = {"kind": kind, "height": rng.normal(size=40)}
    data = unweave.from_arrays(images, factors, name="own_for_conditional_runs")
    for objective in ("cvae", "ifcvae(labels=(height, kind), encoding=continuous)"):
        folder = tmp_path / objective[:4]
        settings = {"latents": 3, "batch_size": 4, "threads": 1, "overwrite": True}
        run = unweave.train(data, objective, steps=2, out=folder, **settings)
        z = np.zeros((2, 3), np.float32)
        names = data.factor_space.factors[data.factor_space.position("kind")].labels
        one, other = (run.decode(z, labels={"kind": name}) for name in names)
        assert np.abs(one - other).max() > 0
