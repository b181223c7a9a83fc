"""Columns of configurations have the names by which studies set their fields."""

import pytest

from unweave import spec
from unweave.ranking import order
from unweave.results.fields import ASIDE, config_columns, default_fields, natural
from unweave.studies.fields import config_of

BASE = {"dataset": "dsprites", "objective": "beta_tcvae(beta=6)", "steps": 5}


@pytest.mark.parametrize(
    ("settings", "path", "value"),
    [
        ({}, "objective.beta", 6.0),
        ({"objective.beta": 3.5}, "objective.beta", 3.5),
        ({"optimizer.lr": 0.01}, "optimizer.lr", 0.01),
        ({"batch_size": 7}, "batch_size", 7),
        ({"dataset.grid": [3, 2, 2, 4, 4]}, "dataset.grid", "(3, 2, 2, 4, 4)"),
        ({"objective": "vae + density_ratio_tc(weight=9)"}, "objective.weight", 9.0),
        (
            {"objective": "vae + density_ratio_tc(weight=9)"},
            "objective.density_ratio_tc.weight",
            9.0,
        ),
        (
            {"objective": "annealed_vae", "objective.capacity.stop": 7},
            "objective.capacity.stop",
            7,
        ),
        ({"init_from": None}, "init_from", None),
    ],
)
def test_a_field_that_a_study_sets_is_the_column_of_that_name(settings, path, value):
    config = config_of(BASE | settings)
    form = spec.to_dict(config) | {"text": config.texts(), "format": 1, "address": "x"}
    columns = config_columns(form)
    assert columns[path] == value
    assert columns["objective"] == str(config.objective)
    assert columns["dataset"] == str(config.dataset)
    assert not {"text", "format", "address"} & columns.keys()


def test_summands_stand_under_their_names_and_the_first_that_has_a_field_under_none():
    config = config_of(BASE | {"objective": "beta_vae(beta=2) + total_correlation(weight=5)"})
    columns = config_columns(spec.to_dict(config))
    assert columns["objective.type"] == "beta_vae + total_correlation"
    assert columns["objective.beta"] == columns["objective.beta_vae.beta"] == 2.0
    assert columns["objective.weight"] == columns["objective.total_correlation.weight"] == 5.0
    # Without a text beside it the full form is the text.
    assert columns["optimizer"].startswith("adam(lr=")


def test_runs_of_one_configuration_are_those_that_a_ranking_takes_for_it():
    assert ASIDE == order.ASIDE


def test_settings_that_differ_tell_configurations_apart():
    columns = {
        "dataset": ["a", "a"],
        "objective": ["b", "b"],
        "objective.beta": [1, 2],
        "latents": [6, 10],
        "seed": [0, 1],
        "threads": [1, 2],
        "steps": [5, 5],
    }
    assert default_fields(columns) == ("objective", "latents")


def test_numbers_within_texts_are_sorted_by_size():
    texts = ["beta_vae(beta=10)", "beta_vae(beta=4)", None, "beta_vae(beta=4.5)", 3.0, 20, "a"]
    assert sorted(texts, key=natural) == [
        None, 3.0, 20, "a", "beta_vae(beta=4)", "beta_vae(beta=4.5)", "beta_vae(beta=10)",
    ]  # fmt: skip
