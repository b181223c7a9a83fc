"""Exported files give what the model gives, for any number of images; bad input writes nothing."""

from __future__ import annotations

import importlib.util
import io
import json

import numpy as np
import pytest
import torch

import unweave
from session.runs import (
    MINI,
    RICH,
    TINY,
    cli,
    document,
    listing,
    paragraph,
    rich,
    tensors,
    train,
)
from unweave.errors import RunError, SpecError
from unweave.exporting import check_export, export_model, exporter
from unweave.exporting.standard import standard
from unweave.nn.lie_group_maps import CommutingGroup, ExponentialGroup
from unweave.settings import make_config

# The challenge wants a format that PyTorch calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit")

rng = np.random.default_rng(5)


def model_of(objective="vae", dataset=MINI, grown=200, **settings):
    """A configuration and a model with random weights that nobody has trained."""
    config = make_config(dataset, objective, steps=1, **settings)
    plan = config.objective.expand()
    generator = torch.Generator().manual_seed(1)
    model = plan.make_model(config.setup, config.likelihood, generator).eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            # First generators make matrices that are almost the identity.
            if name.rpartition(".")[2] in ("basis", "growth", "turning"):
                value.mul_(grown)
        for name, buffer in model.named_buffers():
            if "running" in name:
                buffer.uniform_(0.5, 2.0, generator=generator)
    return config, model


def exported(config, model, folder, kind, *, what="both", labels=False):
    paths = check_export(config, kind, folder / "model.bin", what, labels=labels, overwrite=False)
    return export_model(model, config, 7, paths, kind, labels=labels)


def loaded(path, kind):
    """A file as a function from arrays to an array, read by nothing of unweave."""
    if kind == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        return lambda *values: session.run(None, dict(zip(names, values, strict=True)))[0]
    data = io.BytesIO(path.read_bytes())
    network = torch.jit.load(data) if kind == "torchscript" else torch.export.load(data).module()

    def call(*values):
        with torch.no_grad():
            return network(*map(torch.from_numpy, values)).numpy()

    return call


def told(model, count):
    """Labels drawn at random, and as numbers."""
    columns = [rng.integers(0, size, count) for size in model.conditions.sizes]
    return model.conditions.encode_known(torch.from_numpy(np.stack(columns, 1)))


MODELS = {
    "burgess": {},
    "colours": {"dataset": "shapes3d(grid=(2, 2, 2, 2, 2, 2))", "architecture": "kim"},
    "batch norm and a scaled head": {"architecture": "pbt_vae"},
    "one pixel": {"architecture": "simple_conv64"},
    "pooling": {"architecture": "mpcnn"},
    "without noise": {"objective": "autoencoder"},
    "a group": {"objective": "lie_group_vae"},
    "rotations": {"objective": "lie_group_vae", "architecture": "lie_group(generators=skew)"},
    "a commuting group": {
        "objective": "lie_group_vae",
        "architecture": "lie_group(sizes=(9, 16), latents=(4, 6), generators=commuting)",
    },
}
# Programs of models that have no layer which the others do not have.
MORE = {("torch-export", name) for name in ("colours", "without noise", "rotations", "one pixel")}
QUICK = [
    pytest.param(kind, name, marks=[pytest.mark.slow] if (kind, name) in MORE else [])
    for kind in ("torchscript", "torch-export")
    for name in MODELS
]


def assert_files_are_the_model(tmp_path, kind, name):
    config, model = model_of(**MODELS[name])
    encoder, decoder = exported(config, model, tmp_path, kind)
    assert max(encoder.difference, decoder.difference) < 1e-4
    height, width, channels = config.dataset.image_shape
    encode, decode = (loaded(file.path, kind) for file in (encoder, decoder))
    for count in (1, 4, 30):
        images = rng.random((count, channels, height, width)).astype(np.float32)
        z = rng.normal(size=(count, config.latents)).astype(np.float32)
        with torch.no_grad():
            means = model.encode(torch.from_numpy(images)).mean.numpy()
            pixels = torch.sigmoid(model.decode(torch.from_numpy(z))).numpy()
        np.testing.assert_allclose(encode(images), means, atol=1e-4)
        np.testing.assert_allclose(decode(z), pixels, atol=1e-4)
    assert encoder.inputs == {"images": f"(N, {channels}, 64, 64)"}
    assert decoder.output == {"images": f"(N, {channels}, 64, 64)"}


@pytest.mark.parametrize(("kind", "name"), QUICK)
def test_files_are_the_model(tmp_path, kind, name):
    assert_files_are_the_model(tmp_path, kind, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_files_of_onnx_are_the_model(tmp_path, name):
    assert_files_are_the_model(tmp_path, "onnx", name)


def assert_labels_are_taken(tmp_path, kind, objective):
    config, model = model_of(objective)
    for labels in (False, True):
        folder = tmp_path / str(labels)
        encoder, decoder = exported(config, model, folder, kind, labels=labels)
        encode, decode = (loaded(file.path, kind) for file in (encoder, decoder))
        for count in (1, 5):
            images = rng.random((count, 1, 64, 64)).astype(np.float32)
            z = rng.normal(size=(count, config.latents)).astype(np.float32)
            given = told(model, count) if labels else None
            more = () if given is None else (given.numpy(),)
            with torch.no_grad():
                means = model.encode(torch.from_numpy(images), given).mean.numpy()
                pixels = torch.sigmoid(model.decode(torch.from_numpy(z), given)).numpy()
            np.testing.assert_allclose(encode(images, *more), means, atol=1e-4)
            np.testing.assert_allclose(decode(z, *more), pixels, atol=1e-4)


CONTINUOUS = "cvae(labels=(shape, scale), encoding=continuous)"


@pytest.mark.parametrize(
    ("kind", "objective"),
    [
        ("torchscript", "cvae"),
        ("torchscript", CONTINUOUS),
        ("torchscript", "ifcvae"),
        ("torch-export", "cvae"),
        pytest.param("torch-export", CONTINUOUS, marks=pytest.mark.slow),
        pytest.param("torch-export", "ifcvae", marks=pytest.mark.slow),
    ],
)
def test_labels_may_be_a_second_input(tmp_path, kind, objective):
    assert_labels_are_taken(tmp_path, kind, objective)


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["cvae", "ifcvae"])
def test_labels_may_be_a_second_input_of_onnx(tmp_path, objective):
    assert_labels_are_taken(tmp_path, "onnx", objective)


class TestStandardLayers:
    @pytest.mark.parametrize("skew", [False, True])
    def test_exponentials_of_any_size(self, skew):
        group = ExponentialGroup(3, 5, 1.0, skew=skew)
        group.draw_weights(torch.Generator().manual_seed(2))
        plain = standard(group).eval()
        scales = [0.0, 1e-3, 0.1, 0.5, 1.0, 2.0, 5.0]
        z = torch.tensor(rng.normal(size=(len(scales), 3)), dtype=torch.float32)
        z = z * torch.tensor(scales)[:, None]
        algebra = torch.einsum("nl,lij->nij", z, group.generators()).double()
        expected = torch.linalg.matrix_exp(algebra).flatten(1).detach()
        with torch.no_grad():
            found = plain(z).double()
        size = expected.abs().amax(1, keepdim=True)
        assert ((found - expected).abs() / size).max() < 1e-4
        with torch.no_grad():
            assert plain(torch.full((1, 3), 1e4)).isnan().all()
            assert group(torch.full((1, 3), 1e4)).isnan().all()

    @pytest.mark.parametrize("side", [4, 5])
    def test_commuting_generators(self, side):
        group = CommutingGroup(3, side, 0.5)
        group.draw_weights(torch.Generator().manual_seed(2))
        z = torch.tensor(rng.normal(size=(6, 3)), dtype=torch.float32)
        with torch.no_grad():
            algebra = torch.einsum("nl,lij->nij", z, group.generators()).double()
            expected = torch.linalg.matrix_exp(algebra).flatten(1)
            np.testing.assert_allclose(standard(group)(z), expected, rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run with running means of its weights."""
    folder = tmp_path_factory.mktemp("runs") / "averaged"
    result = train(folder, "vae", steps=3, lr=0.01, latents=3, ema=0.9)
    assert result.code == 0, result.err
    return folder


class TestRuns:
    def test_of_the_command_line(self, tmp_path):
        before = listing(rich())
        out = tmp_path / "new" / "encoder.pt"
        given = ["export", rich(), "--format", "torchscript", "--out", out]
        result = cli(*given, "--json")
        assert result.code == 0, result.err
        (file,) = result.json["files"]
        assert file["path"] == str(out)
        assert file["bytes"] == out.stat().st_size
        assert 0 <= file["difference"] < 1e-4
        assert file["inputs"] == {"images": "(N, 1, 64, 64)"}
        assert file["output"] == {"means": "(N, 4)"}
        run = unweave.load_run(rich())
        images = rng.integers(0, 2, (6, 64, 64, 1), dtype=np.uint8) * 255
        floats = (images / np.float32(255)).transpose(0, 3, 1, 2)
        codes = loaded(out, "torchscript")(floats)
        np.testing.assert_allclose(codes, run.encode(images)[0], atol=1e-5)
        assert listing(rich()) == before
        paragraph(cli(*given), "exists", "--overwrite")
        said = cli(*given, "--overwrite")
        assert "largest difference from the model" in said.out
        said = cli(*given, "--overwrite", "--unchecked")
        assert "not compared" in said.out
        assert [path.name for path in out.parent.iterdir()] == ["encoder.pt"]

    def test_both_halves(self, tmp_path):
        run = unweave.load_run(rich())
        files = run.export("torch-export", tmp_path / "model.pt2", what="both")
        names = ["model-decoder.pt2", "model-encoder.pt2"]
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        z = rng.normal(size=(3, 4)).astype(np.float32)
        pixels = loaded(files[1].path, "torch-export")(z).transpose(0, 2, 3, 1)
        np.testing.assert_allclose(pixels, run.decode(z), atol=1e-5)

    def test_running_means_are_exported(self, averaged, tmp_path):
        run = unweave.load_run(averaged)
        (file,) = run.export("torchscript", tmp_path / "x.pt", what="decoder")
        network = torch.jit.load(file.path)
        first = next(network.parameters())
        kept = tensors(averaged)
        name = next(name for name in kept if name.startswith("model/decoder") and "weight" in name)
        assert torch.equal(first, kept[f"average/{name}"])
        assert not torch.equal(first, kept[name])

    def test_what_is_kept_within(self, tmp_path):
        run = unweave.load_run(rich())
        run.export("torchscript", tmp_path / "a.pt")
        run.export("torch-export", tmp_path / "a.pt2")
        notes = []
        for name, load in (("a.pt", torch.jit.load), ("a.pt2", torch.export.load)):
            files = {"unweave.json": ""}
            kind = {"_extra_files": files} if name == "a.pt" else {"extra_files": files}
            load(str(tmp_path / name), **kind)
            notes.append(json.loads(files["unweave.json"]))
        assert notes[0] == notes[1]
        config = document(rich() / "config.json")
        assert notes[0]["objective"] == "beta_tcvae(beta=2)"
        assert (notes[0]["dataset"], notes[0]["latents"], notes[0]["step"]) == (RICH, 4, 24)
        assert notes[0]["image_shape"] == [64, 64, 1]
        assert notes[0]["unweave"] == config["unweave"]
        assert notes[0]["output"] == {"means": "(N, 4)"}

    @pytest.mark.slow
    def test_of_onnx(self, tmp_path):
        import onnx

        out = tmp_path / "encoder.onnx"
        result = cli("export", rich(), "--format", "onnx", "--out", out, "--json")
        assert result.code == 0, result.err
        assert result.json["files"][0]["difference"] < 1e-4
        model = onnx.load(out)
        onnx.checker.check_model(model, full_check=True)
        (note,) = [entry.value for entry in model.metadata_props if entry.key == "unweave"]
        assert json.loads(note)["objective"] == "beta_tcvae(beta=2)"
        assert [entry.name for entry in model.graph.input] == ["images"]
        assert [entry.name for entry in model.graph.output] == ["means"]
        assert not {node.domain for node in model.graph.node} - {"", "ai.onnx"}
        assert [path.name for path in tmp_path.iterdir()] == ["encoder.onnx"]


class TestChallenge:
    def test_its_folder_and_contract(self, tmp_path):
        run = unweave.load_run(rich())
        (file,) = run.export("challenge", tmp_path / "entry")
        path = tmp_path / "entry" / "representation" / "pytorch_model.pt"
        assert file.path == path
        assert sorted(p.name for p in (tmp_path / "entry").iterdir()) == [
            "representation", "results",
        ]  # fmt: skip
        assert (tmp_path / "entry" / "results").is_dir()
        network = torch.jit.load(path)
        for count in (1, 64):
            images = torch.rand(count, 1, 64, 64, generator=torch.Generator().manual_seed(count))
            codes = network(images)
            assert codes.shape == (count, 4)
            expected = run.encode(images.numpy().transpose(0, 2, 3, 1))[0]
            np.testing.assert_allclose(codes.detach(), expected, atol=1e-5)
        with pytest.raises(RunError, match="exists"):
            run.export("challenge", tmp_path / "entry")
        run.export("challenge", tmp_path / "entry", overwrite=True)

    def test_a_file_in_the_place_of_results(self, tmp_path):
        (tmp_path / "results").write_text("kept")
        before = listing(tmp_path)
        result = cli("export", rich(), "--format", "challenge", "--out", tmp_path)
        paragraph(result, "results is no folder", "--out")
        assert listing(tmp_path) == before

    def test_other_sides_are_refused(self, tmp_path):
        config, _ = model_of(dataset="mnist")
        with pytest.raises(SpecError, match="64x64"):
            check_export(config, "challenge", tmp_path / "x", "encoder", labels=False,
                         overwrite=False)  # fmt: skip

    def test_an_encoder_of_images_alone(self, tmp_path):
        for more in (["--what", "both"], ["--what", "decoder"]):
            result = cli("export", rich(), "--format", "challenge", "--out", tmp_path / "x", *more)
            paragraph(result, "encoder of images alone")
        assert not (tmp_path / "x").exists()


class TestBadInput:
    def refused(self, out, *words, format="torchscript", flags=()):
        result = cli("export", rich(), "--format", format, "--out", out, *flags)
        return paragraph(result, *words)

    def test_nothing_is_written(self, tmp_path, monkeypatch):
        monkeypatch.setattr(exporter, "halves", lambda *_, **__: pytest.fail("work before checks"))
        (tmp_path / "taken").write_text("kept")
        (tmp_path / "folder").mkdir()
        before = listing(tmp_path)
        self.refused(tmp_path / "taken", "exists", "--overwrite")
        self.refused(tmp_path / "folder", "is a folder")
        self.refused(tmp_path / "taken" / "x.pt", "cannot be written")
        self.refused(tmp_path / ("a" * 300), "cannot be written")
        self.refused(tmp_path / "a\0b", "a null character is in its name")
        self.refused(tmp_path / "x", "told no labels", flags=["--labels"])
        run = unweave.load_run(rich())
        with pytest.raises(SpecError, match="Did you mean torchscript"):
            run.export("torchscrip", tmp_path / "x")
        with pytest.raises(SpecError, match="Unknown half 'all'"):
            run.export("torchscript", tmp_path / "x", what="all")
        assert cli("export", tmp_path, "--format", "onnx", "--out", "x").code == 2
        assert listing(tmp_path) == before

    @pytest.mark.parametrize("name", [".", "..", "/", "folder"])
    def test_both_halves_of_a_folder(self, tmp_path, monkeypatch, name):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "folder").mkdir()
        before = listing(tmp_path)
        self.refused(name, "is a folder", flags=["--what", "both"])
        assert listing(tmp_path) == before

    def test_both_halves_without_a_name(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(RunError, match="is a folder"):
            unweave.load_run(rich()).export("torchscript", "", what="both")
        self.refused("", "--out is empty", flags=["--what", "both"])
        assert listing(tmp_path) == {}

    def test_a_file_of_both_halves_that_is_there(self, tmp_path):
        (tmp_path / "m-decoder.pt").write_text("kept")
        self.refused(tmp_path / "m.pt", "m-decoder.pt exists", flags=["--what", "both"])
        assert [path.name for path in tmp_path.iterdir()] == ["m-decoder.pt"]

    def test_missing_packages_are_named(self, tmp_path, monkeypatch):
        real = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if "onnx" in name else real(name)
        )
        error = self.refused(tmp_path / "x.onnx", "onnx and onnxscript", format="onnx")
        assert 'pip install "unweave[onnx]"' in error

    def test_a_file_that_differs_is_not_written(self, tmp_path, monkeypatch):
        real = exporter.run

        def wrong(*arguments):
            return [values + 0.01 for values in real(*arguments)]

        monkeypatch.setattr(exporter, "run", wrong)
        self.refused(tmp_path / "x.pt", "differs from the model by up to 0.01")
        monkeypatch.setattr(exporter, "run", lambda *a: [values[:, :1] for values in real(*a)])
        self.refused(tmp_path / "x.pt", "the file gives (1, 1)")
        monkeypatch.setattr(exporter, "run", lambda *a: [values * np.nan for values in real(*a)])
        self.refused(tmp_path / "x.pt", "differs")
        assert not list(tmp_path.iterdir())

    def test_a_run_without_weights(self, tmp_path):
        folder = tmp_path / "run"
        assert cli("train", MINI, "vae", "--steps", 2, "--batch-size", TINY["batch_size"],
                   "--out", folder).code == 0  # fmt: skip
        (folder / "checkpoint" / "state.safetensors").unlink()
        result = cli("export", folder, "--format", "torchscript", "--out", tmp_path / "x.pt")
        paragraph(result, "no weights")
        assert not (tmp_path / "x.pt").exists()
