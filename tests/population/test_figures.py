"""The figures of a population: its table as nodes, and files that are pictures."""

from __future__ import annotations

import dataclasses
import math
import shutil

import pytest

from reference.populations import population_of, whole
from unweave.errors import RunError
from unweave.plots.lineage import descent
from unweave.population.figures import draw, fitness_name, is_log, nodes_of
from unweave.population.fitness import parse_fitness
from unweave.population.folder import PopulationFolder
from unweave.population.priors import Choice, Grid, Integers, LogIntegers, LogUniform, Uniform
from unweave.population.published import published_tuned
from unweave.population.replay import config_of_member
from unweave.population.table import Row, Task


def test_the_table_as_nodes():
    place, outcome = whole()
    folder = PopulationFolder(place)
    nodes = nodes_of(population_of(), outcome.rounds)
    rows = [row for of in outcome.rounds for row in of]
    assert len(nodes.rounds) == 12
    for k, row in enumerate(rows):
        assert (nodes.rounds[k], nodes.members[k]) == (row.task.round, row.member)
        assert nodes.scores[k] == row.score
        assert (nodes.starts[k], nodes.stops[k]) == (row.steps - 5, row.steps)
        if row.task.round == 1:
            assert nodes.origins[k] == -1
        else:
            before = rows[nodes.origins[k]]
            assert (before.task.round, before.member) == (row.task.round - 1, row.task.parent)
    assert nodes.scores[nodes.winner] == max(nodes.scores)
    assert list(nodes.fields) == ["lr", "beta"]
    # The way of the winner's weights is what its own configuration says.
    config = config_of_member(folder, rows[nodes.winner])
    for node in descent(nodes.origins, nodes.winner):
        then = config.at(nodes.stops[node])
        assert nodes.fields["beta"][node] == pytest.approx(then.objective.items[0].beta)
        assert nodes.fields["lr"][node] == pytest.approx(then.optimizer.lr)


def a_row(member, round, parent, score, steps, parent_round=None):
    task = Task(
        member=member, round=round, hyper={"optimizer.lr": 0.1, "objective.beta": 2.0},
        parent=parent, seed=0, parent_round=parent_round,
    )  # fmt: skip
    return Row(task=task, score=score, steps=steps)


def test_members_that_are_lost_new_or_not_in_step():
    rounds = [
        [a_row(0, 1, None, 0.5, 5), a_row(1, 1, None, None, 0)],
        [a_row(0, 2, 0, 0.6, 10), a_row(1, 2, None, 0.1, 5)],
        [a_row(0, 3, 0, 0.7, 15), a_row(1, 3, 0, 0.2, 10, parent_round=1)],
    ]
    nodes = nodes_of(population_of(), rounds)
    assert math.isnan(nodes.scores[1])
    # A round that came to no end is as long as it should have been.
    assert (nodes.starts[1], nodes.stops[1]) == (0, 5)
    assert nodes.origins == [-1, -1, 0, -1, 2, 0]
    assert nodes.winner == 4


def test_a_parent_may_be_rounds_ahead_of_its_copy():
    rounds = [
        [a_row(0, 1, None, 0.5, 5), a_row(1, 1, None, 0.1, 5)],
        [a_row(0, 2, 0, 0.6, 10), a_row(1, 2, 0, 0.2, 20, parent_round=3)],
        [a_row(0, 3, 0, 0.7, 15), a_row(1, 3, 0, None, 25, parent_round=4)],
    ]
    nodes = nodes_of(population_of(), rounds)
    assert nodes.origins == [-1, -1, 0, 4, 2, -1]
    assert nodes.starts == [0, 0, 5, 15, 10, 20]
    assert nodes.stops == [5, 5, 10, 20, 15, 25]


def test_files_are_drawn_and_drawn_again(tmp_path):
    place, _ = whole()
    folder = PopulationFolder(tmp_path)
    for name in ("population.json", "state.jsonl"):
        shutil.copy(place / name, tmp_path)
    paths = draw(folder)
    assert [path.name for path in paths] == [
        "lineage.png", "schedules.png", "scores.png", "fields.png",
    ]  # fmt: skip
    assert all(path.parent == tmp_path / "figures" for path in paths)
    before = [path.read_bytes() for path in paths]
    assert all(content.startswith(b"\x89PNG") and len(content) > 5000 for content in before)
    assert [path.read_bytes() for path in draw(folder)] == before


def test_before_the_first_round_there_is_nothing_to_draw(tmp_path):
    with pytest.raises(RunError, match="population"):
        draw(PopulationFolder(tmp_path))
    shutil.copy(whole()[0] / "population.json", tmp_path)
    assert draw(PopulationFolder(tmp_path)) == []
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    ("prior", "log"),
    [
        (LogUniform(low=1e-4, high=1e-2), True),
        (LogIntegers(low=1, high=100), True),
        (Uniform(low=1, high=1000), False),
        (Integers(low=1, high=1000), False),
        (Grid(values=(8, 16, 32, 64)), True),
        (Grid(values=(10, 20, 30, 40)), False),
        (Grid(values=(0.0, 1.0, 10.0)), False),
        (Choice(values=(1, 2)), False),
        (Choice(values=("adam", "sgd", "rmsprop")), False),
        (Choice(values=(1e-4, 1e-3, 1e-2)), True),
    ],
)
def test_which_fields_are_shown_by_magnitudes(prior, log):
    assert is_log(prior) is log


def test_published_fields_are_shown_by_magnitudes():
    assert all(is_log(tuned.prior) for tuned in published_tuned())


def test_what_scores_are_called():
    assert fitness_name(parse_fitness("mig(labels=100)")) == "mig"
    assert fitness_name(parse_fitness("udr")) == "udr"


def test_a_metric_of_which_less_is_better_has_a_sign():
    from unweave.metrics import Metric
    from unweave.spec import members

    lower = [name for name, cls in members(Metric).items() if not cls.higher_is_better]
    assert lower
    fitness = dataclasses.replace(parse_fitness("mig"), by=lower[0])
    assert fitness_name(fitness) == f"\N{MINUS SIGN}{lower[0]}"
