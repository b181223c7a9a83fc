"""The settings of published protocols, typed from what their code does, field by field."""

from __future__ import annotations

import dataclasses

import pytest

from unweave.metrics.protocols import PROTOCOLS

# What is not said here is as in the study of disentanglement_lib.
_ROWS = {"train": 10_000, "test": 5_000}
_TREES = {"stages": 100, "share": None}
_STUDY = {
    "mig": {"bins": 20, "samples": 10_000, "skip": 0},
    "sap": {**_ROWS, "share": None},
    "sap_continuous": {"samples": 10_000},
    "dci": {**_ROWS, **_TREES},
    "dci_per_tree": {**_ROWS, **_TREES},
    "modularity_explicitness": {**_ROWS, "bins": 20},
    "beta_vae": {**_ROWS, "batch": 64, "penalised": True},
    "factor_vae": {**_ROWS, "batch": 64, "variance_samples": 10_000, "prune_std": 0.05},
    "irs": {"samples": 10_000, "bins": 20, "quantile": 0.99},
    "unsupervised": {"samples": 10_000, "bins": 20},
    "downstream_trees": {
        "train": (10, 100, 1000, 10_000),
        "test": 5_000,
        "predictor": "boosted_trees(stages=100)",
    },
    "downstream_logistic": {
        "train": (10, 100, 1000, 10_000),
        "test": 5_000,
        "predictor": "logistic_cv(penalties=10, folds=5)",
    },
    "fairness": {"train": 10_000, "per_value": 100, "predictor": "boosted_trees(stages=100)"},
    # The study lacks the last two; these are numbers of the reference's tests, where it has any.
    "strong_downstream": {
        "train": (1000,),
        "test": 1000,
        "experiments": 2,
        "predictor": "boosted_trees(stages=100)",
    },
    "reduced_downstream": {
        "train": (100,),
        "test": 5_000,
        "remove": 1,
        "predictor": "boosted_trees(stages=100)",
        "ranking": "boosted_trees(stages=100)",
    },
}
_HISTOGRAM = "histogram(debiased=False, bins=20, spacing=width)"
_INFOMEC = {"samples": 10_000, "neighbours": 10, "codes": "auto", "least": 0.0}
_INFO_E = {"samples": 10_000, "codes": "auto", "iterations": 100}
_SAMPLED = {"samples": 10_000, "components": "all", "compat": "disvae"}
SETTINGS = {
    "dlib": {name: {**fields, "compat": "dlib"} for name, fields in _STUDY.items()},
    "dlib2019": {name: {**fields, "compat": "dlib2019"} for name, fields in _STUDY.items()},
    "validation": {
        "mig": {"bins": 20, "samples": None, "skip": 0, "compat": "dlib"},
        # Rows of a share stand in the place of numbers of rows.
        "sap": {**_ROWS, "share": 0.9, "compat": "dlib"},
        "dci": {**_ROWS, "stages": 100, "share": 0.9, "compat": "dlib"},
    },
    "disvae": {"mig_sampled": _SAMPLED, "aam": _SAMPLED},
    "clg": {
        "factor_vae": {**_STUDY["factor_vae"], "prune_std": 0.1, "compat": "none"},
        "beta_vae": {
            "train": 1000,
            "test": 1000,
            "batch": 5,
            "penalised": False,
            "compat": "none",
        },
        "mig": {"bins": 20, "samples": 1000, "skip": 1, "compat": "none"},
        "dci": {"train": 1000, "test": 1000, **_TREES, "compat": "none"},
        "modularity_explicitness": {"train": 1000, "test": 1000, "bins": 20, "compat": "none"},
        "sap_continuous": {"samples": 1000, "compat": "none"},
        "unsupervised": {"samples": 1000, "bins": 20, "compat": "none"},
        "factor_leakage": {"samples": 1000, "skip": 1, "estimator": _HISTOGRAM},
        "downstream_pairs": {
            "step": 2,
            "pairs": 1000,
            "test_pairs": 1000,
            "size": 100,
            "depth": 15,
            "compat": "clg",
        },
    },
    # With this compat there are no numbers of rows: all are fitted.
    "dag": {"dci_lasso": {**_ROWS, "alpha": 0.02, "compat": "dag"}},
    "rpu": {
        "mig": {"bins": 20, "samples": 50_000, "skip": 0, "compat": "none"},
        "nmig": {"samples": 50_000, "estimator": _HISTOGRAM},
        "dci": {**_ROWS, **_TREES, "compat": "none"},
    },
    "qlae2023": {
        "info_m": {**_INFOMEC, "active": "range20"},
        "info_c": {**_INFOMEC, "active": "range20"},
        "info_e": _INFO_E,
    },
    "tripod2024": {
        "info_m": {**_INFOMEC, "active": "iqr"},
        "info_c": {**_INFOMEC, "active": "iqr"},
        "info_e": _INFO_E,
        "dci_forest": {
            "train": 9000,
            "test": 1000,
            "share": None,
            "size": 100,
            "depth": 10,
            "criterion": "entropy",
            "compat": "none",
        },
    },
}


def in_full(value):
    """A component as a text with every field, its defaults too; other values as they are."""
    if not dataclasses.is_dataclass(value):
        return value
    fields = dataclasses.fields(value)
    inside = ", ".join(f"{field.name}={getattr(value, field.name)}" for field in fields)
    return f"{value.name}({inside})"


def fields_of(metric):
    return {f.name: in_full(getattr(metric, f.name)) for f in dataclasses.fields(metric)}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_field_is_that_of_the_published_code(name):
    found = {metric.name: fields_of(metric) for metric in PROTOCOLS[name].metrics}
    assert found == SETTINGS[name]
    # Whoever changes a setting raises the version with it.
    assert PROTOCOLS[name].version == 1
    assert (PROTOCOLS[name].encode, PROTOCOLS[name].images) == ("float32", None)


def test_the_fast_protocol_takes_a_sample_of_the_images():
    fast = PROTOCOLS["fast"]
    assert (fast.encode, fast.images) == ("auto", 100_000)
    own = {metric.name: metric for metric in PROTOCOLS["unweave"].metrics}
    assert all(metric == own[metric.name] for metric in fast.metrics)
    assert set(_STUDY) - {metric.name for metric in fast.metrics} == {
        "dci_per_tree",
        "downstream_trees",
        "downstream_logistic",
        "fairness",
        "strong_downstream",
        "reduced_downstream",
    }
