"""A member's schedule, and its training repeated alone by a study or by one command."""

from __future__ import annotations

import shlex
import tomllib

import pytest

from reference.populations import MINI, config_of, population_of, whole
from session.runs import assert_same_state, cli
from unweave.errors import RunError, SpecError
from unweave.population.folder import PopulationFolder
from unweave.population.replay import config_of_member, schedule_of, study_text, write_replay
from unweave.settings import make_config
from unweave.studies import plan, read_study, run_study, study_of
from unweave.training.paths import value_at
from unweave.training.phases import Phase

LONG = tuple(
    Phase(
        start=5 * k,
        changes=(
            ("batch_size", 8 + k),
            ("objective.beta", 1.0 + 0.1 * k),
            ("optimizer.lr", 1e-4 / k),
            ("seed", 2**63 - k),
        ),
    )
    for k in range(1, 150)
)


def cloned():
    """A member of the last round whose weights have come from others."""
    place, outcome = whole()
    folder = PopulationFolder(place)
    rows = outcome.rounds[-1]
    return folder, max(rows, key=lambda row: len(config_of_member(folder, row).phases))


def test_the_study_ends_with_the_same_weights(tmp_path):
    folder, row = cloned()
    file = write_replay(folder, row, tmp_path / "winner.toml")
    text = file.read_text()
    assert "phase(" in text, "it has the weights of another, with other settings"
    study = read_study(file)
    assert (study.name, study.combinations()) == ("winner", [study.settings])
    assert f"Member {row.member} of round 3" in study.about
    assert f"the score {row.score:.6g} by {folder.population().fitness}" in study.about
    [run] = plan(study)
    assert run.config == config_of_member(folder, row)
    made, states = run_study(study, out=tmp_path / "alone", executor="serial")
    assert states[run.key].state == "finished"
    assert_same_state(made.run_folder(run.key), folder.run_of(row))


def test_so_does_the_command(tmp_path):
    folder, row = cloned()
    words = shlex.split(config_of_member(folder, row).command)
    assert words[:2] == ["unweave", "train"]
    assert cli(*words[1:], "--out", tmp_path / "alone").code == 0
    assert_same_state(tmp_path / "alone", folder.run_of(row))


def test_the_schedule_says_what_each_member_had(tmp_path):
    place, outcome = whole()
    folder = PopulationFolder(place)
    paths = ("optimizer.lr", "objective.beta")
    for row in outcome.rounds[-1]:
        stretches = schedule_of(config_of_member(folder, row), paths)
        # The line of descent, from the table alone.
        line = [row]
        for rows in reversed(outcome.rounds[:-1]):
            line.append(rows[line[-1].task.parent])
        had = [before.task.hyper for before in reversed(line)]
        for step in range(1, 16):
            [values] = [s.values for s in stretches if s.start < step <= s.stop]
            wanted = had[(step - 1) // 5]
            assert values == {path: pytest.approx(wanted[path]) for path in paths}
        assert (stretches[0].start, stretches[-1].stop) == (0, 15)


def test_what_changes_is_shown_unasked():
    config = make_config(
        MINI, "beta_vae(beta=2) + dip_vae_i(diagonal=3)", steps=20, batch_size=8,
        phases=(
            Phase(start=5, changes=(("objective.beta", 4.0), ("seed", 7))),
            "phase(start=12, changes=(('objective.dip_vae_i.diagonal', 0.5),))",
        ),
    )  # fmt: skip
    stretches = schedule_of(config)
    assert [(s.start, s.stop) for s in stretches] == [(0, 5), (5, 12), (12, 20)]
    assert [s.values for s in stretches] == [
        {"objective.beta": 2.0, "objective.dip_vae_i.diagonal": 3.0},
        {"objective.beta": 4.0, "objective.dip_vae_i.diagonal": 3.0},
        {"objective.beta": 4.0, "objective.dip_vae_i.diagonal": 0.5},
    ]
    [only] = schedule_of(config_of(), ["latents", "optimizer.lr"])
    assert only.values == {"latents": 3, "optimizer.lr": 0.0005}
    for path in ("objective.gamma", "optimizer.nothing", "nothing", "latents.more"):
        with pytest.raises(SpecError, match=path):
            schedule_of(config, [path])


@pytest.mark.parametrize(
    "config",
    [
        config_of(),
        config_of("factor_vae(gamma=6.5)", architecture="burgess", holdout=0.1, seed=2**62),
        config_of("beta_tcvae + dip_vae_i", likelihood="gaussian", clip_norm=0.5, ema=0.99),
        config_of(optimizer="adam(lr=1e-05, beta1=0.5)", checkpoint_every=7, snapshot_every=3),
        config_of("lie_group_vae", latents=10),
        make_config(
            MINI, "beta_vae", steps=1000, batch_size=8, threads=2, device="cpu", phases=LONG
        ),
    ],
    ids=str,
)
def test_any_training_is_written_as_a_study(config):
    text = study_text(config, population_of(), 'About "it": \\ and \x7f')
    form = tomllib.loads(text)
    [run] = plan(study_of(form, "s"))
    assert run.config.address == config.address
    assert run.config == config
    assert form["about"] == 'About "it": \\ and \x7f'
    assert form["evaluate"] == {"metrics": ["mig"], "protocol": "fast"}


def test_without_metrics_a_study_scores_nothing():
    study = study_of(tomllib.loads(study_text(config_of(), population_of(metrics=()), "")), "s")
    assert study.scores == ()


def test_a_member_that_is_not_kept_is_refused(tmp_path):
    _, outcome = whole()
    folder = PopulationFolder(tmp_path)
    with pytest.raises(RunError, match=r"Member 1 of round 2 is not kept.*--keep all"):
        write_replay(folder, outcome.rounds[1][1], tmp_path / "x.toml")
    assert not (tmp_path / "x.toml").exists()


@pytest.mark.parametrize(
    "path",
    [
        "objective.beta",
        "objective.beta_vae.beta",
        "objective.dip_vae_i.diagonal",
        "optimizer.beta1",
    ],
)
def test_values_are_read_where_they_are_changed(path):
    config = config_of("beta_vae + dip_vae_i") if "dip" in path else config_of()
    changed = config.changed([(path, 0.625)])
    assert value_at(changed, path.split("."), path) == 0.625
    assert value_at(config, path.split("."), path) != 0.625
