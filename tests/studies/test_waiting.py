"""What waits for something that is not there is told, and what waits for nothing can be done."""

from typing import ClassVar

import pytest

from unweave.data import DatasetSpec
from unweave.errors import DataError, SpecError
from unweave.nn import Architecture
from unweave.objectives import Method, Term
from unweave.spec import Component, number
from unweave.studies import Study, plan
from unweave.studies.published import ready
from unweave.studies.waiting import missing, waits_for
from unweave.training import Optimizer

MINI = "dsprites(grid=(3, 2, 4, 8, 8))"


@pytest.mark.parametrize(
    ("text", "kinds", "found"),
    [
        ("vae + total_correlation(weight=3)", (Method, Term), ()),
        ("burgess", (Architecture,), ()),
        ("to_come", (Architecture,), ("architecture to_come",)),
        ("to_come(a=1)", (Method, Term), ("method or term to_come",)),
        (
            "vae + to_come(ramp=linear(start=0, stop=1, steps=5)) + later",
            (Method, Term),
            ("method or term to_come", "method or term later"),
        ),
        (
            "to_come(ramp=zigzag(steps=3), sides=(a, later(b=2)), kind=c)",
            (Method, Term),
            ("method or term to_come", "component zigzag", "component later"),
        ),
        ("beta_vae(beta=zigzag(steps=3))", (Method, Term), ("schedule zigzag",)),
        ("beta_vae(beta=zigzag)", (Method, Term), ("schedule zigzag",)),
        ("beta_vae(wobble=3, beta=2)", (Method, Term), ("beta_vae(wobble)",)),
        ("adam(lr=linear(start=1, stop=0, steps=3))", (Optimizer,), ("learning rate linear",)),
        ("adam(lr=zigzag(start=1))", (Optimizer,), ("learning rate zigzag",)),
        ('without(data=pyramids, where="a == 1")', (DatasetSpec,), ("dataset pyramids",)),
        ('only(data=pyramids(n=3), where="a == 1")', (DatasetSpec,), ("dataset pyramids",)),
    ],
)
def test_what_a_text_names_that_is_not_there(text, kinds, found):
    assert missing(text, *kinds) == found


@pytest.mark.parametrize(
    "text", ["beta_vae(beta=-3)", "beta_vae(beta='much')", "beta_vae(", "", "vae(3)", "vae * 2"]
)
def test_other_mistakes_are_no_waiting(text):
    with pytest.raises(SpecError):
        missing(text, Method, Term)


def study(*axes, **settings):
    settings = {"dataset": MINI, "objective": "vae", "steps": 5} | settings
    settings = {name: value for name, value in settings.items() if value is not None}
    return Study(name="some", settings=settings, axes=tuple(map(tuple, axes)))


SEEDS = [{"seed": 0}, {"seed": 1}]


def test_a_study_that_waits_for_nothing_is_itself():
    whole = study(SEEDS)
    assert ready(whole) == (whole, {})
    assert ready(whole)[0] is whole
    assert waits_for(whole) == ()


def test_only_what_waits_is_left_out():
    models = [{"objective": text} for text in ("vae", "to_come", "beta_vae", "to_come + later")]
    whole = study(models, SEEDS, objective=None)
    part, counts = ready(whole)
    assert counts == {"method or term later": 2, "method or term to_come": 4}
    assert part.axes == (({"objective": "vae"}, {"objective": "beta_vae"}), tuple(SEEDS))
    assert [(str(run.config.objective), run.config.seed) for run in plan(part)] == [
        ("vae", 0),
        ("vae", 1),
        ("beta_vae", 0),
        ("beta_vae", 1),
    ]
    assert waits_for(whole) == ("method or term later", "method or term to_come")


def test_what_waits_in_all_but_one_entry_leaves_that_one():
    # What every run has waits, and one entry has another in its place.
    whole = study([{"architecture": "burgess"}, {"latents": 3}], SEEDS, architecture="to_come")
    part, counts = ready(whole)
    assert counts == {"architecture to_come": 2}
    assert [run.config.latents for run in plan(part)] == [10, 10]


def test_a_study_of_which_all_waits_has_no_run():
    part, counts = ready(study(SEEDS, architecture="to_come"))
    assert counts == {"architecture to_come": 2}
    assert part.combinations() == []
    assert plan(part) == ()


def test_files_that_cannot_be_had_are_waited_for(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    whole = study([{"dataset": "celeba"}, {"dataset": MINI}], SEEDS, dataset=None)
    with pytest.raises(DataError):
        plan(whole)
    part, counts = ready(whole)
    assert counts == {"files of celeba": 2}
    assert {str(run.config.dataset) for run in plan(part)} == {MINI}
    # That is a matter of this machine, not of what unweave has.
    assert waits_for(whole) == ()


def test_presets_are_looked_into(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    presets = [{"preset": "disvae/VAE_celeba"}, {"preset": "disvae/VAE_dsprites"}]
    part, counts = ready(study(presets, dataset=None, objective=None, steps=None))
    assert counts == {"files of celeba": 1}
    assert part.axes == (({"preset": "disvae/VAE_dsprites"},),)


def test_what_has_come_is_not_waited_for():
    assert missing("waited_for_in_a_test(size=3)", _Waited) == ("waited waited_for_in_a_test",)

    class Come(_Waited):
        name: ClassVar[str] = "waited_for_in_a_test"
        size: int = number(default=1, help="Some number.")

    assert missing("waited_for_in_a_test(size=3)", _Waited) == ()
    assert missing("waited_for_in_a_test(width=3)", _Waited) == ("waited_for_in_a_test(width)",)


class _Waited(Component):
    family: ClassVar[str] = "waited"
