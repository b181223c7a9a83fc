"""Decoders of true factors of disent-and-gen, against what is written of its script."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unweave.data import parse_dataset
from unweave.presets import PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict
from unweave.studies.fields import config_of
from unweave.studies.published import published

# Dataset: variant, images left out for tests, images trained on.
PARTS = {
    "dsprites": {
        "blank_side": (368_640, 368_640),
        "shape2tx": (122_880, 614_400),
        "leave1out": (5808, 731_472),
    },
    "shapes3d": {
        "fhue_gt50": (240_000, 240_000),
        "shape2fhue": (60_000, 420_000),
        "shape2ohue": (60_000, 420_000),
        "ohue+whue2fhue": (28_800, 451_200),
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
NETWORKS = {
    "dsprites": ("higgins", "burgess", "deep"),
    "shapes3d": ("higgins", "kim_bn", "deep_bn"),
    "mpi3d": ("deep_bn",),
}
CELLS = [
    (network, dataset, variant)
    for dataset, variants in PARTS.items()
    for variant in variants
    for network in NETWORKS[dataset]
    if (network, variant) != ("deep", "leave1out")
]
# Factors and parameters; a seventh factor has 512 weights of a first layer of 512 units.
FACTORS = {"dsprites": 5, "shapes3d": 6, "mpi3d": 7}
PARAMETERS = {
    ("higgins", "dsprites"): 7_808_896,
    ("burgess", "dsprites"): 182_881,
    ("deep", "dsprites"): 2_005_153,
    ("higgins", "shapes3d"): 17_648_688,
    ("kim_bn", "shapes3d"): 432_195,
    ("deep_bn", "shapes3d"): 2_010_432,
    ("deep_bn", "mpi3d"): 2_010_432 + 512,
}


def config_of_cell(network, dataset, variant):
    chosen = preset(f"dag/decoder_{network}_{dataset}_{variant}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def test_there_are_no_others():
    found = {name for name in PRESETS if name.startswith("dag/decoder_")}
    assert found == {f"dag/decoder_{n}_{d}_{v}" for n, d, v in CELLS}
    assert len(CELLS) == 8 + 15 + 5


@pytest.mark.parametrize(("network", "dataset", "variant"), CELLS)
def test_trainings_are_those_of_the_script(network, dataset, variant):
    tested, trained = PARTS[dataset][variant]
    config = config_of_cell(network, dataset, variant)
    assert config.num_train == trained
    # 500 rounds of ten steps.
    assert (config.steps, config.batch_size, config.seed) == (5000, 64, 0)
    adam = to_dict(config.optimizer)
    assert (adam["lr"], adam["beta1"], adam["beta2"], adam["weight_decay"]) == (
        1e-3,
        0.9,
        0.999,
        0,
    )
    assert (str(config.likelihood), config.holdout) == ("bernoulli", 0)
    assert list(config.objective.expand().terms) == ["reconstruction"]
    assert config.objective.expand().needs_float32
    assert config.latents == FACTORS[dataset]
    losses, left_out = preset(f"dag/decoder_{network}_{dataset}_{variant}").scoring
    assert losses.metrics == left_out.metrics == ("test_losses",)
    assert losses.data is None
    assert parse_dataset(left_out.data).count == tested


@pytest.mark.parametrize(("network", "dataset"), PARAMETERS)
def test_networks_have_the_published_sizes(network, dataset):
    config = config_of_cell(network, dataset, next(iter(PARTS[dataset])))
    with torch.device("meta"):
        layers = config.architecture.decoder(config.dataset.image_shape, config.latents)
    assert sum(p.numel() for p in layers.parameters()) == PARAMETERS[network, dataset]


def test_inputs_are_raw_values_of_the_whole_dataset():
    def codes(network, dataset, variant, indices):
        config = config_of_cell(network, dataset, variant)
        given = config.objective.expand().method.given(config.dataset.whole_space)
        return given.encode([indices])[0]

    # The right half is trained on by nobody, and has its positions all the same.
    found = codes("higgins", "dsprites", "blank_side", [2, 5, 39, 31, 0])
    np.testing.assert_allclose(found, [3, 1, 2 * np.pi, 1, 0], rtol=1e-6)
    found = codes("kim_bn", "shapes3d", "fhue_gt50", [9, 0, 1, 7, 3, 0])
    np.testing.assert_allclose(found, [0.9, 0, 0.1, 1.25, 3, -30], rtol=1e-6)
    found = codes("deep_bn", "mpi3d", "horz_gt20", [5, 5, 1, 2, 2, 39, 1])
    assert found.tolist() == [30, 30, 2, 6, 6, 1560, 40]


def test_studies_have_these_runs():
    for dataset in PARTS:
        runs = published(f"dag/{dataset}_decoders").combinations()
        cells = [(n, d, v) for n, d, v in CELLS if d == dataset]
        assert [config_of(run) for run in runs] == [config_of_cell(*cell) for cell in cells]
