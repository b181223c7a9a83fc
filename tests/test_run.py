"""The Python way: load a dataset, train, encode, decode, score, draw, report."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import unweave
from session.runs import (
    IMAGES,
    MINI,
    RICH_IMAGES,
    TINY,
    assert_same_state,
    copy_of,
    document,
    listing,
    rich,
    tensors,
    train,
)
from unweave.errors import DataError, RunError, SpecError
from unweave.objectives import parse_objective
from unweave.scores import load_scores
from unweave.training import Adam


@pytest.fixture(scope="module")
def run():
    return unweave.load_run(rich())


@pytest.fixture(scope="module")
def images(run):
    return run.dataset.images(np.arange(0, RICH_IMAGES, 25))


def test_a_run_is_known_by_its_public_name():
    # Documentation links to it, and people read it in messages.
    assert f"{unweave.Run.__module__}.{unweave.Run.__qualname__}" == "unweave.run.Run"
    assert unweave.run.Run is unweave.Run


class TestLoadDataset:
    def test_what_it_gives(self):
        data = unweave.load_dataset(MINI)
        assert len(data) == IMAGES
        assert data.factor_space.names == ("shape", "scale", "orientation", "pos_x", "pos_y")
        assert data.factor_space.sizes == (3, 2, 4, 8, 8)
        images = data.images([0, 5, IMAGES - 1])
        assert images.shape == (3, 64, 64, 1)
        assert images.dtype == np.uint8
        assert set(np.unique(images)) == {0, 255}
        np.testing.assert_array_equal(
            data.factors([0, 5, IMAGES - 1]), [[0, 0, 0, 0, 0], [0, 0, 0, 0, 5], [2, 1, 3, 7, 7]]
        )

    def test_an_unknown_one(self):
        with pytest.raises(SpecError, match="Did you mean dsprites"):
            unweave.load_dataset("dsprits")


class TestEncode:
    def test_it_is_the_model_called_by_hand(self, run, images):
        mean, logvar = run.encode(images)
        assert mean.dtype == logvar.dtype == np.float32
        assert mean.shape == logvar.shape == (len(images), 4)
        pixels = torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            out = run.model.head(run.model.trunk(pixels))
        np.testing.assert_allclose(mean, out[:, :4].numpy(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(logvar, out[:, 4:].numpy(), rtol=0, atol=1e-5)

    def test_the_weights_are_those_of_the_checkpoint(self, run):
        state = tensors(rich())
        for name, value in run.model.state_dict().items():
            assert torch.equal(value, state[f"model/{name}"]), name
            assert value.dtype == torch.float32

    def test_bytes_and_floats_agree(self, run, images):
        of_bytes = run.encode(images)
        for kind in (np.float32, np.float64):
            of_floats = run.encode((images / 255).astype(kind))
            np.testing.assert_array_equal(of_floats[0], of_bytes[0])
            np.testing.assert_array_equal(of_floats[1], of_bytes[1])

    def test_grey_bytes_are_divided_by_255(self, run):
        grey = np.full((1, 64, 64, 1), 51, np.uint8)
        np.testing.assert_allclose(
            run.encode(grey)[0], run.encode(np.full((1, 64, 64, 1), 0.2))[0], atol=1e-6
        )

    def test_an_image_does_not_depend_on_its_neighbours(self, run):
        many = run.dataset.images(np.arange(300))  # more than one batch
        together = run.encode(many)[0]
        np.testing.assert_allclose(together[280:281], run.encode(many[280:281])[0], atol=1e-5)
        assert len(together) == 300

    def test_no_images(self, run):
        mean, logvar = run.encode(np.empty((0, 64, 64, 1), np.uint8))
        assert mean.shape == logvar.shape == (0, 4)

    def test_a_run_in_bfloat16_is_encoded_in_float32(self, tmp_path):
        train(tmp_path / "run", steps=1, precision="bfloat16")
        run = unweave.load_run(tmp_path / "run")
        assert run.model.autocast_dtype is None
        images = run.dataset.images([1, 2])
        pixels = torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2) / 255
        with torch.no_grad():
            out = run.model.head(run.model.trunk(pixels))
        np.testing.assert_allclose(run.encode(images)[0], out[:, :10].numpy(), rtol=0, atol=1e-5)

    @pytest.mark.parametrize("shape", [(64, 64, 1), (2, 64, 64), (2, 1, 64, 64), (2, 32, 32, 1)])
    def test_other_shapes_are_refused(self, run, shape):
        with pytest.raises(DataError, match=r"\(n, 64, 64, 1\)") as caught:
            run.encode(np.zeros(shape, np.uint8))
        assert str(shape) in str(caught.value)

    @pytest.mark.parametrize("value", [-0.1, 1.5, 255.0, np.nan, np.inf])
    def test_other_ranges_are_refused(self, run, value):
        images = np.zeros((1, 64, 64, 1))
        images[0, 3, 4, 0] = value
        with pytest.raises(DataError, match="from 0 to 1"):
            run.encode(images)

    @pytest.mark.parametrize("kind", [np.int64, bool, object, "U3"])
    def test_other_types_are_refused(self, run, kind):
        with pytest.raises(DataError, match="uint8 or floats"):
            run.encode(np.zeros((1, 64, 64, 1), kind))


class TestDecode:
    def test_it_is_the_model_called_by_hand(self, run):
        z = np.random.default_rng(0).normal(size=(5, 4))
        images = run.decode(z)
        assert images.shape == (5, 64, 64, 1)
        assert images.dtype == np.float32
        with torch.no_grad():
            logits = run.model.decoder(torch.tensor(z, dtype=torch.float32))
        expected = 1 / (1 + np.exp(-logits.permute(0, 2, 3, 1).numpy().astype(np.float64)))
        np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)

    def test_lists_and_many_and_none(self, run):
        assert run.decode([[0, 0, 0, 0]]).shape == (1, 64, 64, 1)
        assert run.decode(np.zeros((300, 4))).shape == (300, 64, 64, 1)
        assert run.decode(np.empty((0, 4))).shape == (0, 64, 64, 1)

    @pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 5), (1, 2, 4)])
    def test_other_shapes_are_refused(self, run, shape):
        with pytest.raises(DataError, match=r"\(n, 4\)") as caught:
            run.decode(np.zeros(shape))
        assert str(shape) in str(caught.value)

    def test_images_go_through(self, run, images):
        mean, _ = run.encode(images)
        assert run.decode(mean).shape == images.shape


class TestEvaluate:
    def test_a_score_and_its_table(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        assert "mig" in run.evaluate()
        scores = run.evaluate(("mig",))
        assert 0 <= scores["mig"].value <= 1
        assert list(scores) == ["mig"]
        text = str(scores)
        assert repr(scores) == text
        rows = text.splitlines()
        assert rows[0].startswith(f"mig = {scores['mig'].value:.4f}")
        assert rows[2].split() == ["shape", "scale", "orientation", "pos_x", "pos_y"]
        assert [row.split()[0] for row in rows[3:8]] == ["z0", "z1", "z2", "z3", "gap"]

    def test_it_is_the_metric_of_the_codes(self, tmp_path):
        from unweave import metrics

        run = unweave.load_run(copy_of(rich(), tmp_path))
        table = run.representation()
        asked = ("mig", "sap")
        ours, theirs = run.evaluate(asked), metrics.evaluate(table, metrics=asked)
        assert [ours[name].value for name in asked] == [theirs[name].value for name in asked]

    def test_repeats_are_those_of_the_codes_and_stand_beside_a_single_draw(self, tmp_path):
        from unweave import metrics

        run = unweave.load_run(copy_of(rich(), tmp_path))
        one = run.evaluate(("factor_vae",), seed=3)["factor_vae"]
        scores = run.evaluate(("factor_vae",), seed=3, repeats=3)
        several = scores["factor_vae"]
        expected = metrics.evaluate(run.representation(), metrics="factor_vae", seed=3, repeats=3)
        assert several.score.interval == expected["factor_vae"].interval
        assert several.score.interval.values[0] == one.value
        assert "95 % over 3 draws" in str(scores)
        stored = [row["interval"] for row in load_scores(run.folder) if row["seed"] == 3]
        assert [None if each is None else len(each["values"]) for each in stored] == [None, 3]

    def test_other_data_of_the_same_shape(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        score = run.evaluate(data="dsprites(grid=(3, 1, 2, 4, 4))")["mig"]
        assert score.samples == 96
        assert score.data == "dsprites(grid=(3, 1, 2, 4, 4))"

    def test_the_precision_in_which_images_were_encoded_is_kept(self, tmp_path, monkeypatch):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        asked = {"metric_names": ("mig",), "data": "dsprites(grid=(3, 1, 2, 4, 4))"}
        assert run.evaluate(**asked)["mig"].precision == "float32"
        values = {}
        # As on processors with instructions for bfloat16, and on others.
        for precision in ("bfloat16", "float32"):
            monkeypatch.setattr(
                "unweave.run.opened.automatic", lambda device, found=precision: found
            )
            score = run.evaluate(**asked, protocol_name="fast")["mig"]
            assert score.precision == precision
            assert f"mean codes in {precision})" in str(
                run.evaluate(**asked, protocol_name="fast")
            )
            values[precision] = score.matrix.values
        assert (values["bfloat16"] != values["float32"]).any()
        # An analysis is of float32 whatever metrics are.
        losses = run.evaluate(("test_losses",), data=asked["data"])["test_losses"]
        assert losses.precision == "float32"
        kept = [row["precision"] for row in document(run.folder / "scores.json")["scores"]]
        assert kept == ["float32", "float32", "float32"]

    def test_an_alias(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        scores = run.evaluate(("mig", "factor_vae_metric"), data="dsprites(grid=(3, 1, 2, 4, 4))")
        assert list(scores) == ["mig", "factor_vae"]

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"metric_names": ("migg",)}, SpecError, "Did you mean mig"),
            ({"protocol_name": "other"}, SpecError, "unweave"),
            ({"part": "test"}, SpecError, "train, holdout, all"),
            ({"codes": "best"}, SpecError, "mean, sampled"),
            ({"part": "train", "data": MINI}, RunError, "own data"),
            ({"data": "nothing"}, SpecError, "dsprites"),
        ],
    )
    def test_nonsense_is_refused_and_writes_nothing(self, tmp_path, arguments, error, words):
        folder = copy_of(rich(), tmp_path)
        before = listing(folder)
        with pytest.raises(error, match=words):
            unweave.load_run(folder).evaluate(**arguments)
        assert listing(folder) == before


class TestLoadRun:
    def test_what_it_says_of_itself(self, run):
        assert run.step == 24
        assert run.status["state"] == "finished"
        assert run.config.latents == 4
        assert "beta_tcvae(beta=2)" in repr(run)
        assert "step 24 of 24, finished" in repr(run)

    def test_what_is_not_a_run(self, tmp_path):
        with pytest.raises(RunError, match="not a run folder"):
            unweave.load_run(tmp_path)
        with pytest.raises(RunError, match="does not exist"):
            unweave.load_run(tmp_path / "nowhere")

    def test_a_run_that_was_moved(self, tmp_path, images):
        folder = copy_of(rich(), tmp_path)
        moved = folder.rename(tmp_path / "moved")
        np.testing.assert_array_equal(
            unweave.load_run(moved).encode(images)[0], unweave.load_run(rich()).encode(images)[0]
        )

    def test_a_run_without_weights(self, tmp_path):
        folder = tmp_path / "run"
        folder.mkdir()
        (folder / "config.json").write_bytes((rich() / "config.json").read_bytes())
        run = unweave.load_run(folder)
        for call in (run.evaluate, run.plot, run.report, lambda: run.decode([[0] * 4])):
            with pytest.raises(RunError, match="no weights there yet"):
                call()
        assert [path.name for path in folder.iterdir()] == ["config.json"]


class TestTrain:
    def test_it_returns_a_run(self, tmp_path):
        data = unweave.load_dataset(MINI)
        run = unweave.train(
            data, parse_objective("vae"), steps=2, out=tmp_path / "a", batch_size=8, threads=1
        )
        assert isinstance(run, unweave.Run)
        assert run.status["state"] == "finished"
        assert (run.config.steps, run.config.batch_size) == (2, 8)
        assert str(run.folder) == str(tmp_path / "a")

    def test_it_is_what_the_command_trains(self, tmp_path):
        train(tmp_path / "command", "beta_vae(beta=2)", steps=3, lr=0.01, seed=4)
        given = {**TINY, "seed": 4}
        unweave.train(MINI, "beta_vae(beta=2)", steps=3, lr=0.01, out=tmp_path / "python", **given)
        assert_same_state(tmp_path / "command", tmp_path / "python")
        one, other = (document(tmp_path / n / "config.json") for n in ("command", "python"))
        assert one == other

    def test_the_default_folder(self, monkeypatch, tmp_path):
        monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
        run = unweave.train(MINI, "vae", steps=1, batch_size=8)
        assert run.folder.parent == tmp_path
        assert run.folder.name.startswith("dsprites-vae-")

    def test_components_and_their_texts_are_the_same(self):
        from unweave.settings import make_config

        one = make_config(MINI, "vae", steps=1, optimizer="adam(lr=0.01)", likelihood="laplace")
        other = make_config(MINI, "vae", steps=1, lr=0.01, likelihood="laplace(scale=0.3333333)")
        assert one.optimizer == other.optimizer == Adam(lr=0.01)
        assert one.address != other.address

    def test_stop_and_resume(self, tmp_path):
        given = {"steps": 3, "batch_size": 8, "threads": 1, "log_every": 1}
        run = unweave.train(MINI, "vae", out=tmp_path / "a", max_minutes=1e-9, **given)
        assert run.status["state"] == "stopped"
        assert run.step == 1
        run = unweave.train(MINI, "vae", out=tmp_path / "a", resume=True, **given)
        assert run.status["state"] == "finished"
        unweave.train(MINI, "vae", out=tmp_path / "b", **given)
        assert_same_state(tmp_path / "a", tmp_path / "b")

    def test_a_resume_with_other_settings_is_refused(self, tmp_path):
        unweave.train(MINI, "vae", steps=1, out=tmp_path / "a", batch_size=8)
        for other in ({"batch_size": 16}, {"lr": 1.0}, {"objective": "beta_vae"}):
            given = {"dataset": MINI, "objective": "vae", "steps": 1, **other}
            with pytest.raises(RunError, match="was started with"):
                unweave.train(**given, out=tmp_path / "a", resume=True)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({}, "steps or epochs"),
            ({"steps": 1, "epochs": 1}, "steps or epochs"),
            ({"steps": 0}, "at least 1"),
            ({"steps": 2.5}, "a whole number"),
            ({"steps": "2"}, "a whole number"),
            ({"steps": 1, "stepz": 1}, "no field 'stepz'"),
            ({"steps": 1, "lr": "fast"}, "lr takes a number"),
            ({"steps": 1, "lr": 1.0, "optimizer": Adam()}, "either lr or optimizer"),
            ({"steps": 1, "batch_size": 0}, "batch_size must be at least 1"),
            ({"steps": 1, "architecture": Adam()}, "architecture"),
            ({"epochs": -1}, "epochs must be more than 0"),
            ({"epochs": "two"}, "epochs"),
        ],
    )
    def test_bad_settings(self, tmp_path, settings, words):
        with pytest.raises(SpecError, match=words):
            unweave.train(MINI, "vae", out=tmp_path / "a", **settings)
        assert listing(tmp_path) == {}

    def test_an_existing_run(self, tmp_path):
        folder = copy_of(rich(), tmp_path)
        with pytest.raises(RunError, match="--overwrite"):
            unweave.train(MINI, "vae", steps=1, out=folder)


class TestFigures:
    def test_plot(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        (path,) = run.plot("kl")
        assert path == run.folder / "figures" / "kl.png"
        assert path.read_bytes()[:4] == b"\x89PNG"
        with pytest.raises(SpecError, match="Did you mean traversals"):
            run.plot("kl", "traversal")

    def test_what_there_is_nothing_to_draw_from_is_left_out(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        assert run.plot("mig") == []
        run.evaluate(("mig",))
        assert [path.name for path in run.plot("mig")] == ["mig.png"]

    def test_report(self, tmp_path, request):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        path = run.report()
        assert path == run.folder / "report.html"
        assert document(run.folder / "scores.json")["scores"]
        page = path.read_text(encoding="utf-8")
        assert "data:image/png;base64," in page
        request.getfixturevalue("one_figure")
        elsewhere = run.report(tmp_path / "page.html")
        assert elsewhere == tmp_path / "page.html"

    @pytest.mark.usefixtures("one_figure")
    def test_a_report_scores_the_data_of_the_run_whatever_else_is_scored(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        (run.folder / "scores.json").unlink(missing_ok=True)
        run.evaluate(("mig",), data="dsprites(grid=(3, 2, 2, 2, 2))")
        run.report()
        scored = {row["data"] for row in document(run.folder / "scores.json")["scores"]}
        assert str(run.config.dataset) in scored
