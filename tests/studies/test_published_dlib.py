"""The sweeps of disentanglement_lib: model numbers, settings and seeds of metrics."""

import itertools

import pytest

from unweave.errors import SpecError
from unweave.metrics.protocols import names_of
from unweave.studies.fields import config_of
from unweave.studies.published import (
    DlibModel,
    model_num,
    model_of,
    number_of,
    published,
    published_studies,
)

# The library's lists as its sweeps give them.
DATASETS = "dsprites_full color_dsprites noisy_dsprites scream_dsprites smallnorb cars3d shapes3d"
GRID = {
    "beta_vae": (1, 2, 4, 6, 8, 16),
    "factor_vae": (10, 20, 30, 40, 50, 100),
    "dip_vae_i": (1, 2, 5, 10, 20, 50),
    "dip_vae_ii": (1, 2, 5, 10, 20, 50),
    "beta_tc_vae": (1, 2, 4, 6, 8, 10),
    "annealed_vae": (5, 10, 25, 50, 75, 100),
}
MODELS = [
    DlibModel(dataset, method, strength, seed)
    for dataset, (method, strength), seed in itertools.product(
        DATASETS.split(), [(m, k) for m in GRID for k in range(6)], range(50)
    )
]
# Of the metrics of a study of nine, as the library's driver draws them.
SEEDS = {
    ("mean", "beta_vae_sklearn"): 3071714933,
    ("mean", "dci"): 3626093760,
    ("mean", "downstream_task_boosted_trees"): 2588848963,
    ("mean", "downstream_task_logistic_regression"): 3684848379,
    ("mean", "factor_vae_metric"): 2340255427,
    ("mean", "mig"): 3638918503,
    ("mean", "modularity_explicitness"): 1819583497,
    ("mean", "sap_score"): 2678185683,
    ("mean", "unsupervised"): 2774094101,
    ("sampled", "beta_vae_sklearn"): 1650906866,
    ("sampled", "dci"): 1879422756,
    ("sampled", "downstream_task_boosted_trees"): 1277901399,
    ("sampled", "downstream_task_logistic_regression"): 3830135878,
    ("sampled", "factor_vae_metric"): 243580376,
    ("sampled", "mig"): 4138900056,
    ("sampled", "modularity_explicitness"): 1171049868,
    ("sampled", "sap_score"): 1646868794,
    ("sampled", "unsupervised"): 2051556033,
}


def runs(scale=1.0, study="dlib/unsupervised"):
    return published(study, scale).combinations()


def test_numbers_and_models_go_back_and_forth():
    assert len(MODELS) == 12_600
    assert [model_of(number) for number in range(12_600)] == MODELS
    assert [model_num(*model) for model in MODELS] == list(range(12_600))


@pytest.mark.parametrize(
    ("number", "model", "value"),
    [
        (0, ("dsprites_full", "beta_vae", 0, 0), 1),
        (49, ("dsprites_full", "beta_vae", 0, 49), 1),
        (50, ("dsprites_full", "beta_vae", 1, 0), 2),
        (299, ("dsprites_full", "beta_vae", 5, 49), 16),
        (300, ("dsprites_full", "factor_vae", 0, 0), 10),
        (1799, ("dsprites_full", "annealed_vae", 5, 49), 100),
        (1800, ("color_dsprites", "beta_vae", 0, 0), 1),
        (10_799, ("cars3d", "annealed_vae", 5, 49), 100),
        (10_800, ("shapes3d", "beta_vae", 0, 0), 1),
        (12_599, ("shapes3d", "annealed_vae", 5, 49), 100),
    ],
)
def test_boundaries(number, model, value):
    assert model_of(number) == model
    assert model_of(number).value == value
    assert model_num(*model) == number


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: model_of(-1), "from 0 to 12599, not -1"),
        (lambda: model_of(12_600), "from 0 to 12599, not 12600"),
        (lambda: model_num("dsprites", "beta_vae", 0, 0), "no dataset 'dsprites'.*dsprites_full"),
        (lambda: model_num("cars3d", "beta_tcvae", 0, 0), "no method 'beta_tcvae'.*beta_tc_vae"),
        (lambda: model_num("cars3d", "beta_vae", 6, 0), "strength of a model is 0 to 5, not 6"),
        (lambda: model_num("cars3d", "beta_vae", 0, 50), "seed of a model is 0 to 49, not 50"),
        (lambda: number_of({"dataset": "cars3d", "seed": 0}), "No run of dlib/unsupervised"),
        (
            lambda: number_of({"dataset": "cars3d", "objective": "beta_vae(beta=3)", "seed": 0}),
            "No run of dlib/unsupervised",
        ),
    ],
)
def test_other_models_are_refused(call, message):
    with pytest.raises(SpecError, match=message):
        call()


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_the_place_of_a_run_is_its_model_number(scale):
    found = runs(scale)
    assert len(found) == 12_600
    for number in (*range(0, 12_600, 97), 1799, 10_799, 10_800, 12_599):
        assert number_of(found[number]) == number


@pytest.mark.parametrize("number", [0, 250, 10_850])
def test_beta_vae(number):
    run, model = runs()[number], model_of(number)
    assert run["objective"] == f"beta_vae(beta={model.value})"
    config = config_of(run | {"architecture": "burgess"})
    assert config.seed == model.seed
    assert (config.steps, config.batch_size, config.latents) == (300_000, 64, 10)
    assert (config.optimizer.lr, config.optimizer.beta1, config.optimizer.beta2) == (
        1e-4,
        0.9,
        0.999,
    )
    assert (str(config.likelihood), run["architecture"]) == ("bernoulli", "locatello")


def test_the_other_methods():
    objectives = list(dict.fromkeys(run["objective"] for run in runs()))
    assert len(objectives) == 36
    first = {method: objectives[6 * place] for place, method in enumerate(GRID)}
    last = {method: objectives[6 * place + 5] for place, method in enumerate(GRID)}
    assert first["dip_vae_i"] == "dip_vae_i(off_diagonal=1, diagonal=10)"
    assert last["dip_vae_i"] == "dip_vae_i(off_diagonal=50, diagonal=500)"
    assert last["dip_vae_ii"] == "dip_vae_ii(off_diagonal=50, diagonal=50)"

    def plan(text):
        run = {"dataset": "dsprites", "objective": text, "steps": 1}
        return config_of(run).objective.expand()

    for method, weight in ((first, 0), (last, 9)):
        terms = plan(method["beta_tc_vae"]).terms
        assert (terms["kl"].weight, terms["total_correlation"].weight) == (1, weight)
    for method, gamma in ((first, 10), (last, 100)):
        found = plan(method["factor_vae"])
        assert found.terms["density_ratio_tc"].weight == gamma
        (player,) = found.players
        adam = player.optimizer
        assert (adam.lr, adam.beta1, adam.beta2) == (1e-4, 0.5, 0.9)
    for method, capacity in ((first, 5), (last, 100)):
        kl = plan(method["annealed_vae"]).terms["kl"]
        assert kl.weight == 1000
        # Half way, at the end, and for ever after.
        assert [kl.capacity.at(step) / capacity for step in (50_000, 100_000, 300_000)] == [
            0.5,
            1,
            1,
        ]


def test_metrics_have_the_published_seeds():
    studies = {study.name: study for study in published_studies()}
    for name in ("dlib/unsupervised", "dlib/abstract_reasoning"):
        found = {
            (request.codes, metric): request.seed
            for request in studies[name].scores
            for metric in request.metrics
        }
        assert found == SEEDS
    requests = studies["dlib/fairness"].scores
    assert len(requests) == 20
    assert {request.protocol for request in requests} == {"dlib2019"}
    found = {(request.codes, *request.metrics): request.seed for request in requests}
    # One more draw, after which each seed goes to the next metric.
    assert found["mean", "factor_vae_metric"] == SEEDS["mean", "factor_vae_metric"]
    assert found["mean", "fairness"] == SEEDS["mean", "mig"]
    assert found["mean", "mig"] == SEEDS["mean", "modularity_explicitness"]
    assert found["sampled", "beta_vae_sklearn"] == SEEDS["sampled", "dci"]
    assert names_of(("sap_score",)) == ("sap",)


def test_abstract_reasoning_has_two_datasets_and_five_seeds():
    found = runs(study="dlib/abstract_reasoning")
    assert {run["dataset"] for run in found} == {"shapes3d", "abstract_dsprites"}
    assert {run["seed"] for run in found} == set(range(5))
    assert [run["objective"] for run in found[:180:5]] == list(
        dict.fromkeys(run["objective"] for run in runs())
    )
