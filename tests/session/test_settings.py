"""Settings do what they say: start weights, held-out images, observers, epochs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import safetensors.torch
import torch
from matplotlib.image import imread

import unweave
from session.runs import (
    BATCH,
    IMAGES,
    MINI,
    RICH,
    RICH_IMAGES,
    checkpoint_step,
    cli,
    copy_of,
    document,
    lines,
    listing,
    paragraph,
    resume,
    rich,
    tensors,
    train,
)
from unweave.data import Store
from unweave.splits import holdout


def gathered(monkeypatch):
    """Flat indices of every image that is read from now on, in the store of the whole dataset."""
    seen = []
    real = Store.gather

    def gather(self, flat):
        seen.append(np.array(flat))
        return real(self, flat)

    monkeypatch.setattr(Store, "gather", gather)
    return seen


class TestInitFrom:
    def test_weights_alone_are_taken(self, tmp_path):
        """With a rate of nearly nothing one step leaves the weights where they were."""
        result = train(
            tmp_path / "run", steps=1, latents=4, lr=1e-12, init_from=rich(), log_every=1
        )
        assert result.code == 0, result.err
        old, new = tensors(rich()), tensors(tmp_path / "run")
        names = [name for name in new if name.startswith("model/")]
        assert names
        for name in names:
            torch.testing.assert_close(new[name], old[name], rtol=0, atol=1e-9)
        assert checkpoint_step(tmp_path / "run") == 1
        assert lines(tmp_path / "run")[0]["step"] == 1
        steps = {float(v) for name, v in new.items() if name.endswith("/step")}
        assert steps == {1.0}

    def test_it_changes_the_training(self, tmp_path):
        train(tmp_path / "fresh", steps=1, latents=4)
        train(tmp_path / "warm", steps=1, latents=4, init_from=rich())
        fresh, warm = tensors(tmp_path / "fresh"), tensors(tmp_path / "warm")
        assert not torch.equal(fresh["model/head.weight"], warm["model/head.weight"])

    def test_parts_that_the_other_run_lacks_are_new(self, tmp_path):
        result = train(
            tmp_path / "run", "factor_vae", steps=1, latents=4, init_from=rich(), lr=1e-12
        )
        assert result.code == 0, result.err
        state = tensors(tmp_path / "run")
        torch.testing.assert_close(
            state["model/head.weight"], tensors(rich())["model/head.weight"], rtol=0, atol=1e-9
        )
        assert any(name.startswith("part/discriminator/") for name in state)

    def test_a_resume_may_name_it_again(self, tmp_path, monkeypatch):
        """It is written down as an absolute path, and may be given as it was the first time."""
        monkeypatch.chdir(rich().parent)
        given = {"steps": 1, "latents": 4, "init_from": rich().name}
        assert train(tmp_path / "run", **given).code == 0
        result = resume(tmp_path / "run", steps=2, init_from=rich().name)
        assert result.code == 0, result.err
        assert checkpoint_step(tmp_path / "run") == 2
        paragraph(resume(tmp_path / "run", steps=3, init_from="other"), "init_from", "/other")

    def test_other_latents_are_refused(self, tmp_path):
        result = train(tmp_path / "run", steps=1, latents=5, init_from=rich())
        paragraph(result, "--init-from", "(8, 256)", "(10, 256)", "latents must agree")
        assert listing(tmp_path) == {}

    @pytest.mark.parametrize("objective", ["cvae", "ifcvae", "autoencoder"])
    def test_models_of_other_inputs_are_refused(self, tmp_path, objective):
        result = train(tmp_path / "run", objective, steps=1, latents=4, init_from=rich())
        paragraph(result, "--init-from", "labels that the models are told", "noise")
        assert listing(tmp_path) == {}

    def test_what_is_not_a_run_is_refused(self, tmp_path):
        place = tmp_path / "place"
        place.mkdir()
        paragraph(train(tmp_path / "run", steps=1, init_from=place), "not a run folder", "place")
        nowhere = tmp_path / "nowhere"
        paragraph(train(tmp_path / "run", steps=1, init_from=nowhere), "does not exist", "nowhere")
        assert listing(tmp_path) == {"place": "folder"}

    def test_a_run_without_weights_is_refused(self, tmp_path):
        run = tmp_path / "empty"
        run.mkdir()
        (run / "config.json").write_bytes((rich() / "config.json").read_bytes())
        paragraph(train(tmp_path / "run", steps=1, init_from=run), "no weights there yet")


class TestHoldout:
    def test_held_out_images_are_never_trained_on(self, tmp_path, monkeypatch):
        seen = gathered(monkeypatch)
        # More than an epoch of the 288 images that are left.
        settings = {"steps": 20, "batch_size": 16, "holdout": 0.25, "seed": 5}
        result = train(tmp_path / "run", dataset=RICH, **settings)
        assert result.code == 0, result.err
        left, held = holdout(RICH_IMAGES, 0.25, 5)
        used = np.unique(np.concatenate(seen))
        assert len(held) == 96
        assert not np.isin(used, held).any()
        np.testing.assert_array_equal(used, left)

    def test_neither_by_scores_nor_by_pictures(self, tmp_path, monkeypatch):
        seen = gathered(monkeypatch)
        settings = {"steps": 2, "holdout": 0.25, "evaluate_every": 1, "picture_every": 1}
        objective = "factor_vae(width=50)"
        assert train(tmp_path / "run", objective, dataset=RICH, **settings).code == 0
        _, held = holdout(RICH_IMAGES, 0.25, 0)
        assert not np.isin(np.concatenate(seen), held).any()

    @pytest.mark.parametrize(("part", "count"), [("train", 288), ("holdout", 96), ("all", 384)])
    def test_parts_are_scored(self, tmp_path, part, count):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        table = run.representation(part=part)
        assert len(table) == count
        rows = {"train": 0, "holdout": 1}
        every = np.arange(RICH_IMAGES)
        flat = every if part == "all" else holdout(RICH_IMAGES, 0.25, 3)[rows[part]]
        np.testing.assert_array_equal(table.factors, run.dataset.factors(flat))
        mean, logvar = run.encode(run.dataset.images(flat[:9]))
        np.testing.assert_allclose(table.mean[:9], mean, rtol=0, atol=1e-5)
        np.testing.assert_allclose(table.logvar[:9], logvar, rtol=0, atol=1e-5)

    def test_there_may_be_none(self, tmp_path):
        train(tmp_path / "run", steps=1)
        before = listing(tmp_path)
        paragraph(cli("evaluate", tmp_path / "run", "--part", "holdout"), "without --holdout")
        assert listing(tmp_path) == before

    @pytest.mark.parametrize("fraction", ["1", "-0.1", "1e-9", "0.99999", "nan"])
    def test_a_fraction_that_leaves_nothing_is_refused(self, tmp_path, fraction):
        paragraph(train(tmp_path / "run", steps=1, holdout=fraction), "holdout")
        assert listing(tmp_path) == {}

    def test_parts_of_other_data_are_refused(self):
        result = cli("evaluate", rich(), "--part", "holdout", "--data", MINI)
        paragraph(result, "'holdout'", "--data", "--part")


class TestObservers:
    def test_snapshots_hold_weights_alone(self):
        found = sorted((rich() / "snapshots").iterdir())
        assert [path.name for path in found] == [
            "step-0000009.safetensors",
            "step-0000018.safetensors",
        ]
        first, second = (safetensors.torch.load_file(path) for path in found)
        assert set(first) == {n for n in tensors(rich()) if n.startswith("model/")}
        assert not torch.equal(first["model/head.weight"], second["model/head.weight"])

    def test_scores_are_lines_of_the_metrics(self, tmp_path):
        rows = lines(rich(), "scores")
        assert [row["step"] for row in rows] == [12, 24]
        for row in rows:
            assert row["samples"] == RICH_IMAGES * 3 // 4
            assert 0 <= row["scores"]["mig"] <= 1
        # The subset is here all of the training images: the same as a score of the final weights.
        run = unweave.load_run(copy_of(rich(), tmp_path))
        final = run.evaluate(part="train")["mig"].value
        assert rows[-1]["scores"]["mig"] == pytest.approx(final, abs=1e-6)

    def test_pictures_show_the_same_images_every_time(self, tmp_path):
        assert train(tmp_path / "run", steps=4, picture_every=2, checkpoint_every=9).code == 0
        paths = sorted((tmp_path / "run" / "figures" / "training").iterdir())
        assert [path.name for path in paths] == ["step-0000002.png", "step-0000004.png"]
        first, second = (imread(path) for path in paths)
        assert first.shape == second.shape
        assert (first != second).any()
        # The originals stand above: most of the picture's upper half is the same.
        half = len(first) // 2
        assert (first[:half] != second[:half]).mean() < (first[half:] != second[half:]).mean()

    def test_observers_do_not_change_the_weights(self, tmp_path):
        settings = {"dataset": RICH, "steps": 4, "latents": 3}
        every = {"snapshot_every": 1, "evaluate_every": 2, "picture_every": 4}
        train(tmp_path / "plain", **settings)
        train(tmp_path / "watched", **settings, **every)
        plain, watched = tensors(tmp_path / "plain"), tensors(tmp_path / "watched")
        for name, value in plain.items():
            assert torch.equal(value, watched[name]), name


class TestLength:
    @pytest.mark.parametrize(
        ("epochs", "extra"),
        [(0.02, {}), (0.04, {"holdout": 0.5}), (0.05, {"batch_size": 16})],
    )
    def test_epochs_are_steps(self, tmp_path, epochs, extra):
        result = train(tmp_path / "run", epochs=epochs, **extra)
        count = IMAGES * (1 - extra.get("holdout", 0))
        expected = math.ceil(epochs * count / extra.get("batch_size", BATCH))
        assert result.json["steps"] == expected
        assert document(tmp_path / "run" / "config.json")["steps"] == expected

    def test_steps_and_epochs_exclude_each_other(self, tmp_path):
        paragraph(train(tmp_path / "run", steps=1, epochs=1), "steps", "epochs")

    def test_one_of_them_is_needed(self, tmp_path):
        paragraph(train(tmp_path / "run"), "--steps", "--epochs")

    @pytest.mark.parametrize("epochs", ["0", "-1", "nan", "inf", "many", "1e308"])
    def test_epochs_must_be_a_positive_number(self, tmp_path, epochs):
        paragraph(train(tmp_path / "run", epochs=epochs), "epochs")
        assert listing(tmp_path) == {}
