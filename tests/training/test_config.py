"""The configuration of a run: its full form, its address, its command, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
import shlex

import pytest

from unweave.cli.app import parse as parse_command_line
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.likelihoods import Gaussian, Likelihood
from unweave.nn import Architecture, Burgess
from unweave.objectives import parse_objective
from unweave.schedules import Linear
from unweave.spec import parse, to_dict
from unweave.training import Adam, TrainConfig
from unweave.training.phases import Phase

DATASET = "dsprites(grid=(3, 2, 4, 8, 8))"
PLAIN = {
    "dataset": parse_dataset(DATASET),
    "objective": parse_objective("beta_tcvae(beta=4)"),
    "steps": 2000,
}
CONFIG = TrainConfig(**PLAIN)

GOLDEN = "0260b5e6613ffe74016071944e9c6924d1507c5427e00a70ddf782793b9c91b9"

# The full form of the configuration with that address, as it was written then.
EARLIER = """{
  "dataset": {"type": "dsprites", "path": null, "source": "rendered", "grid": [3, 2, 4, 8, 8]},
  "objective": {"type": "beta_tcvae", "alpha": 1.0, "beta": 4.0, "gamma": 1.0,
    "estimator": "stratified", "compat": "none"},
  "steps": 2000,
  "architecture": {"type": "burgess"},
  "likelihood": {"type": "bernoulli"},
  "latents": 10,
  "optimizer": {"type": "adam", "lr": 0.0005, "beta1": 0.9, "beta2": 0.999},
  "batch_size": 64, "seed": 0, "holdout": 0.0, "init_from": null, "threads": null,
  "device": "auto", "precision": "auto", "log_every": 50, "checkpoint_every": 1000,
  "snapshot_every": 0, "evaluate_every": 0, "picture_every": 0
}"""

# Another value for every field.
OTHER = {
    "dataset": parse_dataset("dsprites(source=archive, path='my data/d \"x\".npz')"),
    "objective": parse_objective("vae(kl=linear(start=0, stop=1, steps=9)) + total_correlation"),
    "steps": 7,
    "architecture": Burgess(),
    "likelihood": Gaussian(variance=0.01),
    "latents": 6,
    "optimizer": Adam(lr=1e-3, beta2=0.99),
    "clip_norm": 5.0,
    "clip_value": 0.5,
    "ema": 0.999,
    "batch_size": 32,
    "seed": 7,
    "holdout": 0.25,
    "init_from": "runs/an earlier run",
    "phases": (Phase(start=3, changes=(("batch_size", 16), ("optimizer.lr", 0.5))),),
    "threads": 2,
    "device": "cpu",
    "precision": "float32",
    "log_every": 10,
    "checkpoint_every": 100,
    "snapshot_every": 500,
    "evaluate_every": 400,
    "evaluate_metrics": ("mig", "sap"),
    "picture_every": 300,
}
SAME = {"architecture"}  # there is only one
CHANGED = [name for name in OTHER if name not in SAME]


def with_other(*names: str) -> TrainConfig:
    if "evaluate_metrics" in names:
        # Nothing is scored by them else, which is refused.
        names = (*names, "evaluate_every")
    return dataclasses.replace(CONFIG, **{name: OTHER[name] for name in names})


def test_every_field_is_tried_here():
    assert list(OTHER) == [field.name for field in dataclasses.fields(TrainConfig)]


@pytest.mark.parametrize("names", [(), *((name,) for name in CHANGED), tuple(CHANGED)], ids=str)
def test_the_full_form_is_read_back(names):
    config = with_other(*names)
    form = json.loads(json.dumps(to_dict(config), allow_nan=False))
    assert set(form) == {"type", *OTHER}
    assert TrainConfig.from_dict(form) == config
    assert TrainConfig.from_dict(form).address == config.address


@pytest.mark.parametrize("names", [(), *((name,) for name in CHANGED), tuple(CHANGED)], ids=str)
def test_the_command_trains_the_same_run(names):
    config = with_other(*names)
    words = shlex.split(config.command)
    assert words[:2] == ["unweave", "train"]
    command = parse_command_line(words[1:])
    assert command._config(command._settings()) == config


def test_addresses_tell_configurations_apart():
    addresses = [CONFIG.address, *(with_other(name).address for name in CHANGED)]
    assert len(set(addresses)) == len(addresses)
    assert all(len(address) == 64 for address in addresses)


def test_the_address_of_a_configuration_never_changes():
    # Folders of runs are named after it. A new field with its default would change it: then give
    # the field a place in the address only where it differs, or raise the format.
    objective = parse_objective("beta_tcvae(beta=4, estimator=stratified)")
    config = dataclasses.replace(CONFIG, objective=objective)
    assert config.address == GOLDEN
    assert config.default_name == f"dsprites-beta_tcvae-{GOLDEN[:8]}"


def test_a_full_form_from_before_later_fields_is_read_and_keeps_its_address():
    form = json.loads(EARLIER)
    config = TrainConfig.from_dict(form)
    assert config.address == GOLDEN
    later = {"clip_norm": None, "clip_value": None, "ema": None, "phases": []}
    later |= {"evaluate_metrics": ["mig"]}
    assert to_dict(config) == {
        **form,
        **later,
        "type": "train",
        "optimizer": form["optimizer"] | {"eps": 1e-8, "weight_decay": 0.0, "amsgrad": False},
    }


def test_equal_configurations_have_one_address_however_they_are_written():
    same = TrainConfig(
        dataset=parse_dataset("dsprites(source=rendered, grid=[3, 2, 4, 8, 8])"),
        objective=parse_objective("beta_tcvae(gamma=1, beta=4.0)"),
        steps=2000,
        optimizer=Adam(lr=0.0005),
        holdout=0,
    )
    assert same == CONFIG
    assert same.address == CONFIG.address


def test_texts_are_the_short_ones():
    assert with_other("likelihood", "optimizer").texts() == {
        "dataset": DATASET,
        "objective": "beta_tcvae(beta=4)",
        "architecture": "burgess",
        "likelihood": "gaussian(variance=0.01)",
        "optimizer": "adam(lr=0.001, beta2=0.99)",
    }


def test_training_images_and_epochs():
    assert CONFIG.num_train == 1536
    assert with_other("holdout").num_train == 1536 * 3 // 4
    assert CONFIG.steps_of(1) == 24
    assert CONFIG.steps_of(0.001) == 1
    assert with_other("batch_size", "holdout").steps_of(10) == 360
    for epochs in (0, -1, float("inf"), float("nan")):
        with pytest.raises(SpecError, match="epochs must be more than 0"):
            CONFIG.steps_of(epochs)
    for epochs in (1e308, 10**400):
        with pytest.raises(SpecError, match="epochs is larger than any number of steps"):
            CONFIG.steps_of(epochs)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("steps", 0, "train: steps must be at least 1, but is 0"),
        ("steps", 1.5, "train: steps takes a whole number, not 1.5"),
        ("batch_size", 0, "train: batch_size must be at least 1, but is 0"),
        ("batch_size", 1, "batch_size must be at least 2 for beta_tcvae(beta=4), which compares"),
        ("batch_size", 1537, "batch_size 1537 is more than the 1536 images of dsprites"),
        ("latents", 0, "train: latents must be at least 1, but is 0"),
        ("latents", -3, "train: latents must be at least 1, but is -3"),
        ("seed", -1, "train: seed must be at least 0, but is -1"),
        ("holdout", 1.0, "train: holdout must be less than 1, but is 1"),
        ("holdout", -0.1, "train: holdout must be at least 0, but is -0.1"),
        ("threads", 0, "train: threads must be at least 1, but is 0"),
        ("precision", "float16", "train: precision: 'float16' is not allowed. Did you mean"),
        ("likelihood", "bernoulli", "train: likelihood takes a likelihood (bernoulli, gaussian"),
        ("likelihood", Adam(), "train: likelihood takes a likelihood"),
        ("optimizer", Linear(start=0, stop=1, steps=2), "train: optimizer takes an opt"),
        ("dataset", "dsprites", "train: dataset takes a dataset (arrays, "),
        ("objective", "vae", "train: objective takes"),
        ("device", None, "train: device takes a text"),
        ("log_every", 0, "train: log_every must be at least 1"),
        ("snapshot_every", -1, "train: snapshot_every must be at least 0"),
    ],
)
def test_what_cannot_be_trained_is_refused(field, value, reason):
    with pytest.raises(SpecError) as caught:
        dataclasses.replace(CONFIG, **{field: value})
    assert reason in str(caught.value)


def test_a_batch_must_fit_into_what_is_not_held_out():
    with pytest.raises(SpecError, match=r"more than the 15 images .* smaller one: --batch-size"):
        dataclasses.replace(CONFIG, holdout=0.99, batch_size=16)


@pytest.mark.parametrize(
    "architecture",
    ["pbt_vae", "pair(encode=pbt_vae, decode=kim)", "own(encode='m.py:E', decode=pbt_vae)"],
)
def test_a_batch_must_be_large_enough_for_the_architecture(architecture):
    # Batches that cannot be normalised are refused before any network is made.
    given = parse(architecture, Architecture)
    with pytest.raises(SpecError) as caught:
        TrainConfig(
            dataset=CONFIG.dataset,
            objective=parse_objective("vae"),
            steps=1,
            architecture=given,
            batch_size=1,
        )
    assert "batch_size must be at least 2 for" in str(caught.value)
    assert "normalises over the batch, but is 1" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"latent": 3}, "train has no field 'latent'. Did you mean latents"),
        ({"dataset": {"type": "dsprite"}}, "Unknown dataset 'dsprite'. Did you mean dsprites"),
        ({"objective": {"type": "va"}}, "Unknown method or term 'va'"),
        ({"likelihood": None}, 'Expected an object with a "type"'),
        ({"steps": None}, "steps takes a whole number"),
    ],
)
def test_full_forms_that_are_refused(change, reason):
    with pytest.raises(SpecError) as caught:
        TrainConfig.from_dict(to_dict(CONFIG) | change)
    assert reason in str(caught.value)


def test_a_full_form_without_its_steps_says_so():
    form = to_dict(CONFIG)
    del form["steps"]
    with pytest.raises(SpecError, match="train needs steps"):
        TrainConfig.from_dict(form)


def test_likelihoods_of_a_configuration_are_components():
    assert parse("gaussian(variance=0.01)", Likelihood) == OTHER["likelihood"]
