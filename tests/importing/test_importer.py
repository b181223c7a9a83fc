"""A checkpoint of disentangling-vae becomes a run that every command takes."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

import unweave
from reference.disvae_checkpoint import decode, encode, legacy_file, table, text, weights
from session.runs import MINI, cli, document, lines, listing, paragraph, tensors
from unweave.cli.app import parse
from unweave.errors import CheckpointError, DataError, RunError, SpecError, UnweaveError
from unweave.importing import published
from unweave.likelihoods import Gaussian, Laplace
from unweave.objectives import parse_objective
from unweave.presets import preset
from unweave.report import write_report

SPECS = {
    "batch_size": 64, "betaB_G": 1000, "betaB_finC": 25, "betaB_initC": 0, "betaH_B": 4,
    "btcvae_A": -1, "btcvae_B": 6.4, "btcvae_G": 1, "dataset": "dsprites", "epochs": 2,
    "experiment": "btcvae_dsprites", "factor_G": 6, "img_size": [1, 64, 64], "latent_dim": 3,
    "loss": "btcvae", "lr": 0.0005, "lr_disc": 5e-05, "model_type": "Burgess",
    "rec_dist": "bernoulli", "reg_anneal": 10000, "seed": 1234,
}  # fmt: skip
OTHER = {"recon_loss": 90.5, "loss": -20.25, "mi_loss": 42.0, "tc_loss": -31.0,
         "dw_kl_loss": 2.5, "kl_loss": 13.5, "kl_loss_0": 9.0, "kl_loss_1": 0.001,
         "kl_loss_2": 4.5}  # fmt: skip


def log(epochs=2, values=OTHER) -> str:
    rows = [f"{e},{n},{v + e}" for e in range(epochs) for n, v in values.items()]
    return "\n".join(["Epoch,Loss,Value", *rows]) + "\n"


@pytest.fixture
def results(tmp_path):
    """A folder as disentangling-vae leaves it, of a model of three latents."""

    def make(state=None, specs=SPECS, losses: str | None = log(), name="model.pt", **changes):
        folder = tmp_path / "results"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        state = weights(64, latents=3) if state is None else state
        content = state if isinstance(state, bytes) else legacy_file(state)
        (folder / name).write_bytes(content)
        if specs is not None:
            kept = {k: v for k, v in {**specs, **changes}.items() if v is not None}
            (folder / "specs.json").write_text(json.dumps(kept))
        if losses is not None:
            (folder / "train_losses.log").write_text(losses)
        return folder / name

    return make


class TestRoundTrip:
    @pytest.mark.parametrize(
        ("side", "channels", "latents", "dataset", "parameters"),
        [(64, 1, 10, "dsprites", 502_005), (32, 1, 10, "mnist", 469_173),
         (64, 3, 10, "celeba", 504_055), (64, 1, 3, "chairs3d", None),
         (32, 3, 1, None, None)],
    )  # fmt: skip
    def test_it_encodes_and_decodes_as_the_published_networks(
        self, tmp_path, side, channels, latents, dataset, parameters
    ):
        state = weights(side, channels, latents, seed=5)
        path = tmp_path / "model.pt"
        path.write_bytes(legacy_file(state))
        if dataset is None:
            with pytest.raises(CheckpointError, match="images of 32x32x3"):
                unweave.import_run(path, out=tmp_path / "run", dataset="mnist", objective="vae")
            return
        run = unweave.import_run(path, out=tmp_path / "run", dataset=dataset, objective="vae")
        if parameters is not None:
            assert sum(p.numel() for p in run.model.parameters()) == parameters
        rng = np.random.default_rng(1)
        z = np.stack([np.zeros(latents), np.ones(latents), rng.normal(size=latents)]).astype("f4")
        images = np.stack(
            [np.full((channels, side, side), 0.5), rng.random((channels, side, side))]
        )
        images = images.astype(np.float32)
        np.testing.assert_allclose(
            run.decode(z), decode(state, z).transpose(0, 2, 3, 1), rtol=1e-4, atol=1e-6
        )
        found = run.encode(images.transpose(0, 2, 3, 1))
        for ours, theirs in zip(found, encode(state, images), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)

    def test_mean_and_log_variance_take_turns(self, results, tmp_path):
        state = weights(64, latents=3)
        state["encoder.mu_logvar_gen.weight"][:] = 0
        state["encoder.mu_logvar_gen.bias"][:] = [1, -10, 2, -20, 3, -30]
        run = unweave.import_run(results(state), out=tmp_path / "run")
        mean, logvar = run.encode(np.zeros((1, 64, 64, 1), np.uint8))
        np.testing.assert_array_equal(mean, [[1, 2, 3]])
        np.testing.assert_array_equal(logvar, [[-10, -20, -30]])

    @pytest.mark.parametrize("modern", [False, True])
    def test_files_of_pytorch(self, results, tmp_path, modern):
        state = weights(64, latents=3)
        torch.save({name: torch.from_numpy(value) for name, value in state.items()},
                   tmp_path / "x.pt", _use_new_zipfile_serialization=modern)  # fmt: skip
        run = unweave.import_run(results((tmp_path / "x.pt").read_bytes()), out=tmp_path / "run")
        z = np.ones((1, 3), np.float32)
        np.testing.assert_allclose(run.decode(z)[0, ..., 0], decode(state, z)[0, 0], rtol=1e-4)
        kind = document(run.folder / "import.json")["serialisation"]
        assert kind == ("zip" if modern else "legacy")


class TestSettings:
    def test_of_beta_tcvae(self, results, tmp_path):
        run = unweave.import_run(results(), out=tmp_path / "run")
        config = run.config
        assert str(config.objective) == (
            "beta_tcvae(alpha=-1, beta=6.4, gamma=linear(start=0, stop=1, steps=10000), "
            "estimator=stratified, compat=disvae)"
        )
        assert str(config.dataset) == "dsprites"
        assert (config.batch_size, config.seed, config.latents) == (64, 1234, 3)
        assert (config.optimizer.lr, config.precision, config.device) == (5e-4, "float32", "cpu")
        assert config.steps == run.step == 2 * 11_520
        assert run.status["state"] == "finished"

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"loss": "VAE"}, "vae(kl=linear(start=0, stop=1, steps=10000))"),
            ({"loss": "VAE", "reg_anneal": 0}, "vae"),
            ({"loss": "betaH", "betaH_B": 10},
             "beta_vae(beta=linear(start=0, stop=10, steps=10000))"),
            ({"loss": "betaB", "betaB_G": 100, "betaB_finC": 50, "reg_anneal": 100000},
             "annealed_vae(capacity=linear(start=0, stop=50, steps=100000))"),
            ({"loss": "factor", "factor_G": 6.4, "lr_disc": 1e-5, "batch_size": 128},
             "factor_vae(gamma=linear(start=0, stop=6.4, steps=10000), lr=1e-05)"),
        ],
    )  # fmt: skip
    def test_of_the_other_losses(self, results, tmp_path, changes, text):
        run = unweave.import_run(results(**changes, losses=None), out=tmp_path / "run")
        assert str(run.config.objective) == text

    def test_they_are_those_of_the_presets(self, results, tmp_path):
        for name, changes in (
            ("VAE", {"loss": "VAE"}),
            ("betaH", {"loss": "betaH"}),
            ("betaB", {"loss": "betaB", "betaB_G": 100, "reg_anneal": 100_000, "lr": 1e-3}),
            ("factor", {"loss": "factor", "factor_G": 6.4, "lr_disc": 1e-4, "lr": 1e-4,
                        "batch_size": 128, "epochs": 60}),
            ("btcvae", {"loss": "btcvae", "btcvae_A": 1}),
        ):  # fmt: skip
            path = results(**{"epochs": 30, **changes}, losses=None)
            config = unweave.import_run(path, out=tmp_path / name).config
            known = preset(f"disvae/{name}_dsprites")
            assert config.objective == parse_objective(known.objective)
            assert config.batch_size == known.settings["batch_size"] == 64
            assert config.seed == known.settings["seed"]
            assert config.optimizer.lr == known.settings["lr"]
            assert config.steps == 345_600

    def test_a_last_batch_that_is_not_full_is_a_step(self, results, tmp_path):
        state = weights(32, latents=3)
        path = results(state, dataset="mnist", img_size=[1, 32, 32], epochs=4, losses=None)
        assert unweave.import_run(path, out=tmp_path / "run").config.steps == 4 * 938
        path = results(state, dataset="fashion", img_size=[1, 32, 32], losses=None)
        assert unweave.import_run(path, out=tmp_path / "b").config.dataset.name == "fashion_mnist"

    def test_likelihoods(self, results, tmp_path):
        for name, expected in (("gaussian", Gaussian()), ("laplace", Laplace())):
            run = unweave.import_run(results(rec_dist=name), out=tmp_path / name)
            assert run.config.likelihood == expected

    def test_flags_win_and_are_recorded(self, results, tmp_path):
        run = unweave.import_run(
            results(), out=tmp_path / "run", dataset=MINI, objective="beta_vae(beta=2)"
        )
        assert (str(run.config.dataset), str(run.config.objective)) == (MINI, "beta_vae(beta=2)")
        # Epochs are those of the dataset that specs.json names.
        assert run.config.steps == 2 * 11_520
        given = document(run.folder / "import.json")["given"]
        assert given == {"dataset": MINI, "objective": "beta_vae(beta=2)"}
        assert lines(run.folder, "train")[0]["raw"] == {"reconstruction": 90.5, "kl": 13.5}

    def test_without_specs(self, results, tmp_path):
        path = results(specs=None)
        with pytest.raises(CheckpointError) as caught:
            unweave.import_run(path, out=tmp_path / "run")
        for word in ("--dataset", "64x64x1: dsprites, chairs3d", "--objective", "specs.json"):
            assert word in str(caught.value)
        with pytest.raises(CheckpointError, match="--objective") as caught:
            unweave.import_run(path, out=tmp_path / "run", dataset=MINI)
        assert "--dataset" not in str(caught.value)
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI, objective="vae")
        record = document(run.folder / "import.json")
        assert record["assumed"] == ["batch_size", "likelihood", "optimizer", "seed"]
        assert record["specs"] is None
        # The log says how many epochs.
        assert (record["epochs"], run.config.steps) == (2, 2 * 24)

    def test_the_batch_of_factor_vae_is_doubled_without_specs_too(self, results, tmp_path):
        values = {k: v for k, v in OTHER.items() if k not in ("mi_loss", "dw_kl_loss")}
        path = results(specs=None, losses=log(4, values))
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI, objective="factor_vae")
        # 1,536 images in batches of 128 as the program counts them, and twice the epochs.
        assert (run.config.batch_size, run.config.steps) == (64, 4 * 12)

    def test_without_anything(self, results, tmp_path):
        path = results(specs=None, losses=None)
        result = cli("import", path, "--out", tmp_path / "run", "--dataset", MINI,
                     "--objective", "vae", "--json")  # fmt: skip
        assert result.json["epochs"] is result.json["steps"] is None
        assert "steps" in result.json["assumed"]
        assert unweave.load_run(tmp_path / "run").step == 1

    def test_the_specs_of_a_training_that_was_interrupted(self, results, tmp_path):
        path = results(specs={"img_size": [1, 64, 64], "latent_dim": 3, "model_type": "Burgess"})
        with pytest.raises(CheckpointError, match=r"--dataset .* and --objective"):
            unweave.import_run(path, out=tmp_path / "run")
        unweave.import_run(path, out=tmp_path / "run", dataset="dsprites", objective="vae")

    def test_a_checkpoint_of_an_early_epoch(self, results, tmp_path):
        path = results(name="model-0.pt")
        run = unweave.import_run(path, out=tmp_path / "run")
        assert run.step == 11_520
        assert [row["step"] for row in lines(run.folder, "train")] == [11_520]


EVERYTHING = ["dataset", "objective", "batch_size", "steps", "likelihood", "optimizer", "seed"]


class TestPublishedWithoutSpecs:
    """Random weights in the place of published ones, with their checksum."""

    @pytest.fixture(autouse=True)
    def _published(self, monkeypatch):
        from unweave.importing import importer

        self.name = "btcvae_dsprites_a-5"
        monkeypatch.setattr(importer, "published_name", lambda sha256: self.name)

    def test_every_one_has_a_preset(self, results, tmp_path):
        for name in published._PREFIXES.values():
            assert preset(f"disvae/{name}").settings["latents"] == 10

    @pytest.mark.parametrize("name", ["btcvae_dsprites_a-5", "factor_dsprites", "betaB_dsprites"])
    def test_it_has_the_settings_of_its_preset(self, results, tmp_path, name):
        self.name = name
        run = unweave.import_run(results(specs=None, losses=None), out=tmp_path / "run")
        known = preset(f"disvae/{name}")
        assert str(run.config.dataset) == known.dataset
        assert run.config.objective == parse_objective(known.objective)
        assert run.config.optimizer.lr == known.settings["lr"]
        assert (run.config.batch_size, run.config.seed, run.config.steps) == (64, 1234, 345_600)
        record = document(run.folder / "import.json")
        assert record["assumed"] == EVERYTHING
        assert record["epochs"] == (60 if name == "factor_dsprites" else 30)

    def test_flags_win(self, results, tmp_path):
        path = results(specs=None, losses=None)
        run = unweave.import_run(path, out=tmp_path / "a", dataset=MINI)
        record = document(run.folder / "import.json")
        assert str(run.config.dataset) == MINI
        assert run.config.objective.method_name == "beta_tcvae"
        # What it was trained on is known all the same, and so is how long.
        assert run.config.steps == 345_600
        assert record["given"] == {"dataset": MINI}
        assert record["assumed"] == EVERYTHING[1:]
        run = unweave.import_run(path, out=tmp_path / "b", objective="beta_vae(beta=2)")
        assert (str(run.config.dataset), str(run.config.objective)) == (
            "dsprites", "beta_vae(beta=2)",
        )  # fmt: skip
        assumed = document(run.folder / "import.json")["assumed"]
        assert assumed == [name for name in EVERYTHING if name != "objective"]

    def test_the_specs_win_where_they_say_something(self, results, tmp_path):
        specs = {"img_size": [1, 64, 64], "latent_dim": 3, "model_type": "Burgess", "seed": 7}
        run = unweave.import_run(results(specs=specs, losses=None), out=tmp_path / "run")
        assert (run.config.seed, run.config.dataset.name) == (7, "dsprites")
        assert document(run.folder / "import.json")["assumed"] == EVERYTHING[:-1]

    def test_the_log_says_how_long(self, results, tmp_path):
        run = unweave.import_run(results(specs=None), out=tmp_path / "run")
        assert run.config.steps == 2 * 11_520
        assert "steps" not in document(run.folder / "import.json")["assumed"]

    @pytest.mark.parametrize("key", ["loss", "dataset"])
    def test_specs_of_another_one_are_refused(self, results, tmp_path, key):
        path = results(**{key: {"loss": "VAE", "dataset": "chairs"}[key]})
        with pytest.raises(CheckpointError, match=f"specs.json says {key} .* another checkpoint"):
            unweave.import_run(path, out=tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_what_is_said(self, results, tmp_path):
        path = results(specs=None, losses=None)
        said = cli("import", path, "--out", tmp_path / "run").out
        assert "published as btcvae_dsprites_a-5" in said
        assert "so that of disvae/btcvae_dsprites_a-5 is taken: dataset, objective" in said


class TestLosses:
    def test_an_event_an_epoch(self, results, tmp_path):
        run = unweave.import_run(results(), out=tmp_path / "run")
        first, last = lines(run.folder, "train")
        assert (first["step"], last["step"]) == (11_520, 23_040)
        assert last["loss"] == {"model": -19.25}
        assert last["raw"] == {"reconstruction": 91.5, "mutual_information": 43,
                               "total_correlation": -30, "dimension_kl": 3.5}  # fmt: skip
        assert last["kl"] == [10, 1.001, 5.5]

    def test_of_factor_vae(self, results, tmp_path):
        values = {"recon_loss": 1.0, "kl_loss": 2.0, "kl_loss_0": 0.5, "kl_loss_1": 0.5,
                  "kl_loss_2": 1.0, "loss": 4.0, "tc_loss": 3.0, "discrim_loss": 0.25}  # fmt: skip
        path = results(loss="factor", losses=log(1, values))
        run = unweave.import_run(path, out=tmp_path / "run")
        (row,) = lines(run.folder, "train")
        assert row["loss"] == {"model": 4.0, "discriminator": 0.25}
        assert row["raw"] == {"reconstruction": 1.0, "kl": 2.0, "density_ratio_tc": 3.0}

    def test_none(self, results, tmp_path):
        run = unweave.import_run(results(losses=None), out=tmp_path / "run", dataset=MINI)
        assert not (run.folder / "metrics.jsonl").exists()
        names = {path.stem for path in run.plot()}
        assert {"reconstructions", "traversals"} <= names
        assert not {"loss_curves", "kl", "score_curves"} & names

    BAD: ClassVar[dict] = {
        "empty": "",
        "another header": log().replace("Value", "value"),
        "no number": log().replace("-20.25", "low"),
        "not finite": log().replace("-20.25", "nan"),
        "larger than any loss": log().replace("-20.25", "-1e300"),
        "no epoch": log() + "x,loss,1\n",
        "two columns": log() + "3,loss\n",
        "out of order": log() + "0,loss,1\n",
        "twice": log(1) + "0,loss,1\n",
        "a null": log() + "3,\0,1\n",
        "an open quote": log() + '3,"loss,1\n',
        "more epochs than specs.json has": log(3),
        "other latents": log(1, {**OTHER, "kl_loss_3": 1.0}),
        "a latent less": log(1, {k: v for k, v in OTHER.items() if k != "kl_loss_2"}),
        "no loss": log(1, {k: v for k, v in OTHER.items() if k != "loss"}),
        "a name less in an epoch": log(1) + log(2, {**OTHER, "mi_loss": 1.0}).split("dw_kl")[0]
        .replace("Epoch,Loss,Value\n", "").replace("\n0,", "\n1,").replace("0,recon", "1,recon"),
    }  # fmt: skip

    @pytest.mark.parametrize("kind", BAD)
    def test_damaged(self, results, tmp_path, kind):
        path = results(losses=self.BAD[kind])
        with pytest.raises(CheckpointError, match=r"train_losses\.log") as caught:
            unweave.import_run(path, out=tmp_path / "run")
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A run of random weights on a small dataset; copy it before you change it."""
    place = tmp_path_factory.mktemp("imported")
    (place / "model.pt").write_bytes(legacy_file(weights(64, latents=3)))
    (place / "specs.json").write_text(json.dumps(SPECS))
    (place / "train_losses.log").write_text(log())
    return unweave.import_run(place / "model.pt", out=place / "run", dataset=MINI).folder


class TestEveryCommand:
    @pytest.fixture
    def run(self, imported, tmp_path):
        return shutil.copytree(imported, tmp_path / "copy")

    def test_what_is_in_the_folder(self, run):
        assert sorted(path.name for path in run.iterdir()) == [
            "checkpoint", "config.json", "environment.json", "import.json", "metrics.jsonl",
            "status.json",
        ]  # fmt: skip
        assert all(name.startswith("model/") for name in tensors(run))

    def test_evaluate_plot_report(self, run):
        value = cli("evaluate", run, "--json").json["scores"]["mig"]
        assert (value["step"], value["samples"]) == (23_040, 1536)
        assert len(cli("plot", run, "kl", "--json").json["figures"]) == 1
        assert cli("report", run, "--json").code == 0
        assert {path.stem for path in (run / "figures").iterdir()} >= {
            "reconstructions", "traversals", "loss_curves", "kl", "mig", "response", "usage",
        }  # fmt: skip
        page = (run / "report.html").read_text(encoding="utf-8")
        assert "imported from the file model.pt" in page
        assert document(run / "import.json")["sha256"] in page
        assert "Left out" not in page
        assert "Imported with unweave" in page
        assert "not be those that were imported" in page

    def test_figures_that_have_nothing_to_show_are_named(self, run):
        result = cli("plot", run, "mig", "kl", "--json")
        assert [Path(name).stem for name in result.json["figures"]] == ["kl"]
        assert "nothing to draw mig from" in result.err
        assert "unweave evaluate" in result.err
        assert "nothing" not in cli("plot", run, "kl").err

    def test_latents_are_ordered_by_the_logged_kl(self, run, monkeypatch):
        from unweave import plots

        seen = {}
        monkeypatch.setattr(
            plots, "traversals", lambda images, values, **more: seen.update(more) or "figure"
        )
        monkeypatch.setattr(plots, "save", lambda figure, path: path)
        unweave.load_run(run).plot("traversals")
        np.testing.assert_array_equal(seen["kl"], [10, 1.001, 5.5])

    def test_a_new_run_starts_from_its_weights(self, run, tmp_path):
        before = tensors(run)
        given = ["train", MINI, "vae", "--steps", 1, "--batch-size", 8, "--latents", 3,
                 "--init-from", run, "--out", tmp_path / "new", "--lr", "1e-12"]  # fmt: skip
        assert cli(*given, "--precision", "float32").code == 0
        after = tensors(tmp_path / "new")
        for name, value in before.items():
            np.testing.assert_allclose(after[name], value, atol=1e-8)

    def test_it_cannot_be_resumed(self, run):
        before = listing(run)
        assert cli("train", "--out", run, "--resume", "--json").json["state"] == "finished"
        error = cli("train", "--out", run, "--resume", "--steps", 30_000)
        paragraph(error, "was imported", "no optimiser state", f"--init-from {run}")
        assert listing(run) == before

    def test_the_command_of_the_run_has_its_settings(self, run):
        command = parse(shlex.split(document(run / "config.json")["command"])[1:])
        assert command._config(command._settings()) == unweave.load_run(run).config


@pytest.fixture(scope="module")
def without_images(tmp_path_factory):
    """A run of random weights whose dataset must be fetched by a person first."""
    place = tmp_path_factory.mktemp("celeba")
    (place / "model.pt").write_bytes(legacy_file(weights(64, 3, latents=3)))
    specs = {**SPECS, "dataset": "celeba", "img_size": [3, 64, 64], "loss": "VAE"}
    (place / "specs.json").write_text(json.dumps(specs))
    (place / "train_losses.log").write_text(log())
    return unweave.import_run(place / "model.pt", out=place / "run").folder


class TestWithoutImages:
    @pytest.fixture
    def run(self, without_images):
        return without_images

    def test_what_needs_no_image_is_there(self, run):
        loaded = unweave.load_run(run)
        assert loaded.decode(np.zeros((2, 3))).shape == (2, 64, 64, 3)
        assert loaded.encode(np.zeros((2, 64, 64, 3)))[0].shape == (2, 3)
        result = cli("plot", run, "--json")
        assert [name.rsplit("/", 1)[1] for name in result.json["figures"]] == [
            "samples.png", "traversals.png", "loss_curves.png", "kl.png",
        ]  # fmt: skip

    def test_what_needs_them_says_so(self, run):
        before = listing(run)
        paragraph(cli("evaluate", run), "files of celeba are not downloaded")
        paragraph(cli("plot", run, "traversals", "reconstructions"), "files of celeba")
        with pytest.raises(DataError):
            unweave.load_run(run).plot("reconstructions")
        assert listing(run) == before

    def test_the_report_names_what_is_left_out(self, run):
        page = unweave.load_run(run).report().read_text(encoding="utf-8")
        assert re.search(
            r"Left out: scores, reconstructions, [a-z, ]+usage[a-z, ]+\. The files of celeba",
            page,
        )
        assert page.count("The files of celeba") == 1


def broken(change) -> bytes:
    state = weights(64, latents=3)
    change(state)
    return legacy_file(state)


class TestForPeople:
    def test_what_is_said(self, results, tmp_path):
        said = cli("import", results(epochs=None, losses=None), "--out", tmp_path / "run")
        assert said.code == 0
        for words in (f"{tmp_path / 'run'}: imported", "beta_tcvae(alpha=-1", "on dsprites",
                      "3 latents, images of 64x64x1", "unknown how long"):  # fmt: skip
            assert words in said.out
        assert "published" not in said.out
        assert "the usual" not in said.out
        said = cli("import", results(epochs=None, lr=None, losses=None), "--out", tmp_path / "b")
        assert "so the usual is taken: optimizer" in said.out

    def test_a_folder_must_be_named(self, results):
        result = cli("import", results())
        assert result.code == 2
        assert "--out" in result.err

    def test_published_files_are_known_by_their_checksums(self):
        assert len(set(published._PREFIXES.values())) == len(published._PREFIXES) == 26
        names = {
            "ea86d65dbbcfe0534d92a7b152187c8056f1841b0e5e57512937b53b5bb3ed72": "btcvae_dsprites",
            "8ea62efbadb2dec11c5e9bd33b21d9045e010ba331fece62b635a6abb90a20a2": "VAE_mnist",
            "0" * 64: None,
        }
        for sha256, name in names.items():
            assert published.published_name(sha256) == name


class TestOtherModels:
    KINDS: ClassVar[dict] = {
        "a layer less": (lambda s: s.pop("encoder.lin2.bias"), "missing: 'encoder.lin2.bias'"),
        "a layer more": (lambda s: s.update(extra=np.zeros(3, "f4")), "unexpected: 'extra'"),
        "a discriminator": (
            lambda s: [s.pop(name) for name in list(s)]
            and s.update({f"lin{i}.weight": np.zeros(3, "f4") for i in range(1, 9)}),
            "and 2 more",
        ),
        "a prefix": (
            lambda s: [s.update({f"module.{name}": s.pop(name)}) for name in list(s)],
            "unexpected: 'module.encoder.conv1.weight'",
        ),
        "half of 64": (lambda s: s.pop("decoder.convT_64.bias"), "missing: 'decoder.convT_64"),
        "another width": (
            lambda s: s.update({"encoder.lin2.weight": np.zeros((128, 256), "f4")}),
            "encoder.lin2.weight is (128, 256), not (256, 256)",
        ),
        "images of 28x28": (
            lambda s: [s.pop(n) for n in list(s) if "_64" in n]
            and s.update({"encoder.lin1.weight": np.zeros((256, 288), "f4")}),
            "encoder.lin1.weight is (256, 288), not (256, 512)",
        ),
        "two channels": (
            lambda s: s.update({"encoder.conv1.weight": np.zeros((32, 2, 4, 4), "f4")}),
            "C = 1 or 3",
        ),
        "an odd head": (
            lambda s: s.update({"encoder.mu_logvar_gen.bias": np.zeros(7, "f4")}), "two numbers",
        ),
        "a decoder of other latents": (
            lambda s: s.update({"decoder.lin1.weight": np.zeros((256, 4), "f4")}),
            "decoder.lin1.weight is (256, 4), not (256, 3)",
        ),
        "not a number": (
            lambda s: s["decoder.lin2.weight"].__setitem__((3, 4), math.nan), "not finite",
        ),
        "infinite": (lambda s: s["encoder.conv3.bias"].__setitem__(3, math.inf), "not finite"),
    }  # fmt: skip

    @pytest.mark.parametrize("kind", KINDS)
    def test_they_are_refused(self, results, tmp_path, kind):
        change, words = self.KINDS[kind]
        path = results(broken(change))
        error = paragraph(cli("import", path, "--out", tmp_path / "run"), str(path), words)
        assert len(error) < 1000
        assert not (tmp_path / "run").exists()

    def test_other_types_of_numbers(self, results, tmp_path):
        state = {name: torch.from_numpy(v).double() for name, v in weights(64, latents=3).items()}
        torch.save(state, tmp_path / "x.pt")
        path = results((tmp_path / "x.pt").read_bytes())
        with pytest.raises(CheckpointError, match="float64; weights must be float32"):
            unweave.import_run(path, out=tmp_path / "run")


class TestBadInput:
    def refused(self, tmp_path, path, *words, out="run", flags=()):
        before = listing(tmp_path)
        error = paragraph(cli("import", path, "--out", tmp_path / out, *flags), *words)
        assert listing(tmp_path) == before
        return error

    def test_files(self, results, tmp_path):
        path = results(b"hello")
        self.refused(tmp_path, path, "model.pt", "not a checkpoint")
        self.refused(tmp_path, tmp_path / "nowhere.pt", "does not exist")
        self.refused(tmp_path, tmp_path, "not a file")

    def test_a_payload(self, results, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        state = weights(64, latents=3)
        payload = b"cos\nsystem\n" + text("touch ran") + b"\x85R"
        metadata = b"}" + text("_metadata") + payload + b"sb"
        for pickled in (table(state, hooks=payload), table(state, metadata=metadata)):
            path = results(legacy_file(state, table_bytes=pickled))
            self.refused(tmp_path, path, "'os.system'", "was not run")
        assert not (tmp_path / "ran").exists()

    def test_a_folder_that_is_there(self, results, tmp_path):
        path = results()
        (tmp_path / "run").mkdir()
        unweave.import_run(path, out=tmp_path / "run")
        for folder in ("run", "results", "results/model.pt"):
            self.refused(tmp_path, path, "exists", "--out", out=folder)

    def test_a_place_that_cannot_be(self, results, tmp_path):
        path = results()
        self.refused(tmp_path, path, out="results/model.pt/run")
        self.refused(tmp_path, path, "cannot be a run folder", out="a" * 300)
        paragraph(
            cli("train", MINI, "vae", "--steps", 1, "--out", tmp_path / ("a" * 300)),
            "cannot be a run folder",
        )

    def test_a_folder_that_comes_in_the_meantime(self, results, tmp_path, monkeypatch):
        from unweave.importing import importer

        path, run = results(), tmp_path / "run"
        config = importer._config

        def slow(*arguments):
            run.mkdir()
            (run / "kept").touch()
            return config(*arguments)

        monkeypatch.setattr(importer, "_config", slow)
        with pytest.raises(UnweaveError, match="not empty"):
            unweave.import_run(path, out=run)
        assert [entry.name for entry in run.iterdir()] == ["kept"]
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["results", "run"]

    @pytest.mark.parametrize("name", ["specs.json", "train_losses.log"])
    def test_a_pipe_in_the_place_of_a_file(self, results, tmp_path, monkeypatch, name):
        path = results()
        (path.parent / name).unlink()
        os.mkfifo(path.parent / name)
        # Whoever opened it would wait for good.
        opened = Path.open

        def careful(self, *arguments, **keywords):
            assert not self.is_fifo(), "would wait for a writer"
            return opened(self, *arguments, **keywords)

        monkeypatch.setattr(Path, "open", careful)
        self.refused(tmp_path, path, f"{name} is damaged: it is not a file")

    def test_a_name_that_is_no_text(self, results, tmp_path):
        path = results()
        odd = path.rename(path.with_name(os.fsdecode(b"model\xff.pt")))
        run = unweave.import_run(odd, out=tmp_path / "run", dataset=MINI)
        assert document(run.folder / "import.json")["file"] == "model\ufffd.pt"
        assert "model\ufffd.pt" in write_report(run.folder).read_text(encoding="utf-8")

    def test_settings_that_cannot_be_trained(self, results, tmp_path):
        path = results(specs=None)
        one = "dsprites(grid=(1, 1, 1, 1, 1))"
        error = self.refused(
            tmp_path, path, "the flags and the defaults", "batch_size 64 is more than the 1",
            flags=("--dataset", one, "--objective", "vae"),
        )  # fmt: skip
        # There is none that could be at fault.
        assert "specs.json" not in error

    def test_a_write_that_fails_leaves_nothing(self, results, tmp_path, monkeypatch):
        from unweave.importing import importer

        path = results()
        before = listing(tmp_path)

        def full(*arguments, **keywords):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(importer, "write_status", full)
        with pytest.raises(UnweaveError, match="disk is full"):
            unweave.import_run(path, out=tmp_path / "new" / "run")
        assert listing(tmp_path) == before

    def test_texts_that_are_wrong(self, results, tmp_path):
        path = results()
        self.refused(tmp_path, path, "dataset 'dsprite'", flags=("--dataset", "dsprite"))
        self.refused(tmp_path, path, "'beta_va'", flags=("--objective", "beta_va"))
        self.refused(tmp_path, path, "64x64x1", "32x32x1", flags=("--dataset", "mnist"))
        with pytest.raises((SpecError, RunError, CheckpointError)):
            unweave.import_run(
                path, out=tmp_path / "run", dataset="dsprites(grid=(1, 1, 1, 1, 1))"
            )

    SPECS: ClassVar[dict] = {
        "latent_dim": (10, "latent_dim 10", "number of latents of the weights is 3"),
        "img_size": ([3, 64, 64], "img_size [3, 64, 64]", "[1, 64, 64]"),
        "model_type": ("Other", "model_type 'Other'"),
        "dataset": ("cars", "dataset 'cars'", "chairs"),
        "loss": ("vae", "loss 'vae'", "btcvae"),
        "rec_dist": (["gaussian"], "rec_dist", "laplace"),
        "epochs": (2.5, "epochs 2.5", "whole number"),
        "batch_size": (0, "batch_size 0", "at least 1"),
        "seed": ("1234", "seed '1234'", "a number"),
        "lr": (0, "lr", "more than 0"),
        "btcvae_B": (True, "btcvae_B True", "a number"),
        "btcvae_A": (10**400, "btcvae_A", "a number"),
        "reg_anneal": (-1, "reg_anneal -1", "at least 0"),
    }

    @pytest.mark.parametrize("key", SPECS)
    def test_specs_that_contradict_or_make_no_sense(self, results, tmp_path, key):
        value, *words = self.SPECS[key]
        self.refused(tmp_path, results(**{key: value}), "specs.json", *words)

    @pytest.mark.parametrize(
        "content",
        [b"", b"{", b"[1]", b"\xff\xfe{}", b'{"a": NaN}', b"[" * 100_000, b" " * 2**21],
        ids=["empty", "open", "a list", "no text", "not finite", "deep", "large"],
    )
    def test_damaged_specs(self, results, tmp_path, content):
        path = results()
        (path.parent / "specs.json").write_bytes(content)
        self.refused(tmp_path, path, "specs.json is damaged")

    def test_changed_bytes_give_an_error_or_a_run(self, results, tmp_path):
        data = legacy_file(weights(32, latents=1))
        draw = np.random.default_rng(2)
        path = results(data, specs=None, losses=None)
        end = data.index(b"\x40\x20\x00\x00") if b"\x40\x20\x00\x00" in data else 6000
        runs = 0
        for number in range(40):
            changed = bytearray(data)
            # Mostly in the pickles; a change of the weights alone is nearly always a valid file.
            place = draw.integers(len(data) if number % 6 == 0 else min(end, 6000))
            changed[place] = draw.integers(256)
            path.write_bytes(bytes(changed))
            try:
                unweave.import_run(path, out=tmp_path / "run", dataset="mnist", objective="vae")
            except UnweaveError:
                assert not (tmp_path / "run").exists()
            else:
                runs += 1
                shutil.rmtree(tmp_path / "run")
        assert 0 < runs < 40


# Sum of the pixels of dec(0) and of dec(1, ..., 1), and the first three means and log variances of
# an image that is 0.5 everywhere, computed with the authors' own networks.
PUBLISHED = {
    "VAE_dsprites": (
        0.008, 70.500, (2.8622, 1.4798, -9.8237), (-10.0721, -11.2513, -9.4516),
        "dsprites", "vae(kl=linear(start=0, stop=1, steps=10000))", 345_600, 502_005,
        {"reconstruction": 17.989, "kl": 25.396}, 43.384,
    ),
    "btcvae_dsprites": (
        171.183, 83.832, (0.1442, -0.1011, -11.9940), (0.0319, -0.4213, 6.1195),
        "dsprites",
        "beta_tcvae(beta=6.4, gamma=linear(start=0, stop=1, steps=10000), "
        "estimator=stratified, compat=disvae)",
        345_600, 502_005,
        {"reconstruction": 42.208, "mutual_information": 42.748, "total_correlation": -31.075,
         "dimension_kl": 1.916}, -112.007,
    ),
    "VAE_mnist": (
        134.458, 137.289, (1.1025, 1.0195, -0.7715), (-4.7483, -4.1589, -5.2829),
        "mnist", "vae(kl=linear(start=0, stop=1, steps=10000))", 375_200, 469_173,
        {"reconstruction": 118.789, "kl": 19.693}, 138.481,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(reference, tmp_path, name):
    zero, one, means, logvars, dataset, objective, steps, parameters, raw, loss = PUBLISHED[name]
    path = reference / "disentangling-vae" / name / "model.pt"
    value = cli("import", path, "--out", tmp_path / "run", "--json").json
    run = unweave.load_run(tmp_path / "run")
    assert value == {
        "run": str(tmp_path / "run"), "architecture": "burgess", "latents": 10,
        "image_shape": list(run.config.dataset.image_shape), "parameters": parameters,
        "dataset": dataset, "objective": objective, "steps": steps,
        "epochs": 400 if dataset == "mnist" else 30, "sha256": value["sha256"],
        "source": "disentangling-vae", "published": name, "assumed": [],
    }  # fmt: skip
    sums = run.decode(np.stack([np.zeros(10), np.ones(10)])).reshape(2, -1).sum(1)
    np.testing.assert_allclose(sums, [zero, one], rtol=1e-3, atol=6e-4)
    mean, logvar = run.encode(np.full((1, *run.config.dataset.image_shape), 0.5))
    np.testing.assert_allclose(mean[0, :3], means, rtol=1e-3)
    np.testing.assert_allclose(logvar[0, :3], logvars, rtol=1e-3)
    rows = lines(run.folder, "train")
    assert (len(rows), rows[-1]["step"]) == (value["epochs"], steps)
    assert rows[-1]["raw"] == pytest.approx(raw, abs=6e-4)
    assert rows[-1]["loss"]["model"] == pytest.approx(loss, abs=6e-4)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_without_its_specs(reference, tmp_path, name):
    beside = reference / "disentangling-vae" / name / "model.pt"
    alone = shutil.copy(beside, tmp_path / "model.pt")
    run = unweave.import_run(alone, out=tmp_path / "run")
    expected = unweave.import_run(beside, out=tmp_path / "beside").config
    assert run.config == expected
    record = document(run.folder / "import.json")
    assert (record["published"], record["specs"]) == (name, None)
    assert record["assumed"] == EVERYTHING


@pytest.mark.parametrize("name", ["VAE_dsprites", "btcvae_dsprites"])
def test_a_published_model_of_the_first_square(reference, tmp_path, name):
    path = reference / "disentangling-vae" / name / "model.pt"
    run = unweave.import_run(path, out=tmp_path / "run")
    image = np.zeros((1, 64, 64, 1), np.uint8)
    image[:, 11:21, 11:21] = 255
    mean, logvar = run.encode(image)
    expected = {
        "VAE_dsprites": (
            [0.9210, -0.9761, 1.2498, 1.5000, -0.9608, 0.3940, -0.1048, 1.4913, -0.2072, -0.8165],
            [-5.1886, -6.7128, -5.6333, -7.0218, -7.0188, -3.2166, -2.3481, -2.3386, -5.6692,
             -2.9031],
            100.321,
        ),
        "btcvae_dsprites": (
            [0.0683, -0.0782, 0.7540, -0.2188, 3.1317, 0.0316, 0.2507, 0.0491, 0.9191, -0.0183],
            [-0.0033, -0.0879, -4.5972, -2.8248, -6.6593, 0.0818, -2.2988, -0.0250, -3.2583,
             -0.1098],
            99.614,
        ),
    }[name]  # fmt: skip
    np.testing.assert_allclose(mean[0], expected[0], atol=2e-4)
    np.testing.assert_allclose(logvar[0], expected[1], atol=2e-4)
    assert run.decode(mean).sum() == pytest.approx(expected[2], rel=1e-4)
