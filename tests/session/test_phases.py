"""Settings that change in the course of a training, and runs that branch off another."""

from __future__ import annotations

import functools
import json
import shlex
from pathlib import Path

import pytest
import torch

from session.runs import (
    BATCH,
    MINI,
    TINY,
    Watcher,
    assert_same_state,
    checkpoint_step,
    cli,
    document,
    folder_for_runs,
    lines,
    paragraph,
    tensors,
    timeless,
    train,
)
from unweave import run as running
from unweave.errors import RunError, SpecError
from unweave.session import begin, branch, continue_run, read_config
from unweave.settings import make_config
from unweave.spec import parse, parse_tuple, to_dict
from unweave.training import TrainConfig
from unweave.training.phases import Phase

SETTINGS = {**TINY, "latents": 3, "log_every": 4, "checkpoint_every": 100}


def config_of(steps=12, objective="beta_vae(beta=2)", **settings) -> TrainConfig:
    return make_config(MINI, objective, steps=steps, **{**SETTINGS, **settings})


def trained(folder: Path, **settings) -> Path:
    begin(config_of(**settings), folder)
    return folder


def phase(start, **changes) -> Phase:
    pairs = tuple((path.replace("__", "."), value) for path, value in changes.items())
    return Phase(start=start, changes=pairs)


def test_a_phase_of_rates_equals_the_scheduler_of_pytorch(tmp_path):
    phased = trained(tmp_path / "a", lr=0.01, phases=(phase(5, optimizer__lr=0.001),))
    rate = "adam(lr=multi_step_lr(start=0.01, milestones=(5,), gamma=0.1))"
    scheduled = trained(tmp_path / "b", optimizer=rate)
    one, other = tensors(phased), tensors(scheduled)
    for name in one:
        if name.startswith("model/"):
            assert torch.equal(one[name], other[name]), name


def test_a_phase_of_weights_equals_a_schedule_of_them(tmp_path):
    phased = trained(tmp_path / "a", phases=(phase(6, objective__beta=8),))
    # Linear within one step, so that it is one value up to step 6 and another from 7 on.
    beta = "delayed(schedule=linear(start=2, stop=8, steps=1), steps=6)"
    scheduled = trained(tmp_path / "b", objective=f"beta_vae(beta={beta})")
    one, other = tensors(phased), tensors(scheduled)
    for name in one:
        if name.startswith("model/"):
            assert torch.equal(one[name], other[name]), name


def test_a_phase_of_a_seed_changes_the_batches_and_nothing_before(tmp_path):
    plain = trained(tmp_path / "a", steps=4)
    phased = trained(tmp_path / "b", steps=8, phases=(phase(4, seed=9, batch_size=8),))
    begun = lines(plain)[0]
    assert timeless([begun]) == timeless(lines(phased)[:1])
    rest = trained(tmp_path / "c", steps=8)
    assert timeless(lines(rest)[:1]) == timeless([begun])
    assert timeless(lines(rest)[1:]) != timeless(lines(phased)[1:])


def test_two_phases_with_the_same_settings_are_as_none(tmp_path):
    plain = trained(tmp_path / "a")
    phased = trained(tmp_path / "b", phases=(phase(3, batch_size=BATCH), phase(7, seed=0)))
    assert_same_state(plain, phased)


def with_phases(objective, **settings) -> TrainConfig:
    """A training of two phases, in which weights, batches and the rate change."""
    field = "objective.gamma" if "factor" in objective else "objective.beta"
    phases = (
        Phase(start=5, changes=((field, 5.0), ("seed", 3), ("batch_size", 6))),
        Phase(start=9, changes=(("optimizer.lr", 1e-4),)),
    )
    return config_of(objective=objective, phases=phases, ema=0.9, **settings)


@functools.cache
def uninterrupted(objective) -> Path:
    """It, in one go."""
    folder = folder_for_runs() / "whole"
    begin(with_phases(objective), folder)
    return folder


@pytest.mark.parametrize("at", [4, 5, 6, 9])
@pytest.mark.parametrize("objective", ["beta_vae(beta=2)", "factor_vae(gamma=2, width=20)"])
def test_a_resume_around_a_phase_equals_the_uninterrupted_training(tmp_path, at, objective):
    class Stop(Exception):
        pass

    def stop():
        raise Stop

    # The last checkpoint is that of step `at`.
    config = with_phases(objective, checkpoint_every=at)
    watcher = Watcher({at + 1: stop})
    with pytest.raises(Stop):
        begin(config, tmp_path / "broken", watch=watcher)
    assert checkpoint_step(tmp_path / "broken") == at
    continue_run(tmp_path / "broken")
    assert_same_state(uninterrupted(objective), tmp_path / "broken")


def test_a_branch_equals_the_training_from_its_first_step_on(tmp_path):
    begin(config_of(steps=5, holdout=0.25), tmp_path / "one")
    phases = (phase(5, objective__beta=6, seed=4),)
    new = config_of(steps=12, holdout=0.25, phases=phases)
    branch(tmp_path / "one", tmp_path / "two", new)
    assert document(tmp_path / "two" / "status.json")["step"] == 5
    continue_run(tmp_path / "two")
    whole = trained(tmp_path / "whole", holdout=0.25, phases=phases)
    assert_same_state(tmp_path / "two", whole)
    assert [row["step"] for row in lines(tmp_path / "two")] == [4, 5, 8, 12]


def test_branches_leave_the_first_run_as_it_is(tmp_path):
    one = trained(tmp_path / "one", steps=4)
    before = tensors(one)
    for place, beta in (("two", 3), ("three", 9)):
        branch(one, tmp_path / place, config_of(steps=8, phases=(phase(4, objective__beta=beta),)))
        continue_run(tmp_path / place)
    after = tensors(one)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert document(one / "status.json")["step"] == 4
    two, three = tensors(tmp_path / "two"), tensors(tmp_path / "three")
    assert any(not torch.equal(two[name], three[name]) for name in two if "model/" in name)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"steps": 4}, "Give more steps"),
        ({"seed": 1}, "other settings"),
        ({"objective": "beta_vae(beta=3)"}, "other settings"),
        ({"phases": (phase(2, seed=4),)}, "other settings"),
    ],
)
def test_a_branch_of_another_past_is_refused(tmp_path, settings, words):
    one = trained(tmp_path / "one", steps=4)
    with pytest.raises(RunError, match=words):
        branch(one, tmp_path / "two", config_of(**{"steps": 8, **settings}))
    assert not (tmp_path / "two").exists()


def test_a_branch_does_not_replace_a_folder(tmp_path):
    one = trained(tmp_path / "one", steps=4)
    with pytest.raises(RunError, match="exists"):
        branch(one, one, config_of(steps=8))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((("latents", 3),), "cannot change"),
        ((("dataset.grid", 3),), "cannot change"),
        ((("objective", "vae"),), "objective.beta"),
        ((), "empty"),
        ((("seed", 1), ("seed", 2)), "twice"),
    ],
)
def test_phases_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(SpecError, match=words):
        Phase(start=4, changes=changes)


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ((phase(20, seed=1),), "never begins"),
        ((phase(6, seed=1), phase(6, seed=2)), "order"),
        ((phase(7, seed=1), phase(6, seed=2)), "order"),
        ((phase(4, objective__gamma=1),), "no field"),
        ((phase(4, objective__compat="disvae"),), "real numbers|no field"),
        ((phase(4, batch_size=100_000),), "batch_size"),
        ((phase(4, optimizer__lr=-1),), "lr"),
        ((phase(4, batch_size="many"),), "whole number"),
    ],
)
def test_phases_that_do_not_fit_a_training_are_refused(phases, words):
    with pytest.raises(SpecError, match=words):
        config_of(phases=phases)


def test_a_scheduled_rate_and_phases_of_the_optimiser_are_refused():
    rate = "adam(lr=step_lr(start=0.01, step_size=5))"
    with pytest.raises(SpecError, match="schedule"):
        config_of(optimizer=rate, phases=(phase(4, optimizer__lr=0.1),))
    # Other settings can change beside it.
    assert config_of(optimizer=rate, phases=(phase(4, seed=2),)).at(5).seed == 2


def test_settings_at_each_step():
    config = config_of(phases=(phase(5, objective__beta=6), phase(9, batch_size=16)))
    betas = [config.at(step).objective.items[0].beta for step in (1, 5, 6, 12)]
    assert betas == [2, 2, 6, 6]
    assert [config.at(step).batch_size for step in (9, 10)] == [BATCH, 16]
    assert config.last == config.at(12)
    assert config.spans() == [(0, 5), (5, 9), (9, 12)]
    assert config.spans(5) == [(5, 9), (9, 12)]
    assert config.spans(10) == [(10, 12)]
    assert config.spans(12) == []
    plain = config_of()
    assert plain.at(7) is plain
    assert plain.spans() == [(0, 12)]


def test_text_form_and_address():
    phases = (phase(5, objective__beta=6.0, seed=3), phase(9, optimizer__lr=1e-4))
    config = config_of(phases=phases)
    form = json.loads(json.dumps(to_dict(config)))
    assert TrainConfig.from_dict(form) == config
    assert parse(str(phases[0]), Phase) == phases[0]
    assert parse_tuple(f"({phases[0]}, {phases[1]})", Phase) == phases
    assert config_of(phases=f"({phases[0]}, {phases[1]})").address == config.address
    assert config.address != config_of().address
    same = Phase(start=5, changes=(("seed", 3), ("objective.beta", 6)))
    assert same == phases[0]


def test_the_command_line_trains_phases_and_its_command_does_it_again(tmp_path):
    text = "(phase(start=4, changes=((batch_size, 8), ('optimizer.lr', 0.001))),)"
    result = train(tmp_path / "a", "beta_vae", **{**SETTINGS, "steps": 8, "phases": text})
    assert result.json["state"] == "finished", result.err
    words = shlex.split(document(tmp_path / "a" / "config.json")["command"])
    again = cli(*words[1:], "--out", tmp_path / "b", "--json")
    assert again.code == 0, again.err
    assert_same_state(tmp_path / "a", tmp_path / "b")
    assert read_config(tmp_path / "b").phases == read_config(tmp_path / "a").phases
    rates = [row["lr"] for row in lines(tmp_path / "a")]
    assert rates == [0.0005, 0.001]
    refused = train(tmp_path / "c", "beta_vae", **{**SETTINGS, "steps": 8, "phases": "phase"})
    paragraph(refused, "phase needs start")


def test_scores_by_analyses_are_of_the_last_phase(tmp_path):
    config = config_of(phases=(phase(5, objective__beta=6),))
    begin(config, tmp_path / "a")
    run = running.load_run(tmp_path / "a")
    assert run.config.last.objective.items[0].beta == 6
    assert run.evaluate(("mig",), protocol_name="fast")["mig"].value >= 0
