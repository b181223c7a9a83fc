"""Settings of published studies, against what is written of their sources."""

import math
from dataclasses import replace

import pytest

from reference.published_runs import ALL, SCRIPTS, runs_of
from unweave.conditions import held_out_text
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.objectives import parse_objective
from unweave.presets import preset
from unweave.studies.fields import config_of
from unweave.studies.published.base import requested

# disent-and-gen: what is trained on, and how many updates that gives


def dataset_of(run):
    return preset(run["preset"]).dataset if "preset" in run else run["dataset"]


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("dag/dsprites", [368_640, 614_400, 731_472]),
        ("dag/shapes3d", [240_000, 420_000, 420_000, 479_928]),
        ("dag/mpi3d", [518_400, 691_200, 950_400, 950_400, 1_036_784]),
        ("dag/shapes3d_decoders", [240_000, 420_000, 420_000, 451_200, 479_928]),
        ("dag/mpi3d_decoders", [518_400, 691_200, 950_400, 950_400, 1_036_784]),
    ],
)
def test_dag_leaves_out_what_the_source_does(name, images):
    texts = dict.fromkeys(map(dataset_of, runs_of(name)))
    assert [parse_dataset(text).count for text in texts] == images


def test_dag_trains_as_long_as_the_source():
    configs = [config_of(run) for run in runs_of("dag/dsprites")]
    for part, steps in ((614_400, 288_000), (368_640, 172_800)):
        found = [config for config in configs if config.num_train == part]
        assert [config.steps for config in found] == [steps] * 3 + [steps // 2] * 3
    assert {config.steps for config in configs if config.num_train == 731_472} == {
        math.ceil(30 * 731_472 / 64),
        math.ceil(30 * 731_472 / 128),
    }
    assert {config.optimizer.lr for config in configs} == {1e-4}
    factor = "compat=dag, depth=7, slope=0.01"
    assert [(c.objective, str(c.architecture), c.batch_size) for c in configs[6:12]] == [
        (parse_objective(text), network, batch)
        for text, network, batch in (
            ("beta_vae(beta=1)", "burgess_v2", 64),
            ("beta_vae(beta=8)", "burgess_v2", 64),
            ("beta_vae(beta=12)", "burgess_v2", 64),
            (f"factor_vae(gamma=20, lr=1e-05, {factor})", "kim", 128),
            (f"factor_vae(gamma=50, lr=1e-05, {factor})", "kim", 128),
            (f"factor_vae(gamma=100, lr=1e-05, {factor})", "kim", 128),
        )
    ]
    assert [config.seed for config in configs] == [0] * 7 + [716011605, 145395029] + [0] * 9
    assert {run["steps"] for run in runs_of("dag/composition")} == {4680}
    assert {config_of(run).steps for run in runs_of("dag/mpi3d_decoders")} == {5000}


@pytest.mark.parametrize(
    ("name", "alike", "own"),
    [
        *((f"dag/{data}", {"test_losses", "reconstruction_nll"}, {"dci_lasso"})
          for data in ("dsprites", "shapes3d", "mpi3d", "composition_parts")),
        *((f"dag/{data}_decoders", {"test_losses", "reconstruction_nll"}, set())
          for data in ("dsprites", "shapes3d", "mpi3d")),
        # Of some of its runs nothing is held out.
        ("dag/composition", set(), {"dci_lasso", "test_losses", "reconstruction_nll"}),
    ],
)  # fmt: skip
def test_dag_scores_what_was_trained_on_and_what_was_held_out(name, alike, own):
    asked = {None: set(), "held_out": set()}
    for request in ALL[name].scores:
        assert request.part == "all"
        assert (request.protocol == "dag") == (request.metrics == ("dci_lasso",))
        asked[request.data] |= set(request.metrics)
    assert asked["held_out"] == alike
    assert asked[None] >= alike | own


def test_every_run_of_dag_that_is_scored_on_what_was_held_out_has_some():
    for name, study in ALL.items():
        if any(request.data == "held_out" for request in study.scores):
            assert name.startswith("dag/")
            for text in dict.fromkeys(map(dataset_of, runs_of(name))):
                held = parse_dataset(held_out_text(parse_dataset(text)))
                assert held.count + parse_dataset(text).count <= held.data.count


def test_composers_of_parts_are_runs_of_their_script():
    whole, parts = runs_of("dag/composition"), runs_of("dag/composition_parts")
    assert [run for run in whole if run["dataset"] != "dsprites"] == parts


def test_other_data_of_a_preset_are_not_asked_for():
    entry = preset("dag/vae_dsprites_shape2tx")
    dci, losses, tested = entry.scoring
    other = replace(tested, data="only(data=dsprites, where='pos_x > 0.9')")
    asked = requested(replace(entry, scoring=(dci, losses, other)))
    assert [request.data for request in asked] == [None, None]
    # Of the whole nothing is held out.
    asked = requested(replace(entry, dataset="dsprites"))
    assert [request.metrics for request in asked] == [dci.metrics, losses.metrics]


# Lie group VAE


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("clg/")])
def test_clg_has_ten_runs_of_each_model(name):
    seeds = {}
    for run in runs_of(name):
        seeds.setdefault(run["preset"], []).append(run["seed"])
    assert all(found == list(range(10)) for found in seeds.values())
    # The paper's tables have these four.
    scored = {metric for request in ALL[name].scores for metric in request.metrics}
    assert {"factor_vae", "sap_continuous", "mig", "dci", "test_losses"} <= scored


def test_clg_varies_what_its_tables_vary():
    def configs(name):
        return [config_of(run) for run in runs_of(f"clg/{name}") if run["seed"] == 0]

    for name in ("hessian", "commutator"):
        methods = [config.objective.items[0] for config in configs(name)]
        assert [getattr(method, name) for method in methods] == [0, 1, 5, 20, 40, 80]
    sizes = [config.architecture.sizes for config in configs("group_size")]
    assert sizes == [(4,), (9,), (25,), (64,), (81,), (100,)]
    assert {config.objective.items[0].commutator for config in configs("group_size")} == {40}
    # Equal rows of different tables are one training.
    assert configs("components")[2] == configs("hessian")[0] == configs("commutator")[0]
    assert configs("group_size")[-1] == configs("commutator")[4]
    assert [config.objective.items[0].beta for config in configs("beta_vae")] == [2, 5, 10]


# Disentanglement-PyTorch

# The first digits of each script's address, by which runs of earlier versions are found again.
# Those whose settings have changed have others than then: with `compat=dpt`, and the decays of
# the discriminator's Adam.
DPT_ADDRESSES = {
    "aicrowd_challenge": "a46a460b4358",
    "dsprite_BetaTCVAE": "fde3ec5ebb01",
    "dsprite_FactorBetaTCVAE": "63959f3b9585",
    "dsprite_FactorVAE": "f523f82b1715",
    "dsprite_DIPVAEI": "0ae351ae3c1a",
    "dsprite_DIPVAEII": "df531a4c9506",
    "dsprite_VAE": "58d50c843b84",
    "dsprite_AE": "a7d24e319041",
    "dsprite_CVAE": "37b9f140804b",
    "dsprite_IFCVAE": "61e75f58066d",
    "dsprite_FactorIFCVAE": "3931dc1ea743",
    "celebA_AE": "7b0e363ca547",
    "celebA_VAE": "d7ee949da5e1",
    "celebA_VAE2": "b6619dc4dae0",
}


def test_dpt_takes_its_settings_from_its_presets():
    for name in SCRIPTS:
        assert runs_of(name) == [{"preset": name}]
    (run,) = runs_of("dpt/dsprite_BetaTCVAE", 0.01)
    assert (run["preset"], run["steps"]) == ("dpt/dsprite_BetaTCVAE", 200)
    assert "capacity=linear(start=0, stop=25, steps=20)" in run["objective"]


@pytest.mark.parametrize("script", DPT_ADDRESSES)
def test_dpt_runs_keep_their_addresses(script):
    (run,) = runs_of(f"dpt/{script}")
    assert config_of({"threads": 1} | run).address.startswith(DPT_ADDRESSES[script])


def test_dpt_scores_the_challenge_as_it_did():
    (request,) = ALL["dpt/aicrowd_challenge"].scores
    assert request.protocol == "dlib2019"
    assert set(request.metrics) == {"mig", "sap_score", "irs", "factor_vae_metric", "dci"}
    others = [ALL[name].scores for name in SCRIPTS if name != "dpt/aicrowd_challenge"]
    assert {request.metrics for (request,) in others} == {("test_losses",)}


def test_what_goes_on_from_weights_is_no_study_of_its_own():
    assert not any(name.startswith("dpt/table1") for name in ALL)
    with pytest.raises(SpecError, match="unweave train --preset dpt/table1_toy"):
        config_of({"preset": "dpt/table1_real"})
    anew = config_of({"preset": "dpt/table1_real", "init_from": "none"})
    assert anew.init_from is None
    found = config_of({"preset": "dpt/table1_real", "init_from": "runs/some"})
    assert found.init_from == "runs/some"
    assert (found.steps, anew.steps) == (90_000, 90_000)
