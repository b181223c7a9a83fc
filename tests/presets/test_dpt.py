"""The scripts of Disentanglement-PyTorch, against its own flags and formulas."""

from __future__ import annotations

import pytest
import torch

from reference.dpt_scripts import FLAGS, TABLE1, loss, resolve
from unweave.analysis import choose
from unweave.errors import SpecError
from unweave.metrics.protocols import protocol
from unweave.presets import PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict
from unweave.training.precision import resolve as resolve_precision

# The source's word for a dataset: ours, and image shape.
DATASETS = {
    "dsprites_full": ("dsprites", (64, 64, 1)),
    "celebA": ("celeba", (64, 64, 3)),
    "mpi3d_toy": ("mpi3d", (64, 64, 3)),
    "mpi3d_realistic": ("mpi3d(subset=realistic)", (64, 64, 3)),
    "mpi3d_real": ("mpi3d(subset=real)", (64, 64, 3)),
}
ENCODERS = {
    "SimpleConv64": "simple_conv64",
    "SimpleGaussianConv64": "simple_conv64",
    "PadlessGaussianConv64": "padless_conv64",
}
EXPERIMENTS = (*FLAGS, *TABLE1)
every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS)


def config_of(experiment):
    chosen = preset(f"dpt/{experiment}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def test_every_script_has_a_preset():
    assert len(FLAGS) == 14
    found = {name.removeprefix("dpt/") for name in PRESETS if name.startswith("dpt/")}
    assert found == set(EXPERIMENTS)
    assert preset("disentanglement-pytorch/celebA_AE") is preset("dpt/celebA_AE")


@every_experiment
def test_settings(experiment):
    options, config = resolve(experiment), config_of(experiment)
    name, shape = DATASETS[options["dset_name"]]
    assert str(config.dataset) == name
    assert config.dataset.image_shape == shape
    assert config.steps == options["max_iter"]
    assert (config.batch_size, config.latents) == (options["batch_size"], options["z_dim"])
    assert config.seed == options["seed"]
    assert str(config.architecture) == ENCODERS[options["encoder"]]
    # The only loss of pixels that there is.
    assert str(config.likelihood) == "bernoulli"
    # No images are held out, and nothing clips or averages.
    assert (config.holdout, config.clip_norm, config.clip_value, config.ema) == (0, *[None] * 3)


@every_experiment
def test_rates(experiment):
    options, form = resolve(experiment), to_dict(config_of(experiment).optimizer)
    assert form["type"] == "adam"
    assert (form["beta1"], form["beta2"]) == (options["beta1"], options["beta2"])
    assert (form["eps"], form["weight_decay"], form["amsgrad"]) == (1e-8, 0, False)
    args = options["lr_scheduler_args"]
    if args is None:
        assert form["lr"] == options["lr_G"]
        return
    rate = form["lr"]
    # PyTorch's defaults in the rest, and once an epoch.
    assert rate == {
        "type": "plateau",
        "start": options["lr_G"],
        "every": 1,
        "unit": "epochs",
        "factor": args["factor"],
        "patience": args["patience"],
        "stop": args["min_lr"],
        "mode": args["mode"],
        "monitor": "loss/model",
        "threshold": 1e-4,
        "threshold_mode": "rel",
        "cooldown": 0,
        "eps": 1e-8,
    }


@every_experiment
@pytest.mark.parametrize("done", [0, 1, 999, 2000, 50_000, 100_000, 10**6])
@pytest.mark.parametrize("kl", [7.0, 70.0])
def test_the_loss_is_the_published_one_at_every_step(experiment, done, kl):
    options, config = resolve(experiment), config_of(experiment)
    values = {"recon": 90.0, "kl": kl, "tc": 1.5, "tc_factor": 0.75, "off": 2.0, "on": 3.0}
    values |= {"le": 0.5, "aux": 1.25}
    terms = config.objective.expand().terms
    raw = {
        "reconstruction": values["recon"],
        "kl": kl,
        "total_correlation": values["tc"],
        "density_ratio_tc": values["tc_factor"],
        "label_agreement": values["le"],
        "adversarial_information": -values["aux"],
    }
    for name in {"dip_i", "dip_ii"} & set(terms):
        # These have their weights in their value.
        term = terms[name]
        raw[name] = term.off_diagonal * values["off"] + term.diagonal * values["on"]
    # Its count of steps is 0 in the first one, and ours is 1: with us a ramp is a step further.
    ours = sum(
        float(term.weigh(torch.tensor(raw[name], dtype=torch.float64), done))
        for name, term in terms.items()
    )
    assert ours == pytest.approx(loss(options, values, done), rel=1e-12)


@every_experiment
def test_what_only_some_have(experiment):
    options, config = resolve(experiment), config_of(experiment)
    plan = config.objective.expand()
    players = {player.name: player for player in plan.players}
    expected = {"discriminator"} if "FactorVAE" in options["loss_terms"] else set()
    if options["alg"] == "IFCVAE":
        expected |= {"label_encoder", "auxiliary"}
    assert set(players) - {"model"} == expected
    for name in expected:
        adam = players[name].optimizer
        # The label encoder shares the model's.
        lr = options["lr_G"] if name == "label_encoder" else options["lr_D"]
        assert (adam.lr, adam.beta1, adam.beta2) == (lr, options["beta1"], options["beta2"])
    if "density_ratio_tc" in plan.terms:
        term = plan.terms["density_ratio_tc"]
        assert (term.depth, term.width) == (options["num_layer_disc"], options["size_layer_disc"])
        assert term.slope == 0.2
    if options["include_labels"]:
        (method, *_) = config.objective.items
        assert method.name == options["alg"].lower()
        names = config.dataset.factor_space.names
        # The first of its columns is the colour, which is the same in all images.
        assert [names.index(label) + 1 for label in method.labels] == [1]
        assert method.encoding == "one_hot"
    if options["alg"] == "AE":
        assert plan.method.latent == "codes"


def test_published_defects_are_repeated_in_float32():
    found = {
        experiment
        for experiment in EXPERIMENTS
        if "compat=dpt" in preset(f"dpt/{experiment}").objective
    }
    assert found == {"dsprite_DIPVAEII", "dsprite_IFCVAE", "dsprite_FactorIFCVAE"}
    for experiment in found:
        assert resolve_precision(config_of(experiment)).precision == "float32"


def test_who_goes_on_from_whom():
    after = {name: entry.after for name, entry in PRESETS.items() if entry.after}
    assert {name: after[name] for name in after if name.startswith("dpt/")} == {
        "dpt/table1_realistic": "dpt/table1_toy",
        "dpt/table1_real": "dpt/table1_toy",
    }
    # Weights fit, whatever is set beside them.
    for name, first in after.items():
        one, two = (preset(each) for each in (name, first))
        assert one.settings["architecture"] == two.settings["architecture"]
        assert one.settings["latents"] == two.settings["latents"]


@pytest.mark.parametrize("given", [{}, {"init_from": None}, {"steps": 5}])
def test_without_first_weights_it_says_what_to_train(given):
    with pytest.raises(SpecError) as caught:
        preset("dpt/table1_real").check_start(given)
    message = str(caught.value)
    assert "unweave train --preset dpt/table1_toy --out runs/table1_toy" in message
    assert "--init-from runs/table1_toy" in message
    assert "--init-from none" in message
    assert "\n" not in message


def test_with_them_it_begins():
    preset("dpt/table1_real").check_start({"init_from": "runs/table1_toy"})
    preset("dpt/table1_real").check_start({"init_from": "none"})
    preset("dpt/table1_toy").check_start({})
    preset("demo").check_start({})


@pytest.mark.parametrize("name", [name for name, entry in PRESETS.items() if entry.scoring])
def test_scores_are_defined_by_their_protocols(name):
    for asked in preset(name).scoring:
        choose(protocol(asked.protocol), asked.metrics)
        assert asked.command.startswith(f"unweave evaluate RUN --protocol {asked.protocol}")


def test_models_of_the_challenge_are_scored_as_it_did():
    for experiment in EXPERIMENTS:
        scoring = preset(f"dpt/{experiment}").scoring
        wanted = set(resolve(experiment)["evaluation_metric"])
        assert {name for asked in scoring for name in asked.metrics} == wanted
        assert all((asked.protocol, asked.data) == ("dlib2019", None) for asked in scoring)
    (asked,) = preset("dpt/table1_real").scoring
    assert asked.command == (
        "unweave evaluate RUN --protocol dlib2019 "
        "--metrics mig,sap_score,irs,factor_vae_metric,dci"
    )
