"""Presets of the Lie group VAE, against what is written of its readme, tables and program."""

from __future__ import annotations

import pytest
import torch

from unweave.metrics.protocols import protocol
from unweave.presets import PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict
from unweave.studies.published import published

# Readme: entries of the matrices, weights of the Hessian, the group and the commutator, chance of
# decoding features, loss of pixels, images trained on, steps of 70 epochs of batches of 256.
README = {
    "dsprites": (100, 40, 0.1, 0, 0.2, "bce", 737_280, 201_600),
    "shapes3d": (400, 20, 0.1, 0, 0.2, "l2", 480_000, 131_250),
}
PIXELS = {"bce": "bernoulli", "l2": "gaussian(variance=0.5)"}
# Table: its rows, each with what it has of size, Hessian, group, commutator and chance.
FREE = {"size": 100, "hessian": 0, "group": 0.1, "commutator": 0, "chance": 0.2}
COMMUTATORS = {f"commutator_{w}": FREE | {"commutator": w} for w in (1, 5, 20, 40, 80)}
ABLATIONS = {
    "components_lie_group": FREE,
    "components_bottleneck": FREE | {"exponential": False},
    "components_vae": FREE | {"exponential": False, "group": 0, "chance": 0},
    **{f"group_size_{s}": FREE | {"size": s, "commutator": 40} for s in (4, 9, 25, 64, 81)},
    **COMMUTATORS,
    **{f"hessian_{w}": FREE | {"hessian": w} for w in (1, 5, 20, 40, 80)},
}
BETAS = {f"beta_vae_{beta}": beta for beta in (2, 5, 10)}
# The program's models with its defaults: networks, and what is added to the ELBO.
MODELS = {
    "beta_shapes": ("beta_shapes", None),
    "beta_celeb": ("beta_celeb", None),
    "dip_vae_i": ("beta_shapes", "dip_i"),
    "dip_vae_ii": ("beta_shapes", "dip_ii"),
    "dip_conv_vae_i": ("beta_celeb", "dip_i"),
    "dip_conv_vae_ii": ("beta_celeb", "dip_ii"),
    "factor_conv_vae": ("beta_celeb", "density_ratio_tc"),
}
ALL = {*README, *ABLATIONS, *BETAS, *MODELS, "lie_group"}


def config_of(name):
    chosen = preset(f"clg/{name}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def lie_group_of(config):
    """What a configuration has of what the tables vary."""
    (method,) = config.objective.items
    architecture = config.architecture
    assert (method.name, architecture.name) == ("lie_group_vae", "lie_group")
    assert (architecture.latents, architecture.init) == ((10,), 0.001)
    assert (architecture.generators, method.kl) == ("free", 1)
    assert method.compat == ("clg" if method.commutator else "none")
    found = {
        "size": architecture.sizes[0],
        "hessian": method.hessian,
        "group": method.group_reconstruction,
        "commutator": method.commutator,
        "chance": method.feature_probability,
    }
    return found if architecture.exponential else found | {"exponential": False}


def test_there_are_no_others():
    assert {name.removeprefix("clg/") for name in PRESETS if name.startswith("clg/")} == ALL
    assert preset("lie-group-vae/dsprites") is preset("clg/dsprites")


@pytest.mark.parametrize("name", README)
def test_the_readme(name):
    size, hessian, group, commutator, chance, pixels, images, steps = README[name]
    config = config_of(name)
    assert lie_group_of(config) == {
        "size": size,
        "hessian": hessian,
        "group": group,
        "commutator": commutator,
        "chance": chance,
    }
    assert str(config.dataset) == name
    assert str(config.likelihood) == PIXELS[pixels]
    assert (config.num_train, config.steps, config.batch_size) == (images, steps, 256)
    assert (config.latents, config.holdout, config.seed) == (10, 0, 0)


@pytest.mark.parametrize("name", sorted(ALL))
def test_adam_and_scores(name):
    adam = to_dict(config_of(name).optimizer)
    assert (adam["lr"], adam["beta1"], adam["beta2"]) == (1e-4, 0.9, 0.999)
    assert adam["weight_decay"] == 0
    (scoring,) = preset(f"clg/{name}").scoring
    assert (scoring.protocol, scoring.data) == ("clg", None)
    assert set(scoring.metrics) == {metric.name for metric in protocol("clg").metrics}


@pytest.mark.parametrize("name", ABLATIONS)
def test_rows_of_the_tables(name):
    config = config_of(name)
    assert lie_group_of(config) == ABLATIONS[name]
    # 70 epochs of nine tenths of 737,280 images in batches of 256.
    assert (str(config.dataset), config.num_train) == ("dsprites", 663_552)
    assert (config.steps, config.batch_size, config.holdout) == (181_440, 256, 0.1)
    assert str(config.likelihood) == "bernoulli"


@pytest.mark.parametrize("name", BETAS)
def test_beta_vaes_that_are_compared_with(name):
    config = config_of(name)
    assert str(config.objective) == f"beta_vae(beta={BETAS[name]})".replace("(beta=4)", "")
    assert (str(config.architecture), config.steps) == ("beta_celeb", 181_440)


@pytest.mark.parametrize("name", ["lie_group", *MODELS])
def test_what_the_program_trains_without_flags(name):
    config = config_of(name)
    # 50 epochs of nine tenths of 480,000 images in batches of 128.
    assert (str(config.dataset), config.num_train) == ("shapes3d", 432_000)
    assert (config.steps, config.batch_size, config.holdout) == (168_750, 128, 0.1)
    assert str(config.likelihood) == PIXELS["l2"]
    if name == "lie_group":
        assert lie_group_of(config) == FREE | {"hessian": 40}
        return
    network, extra = MODELS[name]
    assert str(config.architecture) == network
    plan = config.objective.expand()
    assert set(plan.terms) == {"reconstruction", "kl", *([extra] if extra else [])}
    assert plan.terms["kl"].weight == 1
    if extra in ("dip_i", "dip_ii"):
        term = plan.terms[extra]
        assert (term.off_diagonal, term.diagonal) == (10, 1)
    if extra == "density_ratio_tc":
        term = plan.terms[extra]
        # The same batch is permuted, and the discriminator goes first.
        assert (term.weight, term.compat) == (6.4, "clg")
        assert (term.depth, term.width, term.slope) == (6, 1000, 0.2)
        (player,) = plan.players
        adam = player.optimizer
        assert player.eager
        assert (adam.lr, adam.beta1, adam.beta2) == (1e-4, 0.5, 0.9)


def test_the_squared_error_has_no_half():
    likelihood = config_of("shapes3d").likelihood
    logits, images = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    theirs = ((torch.sigmoid(logits) - images) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(likelihood.negative_log(logits, images), theirs)


def test_studies_train_presets():
    rows = {name: published(f"clg/{name}").axes[0] for name in ("group_size", "hessian")}
    assert rows["group_size"][-1] == {"preset": "clg/commutator_40"}
    assert rows["hessian"][0] == {"preset": "clg/components_lie_group"}
    for study in ("dsprites", "shapes3d"):
        assert published(f"clg/{study}").axes[0] == ({"preset": f"clg/{study}"},)
