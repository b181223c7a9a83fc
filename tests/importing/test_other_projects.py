"""Checkpoints of three further projects encode and decode as their own networks do."""

from __future__ import annotations

import argparse
import io
from collections import OrderedDict
from typing import ClassVar

import numpy as np
import pytest
import torch

import unweave
from reference.other_checkpoints import (
    LIE_ARGUMENTS,
    DptConditional,
    LieModel,
    clg,
    dag,
    dpt,
    randomise,
)
from session.runs import MINI, cli, document, listing, paragraph
from unweave.errors import CheckpointError, DataError, SpecError
from unweave.importing.files import read_content, read_settings
from unweave.likelihoods import Bernoulli, Gaussian
from unweave.nn import LieGroup

COLOURED = "shapes3d(grid=(4, 4, 2, 2, 2, 2))"
FLAGS = {"dataset": MINI, "objective": "beta_vae(beta=4)"}


def save(value, path, *, modern: bool = True):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(value, path, _use_new_zipfile_serialization=modern)
    return path


def batch(channels: int, latents: int, seed: int = 3):
    rng = np.random.default_rng(seed)
    images = rng.random((3, channels, 64, 64)).astype(np.float32)
    return images, rng.normal(size=(4, latents)).astype(np.float32)


def assert_same(run, model, channels: int, latents: int) -> None:
    """Encodings and decodings of a run are those of a module."""
    images, z = batch(channels, latents)
    mean, logvar = (value.numpy() for value in model.codes(torch.from_numpy(images)))
    found = run.encode(images.transpose(0, 2, 3, 1))
    assert np.ptp(mean) > 1e-3
    np.testing.assert_allclose(found[0], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], logvar, rtol=1e-4, atol=1e-5)
    pixels = model.pixels(torch.from_numpy(z)).numpy().transpose(0, 2, 3, 1)
    assert np.ptp(pixels) > 1e-3
    np.testing.assert_allclose(run.decode(z), pixels, rtol=1e-4, atol=1e-5)


class TestLieGroup:
    @pytest.mark.parametrize("modern", [True, False])
    def test_of_one_group(self, tmp_path, modern):
        model = randomise(LieModel(sizes=(16,), latents=(3,)), scale=0.15)
        path = save(model.state_dict(), tmp_path / "model.pt", modern=modern)
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI, objective="vae")
        assert run.config.architecture == LieGroup(sizes=(16,), latents=(3,))
        assert_same(run, model, 1, 3)
        record = document(run.folder / "import.json")
        assert record["source"] == "Commutative Lie Group VAE"
        assert record["arguments"] is None
        assert "order of means and log variances" in record["assumed"]

    @pytest.mark.parametrize("order", ["blocked", "interleaved"])
    def test_of_two_unlike_groups(self, tmp_path, order):
        model = randomise(LieModel(sizes=(9, 4), latents=(2, 1), channels=3, order=order))
        path = save(model.state_dict(), tmp_path / "model.pt")
        run = unweave.import_run(path, out=tmp_path / "run", dataset=COLOURED, objective="vae")
        assert run.config.architecture == LieGroup(sizes=(9, 4), latents=(2, 1))
        assert_same(run, model, 3, 3)

    def test_of_like_groups_names_must_tell(self, tmp_path):
        groups = {"sizes": (9, 9), "latents": (2, 2), "order": "interleaved"}
        path = save(LieModel(**groups).state_dict(), tmp_path / "model.pt")
        with pytest.raises(CheckpointError, match="neither by shapes nor by names"):
            unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        for names in (("mean", "logvar"), ("log_var", "mu")):
            model = randomise(LieModel(**groups, names=names))
            if names[0] == "log_var":
                model.names = names[::-1]
            save(model.state_dict(), path)
            run = unweave.import_run(path, out=tmp_path / names[0], **FLAGS)
            assert_same(run, model, 1, 4)
            assumed = document(run.folder / "import.json")["assumed"]
            assert "order of means and log variances" not in assumed

    def test_without_the_exponential(self, tmp_path):
        model = randomise(LieModel(sizes=(9,), latents=(2,), exponential=False), scale=0.15)
        path = save(model.state_dict(), tmp_path / "model.pt")
        run = unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        assert not run.config.architecture.exponential
        assert_same(run, model, 1, 2)

    @pytest.mark.parametrize("modern", [True, False])
    def test_its_arguments(self, tmp_path, modern):
        model = randomise(LieModel())
        path = save(model.state_dict(), tmp_path / "checkpoints" / "model.pt")
        save(argparse.Namespace(**LIE_ARGUMENTS), path.with_name("args.pt"), modern=modern)
        result = cli("import", path, "--out", tmp_path / "run", "--json").json
        assert result["objective"] == "lie_group_vae"
        assert (result["dataset"], result["epochs"], result["steps"]) == ("dsprites", 70, 201_600)
        assert result["assumed"] == ["seed", "order of means and log variances"]
        run = unweave.load_run(tmp_path / "run")
        assert run.config.likelihood == Bernoulli()
        assert (run.config.batch_size, run.config.optimizer.lr) == (256, 1e-4)
        said = document(run.folder / "import.json")["arguments"]
        assert said["hy_hes"] == 40.0
        assert "log_path" not in said

    def test_other_arguments(self, tmp_path):
        path = save(randomise(clg("beta_celeb")).state_dict(), tmp_path / "model.pt")
        said = {"model": "beta_celeb", "latents": 3, "beta": 5.0, "capacity": 25.0,
                "capacity_leadin": 1000, "recons_loss_type": "l2", "split": 0.1, "epochs": 2,
                "dataset": "dsprites"}  # fmt: skip
        save(argparse.Namespace(**{**LIE_ARGUMENTS, **said}), tmp_path / "args.pt")
        run = unweave.import_run(path, out=tmp_path / "run")
        assert str(run.config.objective) == (
            "annealed_vae(gamma=5, capacity=linear(start=0, stop=25, steps=1000))"
        )
        assert run.config.likelihood == Gaussian(variance=0.5)
        # 663,552 images to train on, in batches of 256
        assert run.config.steps == 2 * 2592
        commuting = {**LIE_ARGUMENTS, "hy_commute": 40, "hy_hes": "0"}
        save(randomise(LieModel()).state_dict(), path)
        save(argparse.Namespace(**commuting), tmp_path / "args.pt")
        run = unweave.import_run(path, out=tmp_path / "b", dataset=MINI)
        assert str(run.config.objective) == ("lie_group_vae(hessian=0, commutator=40, compat=clg)")

    def test_a_capacity_of_its_kl(self, tmp_path):
        path = save(randomise(LieModel()).state_dict(), tmp_path / "model.pt")
        said = {**LIE_ARGUMENTS, "beta": 5.0, "capacity": 25.0, "capacity_leadin": 1000}
        save(argparse.Namespace(**said), tmp_path / "args.pt")
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI)
        assert str(run.config.objective) == (
            "lie_group_vae + kl(weight=5, capacity=linear(start=0, stop=25, steps=1000))"
        )

    def test_penalties_on_generators_that_nothing_depends_on(self, tmp_path):
        model = LieModel(sizes=(9,), latents=(2,), exponential=False)
        path = save(randomise(model).state_dict(), tmp_path / "model.pt")
        said = {**LIE_ARGUMENTS, "no_exp": True, "hy_commute": 40.0}
        save(argparse.Namespace(**said), tmp_path / "args.pt")
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI)
        assert not run.config.architecture.exponential
        assert str(run.config.objective) == "lie_group_vae(hessian=0)"
        assert document(run.folder / "import.json")["arguments"]["hy_hes"] == 40.0

    BAD: ClassVar[dict] = {
        "another model": {"model": "beta_celeb"},
        "another dataset": {"dataset": "flatland"},
        "no number": {"hy_hes": "many"},
        "a truth": {"beta": True},
        "half a batch": {"batch_size": 0.5},
        "no batch": {"batch_size": 0},
        "no end": {"epochs": float("inf")},
        "a list of datasets": {"dataset": ["dsprites"]},
        "a list of losses": {"recons_loss_type": ["bce"]},
    }

    @pytest.mark.parametrize("kind", BAD)
    def test_bad_arguments(self, tmp_path, kind):
        path = save(randomise(LieModel()).state_dict(), tmp_path / "model.pt")
        save(argparse.Namespace(**{**LIE_ARGUMENTS, **self.BAD[kind]}), tmp_path / "args.pt")
        paragraph(cli("import", path, "--out", tmp_path / "run"), "args.pt says")
        assert not (tmp_path / "run").exists()

    def test_arguments_that_are_code(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

        class Evil:
            def __reduce__(self):
                return (open, ("ran", "w"))

        path = save(randomise(LieModel()).state_dict(), tmp_path / "model.pt")
        for value in (argparse.Namespace(model=Evil()), Evil(), torch.nn.Linear(2, 2)):
            with (tmp_path / "args.pt").open("wb") as handle:
                torch.save(value, handle)
            (tmp_path / "ran").unlink(missing_ok=True)
            result = cli("import", path, "--out", tmp_path / "run")
            paragraph(result, "args.pt is not a checkpoint that can be read")
            assert not (tmp_path / "ran").exists()
        save({"model": "lie_group"}, tmp_path / "args.pt")
        with pytest.raises(CheckpointError, match="holds no arguments"):
            read_settings(tmp_path / "args.pt")

    def test_a_namespace_is_no_state_dict(self, tmp_path):
        path = save(argparse.Namespace(a=1), tmp_path / "args.pt")
        with pytest.raises(CheckpointError, match=r"not allowed|not run"):
            read_content(path)
        assert read_settings(path) == {"a": 1}
        assert read_settings(tmp_path / "nothing.pt") is None


class TestBaselines:
    @pytest.mark.parametrize(("kind", "channels"), [("beta_celeb", 1), ("beta_celeb", 3)])
    def test_they_are_known_by_their_layers(self, tmp_path, kind, channels):
        model = randomise(clg(kind, channels))
        path = save(model.state_dict(), tmp_path / "model.pt")
        dataset = MINI if channels == 1 else COLOURED
        run = unweave.import_run(
            path, out=tmp_path / "run", dataset=dataset, objective="vae", source="clg"
        )
        assert run.config.architecture.name == kind
        assert_same(run, model, channels, 3)

    def test_the_dense_one(self, tmp_path):
        model = randomise(clg("beta_shapes"), scale=0.02)
        path = save(model.state_dict(), tmp_path / "model.pt")
        run = unweave.import_run(path, out=tmp_path / "run", source="clg", **FLAGS)
        assert run.config.architecture.name == "beta_shapes"
        assert_same(run, model, 1, 3)


class TestLatentGaussianModels:
    @pytest.mark.parametrize(
        ("kind", "told"),
        [("burgess_v2", False), ("mathieu", False), ("mpcnn", False), ("burgess", True),
         ("kim", True), ("higgins", True)],
    )  # fmt: skip
    def test_they_are_known_by_their_layers(self, tmp_path, kind, told):
        model = randomise(dag(kind), scale=0.02 if kind == "higgins" else 0.07)
        path = save(model.state_dict(), tmp_path / "trained-model.pt")
        if told:
            error = paragraph(
                cli("import", path, "--out", tmp_path / "run", "--dataset", MINI), "--from"
            )
            assert "several projects" in error
        source = "dag" if told else None
        run = unweave.import_run(path, out=tmp_path / "run", source=source, **FLAGS)
        assert run.config.architecture.name == kind
        assert_same(run, model, 1, 3)
        record = document(run.folder / "import.json")
        assert (record["source"], record["steps"]) == ("disent-and-gen", None)
        assert record["assumed"] == ["batch_size", "seed", "likelihood", "optimizer", "steps"]
        assert (run.config.batch_size, run.config.optimizer.lr) == (64, 1e-4)

    def test_the_decoder_may_come_first(self, tmp_path):
        model = randomise(dag("kim", decoder_first=True))
        assert next(iter(model.state_dict())).startswith("decoder")
        path = save(model.state_dict(), tmp_path / "trained-model.pt")
        run = unweave.import_run(path, out=tmp_path / "run", source="dag", **FLAGS)
        assert_same(run, model, 1, 3)

    def test_what_is_no_such_model(self, tmp_path):
        state = randomise(dag("kim")).state_dict()
        names = list(state)
        changes = {
            "a layer less": lambda s: [s.pop(name) for name in names[2:4]],
            "a bias less": lambda s: s.pop(names[1]),
            "another width": lambda s: s.update({names[0]: torch.zeros(16, 1, 4, 4)}),
            "statistics": lambda s: s.update({"norm.running_mean": torch.zeros(3)}),
            "not finite": lambda s: s[names[0]].fill_(float("nan")),
            "doubles": lambda s: s.update({names[0]: s[names[0]].double()}),
        }
        for change in changes.values():
            changed = OrderedDict((name, value.clone()) for name, value in state.items())
            change(changed)
            path = save(changed, tmp_path / "trained-model.pt")
            result = cli("import", path, "--from", "dag", "--out", tmp_path / "run",
                         "--dataset", MINI, "--objective", "vae")  # fmt: skip
            assert len(paragraph(result, "trained-model.pt cannot be imported")) < 1200
            assert not (tmp_path / "run").exists()


def dpt_file(model, *, step: int = 23_040, lr: float = 1e-3) -> dict:
    """A checkpoint as a training leaves it, with a discriminator and all optimisers."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.99))
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    with torch.no_grad():
        kept = [parameter.clone() for parameter in model.parameters()]
        optimizer.step()
        for parameter, value in zip(model.parameters(), kept, strict=True):
            parameter.copy_(value)
    discriminator = torch.nn.Sequential(torch.nn.Linear(4, 50), torch.nn.Linear(50, 2))
    other = torch.optim.Adam(discriminator.parameters())
    return {
        "iter": step,
        "model_states": {"G": model.state_dict(), "PermD": discriminator.state_dict()},
        "optim_states": {"optim_G": optimizer.state_dict(), "optim_PermD": other.state_dict()},
    }


class TestDisentanglementPyTorch:
    @pytest.mark.parametrize(
        ("encode", "decode", "text"),
        [
            ("simple_conv64", "simple_conv64", "simple_conv64"),
            ("padless_conv64", "simple_conv64", "padless_conv64"),
            ("shallow_linear", "deep_linear", "pair(encode=shallow_linear, decode=deep_linear)"),
            ("deep_linear", "deep_linear", "deep_linear"),
            ("simple_conv64", "shallow_linear",
             "pair(encode=simple_conv64, decode=shallow_linear)"),
        ],
    )  # fmt: skip
    def test_every_encoder_and_decoder(self, tmp_path, encode, decode, text):
        model = randomise(dpt(encode, decode), scale=0.05)
        path = save(dpt_file(model), tmp_path / "last")
        run = unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        assert str(run.config.architecture) == text
        assert_same(run, model, 1, 4)
        assert run.config.steps == run.step == 23_040
        adam = run.config.optimizer
        assert (adam.lr, adam.beta1, adam.beta2) == (1e-3, 0.9, 0.99)
        assumed = document(run.folder / "import.json")["assumed"]
        heads = ["order of means and log variances"] if encode.endswith("linear") else []
        assert assumed == ["batch_size", "seed", *heads]

    def test_colours_and_the_older_format(self, tmp_path):
        model = randomise(dpt("simple_conv64", "simple_conv64", channels=3))
        path = save(dpt_file(model), tmp_path / "last", modern=False)
        run = unweave.import_run(path, out=tmp_path / "run", dataset=COLOURED, objective="vae")
        assert_same(run, model, 3, 4)

    def test_names_of_heads_are_heeded(self, tmp_path):
        model = randomise(dpt("shallow_linear", "shallow_linear", names=("logvar", "mu")))
        path = save(dpt_file(model), tmp_path / "last")
        run = unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        assert_same(run, model, 1, 4)
        assert document(run.folder / "import.json")["assumed"] == ["batch_size", "seed"]

    def test_codes_without_noise(self, tmp_path):
        from reference.other_checkpoints import GaussianModel, dpt_decoder, dpt_encoder

        encoder = dpt_encoder("simple_conv64", 1, 4)
        model = randomise(GaussianModel(encoder, dpt_decoder("simple_conv64", 1, 4)))
        path = save(dpt_file(model), tmp_path / "last")
        with pytest.raises(CheckpointError, match="no noise"):
            unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI, objective="autoencoder")
        images, _ = batch(1, 4)
        with torch.no_grad():
            expected = model.encoder(torch.from_numpy(images)).numpy()
        found = run.encode(images.transpose(0, 2, 3, 1))[0]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    def test_a_conditional_model(self, tmp_path):
        model = randomise(DptConditional(told=3), scale=0.05)
        path = save(dpt_file(model), tmp_path / "last")
        with pytest.raises(CheckpointError, match="told 3 numbers of labels"):
            unweave.import_run(path, out=tmp_path / "run", **FLAGS)
        objective = "cvae(labels=(shape,), gamma=5, capacity=25)"
        run = unweave.import_run(path, out=tmp_path / "run", dataset=MINI, objective=objective)
        images, z = batch(1, 4)
        labels = np.array([[2], [0], [1]])
        one_hot = torch.eye(3)[labels[:, 0]]
        mean, logvar = model.codes(torch.from_numpy(images), one_hot)
        found = run.encode(images.transpose(0, 2, 3, 1), labels=labels)
        np.testing.assert_allclose(found[0], mean, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found[1], logvar, rtol=1e-4, atol=1e-5)
        pixels = model.pixels(torch.from_numpy(z[:3]), one_hot).numpy().transpose(0, 2, 3, 1)
        np.testing.assert_allclose(run.decode(z[:3], labels=labels), pixels, rtol=1e-4, atol=1e-5)
        assert "order of image and label planes" in document(run.folder / "import.json")["assumed"]

    def test_a_model_without_its_operator_is_not_scored_by_it(self, tmp_path):
        model = randomise(dpt("padless_conv64", "simple_conv64"))
        path = save(dpt_file(model), tmp_path / "last")
        run = unweave.import_run(
            path, out=tmp_path / "run", dataset=MINI, objective="composer",
            architecture="pair(encode=padless_conv64, decode=simple_conv64)",
        )  # fmt: skip
        for name in ("test_losses", "reconstruction_nll", "factor_errors"):
            with pytest.raises(DataError, match=f"{name} of composer needs the operator, and the"):
                run.evaluate((name,))

    def test_an_architecture_may_be_named(self, tmp_path):
        model = randomise(dpt("padless_conv64", "simple_conv64"))
        path = save(dpt_file(model), tmp_path / "last")
        given = {**FLAGS, "out": tmp_path / "run"}
        with pytest.raises(CheckpointError, match="not those of kim"):
            unweave.import_run(path, architecture="kim", **given)
        run = unweave.import_run(path, architecture="padless_conv64", **given)
        assert document(run.folder / "import.json")["given"]["architecture"] == "padless_conv64"

    def test_damaged_checkpoints(self, tmp_path):
        whole = dpt_file(randomise(dpt("padless_conv64", "simple_conv64")))
        cases = {
            "no model": {**whole, "model_states": {"PermD": whole["model_states"]["PermD"]}},
            "a number": {**whole, "model_states": {"G": 3}},
            "a list": {**whole, "model_states": [1, 2]},
            "a table in the model": {**whole, "model_states": {"G": {"a": {"b": torch.zeros(2)}}}},
        }
        for value in cases.values():
            path = save(value, tmp_path / "last")
            result = cli("import", path, "--out", tmp_path / "run", "--dataset", MINI,
                         "--objective", "vae")  # fmt: skip
            paragraph(result, "last cannot be imported")
        steps = {**whole, "iter": "many", "optim_states": {}}
        run = unweave.import_run(save(steps, tmp_path / "last"), out=tmp_path / "run", **FLAGS)
        record = document(run.folder / "import.json")
        assert record["steps"] is None
        assert {"steps", "optimizer"} <= set(record["assumed"])


class TestBadInput:
    def test_what_is_unknown(self, tmp_path):
        path = save(randomise(dag("kim")).state_dict(), tmp_path / "model.pt")
        before = listing(tmp_path)
        with pytest.raises(SpecError, match="Unknown project 'dlib'"):
            unweave.import_run(path, out=tmp_path / "run", source="dlib", **FLAGS)
        with pytest.raises(SpecError, match="kimm"):
            unweave.import_run(path, out=tmp_path / "run", architecture="kimm", **FLAGS)
        with pytest.raises(CheckpointError, match=r"--dataset .* and --objective"):
            unweave.import_run(path, out=tmp_path / "run", source="dag")
        with pytest.raises(CheckpointError, match="images of 64x64x1, and those"):
            unweave.import_run(
                path, out=tmp_path / "run", source="dag", dataset=COLOURED, objective="vae"
            )
        with pytest.raises(SpecError, match="architecture burgess"):
            unweave.import_run(
                path, out=tmp_path / "run", source="disvae", architecture="kim", **FLAGS
            )
        assert listing(tmp_path) == before

    def test_a_stranger_is_asked_whose_it_is(self, tmp_path):
        path = save({"a.weight": torch.zeros(3, 3)}, tmp_path / "model.pt")
        result = cli("import", path, "--out", tmp_path / "run")
        paragraph(result, "not a model of disentangling-vae", "--from clg, dpt or dag")

    def test_an_archive_with_an_endless_list(self, tmp_path):
        buffer = io.BytesIO()
        torch.save({"a": torch.zeros(2)}, buffer)
        data = bytearray(buffer.getvalue())
        place = data.rindex(b"PK\x06\x06") + 40 if b"PK\x06\x06" in data else len(data) - 10
        data[place : place + 4] = (2**30).to_bytes(4, "little")
        (tmp_path / "model.pt").write_bytes(data)
        with pytest.raises(CheckpointError, match="more files than a checkpoint needs"):
            read_content(tmp_path / "model.pt")
