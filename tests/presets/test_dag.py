"""Presets of disent-and-gen, against what is written of its configurations, parts and grid."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from unweave.data import parse_dataset
from unweave.presets import PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict

# Dataset: variant, images left out for tests, images trained on.
PARTS = {
    "dsprites": {
        "blank_side": (368_640, 368_640),
        "shape2tx": (122_880, 614_400),
        "leave1out": (5808, 731_472),
    },
    "shapes3d": {
        "fhue_gt50": (240_000, 240_000),
        "shape2ohue": (60_000, 420_000),
        "shape2fhue": (60_000, 420_000),
        "leave1out": (72, 479_928),
    },
    "mpi3d": {
        # The images of horizontal axis 20 are in neither part.
        "horz_gt20": (492_480, 518_400),
        "objc_gt3": (345_600, 691_200),
        "cyl2horz": (86_400, 950_400),
        "objc2horz": (86_400, 950_400),
        "leave1out": (16, 1_036_784),
    },
}
WHOLE = {"dsprites": 737_280, "shapes3d": 480_000, "mpi3d": 1_036_800}
CONFIGURATIONS = ("vae", "beta", "cci", "capconst", "factor", "banneal", "bsched")
# Weight of the KL or of the total correlation.
GRID = {"vae": 1, "beta8": 8, "beta12": 12, "factor20": 20, "factor50": 50, "factor100": 100}

CELLS = [(m, d, v) for d, variants in PARTS.items() for v in variants for m in GRID]


def config_of(name):
    chosen = preset(f"dag/{name}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def published_loss(configuration, values, step):
    """What the source adds to the reconstruction in a step."""
    kl, tc = values["kl"], values["tc"]
    if configuration in ("cci", "capconst"):
        capacity = min(20 * step / 10_000, 20) if configuration == "cci" else 7
        return (50 if configuration == "cci" else 100) * abs(kl - capacity)
    if configuration == "banneal":
        return 10 * max(1 - step / 1e6, 0.1) * kl
    if configuration == "bsched":
        return 10 * min(step / 1e6, 1) * kl
    if configuration.startswith("factor"):
        return kl + {"factor": 100, **GRID}[configuration] * tc
    return {"beta": 4, **GRID}[configuration] * kl


def test_there_are_no_others():
    names = {f"{c}_{d}" for c, d in itertools.product(CONFIGURATIONS, WHOLE)}
    names |= {f"{m}_{d}_{v}" for m, d, v in CELLS}
    found = {name.removeprefix("dag/") for name in PRESETS if name.startswith("dag/")}
    assert {name for name in found if not name.startswith(("composer", "decoder_"))} == names
    assert preset("disent-and-gen/vae_dsprites") is preset("dag/vae_dsprites")


def check_training(config, dataset, *, factor):
    assert config.batch_size == (128 if factor else 64)
    assert config.steps == math.ceil(30 * config.num_train / config.batch_size)
    assert (config.latents, config.holdout, str(config.likelihood)) == (10, 0, "bernoulli")
    adam = to_dict(config.optimizer)
    assert (adam["lr"], adam["beta1"], adam["beta2"]) == (1e-4, 0.9, 0.999)
    assert adam["weight_decay"] == 0
    network = "burgess_v2" if dataset == "dsprites" and not factor else "kim"
    assert str(config.architecture) == network


@pytest.mark.parametrize(("configuration", "dataset"), [*itertools.product(CONFIGURATIONS, WHOLE)])
def test_configurations(configuration, dataset):
    config = config_of(f"{configuration}_{dataset}")
    assert config.num_train == WHOLE[dataset]
    check_training(config, dataset, factor=configuration == "factor")


@pytest.mark.parametrize(("model", "dataset", "variant"), CELLS)
def test_models_of_parts(model, dataset, variant):
    tested, trained = PARTS[dataset][variant]
    config = config_of(f"{model}_{dataset}_{variant}")
    assert config.num_train == trained
    check_training(config, dataset, factor=model.startswith("factor"))
    seeds = {("beta8", "shape2tx"): 716011605, ("beta12", "shape2tx"): 145395029}
    assert config.seed == seeds.get((model, variant), 0)
    dci, losses, left_out = preset(f"dag/{model}_{dataset}_{variant}").scoring
    assert (dci.protocol, dci.metrics, dci.data) == ("dag", ("dci_lasso",), None)
    assert losses.metrics == left_out.metrics == ("test_losses",)
    assert losses.data is None
    assert parse_dataset(left_out.data).count == tested


def test_updates_of_dsprites():
    """As many as the source's own count of them."""
    assert config_of("vae_dsprites_shape2tx").steps == 288_000
    assert config_of("factor20_dsprites_shape2tx").steps == 144_000
    assert config_of("beta8_dsprites_blank_side").steps == 172_800
    assert config_of("beta8_dsprites_leave1out").steps == pytest.approx(342_900, abs=50)
    assert config_of("vae_shapes3d_shape2ohue").steps == pytest.approx(196_900, abs=50)


@pytest.mark.parametrize("step", [1, 50, 5000, 10_000, 100_000, 345_600, 950_000, 2_000_000])
@pytest.mark.parametrize("kl", [4.0, 70.0])
@pytest.mark.parametrize("name", [*CONFIGURATIONS, *(f"{m}_.blank_side" for m in GRID)])
def test_the_loss_is_the_published_one_at_every_step(name, step, kl):
    configuration, _, variant = name.partition("_.")
    config = config_of("_".join([configuration, "dsprites", *([variant] if variant else [])]))
    terms = dict(config.objective.expand().terms)
    values = {"kl": kl, "tc": 1.25}
    given = {"kl": kl, "density_ratio_tc": 1.25}
    assert terms.pop("reconstruction").weigh(torch.tensor(3.0), step) == 3.0
    ours = sum(
        float(term.weigh(torch.tensor(given[each], dtype=torch.float64), step))
        for each, term in terms.items()
    )
    assert ours == pytest.approx(published_loss(configuration, values, step), rel=1e-12)


@pytest.mark.parametrize("name", ["factor_shapes3d", "factor50_dsprites_leave1out"])
def test_factor_vae_is_the_published_one(name):
    plan = config_of(name).objective.expand()
    # Half of the batch has the KL and the total correlation, the other the permuted samples.
    assert plan.terms["kl"].compat == plan.terms["density_ratio_tc"].compat == "dag"
    (player,) = plan.players
    adam = player.optimizer
    assert (adam.lr, adam.beta1, adam.beta2) == (1e-5, 0.5, 0.9)
    network = plan.terms["density_ratio_tc"].parts(config_of(name).setup)["discriminator"]
    layers = [each for each in network.modules() if isinstance(each, torch.nn.Linear)]
    assert [layer.out_features for layer in layers] == [1000] * 6 + [2]
    slopes = {e.negative_slope for e in network.modules() if isinstance(e, torch.nn.LeakyReLU)}
    assert slopes == {0.01}
