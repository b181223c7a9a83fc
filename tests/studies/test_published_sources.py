"""Settings of published studies, against what is written of their sources."""

import math

import pytest
import torch

from reference.published_runs import ALL, SCRIPTS, runs_of, stood_in
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.studies.fields import config_of

# disent-and-gen: what is trained on, and how many updates that gives


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
    texts = dict.fromkeys(run["dataset"] for run in runs_of(name))
    assert [parse_dataset(text).count for text in texts] == images


def test_dag_trains_as_long_as_the_source():
    runs = [(run, stood_in(run)) for run in runs_of("dag/dsprites")]
    for part, steps in ((614_400, 288_000), (368_640, 172_800)):
        found = [config for _, config in runs if config.num_train == part]
        assert [config.steps for config in found] == [steps] * 3 + [steps // 2] * 3
    assert {config.steps for _, c in runs if c.num_train == 731_472 for config in [c]} == {
        math.ceil(30 * 731_472 / 64),
        math.ceil(30 * 731_472 / 128),
    }
    shapes = {
        stood_in(run).steps for run in runs_of("dag/shapes3d") if "object_hue" in run["dataset"]
    }
    assert 196_875 in shapes
    assert {config.optimizer.lr for _, config in runs} == {1e-4}
    assert [(str(c.objective), r["architecture"], c.batch_size) for r, c in runs[6:12]] == [
        ("beta_vae(beta=1)", "burgess_v2", 64),
        ("beta_vae(beta=8)", "burgess_v2", 64),
        ("beta_vae(beta=12)", "burgess_v2", 64),
        ("factor_vae(gamma=20, lr=1e-05)", "kim", 128),
        ("factor_vae(gamma=50, lr=1e-05)", "kim", 128),
        ("factor_vae(gamma=100, lr=1e-05)", "kim", 128),
    ]
    assert [config.seed for _, config in runs] == [0] * 7 + [716011605, 145395029] + [0] * 9
    assert {run["steps"] for run in runs_of("dag/composition")} == {4680}
    assert {run["steps"] for run in runs_of("dag/mpi3d_decoders")} == {5000}


# Lie group VAE


def test_clg_trains_as_long_as_the_source():
    for name, steps, likelihood in (
        ("dsprites", 201_600, "bernoulli"),
        ("shapes3d", 131_250, "gaussian(variance=0.5)"),
    ):
        runs = [stood_in(run | {"objective": "vae"}) for run in runs_of(f"clg/{name}")]
        assert {run.steps for run in runs} == {steps}
        assert {str(run.likelihood) for run in runs} == {likelihood}
        assert [run.seed for run in runs] == list(range(10))
        assert {(run.batch_size, run.latents, run.optimizer.lr) for run in runs} == {
            (256, 10, 1e-4)
        }


def test_the_squared_error_of_clg_is_our_gaussian():
    config = stood_in(runs_of("clg/shapes3d")[0] | {"objective": "vae"})
    logits, images = torch.randn(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    theirs = ((torch.sigmoid(logits) - images) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(config.likelihood.negative_log(logits, images), theirs)


def test_clg_varies_what_its_tables_vary():
    def texts(name):
        return [
            f"{run['objective']} {run['architecture']}"
            for run in runs_of(f"clg/{name}")
            if run["seed"] == 0
        ]

    (readme,) = texts("dsprites")
    assert "hessian=40, commutator=0, feature_probability=0.2)" in readme
    assert "group_reconstruction=0.1" in readme
    assert "sizes=(100,), latents=(10,), init=0.001)" in readme
    (readme,) = texts("shapes3d")
    assert "hessian=20, commutator=0" in readme
    assert "sizes=(400,)" in readme
    for name, field in (("hessian", "hessian"), ("commutator", "commutator")):
        assert [
            f"{field}={weight}" in text
            for weight, text in zip((0, 1, 5, 20, 40, 80), texts(name), strict=True)
        ] == [True] * 6
    assert [
        f"sizes=({size},)" in text
        for size, text in zip((4, 9, 25, 64, 81, 100), texts("group_size"), strict=True)
    ] == [True] * 6
    # Equal rows of different tables are one training.
    assert texts("components")[2] == texts("hessian")[0] == texts("commutator")[0]
    assert texts("group_size")[-1] == texts("commutator")[4]
    assert {run["holdout"] for run in runs_of("clg/hessian")} == {0.1}
    # The paper's tables have these four.
    scored = {name for request in ALL["clg/hessian"].scores for name in request.metrics}
    assert {"factor_vae", "sap_continuous", "mig", "dci"} <= scored


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
