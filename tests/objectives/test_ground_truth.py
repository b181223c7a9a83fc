"""The decoder of true factors: against a plain loop of PyTorch, beyond its training, refused."""

from __future__ import annotations

import json
import math
import re
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import unweave
from contracts.learners import make_batch
from session.runs import (
    MINI,
    TINY,
    Watcher,
    assert_same_state,
    cli,
    document,
    lines,
    paragraph,
    resume,
    tensors,
)
from unweave.data import Batches, from_arrays, parse_dataset
from unweave.errors import DataError, SpecError
from unweave.nn import DecoderDeepBN, DecoderKimBN, ShallowLinear
from unweave.objectives import parse_objective
from unweave.population import parse_fitness
from unweave.ranking import rank
from unweave.settings import make_config
from unweave.studies import ScoreRequest, Study, plan
from unweave.training import Learner
from unweave.training.precision import resolve
from unweave.training.source import ImageSource

HOLE = "index(shape) == 0 and pos_x > 0.5"
REST, HELD = f"without(data={MINI}, where='{HOLE}')", f"only(data={MINI}, where='{HOLE}')"
# 384 images, of which the right half is left out.
SMALL = "dsprites(grid=(3, 2, 4, 4, 4))"
BEYOND = f"without(data={SMALL}, where='pos_x > 0.5')"
BEHIND = f"only(data={SMALL}, where='pos_x > 0.5')"


def inputs_of(values: np.ndarray, inputs: str) -> np.ndarray:
    """What the decoder is given of dSprites, by the definition: values (n, 5) to (n, L)."""
    rows = []
    for shape, scale, angle, x, y in values:
        if inputs == "raw":
            rows.append([shape, scale, angle, x, y])
            continue
        kind = [float(shape == value) for value in (1, 2, 3)]
        # Scales of the small grid are 0.5 and 1; its angles are quarters, the last one step less.
        turn = 2 * math.pi * angle / (4 / 3 * 2 * math.pi * 29 / 39)
        rows.append([*kind, 4 * scale - 3, math.sin(turn), math.cos(turn), 2 * x - 1, 2 * y - 1])
    return np.array(rows, np.float32)


@pytest.mark.parametrize("inputs", ["scaled", "raw"])
@pytest.mark.parametrize("layers", [ShallowLinear(), DecoderKimBN()], ids=str)
def test_training_is_a_plain_loop_of_pytorch(inputs, layers):
    """The same weights bit for bit after the same steps, written out without unweave."""
    config = make_config(
        REST, f"ground_truth_decoder(inputs={inputs})", steps=6, architecture=layers, seed=3,
        batch_size=8, lr=1e-3, threads=1, device="cpu", precision="float32",
    )  # fmt: skip
    config = resolve(config)
    dataset = config.dataset.open()
    learner = Learner(config, config.dataset.image_shape, len(dataset))
    source = ImageSource(dataset, None, config, learner.plan.needs)
    assert learner.weights().keys() == {f"model/{n}" for n in learner.model.state_dict()}
    assert all(name.startswith("model/decoder.") for name in learner.weights())

    if isinstance(layers, ShallowLinear):
        plain = nn.Sequential(
            nn.Linear(config.latents, 400), nn.ReLU(), nn.Linear(400, 4096),
            nn.Unflatten(1, (1, 64, 64)),
        )  # fmt: skip
    else:
        plain = layers.decoder((64, 64, 1), config.latents)
    plain.load_state_dict(learner.model.decoder.state_dict())
    plain.to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(plain.parameters(), lr=1e-3, fused=True)
    batches = Batches(len(dataset), 8, 3)
    for step in range(1, 7):
        learner.update(source.batch(step), step)
        flat = batches.indices(step)
        images = torch.from_numpy((dataset.images(flat) > 127).astype(np.float32))
        images = images.permute(0, 3, 1, 2)
        logits = plain(torch.from_numpy(inputs_of(dataset.values(flat), inputs)))
        loss = F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / 8
        adam.zero_grad()
        loss.backward()
        adam.step()
    for name, value in plain.state_dict().items():
        assert torch.equal(value, learner.model.decoder.state_dict()[name]), name
    found = learner.tracker.read().values
    assert found["loss/model"] == found["raw/reconstruction"]
    assert not any(name.startswith("kl/") for name in found)


@pytest.mark.parametrize(
    ("dataset", "objective", "latents"),
    [
        ("dsprites", "ground_truth_decoder", 3 + 1 + 2 + 1 + 1),
        ("dsprites", "ground_truth_decoder(inputs=raw)", 5),
        ("dsprites", "ground_truth_decoder(inputs=one_hot)", 3 + 6 + 40 + 32 + 32),
        ("without(data=dsprites, where='pos_x > 0.5')", "ground_truth_decoder(inputs=one_hot)",
         113),
        ("shapes3d", "ground_truth_decoder", 2 + 2 + 2 + 1 + 4 + 1),
        ("mpi3d(subset=real)", "ground_truth_decoder(inputs=raw, compat=dag)", 7),
    ],
)  # fmt: skip
def test_there_are_as_many_latents_as_numbers(dataset, objective, latents):
    config = make_config(dataset, objective, steps=5)
    assert config.latents == latents
    assert make_config(dataset, objective, steps=5, latents=latents) == config
    with pytest.raises(SpecError, match=f"{latents} of .* but latents is 11. Leave latents out"):
        make_config(dataset, objective, steps=5, latents=11)


def test_raw_inputs_are_trained_in_float32():
    """Values such as 1560 have steps that bfloat16 cannot tell."""
    found = {
        inputs: parse_objective(f"ground_truth_decoder(inputs={inputs})").expand().needs_float32
        for inputs in ("scaled", "raw", "one_hot")
    }
    assert found == {"scaled": False, "raw": True, "one_hot": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on positions in the left part, with layers that normalise."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return unweave.train(
        BEYOND, "ground_truth_decoder", steps=4, out=folder, log_every=2, lr=1e-3,
        architecture="decoder_kim_bn", holdout=0.1, picture_every=4, **TINY,
    )  # fmt: skip


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A run of another seed."""
    folder = tmp_path_factory.mktemp("runs") / "other"
    return unweave.train(
        BEYOND, "ground_truth_decoder", steps=1, seed=1, out=folder,
        architecture="decoder_burgess", **TINY,
    )  # fmt: skip


def nll(images: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Cross-entropy of images (n, H, W, C) of 0 and 1 in nats, (n,)."""
    p = np.clip(pixels.astype(np.float64), 1e-12, 1 - 1e-12)
    return -(images * np.log(p) + (1 - images) * np.log1p(-p)).sum((1, 2, 3))


class TestBeyondTraining:
    def test_images_that_were_left_out_are_rendered_by_their_own_values(self, run):
        held = parse_dataset(BEHIND).open()
        flat = np.array([0, 60, 100, 191])
        values = held.values(flat)
        assert (values[:, 3] > run.dataset.values(np.arange(len(run.dataset)))[:, 3].max()).all()
        codes = inputs_of(values, "scaled")
        with torch.inference_mode():
            logits = run.model.decode(torch.from_numpy(codes))
        expected = torch.sigmoid(logits).permute(0, 2, 3, 1).numpy()
        names = ("shape", "scale", "orientation", "pos_x", "pos_y")
        by_name = run.render(dict(zip(names, values.T, strict=True)))
        np.testing.assert_allclose(by_name, expected, rtol=1e-5, atol=1e-6)
        whole = parse_dataset(SMALL).open()
        place = {tuple(row): k for k, row in enumerate(whole.values(np.arange(384)).tolist())}
        rows = whole.factors(np.array([place[tuple(row)] for row in values.tolist()]))
        np.testing.assert_allclose(run.render(rows), by_name, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(run.factor_codes(rows), codes, atol=1e-6)
        np.testing.assert_array_equal(run.decode(run.factor_codes(rows)), run.render(rows))

    def test_a_value_is_not_that_of_another_which_the_part_numbers_alike(self, run):
        """Of the part that was left out, index 0 of pos_x is the third of the whole."""
        held = parse_dataset(BEHIND).open()
        row = held.factors(np.array([0]))[0]
        assert row[3] == 0
        assert not np.allclose(run.render(row), run.render([*row[:3], 2, *row[4:]]), atol=1e-4)

    @pytest.mark.parametrize("data", [None, BEHIND, SMALL])
    def test_test_losses_are_those_of_what_is_rendered(self, run, data):
        dataset = run.dataset if data is None else parse_dataset(data).open()
        score = run.evaluate(("test_losses",), data=data)["test_losses"].score
        values = dataset.values(np.arange(len(dataset)))
        pixels = run.decode(inputs_of(values, "scaled"))
        expected = nll(dataset.images(np.arange(len(dataset))) / 255, pixels).mean()
        assert score.value == pytest.approx(expected, rel=1e-4)
        assert set(score.parts) == {"loss", "recon"}
        assert score.parts["recon"] == score.value

    def test_parts_of_the_runs_own_data(self, run):
        scores = [run.evaluate(("test_losses",), part=part) for part in ("train", "holdout")]
        counts = [each["test_losses"].samples for each in scores]
        assert sum(counts) == len(run.dataset)
        whole = run.evaluate(("test_losses",))["test_losses"].value
        parts = [each["test_losses"].value for each in scores]
        assert np.average(parts, weights=counts) == pytest.approx(whole, rel=1e-4)

    def test_other_factors_are_refused(self, run):
        with pytest.raises(DataError, match="The decoder is given shape, scale"):
            run.evaluate(("test_losses",), data=f"dsprites_noshape(data={SMALL})")

    def test_a_column_of_a_value_never_seen_is_never_trained(self):
        config = make_config(
            BEYOND, "ground_truth_decoder(inputs=one_hot)", steps=3, architecture="shallow_linear",
            batch_size=64, threads=1, device="cpu", precision="float32",
        )  # fmt: skip
        learner = Learner(resolve(config), (64, 64, 1), 192)
        before = learner.model.decoder[0].weight.detach().clone()
        dataset = config.dataset.open()
        source = ImageSource(dataset, None, resolve(config), learner.plan.needs)
        for step in (1, 2, 3):
            learner.update(source.batch(step), step)
        moved = (learner.model.decoder[0].weight != before).any(0)
        still = [
            name for name, any_ in zip(learner.model.given.names, moved, strict=True) if not any_
        ]
        assert still == ["pos_x=0.677419", "pos_x=1"]


class TestPictures:
    def test_true_images_beside_decoded_ones(self, run):
        names = {path.stem for path in run.plot()}
        assert {"reconstructions", "conditions", "loss_curves"} <= names
        assert not {"traversals", "kl", "usage", "response", "embedding"} & names
        assert (run.folder / "figures" / "training" / "step-0000004.png").is_file()
        flat = np.array([3, 150])
        originals, decoded = unweave.pictures.reconstruct(run.model, run.dataset, flat)
        np.testing.assert_array_equal(originals, run.dataset.images(flat))
        pixels = run.decode(inputs_of(run.dataset.values(flat), "scaled"))
        np.testing.assert_allclose(decoded / 255, pixels, atol=0.51 / 255)

    def test_one_factor_at_other_values(self, run):
        flat = np.array([3, 150])
        changed = unweave.pictures.vary_factors(run.model, run.dataset, flat, [(0, 2), (3, 3)])
        assert changed.shape == (2, 2, 64, 64, 1)
        values = run.dataset.values(flat)
        values[:, 3] = 1.0
        pixels = run.decode(inputs_of(values, "scaled"))
        np.testing.assert_allclose(changed[:, 1] / 255, pixels, atol=0.51 / 255)

    def test_a_page_with_its_test_losses(self, run):
        page = run.report().read_text(encoding="utf-8")
        assert "test_losses" in page
        assert "Reconstructions" in page
        assert "Traversals" not in page
        assert {row["metric"] for row in document(run.folder / "scores.json")["scores"]} == {
            "test_losses"
        }


class TestWithoutAnEncoder:
    REASON = "needs codes of images, and this model has no encoder"

    def test_what_asks_for_codes_says_what_can_be_done(self, run, other):
        for ask in (
            lambda: run.encode(run.dataset.images(np.arange(2))),
            lambda: run.representation(),
            lambda: run.evaluate(),
            lambda: run.evaluate(("mig",)),
            lambda: run.evaluate(("test_losses", "sap")),
            lambda: run.plot("traversals"),
            lambda: run.plot("mig"),
            lambda: run.model.encode(torch.zeros(1, 1, 64, 64)),
            lambda: rank([run, other]),
            lambda: rank([run, other], "mig"),
        ):
            with pytest.raises(SpecError, match=self.REASON) as caught:
                ask()
            assert "test_losses" in str(caught.value)
            assert "run.render" in str(caught.value)
        assert not (run.folder / "cache").exists()

    def test_runs_are_ranked_by_their_test_losses(self, run, other):
        ranking = rank([run, other], "test_losses")
        scores = [each.score for each in ranking.runs]
        assert scores == sorted(scores)
        assert len(scores) == 2

    def test_models_with_an_encoder_render_no_factors(self, tmp_path):
        other = unweave.train(MINI, "vae", steps=1, latents=3, out=tmp_path / "vae", **TINY)
        with pytest.raises(SpecError, match="Only a decoder that is given true factors"):
            other.render([0, 0, 0, 0, 0])

    def test_scores_during_training_are_refused(self):
        with pytest.raises(SpecError, match=f"evaluate_every {self.REASON}"):
            make_config(MINI, "ground_truth_decoder", steps=9, evaluate_every=3)

    @pytest.mark.parametrize("text", ["udr", "mig", "scored(by=sap)"])
    def test_a_population_cannot_be_ranked(self, text):
        config = make_config(MINI, "ground_truth_decoder", steps=9)
        with pytest.raises(SpecError, match=self.REASON):
            parse_fitness(text).check(config, 5)

    def test_a_study_says_so_before_it_begins(self):
        settings = {"dataset": MINI, "steps": 3, "batch_size": 8}
        axes = (({"objective": "vae"}, {"objective": "ground_truth_decoder"}),)
        study = Study(name="both", settings=settings, axes=axes)
        with pytest.raises(SpecError, match=r"objective=ground_truth_decoder.*has no encoder"):
            plan(study)
        losses = (ScoreRequest(metrics=("test_losses",)),)
        assert len(plan(replace(study, scores=losses))) == 2
        with pytest.raises(SpecError, match="The figure traversals needs codes"):
            plan(replace(study, scores=losses, plots=("traversals",)))

    def test_the_decoder_is_exported_alone(self, run, tmp_path):
        for what in ("encoder", "both"):
            with pytest.raises(SpecError, match=r"has no encoder\. Export its decoder"):
                run.export("torchscript", tmp_path / "e.pt", what=what)
        [file] = run.export("torchscript", tmp_path / "d.pt", what="decoder")
        assert file.difference < 1e-5
        extra = {"unweave.json": ""}
        decoder = torch.jit.load(tmp_path / "d.pt", _extra_files=extra)
        codes = run.factor_codes([[2, 1, 3, 3, 0]])
        given = decoder(torch.from_numpy(codes)).permute(0, 2, 3, 1).detach().numpy()
        np.testing.assert_allclose(given, run.render([2, 1, 3, 3, 0]), atol=1e-5)
        note = json.loads(extra["unweave.json"])["codes"]
        assert note["names"] == list(run.model.given.names)
        assert note["inputs"] == "scaled"

    def test_weights_of_another_run_are_taken(self, run, tmp_path):
        settings = {"steps": 1, "architecture": "decoder_kim_bn", "init_from": str(run.folder)}
        again = unweave.train(
            SMALL, "ground_truth_decoder", out=tmp_path / "again", lr=1e-9, **settings, **TINY
        )
        np.testing.assert_allclose(
            again.model.decoder[0].weight.detach(), run.model.decoder[0].weight.detach(), atol=1e-6
        )


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, monkeypatch):
    watch = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watch)
    settings = ["--steps", 8, "--batch-size", 8, "--threads", 1, "--checkpoint-every", 3,
                "--architecture", "decoder_burgess", "--log-every", 2, "--json"]  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert cli("train", REST, "ground_truth_decoder", *settings, "--out", whole).code == 0
    watch.at = {4: lambda: signal.raise_signal(signal.SIGINT)}
    first = cli("train", REST, "ground_truth_decoder", *settings, "--out", broken)
    assert first.json["state"] == "stopped"
    watch.at = {}
    assert resume(broken).json["state"] == "finished"
    assert_same_state(whole, broken)
    assert {name for name in tensors(whole) if "trunk" in name or "head" in name} == set()
    assert [row["kl"] for row in lines(whole, "train")] == [[]] * 4


def test_labels_of_ones_own_by_their_exact_values(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    height = rng.uniform(0, 1, 80)
    images = np.zeros((80, 32, 32), np.uint8)
    for image, h in zip(images, height, strict=True):
        image[: int(32 * h)] = 255
    mine = from_arrays(
        images, {"height": height, "kind": np.array(["a", "b"])[rng.integers(0, 2, 80)]},
        name="heights",
    )  # fmt: skip
    run = unweave.train(
        mine, "ground_truth_decoder", steps=150, lr=3e-3, out=tmp_path / "run",
        architecture="shallow_linear", batch_size=16, threads=1, precision="float32",
    )  # fmt: skip
    # Between the middles of the ten intervals that the labels are binned to, images differ.
    low, high = (run.render({"height": h, "kind": "a"})[0, :, 16, 0] for h in (0.41, 0.49))
    assert low.sum() + 1 < high.sum()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "ground_truth_decoder + kl",
            "kl reads what an encoder makes of images, and ground_truth",
        ),
        ("ground_truth_decoder + dip_i", "dip_i reads what an encoder makes of images"),
        ("ground_truth_decoder + supervised", "supervised reads what an encoder makes"),
        ("ground_truth_decoder + density_ratio_tc", "reads what an encoder makes of images"),
        ("vae + ground_truth_decoder", "kl reads what an encoder makes of images"),
        ("ground_truth_decoder + cvae", "both change the forward pass"),
        ("ground_truth_decoder(compat=dag)", "compat=dag multiplies raw inputs"),
        ("ground_truth_decoder(inputs=angles)", "'angles' is not allowed"),
    ],
)
def test_sums_and_settings_that_are_refused(text, reason):
    with pytest.raises(SpecError, match=re.escape(reason)):
        parse_objective(text)


@pytest.mark.parametrize(
    ("dataset", "objective", "settings", "reason"),
    [
        ("dsprites", "ground_truth_decoder(inputs=raw, compat=dag)", {}, "of scale of dsprites"),
        ("shapes3d", "ground_truth_decoder(inputs=raw, compat=dag)", {}, "floor_hue of shapes3d"),
        ("dsprites", "vae", {"architecture": "decoder_deep"}, "vae encodes images"),
        ("dsprites", "composer", {"architecture": "decoder_kim"}, "composer encodes images"),
        ("dsprites", "ground_truth_decoder + label_agreement", {"architecture": "decoder_kim"},
         "label_agreement encodes images"),
        ("dsprites", "ground_truth_decoder",
         {"architecture": "decoder_kim_bn", "batch_size": 1}, "batch_size must be at least 2"),
        ("dsprites", "ground_truth_decoder", {"architecture": "lie_group"}, "10 latents"),
        ("dsprites", "ground_truth_decoder", {"latents": 10}, "Leave latents out, or give 8"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(dataset, objective, settings, reason):
    with pytest.raises(SpecError, match=reason):
        make_config(dataset, objective, steps=5, **settings)


def test_decoders_alone_are_half_of_a_pair():
    layers = "pair(encode=kim, decode=decoder_deep_bn)"
    config = make_config(MINI, "vae", steps=3, architecture=layers)
    assert config.architecture.halves[1] == DecoderDeepBN()


@pytest.mark.parametrize(
    "layers", ["lie_group(latents=(8,), sizes=(9,))", "pair(encode=kim, decode=decoder_kim)"]
)
def test_the_decoder_of_any_architecture_is_trained(layers):
    config = resolve(make_config(MINI, "ground_truth_decoder", steps=3, architecture=layers))
    learner = Learner(config, (64, 64, 1), 1536)
    learner.update(make_batch(learner), 1)
    assert learner.tracker.read().first_bad == {}


def test_images_without_labels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    images = np.zeros((20, 32, 32), np.uint8)
    bare = from_arrays(images, name="bare")
    with pytest.raises(SpecError, match="ground_truth_decoder needs labels, and the factors of"):
        make_config(bare, "ground_truth_decoder", steps=5, batch_size=8)


def test_the_command_line(tmp_path):
    out = tmp_path / "run"
    given = ["--steps", 2, "--batch-size", 8, "--threads", 1, "--out", out, "--json"]
    result = cli("train", REST, "ground_truth_decoder", *given)
    assert result.code == 0, result.err
    assert set(result.json["terms"]) == {"reconstruction"}
    config = document(out / "config.json")
    assert config["latents"] == 8
    assert "--latents 8" in config["command"]
    paragraph(cli("evaluate", out), "has no encoder", "--metrics test_losses")
    paragraph(cli("plot", out, "traversals"), "The figure traversals needs codes of images")
    scored = cli("evaluate", out, "--metrics", "test_losses", "--data", HELD, "--json")
    assert scored.code == 0, scored.err
    listed = cli("architectures", "decoder_deep", "kim")
    assert listed.out.count("Decodes only: for ground_truth_decoder") == 1
    rows = cli("architectures", "--json").json["architectures"]
    assert {row["name"] for row in rows if not row["encodes"]} == {
        f"decoder_{name}" for name in ("higgins", "burgess", "kim", "kim_bn", "deep", "deep_bn")
    }
