"""Presets of composers, against what is written of both sources."""

from __future__ import annotations

import math

import pytest
import torch

from unweave.data import parse_dataset
from unweave.presets import PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict
from unweave.studies.published import published

# Name: architecture, weight of the KL, images that are trained on and left out.
DAG = {
    "composer_higgins_dsprites": ("higgins", 1, 737_280, None),
    "composer_dsprites": ("burgess_v2", 1, 737_280, None),
    "composer_beta4_dsprites": ("burgess_v2", 4, 737_280, None),
    "composer_beta8_dsprites": ("burgess_v2", 8, 737_280, None),
    "composer_dsprites_leave1out": ("burgess_v2", 1, 731_472, 5808),
    "composer_dsprites_shape2tx": ("burgess_v2", 1, 614_400, 122_880),
    "composer_dsprites_blank_side": ("burgess_v2", 1, 368_640, 368_640),
}
# What follows the operator: images that are trained on and left out, architecture, epochs,
# operators; of 3DShapes 10 hues of floor, wall and object, 8 scales, 4 shapes, 15 orientations,
# and of MPI3D 6 colours, 6 shapes, 2 sizes, 3 cameras, 3 backgrounds, 40 by 40 positions.
BOTH = ("interp", "fixint")
ALL = ("linear", "interp", "fixint")
LLS = {
    "dsprites": (737_280, None, "abdi", 100, ALL),
    "dsprites_sqr2tx": (614_400, 122_880, "abdi", 100, ("linear",)),
    "shapes3d": (480_000, None, "abdi", 100, BOTH),
    "shapes3d_half_ohues": (240_000, None, "abdi", 100, BOTH),
    "shapes3d_fhue2whue": (480_000 - 57_600, 57_600, "abdi", 100, ALL),
    "shapes3d_shape2ohue": (420_000, 60_000, "abdi", 100, ALL),
    "shapes3d_shape2orient": (480_000 - 64_000, 64_000, "abdi", 100, BOTH),
    "shapes3d_shape2ohueq_half_ohues": (240_000 - 36_000, 36_000, "abdi", 100, ("fixint",)),
    # Of five hues of either, floor 8 with wall 0, 2 and 4.
    "shapes3d_fhue2whue_even_wnf_hues": (120_000 - 3 * 4800, 3 * 4800, "abdi", 100, BOTH),
    # Hues 6 and 8 of one shape.
    "shapes3d_shape2ohue_even_ohues": (240_000 - 24_000, 24_000, "abdi", 100, BOTH),
    "shapes3d_leave1out": (479_928, 72, "abdi", 100, BOTH),
    "shapes3d_recomb2element_shape2ohue_even_ohues": (228_000, 12_000, "abdi", 100, BOTH),
    "shapes3d_recomb2element_shape2ohue_half_ohues": (228_000, 12_000, "abdi", 100, BOTH),
    "mpi3d_four_shapes": (691_200, None, "montero", 50, BOTH),
    "mpi3d_cyl2hx": (950_400, 86_400, "montero", 50, BOTH),
    "mpi3d_cyl2vx_four_shapes_lhalf_hx_abdi": (302_400, 43_200, "abdi", 50, BOTH),
    "mpi3d_cyl2vx_four_shapes_lhalf_hx": (302_400, 43_200, "montero", 50, ("interp",)),
    "mpi3d_cyl2vx_four_shapes_fix_hx": (17_280 - 2160, 2160, "montero", 50, BOTH),
    "mpi3d_bkg2cyl_four_shapes_fix_hx": (17_280 - 2880, 2880, "montero", 100, BOTH),
}
LLS_NAMES = [(operator, rest) for rest, cell in LLS.items() for operator in cell[4]]


def config_of(name):
    chosen = preset(name)
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def check_training(config, images, network):
    assert config.num_train == images
    assert (config.latents, config.holdout, config.seed) == (10, 0, 0)
    assert (str(config.architecture), str(config.likelihood)) == (network, "bernoulli")
    adam = to_dict(config.optimizer)
    assert (adam["type"], adam["lr"], adam["beta1"], adam["beta2"]) == ("adam", 1e-4, 0.9, 0.999)
    assert config.objective.expand().needs.draws(config.batch_size) == 64


def check_scoring(entry, left_out):
    dci, losses, *tested = entry.scoring
    assert (dci.protocol, dci.metrics, dci.data) == ("dag", ("dci_lasso",), None)
    assert (losses.metrics, losses.data) == (("test_losses", "composition"), None)
    if left_out is None:
        assert tested == []
        return
    (within,) = tested
    assert within.metrics == ("test_losses",)
    assert parse_dataset(within.data).count == left_out


def test_there_are_no_others():
    found = {name for name, entry in PRESETS.items() if "composer" in entry.objective}
    names = {f"dag/{name}" for name in DAG} | {f"lls/{a}_{b}" for a, b in LLS_NAMES}
    assert found == names
    assert {name for name in PRESETS if name.startswith("lls/")} <= found
    assert preset("lost-in-latent-space/linear_dsprites") is preset("lls/linear_dsprites")


@pytest.mark.parametrize("name", DAG)
def test_composers_of_2021(name):
    network, beta, images, left_out = DAG[name]
    config = config_of(f"dag/{name}")
    check_training(config, images, network)
    # 10,000 triplets an epoch are 156 batches of 64.
    assert config.steps == 156 * 30
    plan = config.objective.expand()
    assert plan.method.operator == "linear"
    assert not plan.method.reconstruct
    # The KL of both images, and one reconstruction.
    raw = torch.tensor(2.5, dtype=torch.float64)
    assert plan.terms["kl"].weigh(raw, 7).item() == beta * 2 * 2.5
    assert plan.terms["reconstruction"].weigh(raw, 7).item() == 2.5
    check_scoring(preset(f"dag/{name}"), left_out)


@pytest.mark.parametrize(("operator", "rest"), LLS_NAMES)
def test_composers_of_2022(operator, rest):
    images, left_out, network, epochs, _ = LLS[rest]
    config = config_of(f"lls/{operator}_{rest}")
    check_training(config, images, network)
    assert config.steps == epochs * math.ceil(images / 64)
    plan = config.objective.expand()
    assert (plan.method.operator, plan.method.reconstruct) == (operator, True)
    raw = torch.tensor(2.5, dtype=torch.float64)
    assert plan.terms["kl"].weigh(raw, 7).item() == 2 * 2.5
    assert plan.terms["reconstruction"].weigh(raw, 7).item() == 3 * 2.5
    check_scoring(preset(f"lls/{operator}_{rest}"), left_out)


def test_the_study_has_the_trainings_of_its_script():
    """All but the one that the notebook alone has."""
    addresses = {config_of(f"dag/{name}").address for name in DAG if "blank_side" not in name}
    runs = published("dag/composition").combinations()
    assert {make_config(**run).address for run in runs} == addresses
