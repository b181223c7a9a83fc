"""Which settings of several configurations differ."""

from __future__ import annotations

import copy

from unweave.comparison.settings import differing_settings, groups_of

FORM = {
    "format": 1,
    "unweave": "0.1",
    "address": "0",
    "text": {"dataset": "dsprites", "objective": "beta_vae", "optimizer": "adam"},
    "command": "unweave train",
    "units": {"kl": "nats an image"},
    "dataset": {"type": "dsprites", "grid": None},
    "objective": {"type": "beta_vae", "beta": 4.0},
    "latents": 10,
    "optimizer": {"type": "adam", "lr": 0.001},
    "ema": None,
    "phases": [],
    "seed": 0,
    "log_every": 50,
}


def changed(**settings):
    """The form with other values; `objective__beta` is a field of a component."""
    form = copy.deepcopy(FORM)
    for name, value in settings.items():
        head, _, field = name.partition("__")
        if field:
            form[head][field] = value
        else:
            form[head] = value
    return form


def rows(*forms):
    return {s.name: s.values for s in differing_settings(forms).settings}


def test_only_what_differs_is_there():
    assert rows(FORM, changed()) == {}
    assert rows(FORM, changed(seed=3, latents=6), FORM) == {
        "latents": (10, 6, 10),
        "seed": (0, 3, 0),
    }


def test_what_stands_beside_a_configuration_is_no_setting():
    assert rows(FORM, changed(command="x", address="9", unweave="0.2", units={})) == {}


def test_a_field_that_the_text_of_a_component_leaves_out_is_told():
    other = changed(objective__beta=8.0)
    other["text"]["objective"] = "beta_vae(beta=8)"
    assert rows(FORM, other) == {
        "objective": ("beta_vae", "beta_vae(beta=8)"),
        "objective.beta": (4.0, 8.0),
    }


def test_components_of_other_kinds_are_compared_in_what_they_have_in_common():
    other = changed(objective={"type": "beta_tcvae", "alpha": 1.0, "beta": 6.0})
    other["text"]["objective"] = "beta_tcvae"
    third = changed(objective={"type": "annealed_vae", "gamma": 1000.0})
    third["text"]["objective"] = "annealed_vae"
    found = rows(FORM, other, third)
    assert found["objective"] == ("beta_vae", "beta_tcvae", "annealed_vae")
    assert found["objective.beta"] == (4.0, 6.0, "absent")
    assert set(found) == {"objective", "objective.beta"}


def test_what_leaves_the_model_as_it_is_comes_last():
    settings = differing_settings([FORM, changed(log_every=7, seed=1, optimizer__lr=0.1)]).settings
    assert [(s.name, s.aside) for s in settings] == [
        ("optimizer", False),
        ("optimizer.lr", False),
        ("seed", False),
        ("log_every", True),
    ]


def test_what_all_share_without_what_is_empty():
    shared = differing_settings([FORM, changed(seed=1)]).shared
    assert shared == (
        ("dataset", "dsprites"),
        ("objective", "beta_vae"),
        ("latents", 10),
        ("optimizer", "adam"),
    )


def test_true_is_not_one():
    assert rows(changed(ema=True), changed(ema=1)) == {"ema": (True, 1)}


def test_groups_differ_in_their_seed_or_in_what_leaves_the_model_as_it_is():
    forms = [
        FORM,
        changed(latents=6),
        changed(seed=1, log_every=9),
        changed(objective__beta=8.0),
        changed(seed=5, latents=6),
    ]
    assert groups_of(forms, [10] * 5) == ((0, 2), (1, 4), (3,))


def test_a_run_that_was_stopped_is_in_no_group_of_finished_ones():
    forms = [FORM, changed(seed=1), changed(seed=2), changed(seed=3)]
    assert groups_of(forms, [10, 6, 10, 6]) == ((0, 2), (1, 3))
