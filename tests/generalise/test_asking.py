"""What is asked of a run, by what kind of model it is."""

from __future__ import annotations

import pytest

from generalise.runs import SMALL
from unweave.analysis import choose
from unweave.conditions import split_of
from unweave.generalise import kind_of, requests_of
from unweave.metrics.protocols import protocol
from unweave.objectives import parse_objective
from unweave.settings import make_config

TRAIN = split_of("shape2tx", SMALL).train_text


def asked(objective, holdout=0.05, **options):
    config = make_config(TRAIN, objective, steps=1, holdout=holdout)
    return requests_of(config, **options)


@pytest.mark.parametrize(
    ("objective", "kind"),
    [
        ("vae", "autoencoder"),
        ("factor_vae(gamma=4)", "autoencoder"),
        ("cvae + factor_vae", "conditional"),
        ("ifcvae(labels=(shape, pos_x))", "conditional"),
        # A term that judges labels does not tell them to the model.
        ("vae + label_agreement", "autoencoder"),
        ("ground_truth_decoder", "decoder"),
        ("composer(operator=fixint)", "composer"),
    ],
)
def test_kinds_of_models(objective, kind):
    assert kind_of(parse_objective(objective).expand()) == kind
    for request in asked(objective):
        # Each name is one of its protocol.
        choose(protocol(request.protocol), request.metrics)


def test_both_regions_are_asked_for_the_same():
    apart, held_out = asked("vae")[1:]
    assert (apart.part, apart.data) == ("holdout", None)
    assert (held_out.part, held_out.data) == ("all", "held_out")
    assert apart.metrics == held_out.metrics
    assert "reconstruction_nll" in apart.metrics


def test_disentanglement_is_that_of_the_images_that_were_trained_on():
    first, further = asked("vae", metrics=("mig", "dci"))[:2]
    assert (first.metrics, first.protocol, first.part) == (("dci_lasso",), "dag", "train")
    assert (further.metrics, further.protocol, further.part) == (
        ("mig", "dci"), "unweave", "train",
    )  # fmt: skip


def test_no_code_is_blamed_for_what_the_decoder_is_told():
    names = {name for request in asked("cvae") for name in request.metrics}
    others = {name for request in asked("vae") for name in request.metrics}
    assert others - names == {"attribution"}


def test_without_images_kept_apart_those_that_were_trained_on_are_compared_with():
    assert [request.part for request in asked("vae", holdout=0.0)] == ["all", "all", "all"]


def test_a_decoder_has_no_codes_to_score():
    requests = asked("ground_truth_decoder", metrics=("mig",))
    assert {name for request in requests for name in request.metrics} == {
        "reconstruction_nll", "factor_errors",
    }  # fmt: skip


def test_a_composer_is_asked_for_composed_images():
    assert asked("composer")[-1].metrics == ("composition",)


def test_the_probe_can_be_left_out():
    for objective in ("vae", "ground_truth_decoder"):
        names = {name for each in asked(objective, probe=False) for name in each.metrics}
        assert "factor_errors" not in names
