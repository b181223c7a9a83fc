"""Settings of published studies, against what is written of their sources."""

import math

import pytest
import torch

from reference.published_runs import ALL, SCRIPTS, runs_of, stood_in
from unweave.data import parse_dataset

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


@pytest.mark.parametrize(
    ("script", "settings", "terms"),
    [
        (
            "aicrowd_challenge",
            {"latents": 20, "steps": 90_000},
            {"kl": 2000, "total_correlation": 1},
        ),
        (
            "dsprite_BetaTCVAE",
            {"latents": 20, "steps": 20_000},
            {"kl": 2000, "total_correlation": 1},
        ),
        (
            "dsprite_FactorBetaTCVAE",
            {"latents": 20},
            {"kl": 2000, "total_correlation": 1, "density_ratio_tc": 2},
        ),
        (
            "dsprite_FactorVAE",
            {"latents": 8, "steps": 30_000_000},
            {"kl": 100_000, "density_ratio_tc": 1},
        ),
        ("dsprite_VAE", {"latents": 8, "seed": 123, "batch_size": 64}, {"kl": None}),
        ("celebA_VAE", {"latents": 8}, {"kl": None, "reconstruction": 10_000}),
        ("celebA_VAE2", {"latents": 20}, {"kl": None}),
    ],
)
def test_dpt_sets_what_its_scripts_set(script, settings, terms):
    (run,) = runs_of(f"dpt/{script}")
    assert {name: run[name] for name in settings} == settings
    found = stood_in(run).objective.expand().terms
    assert set(found) == {"reconstruction", *terms}
    for name, value in terms.items():
        if name == "kl":
            ramp = None if found["kl"].capacity is None else found["kl"].capacity.steps
            assert (found["kl"].weight, ramp) == (1, value)
        else:
            assert found[name].weight == value


def test_dpt_rates():
    rates = {name.removeprefix("dpt/"): runs_of(name)[0]["optimizer"] for name in SCRIPTS}
    assert rates["aicrowd_challenge"] == (
        "adam(lr=plateau(start=0.001, factor=0.95, patience=1, stop=5e-05))"
    )
    assert rates["dsprite_FactorVAE"] == (
        "adam(lr=plateau(start=0.002, factor=0.8, patience=0, stop=1e-06))"
    )
    assert rates["dsprite_DIPVAEI"] == rates["dsprite_DIPVAEII"] == "adam(lr=0.0005)"
    assert rates["dsprite_CVAE"] == "adam(lr=0.0004)"
    assert rates["celebA_VAE"] == "adam(lr=0.0001)"
