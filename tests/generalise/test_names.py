"""Short names that tell models apart."""

from __future__ import annotations

from generalise.runs import SMALL
from unweave.generalise.names import model_names
from unweave.settings import make_config


def names(*objectives, **settings):
    configs = [make_config(SMALL, text, steps=5, **settings) for text in objectives]
    return model_names(configs)


def test_alone_a_method_is_called_by_its_name():
    assert names("vae", "beta_vae(beta=8)", "factor_vae(gamma=20)") == [
        "vae", "beta_vae", "factor_vae",
    ]  # fmt: skip


def test_fields_that_differ_are_told_and_others_are_not():
    assert names("factor_vae(gamma=20, width=50)", "factor_vae(gamma=50, width=50)") == [
        "factor_vae(gamma=20)", "factor_vae(gamma=50)",
    ]  # fmt: skip


def test_seeds_are_not_part_of_a_name():
    configs = [make_config(SMALL, "vae", steps=5, seed=seed) for seed in (0, 1)]
    assert model_names(configs) == ["vae", "vae"]


def test_runs_of_one_objective_are_told_apart_by_what_else_differs():
    configs = [
        make_config(SMALL, "vae", steps=5, architecture=name) for name in ("burgess", "kim")
    ]
    assert model_names(configs) == ["vae, architecture=burgess", "vae, architecture=kim"]


def test_every_setting_that_has_a_part_in_results_tells_runs_apart():
    configs = [
        make_config(SMALL, "vae", steps=5, **settings)
        for settings in ({}, {"likelihood": "gaussian"}, {"ema": 0.99}, {"clip_norm": 1.0})
    ]
    assert len(set(model_names(configs))) == 4
    # How often something is looked at has none.
    configs = [make_config(SMALL, "vae", steps=5, log_every=number) for number in (1, 5)]
    assert model_names(configs) == ["vae", "vae"]


def test_a_sum_is_called_by_its_text():
    assert names("vae + kl(weight=2)") == [str(make_config(
        SMALL, "vae + kl(weight=2)", steps=5).objective)]  # fmt: skip
