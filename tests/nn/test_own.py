"""Networks of the user's own: what they must give, first weights, and when their code is run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from nn import networks
from unweave import own_architecture
from unweave.data import DatasetSpec
from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture, Burgess, Kim, Locatello, Own, Pair, references
from unweave.objectives import parse_objective
from unweave.spec import from_dict, parse, to_dict
from unweave.training import TrainConfig
from unweave.vae import VAE

SHAPE = (64, 64, 1)
FILE = Path(networks.__file__)


@pytest.fixture(autouse=True)
def _nothing_is_allowed(monkeypatch):
    monkeypatch.setattr(references, "_allowed", set())
    monkeypatch.setattr(references, "_given", {})
    monkeypatch.delenv(references.ALLOW, raising=False)


@pytest.fixture
def models(tmp_path):
    """A user's file, of another name in each test, since files are imported once."""
    path = tmp_path / "models.py"
    shutil.copy(FILE, path)
    return path


def make(architecture: Architecture, latents: int = 3, seed: int = 0, **more) -> VAE:
    generator = torch.Generator().manual_seed(seed)
    shape = more.pop("shape", SHAPE)
    return VAE.create(architecture, shape, latents, Bernoulli(), generator, **more)


def images(count: int = 4, channels: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, 64, 64, generator=generator)


def test_classes_become_an_architecture_with_a_text():
    own = own_architecture(
        networks.Encoder, networks.Decoder, encoder_options={"width": 6}, gives="features"
    )
    module = networks.__name__
    assert str(own) == (
        f"own(encode='{module}:Encoder', decode='{module}:Decoder', encode_options=((width, 6),))"
    )
    assert parse(str(own), Architecture) == own
    assert from_dict(json.loads(json.dumps(to_dict(own))), Architecture) == own
    own.check(SHAPE, 3)
    model = make(own)
    assert isinstance(model.head, nn.Linear)
    assert model.head.weight.shape == (6, 6)
    posterior = model.encode(images())
    assert posterior.mean.shape == posterior.logvar.shape == (4, 3)
    assert model.decode(posterior.mean).shape == (4, 1, 64, 64)
    assert "Encoder" in str(model)


@pytest.mark.parametrize("form", ["pair", "one"])
def test_an_encoder_may_give_means_and_log_variances_itself(form):
    own = own_architecture(
        networks.Moments, networks.decoder_of, encoder_options={"form": form}, gives="moments"
    )
    own.check(SHAPE, 3)
    model = make(own)
    network = model.trunk.network
    posterior = model.encode(images())
    torch.testing.assert_close(posterior.mean, network.mean(images().flatten(1)))
    torch.testing.assert_close(posterior.logvar, network.logvar(images().flatten(1)))
    # It runs in float32 where others run in bfloat16.
    model.autocast_dtype = torch.bfloat16
    assert torch.equal(model.encode(images()).mean, posterior.mean)
    # A model without noise takes the means.
    quiet = make(own, deterministic=True)
    torch.testing.assert_close(quiet.encode(images()).mean, posterior.mean)


def test_an_encoder_may_give_codes_to_a_model_without_noise():
    own = own_architecture(
        networks.Moments, Burgess(), encoder_options={"form": "means"}, gives="moments"
    )
    own.check(SHAPE, 3)
    model = make(own, deterministic=True)
    assert model.encode(images()).mean.shape == (4, 3)
    with pytest.raises(SpecError, match="gives 3 numbers an image, but means and log variances"):
        make(own)


def test_one_half_may_be_of_a_published_architecture():
    own = own_architecture(networks.Encoder, Locatello())
    assert str(own).endswith("decode=locatello)")
    assert parse(str(own), Architecture) == own
    model = make(own)
    assert str(model.decoder) == str(make(Locatello()).decoder)
    assert not any(p.any() for n, p in model.decoder.named_parameters() if n.endswith("bias"))
    own = own_architecture(Kim(), networks.Decoder)
    assert str(make(own).trunk) == str(make(Kim()).trunk)
    assert make(own).head.bias.any()
    with pytest.raises(SpecError, match="kim takes images of"):
        own.check((28, 28, 1), 3)


def test_weights_are_those_of_the_module_under_a_seed_of_the_generator():
    own = own_architecture(networks.Encoder, networks.Decoder)
    before = torch.get_rng_state()
    one, again, other = (make(own, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    states = [model.state_dict() for model in (one, again, other)]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name])
    changed = {n for n in states[0] if not torch.equal(states[0][n], states[2][n])}
    assert {"trunk.network.layers.0.weight", "decoder.network.dense.bias"} <= changed
    # PyTorch's own bound, not that of the house.
    weight = one.decoder.network.dense.weight
    assert weight.abs().max() <= 1 / 3**0.5
    assert weight.abs().max() > 0.98 / 3**0.5
    # What is no parameter is whole, too.
    assert torch.equal(one.trunk.network.grid, torch.linspace(-1, 1, 64)[:, None])
    assert one.trunk.network.scale.tolist() == [0.5]
    assert one.trunk.network.layers[1].num_batches_tracked == 0
    assert torch.equal(one.trunk.network.layers[1].running_mean, torch.zeros(4))
    assert one.trunk.network.training
    assert all(p.requires_grad for p in one.parameters())


def test_layers_that_learn_their_size_are_taken():
    own = own_architecture(networks.Lazy, networks.Decoder)
    own.check(SHAPE, 3)
    model = make(own)
    assert model.trunk.network.layers[1].weight.shape == (5, 4096)
    assert model.head.weight.shape == (6, 5)
    assert model.trunk.network.layers[2].training
    assert make(own, seed=1).state_dict().keys() == model.state_dict().keys()


def test_the_gradient_reaches_every_parameter():
    model = make(own_architecture(networks.Encoder, networks.Decoder))
    posterior = model.encode(images())
    logits = model.decode(posterior.mean + (0.5 * posterior.logvar).exp())
    loss = nn.functional.binary_cross_entropy_with_logits(logits, images(), reduction="sum")
    gradients = torch.autograd.grad(loss + posterior.kl().sum(), list(model.parameters()))
    assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_labels_of_a_conditional_model_are_counted():
    from unweave.nn import Conditions

    own = own_architecture(networks.Encoder, networks.Decoder)
    told = Conditions(columns=(0,), sizes=(3,), planes=True)
    model = make(own, conditions=told)
    assert model.trunk.network.layers[0].in_channels == 1 + 3
    assert model.decoder.network.dense.in_features == 3 + 3
    condition = told.encode(torch.tensor([[0], [2], [1], [1]]))
    posterior = model.encode(images(), condition)
    assert model.decode(posterior.mean, condition).shape == (4, 1, 64, 64)


NAME = networks.__name__
NORMALISED = [
    (networks.Encoder, {}, 1),  # over batch and pixels, of which there are many
    (networks.Normalised, {}, 2),
    (networks.Normalised, {"pixels": 2}, 1),
]


@pytest.mark.parametrize(("encoder", "options", "least"), NORMALISED)
def test_a_batch_that_cannot_be_normalised_is_known_before_training(encoder, options, least):
    own = own_architecture(encoder, networks.Decoder, encoder_options=options)
    assert own.min_batch_for(SHAPE, 3) == least
    assert Pair(encode=own, decode=Kim()).min_batch_for(SHAPE, 3) == least
    trunk = make(own).trunk.train()
    if least == 1:
        assert trunk(images(1)).isfinite().all()
        return
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        trunk(images(1))


def test_a_decoder_may_normalise_too():
    own = own_architecture(networks.Encoder, f"{NAME}:normalised_decoder")
    assert own.min_batch_for(SHAPE, 3) == 2
    mixed = own_architecture(Kim(), f"{NAME}:normalised_decoder")
    assert mixed.min_batch_for(SHAPE, 3) == 2
    assert Kim().min_batch_for(SHAPE, 3) == 1


def test_a_configuration_refuses_a_batch_that_cannot_be_normalised():
    own = own_architecture(networks.Encoder, f"{NAME}:normalised_decoder")
    fields = {
        "dataset": parse("dsprites(grid=(3, 2, 2, 4, 4))", DatasetSpec),
        "objective": parse_objective("vae"),
        "steps": 1,
        "latents": 3,
        "architecture": own,
    }
    with pytest.raises(SpecError, match=r"at least 2 for own.*over the batch, but is 1"):
        TrainConfig(**fields, batch_size=1)
    assert TrainConfig(**fields, batch_size=2).batch_size == 2
    # What may not be imported is not looked at.
    references._allowed.clear()
    references._given.clear()
    assert TrainConfig(**fields, batch_size=1).batch_size == 1


REFUSED = [
    (
        {"encoder": networks.Moments},
        "but gave tuple. For means and log variances write gives=moments",
    ),
    (
        {"encoder": networks.Moments, "gives": "moments", "encoder_options": {"latents": 5}},
        "gives 10 numbers an image, but means and log variances of 3 latents are 6",
    ),
    (
        {"encoder": networks.Encoder, "gives": "moments"},
        "gives 8 numbers an image, but means and log variances of 3 latents are 6",
    ),
    (
        {"encoder": networks.Encoder, "encoder_options": {"breadth": 4}},
        "cannot be made: TypeError: ",
    ),
    ({"encoder": f"{NAME}:Nothing"}, f"{NAME} has no Nothing"),
    ({"encoder": f"{NAME}:__all__"}, f"{NAME} has no __all__"),
    ({"encoder": "nowhere.at_all:Net"}, "There is no module nowhere to import a network from"),
    ({"encoder": "/nowhere/models.py:Net"}, "There is no file /nowhere/models.py"),
    ({"encoder": f"{NAME}:Encoder.forward"}, "cannot be made: TypeError"),
    ({"encoder": "pathlib:Path.cwd"}, "must be a module of PyTorch"),
    ({"encoder": "torch.nn:Identity"}, r"must give features \(B, F\), but gave \(2, 1, 64, 64\)"),
    ({"decoder": "torch.nn:Identity"}, r"logits \(2, 1, 64, 64\) for latents \(2, 3\), but gave"),
    ({"decoder_options": {"last": "sigmoid"}}, "ends with a sigmoid, but must give logits"),
    (
        {"decoder_options": {"latents": 7}},
        r"decoder .* fails for a batch \(2, 3\): RuntimeError: ",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("given", "reason"), REFUSED)
def test_networks_that_do_not_fit_are_refused_before_any_work(given, reason):
    fields = {"encoder": networks.Encoder, "decoder": networks.Decoder} | given
    own = own_architecture(**fields)
    with pytest.raises(
        SpecError, match="(?s)" + reason.replace("moments.* but", ".*but")
    ) as caught:
        own.check(SHAPE, 3)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("own(encode='kim', decode='a:B')", "encode names a class or function as 'package.module"),
        ("own(encode='a.b:', decode='a:B')", "encode names a class"),
        ("own(encode=':B', decode='a:B')", "encode names a class"),
        ("own(encode='os.system(1):B', decode='a:B')", "encode names a class"),
        ("own(encode='a:B', decode='a:B()')", "decode names a class"),
        ("own(encode=kim, decode=burgess)", r"Write pair\(encode=kim, decode=burgess\)"),
        ("own(encode=pair(encode=kim, decode=kim), decode='a:B')", "has two halves of its own"),
        ("own(encode=kim, decode='a:B', gives=moments)", "leave out encode_options and gives"),
        ("own(encode='a:B', decode=kim, decode_options=((a, 1),))", "leave out decode_options"),
        ("own(encode='a:B', decode=kim, encode_options=((a, 1), (a, 2)))", "each once"),
        ("own(encode='a:B', decode=kim, encode_options=(('a b', 1),))", "names arguments"),
        ("own(encode='a:B', decode=kim, encode_options=(a, 1))", r"encode_options=\(\(a, 1\),\)"),
        ("own(encode='a:B', decode=kim, gives=means)", "'means' is not allowed"),
    ],
)  # fmt: skip
def test_texts_that_make_no_sense_are_refused(text, reason):
    with pytest.raises(SpecError, match=reason):
        parse(text, Architecture)


def _within():
    class Local(nn.Module):
        pass

    return Local


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        (lambda: nn.Identity(), "<lambda> cannot be found again"),
        (_within(), "Local cannot be found again: it is defined within a function"),
        (nn.Identity(), "Give the class of a network, not one made of it"),
        (3, "3 cannot be found again by name"),
    ],
)
def test_what_cannot_be_found_again_is_refused(thing, reason):
    with pytest.raises(SpecError, match=reason):
        own_architecture(thing, networks.Decoder)
    renamed = type("Decoder", (nn.Module,), {"__module__": NAME})
    with pytest.raises(SpecError, match=f"its name in {NAME} stands for something else"):
        own_architecture(networks.Encoder, renamed)


# When code is run


def text_for(path: Path) -> str:
    return f"own(encode='{path}:Encoder', decode='{path}:Decoder')"


def test_reading_an_architecture_runs_nothing(models):
    models.write_text("raise SystemExit('this was run')\n")
    own = parse(text_for(models), Architecture)
    own = from_dict(to_dict(own), Architecture)
    own.check(SHAPE, 3)
    for build in (lambda: own.trunk(SHAPE), lambda: own.decoder(SHAPE, 3), lambda: make(own)):
        with pytest.raises(SpecError, match=f"not run unasked. .*set {references.ALLOW}=1"):
            build()


def test_what_is_imported_already_is_not_called_unasked():
    own = Own(encode="subprocess:Popen", decode=Kim(), encode_options=(("args", "true"),))
    own.check(SHAPE, 3)
    with pytest.raises(SpecError, match="not run unasked"):
        own.trunk(SHAPE)


def test_the_environment_allows_all(models, monkeypatch):
    own = parse(text_for(models), Architecture)
    monkeypatch.setenv(references.ALLOW, "0")
    with pytest.raises(SpecError, match="not run unasked"):
        own.trunk(SHAPE)
    monkeypatch.setenv(references.ALLOW, "1")
    assert make(own).encode(images()).mean.shape == (4, 3)


def test_naming_a_text_allows_it_by_whichever_path(models, monkeypatch):
    own = parse(text_for(models), Architecture)
    monkeypatch.chdir(models.parent)
    given = own_architecture("models.py:Encoder", "models.py:Decoder")
    assert str(given) == "own(encode='models.py:Encoder', decode='models.py:Decoder')"
    for each in (own, given):
        each.check(SHAPE, 3)
        assert make(each).encode(images()).mean.shape == (4, 3)
    # Only these: another name of the same file is not.
    with pytest.raises(SpecError, match="not run unasked"):
        Own(encode=f"{models}:Lazy", decode=Kim()).trunk(SHAPE)


def test_a_configuration_of_ones_own_is_allowed_and_one_that_is_read_is_not(models):
    from unweave.settings import make_config
    from unweave.training import TrainConfig

    text = f"own(encode='{models}:Encoder', decode={'kim'})"
    form = to_dict(make_config("dsprites", "vae", steps=1, architecture="burgess"))
    form["architecture"] = to_dict(parse(text, Architecture))
    read = TrainConfig.from_dict(form)
    with pytest.raises(SpecError, match="not run unasked"):
        read.architecture.trunk(SHAPE)
    config = make_config("dsprites", "vae", steps=1, architecture=text)
    config.architecture.trunk(SHAPE)
    bad = f"own(encode='{models}:Moments', decode=kim, encode_options=((latents, 2),), {{}})"
    with pytest.raises(SpecError, match=r"4 numbers an image, but .* of 10 latents are 20"):
        make_config("dsprites", "vae", steps=1, architecture=bad.format("gives=moments"))


def test_a_file_may_import_files_beside_it(tmp_path):
    (tmp_path / "parts_beside.py").write_text(
        "from torch import nn\nclass Flat(nn.Flatten): pass\n"
    )
    (tmp_path / "nets.py").write_text("from parts_beside import Flat\nNet = Flat\n")
    before = list(sys.path)
    own = own_architecture(f"{tmp_path}/nets.py:Net", Kim())
    own.check(SHAPE, 3)
    assert sys.path == before
    assert own.trunk(SHAPE)[1] == 4096


def test_a_file_that_fails_is_told_of(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("1 / 0\n")
    own = own_architecture(f"{path}:Net", Kim())
    with pytest.raises(SpecError, match=r"importing .*broken\.py fails with ZeroDivisionError"):
        own.check(SHAPE, 3)
    # Once it is mended it is taken.
    path.write_text("from torch.nn import Flatten as Net\n")
    own.check(SHAPE, 3)


def cell(width: int) -> type[nn.Module]:
    """A class as a notebook has it."""

    class Cell(nn.Sequential):
        def __init__(self) -> None:
            super().__init__(nn.Flatten(), nn.LazyLinear(width))

    Cell.__module__, Cell.__qualname__ = "__main__", "Cell"
    return Cell


def test_a_class_of_a_notebook_may_be_defined_again(monkeypatch):
    main = sys.modules["__main__"]
    for width in (4, 5):
        monkeypatch.setattr(main, "Cell", cell(width), raising=False)
        own = own_architecture(main.Cell, Kim())
        assert str(own) == "own(encode='__main__:Cell', decode=kim)"
        own.check(SHAPE, 3)
        assert own.trunk(SHAPE)[1] == width
    monkeypatch.setattr(references, "_given", {})
    monkeypatch.delattr(main, "Cell")
    own_architecture("__main__:Cell", Kim())
    with pytest.raises(SpecError, match=r"has no Cell\. It was defined in a script or notebook"):
        own.trunk(SHAPE)


def test_halves_of_other_components_are_allowed_with_them(models):
    inner = parse(text_for(models), Architecture)
    pair = Pair(encode=inner, decode=Kim())
    from unweave.nn.own import allow_own

    allow_own(pair)
    pair.check(SHAPE, 3)
    model = make(pair)
    assert model.encode(images()).mean.shape == (4, 3)
    with pytest.raises(SpecError, match="has two halves of its own"):
        Own(encode=pair, decode="a:B")


def test_halves_in_a_pair_have_the_first_weights_that_they_have_alone():
    own = own_architecture(networks.Encoder, networks.Decoder)
    for pair, alone in (
        (Pair(encode=own, decode=Locatello()), Own(encode=own.encode, decode=Locatello())),
        (Pair(encode=Locatello(), decode=own), Own(encode=Locatello(), decode=own.decode)),
    ):
        found, expected = make(pair).state_dict(), make(alone).state_dict()
        assert found.keys() == expected.keys()
        for name, value in found.items():
            assert torch.equal(value, expected[name]), name


SCRIPT = """
import json, os, sys
import unweave
folder, models, allow = sys.argv[1:]


def loaded():
    run = unweave.load_run(folder)
    try:
        return run.encode(run.dataset.images([0, 5]))[0].tolist()
    except unweave.errors.SpecError as error:
        return str(error)


said = [loaded()]
os.environ[allow] = "1"
said.append(loaded())
del os.environ[allow]
said.append(loaded())
unweave.own_architecture(f"{models}:Encoder", f"{models}:Decoder")
said.append(loaded())
print(json.dumps(said))
"""


def test_a_run_is_trained_loaded_and_loaded_elsewhere(models, tmp_path, monkeypatch):
    import unweave

    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    data = "dsprites(grid=(3, 2, 2, 4, 4))"
    own = own_architecture(f"{models}:Encoder", f"{models}:Decoder")
    settings = {"steps": 3, "batch_size": 8, "latents": 3, "architecture": str(own)}
    run = unweave.train(data, "vae", out=tmp_path / "run", precision="float32", **settings)
    mean, _ = run.encode(run.dataset.images([0, 5]))
    assert mean.shape == (2, 3)
    again = unweave.load_run(tmp_path / "run")
    assert (again.encode(run.dataset.images([0, 5]))[0] == mean).all()

    # In another process: unasked, allowed by the environment, no more so, and named.
    words = [sys.executable, "-c", SCRIPT, str(tmp_path / "run"), str(models), references.ALLOW]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    unasked, allowed, later, named = json.loads(done.stdout)
    assert "is code of its own, which is not run unasked" in unasked
    assert later == unasked
    assert allowed == named == mean.tolist()
