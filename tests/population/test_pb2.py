"""Population based bandits: the model, the scales, and choices that find an optimum."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import evolution_reference
from unweave.population.evolve import first_round, next_round
from unweave.population.exploit import Truncation
from unweave.population.explore import Explore, Perturb
from unweave.population.forgetting import Forgetting, Surrogate
from unweave.population.pb2 import PopulationBasedBandits, Scale, score_changes
from unweave.population.priors import Choice, Grid, LogIntegers, LogUniform, Uniform
from unweave.population.table import Row, Task
from unweave.population.tuned import Tuned
from unweave.spec import parse

RATE = Tuned(path="optimizer.lr", prior=LogUniform(low=1e-5, high=1e-4), high=0.1)


def row(member, round, score, parent=None, **hyper):
    task = Task(member=member, round=round, hyper=hyper, parent=parent, seed=0)
    return Row(task=task, score=score)


# The model


def random_points(count, inputs, seed=0):
    rng = np.random.default_rng(seed)
    rounds = rng.integers(2, 9, size=(count, 1)).astype(float)
    return np.hstack((rounds, rng.random((count, inputs))))


def test_the_kernel_is_that_of_the_slow_way():
    points, others = random_points(7, 3), random_points(5, 3, seed=1)
    numbers = {"forgetting": 0.2, "length_scale": 0.7}
    slow = [
        [evolution_reference.kernel(a, b, variance=1, **numbers) for b in others] for a in points
    ]
    kernel = Forgetting(**numbers)
    np.testing.assert_allclose(kernel(points, others), slow, rtol=1e-12)
    np.testing.assert_allclose(kernel(points), kernel(points, points), rtol=1e-12)
    np.testing.assert_allclose(np.diag(kernel(points)), kernel.diag(points))


def test_half_of_what_is_known_is_forgotten_as_told():
    kernel = Forgetting(forgetting=0.36)
    now, later = np.array([[3.0, 0.5]]), np.array([[5.0, 0.5]])
    assert kernel(now, later) == pytest.approx(0.64)


def test_the_gradient_is_that_of_finite_differences():
    points = random_points(6, 2)
    kernel = Forgetting(forgetting=0.2, length_scale=0.7)
    values, gradient = kernel(points, eval_gradient=True)
    np.testing.assert_allclose(values, kernel(points))
    names = [parameter.name for parameter in kernel.hyperparameters]
    assert len(names) == gradient.shape[-1] == 2
    for place, name in enumerate(names):
        value = kernel.get_params()[name]
        ends = [
            Forgetting(**kernel.get_params() | {name: value * math.exp(step)})(points)
            for step in (1e-5, -1e-5)
        ]
        np.testing.assert_allclose(gradient[..., place], (ends[0] - ends[1]) / 2e-5, atol=1e-8)


def test_what_is_expected_is_that_of_the_textbook():
    points, at = random_points(25, 2), random_points(4, 2, seed=1)
    changes = np.sin(5 * points[:, 1]) + 0.1 * points[:, 0]
    surrogate = Surrogate(points, changes)
    product, noise = surrogate.kernel.k1, surrogate.kernel.k2.noise_level
    numbers = product.k2.get_params() | {"variance": product.k1.constant_value}
    numbers = {key: numbers[key] for key in ("variance", "forgetting", "length_scale")}
    scaled = np.clip((changes - changes.mean()) / changes.std(), -2, 2)
    means, deviations = surrogate.predict(at)
    for k in range(4):
        mean, deviation = evolution_reference.posterior(points, scaled, at[k], noise, **numbers)
        assert means[k] == pytest.approx(mean, abs=1e-6)
        assert deviations[k] == pytest.approx(deviation, abs=1e-4)


def test_what_is_imagined_changes_no_mean_and_makes_surer():
    points, at = random_points(20, 1), random_points(30, 1, seed=1)
    surrogate = Surrogate(points, np.cos(4 * points[:, 1]))
    means, deviations = surrogate.predict(at)
    surrogate.imagine(at[0])
    again, surer = surrogate.predict(at)
    np.testing.assert_allclose(again, means, atol=1e-6)
    assert (surer <= deviations + 1e-6).all()
    assert surer[0] < deviations[0]


def test_equal_changes_are_no_trouble():
    points = random_points(5, 1)
    means, deviations = Surrogate(points, np.full(5, 0.3)).predict(points)
    np.testing.assert_allclose(means, 0, atol=1e-9)
    assert np.isfinite(deviations).all()


# What it is fitted to


def test_changes_are_those_of_weights_that_had_a_score():
    history = [
        [row(0, 1, 0.5, a=1), row(1, 1, 0.2, a=2), row(2, 1, None, a=3), row(3, 1, 0.4, a=4)],
        [row(0, 2, 0.7, 0, a=1), row(1, 2, None, 0, a=5), row(2, 2, 0.1, None, a=6)],
        [row(0, 3, 0.8, 0, a=1), row(1, 3, 0.6, 0, a=7), row(2, 3, 0.4, 2, a=6)],
    ]
    found = [(c.round, c.before, c.hyper["a"], c.change) for c in score_changes(history)]
    assert found == [
        (2, 0.5, 1, pytest.approx(0.2)),
        (2, 0.5, 5, None),
        (3, 0.7, 1, pytest.approx(0.1)),
        (3, 0.7, 7, pytest.approx(-0.1)),
        (3, 0.1, 6, pytest.approx(0.3)),
    ]
    assert score_changes(history[:1]) == score_changes([]) == []


def test_scales():
    scale = Scale(RATE)
    assert scale.position(1e-5) == 0
    assert scale.position(1e-3) == pytest.approx(0.5)
    assert scale.position(0.1) == pytest.approx(1)
    assert scale.value(0.75) == pytest.approx(1e-2)
    even = Scale(Tuned(path="a", prior=Uniform(low=-2, high=2)))
    assert even.position(1) == 0.75
    assert even.value(0.25) == -1
    free = Scale(Tuned(path="a", prior=Grid(values=(1, 100)), bounded=False))
    assert free.position(10) == pytest.approx(0.5)
    assert free.position(1000) == pytest.approx(1.5)
    assert free.value(1) == 100
    assert Scale(Tuned(path="a", prior=Grid(values=(5,)))).position(5) == 0


@given(st.floats(0, 1))
def test_scales_lead_back_and_keep_to_bounds(position):
    for prior in (LogUniform(low=3e-6, high=0.7), Uniform(low=-1, high=0.3)):
        scale = Scale(Tuned(path="a", prior=prior))
        value = scale.value(position)
        assert prior.low <= value <= prior.high
        assert scale.position(value) == pytest.approx(position, abs=1e-9)
    sizes = Scale(Tuned(path="a", prior=LogIntegers(low=1, high=700)))
    assert type(sizes.value(position)) is int
    assert 1 <= sizes.value(position) <= 700


# Choices


def play(explore, seed, optimum, rounds=10, members=8, fields=(RATE,)):
    """A population whose scores grow by at most 0.1 a round, the nearer to the optimum the more.

    Returns:
        Mean distance of the clones of the last three rounds from the optimum, in decades, and all
        rounds.
    """
    rng = np.random.default_rng(seed)
    tasks = first_round(fields, members=members, seed=seed)
    history, scores = [], {}
    for round in range(1, rounds + 1):
        rows, new = [], {}
        for task in tasks:
            off = math.log10(task.hyper["optimizer.lr"]) - optimum(round)
            gain = 0.1 * math.exp(-0.5 * (off / 0.7) ** 2) + 0.01 * rng.normal()
            new[task.member] = scores.get(task.parent, 0.0) + gain
            rows.append(Row(task=task, score=new[task.member]))
        scores = new
        history.append(rows)
        tasks = next_round(
            fields, history, exploit=Truncation(fraction=0.25), explore=explore, seed=seed
        )
    last = [
        abs(math.log10(one.task.hyper["optimizer.lr"]) - optimum(one.task.round))
        for rows in history[-3:]
        for one in rows
        if one.task.cloned
    ]
    return float(np.mean(last)), history


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimum",
    [lambda round: -2.5, lambda round: -4.5 + 0.25 * round],
    ids=["far from the prior", "moving"],
)
def test_choices_end_nearer_to_an_optimum_than_perturbation(optimum):
    seeds = range(4)
    bandits = [play(PopulationBasedBandits(), seed, optimum)[0] for seed in seeds]
    perturbed = [play(Perturb(), seed, optimum)[0] for seed in seeds]
    assert np.mean(bandits) < 0.5 * np.mean(perturbed)
    assert max(bandits) < max(perturbed)
    assert np.mean(bandits) < 0.7


def test_all_choices_are_within_bounds_and_repeat_themselves():
    fields = (RATE, Tuned(path="b", prior=LogIntegers(low=2, high=9)))
    _, history = play(PopulationBasedBandits(), 0, lambda round: 5.0, rounds=4, fields=fields)
    for rows in history:
        for one in rows:
            assert 1e-5 <= one.task.hyper["optimizer.lr"] <= 0.1
            assert one.task.hyper["b"] in range(2, 10)
            assert type(one.task.hyper["b"]) is int
    _, again = play(PopulationBasedBandits(), 0, lambda round: 5.0, rounds=4, fields=fields)
    assert again == history


def test_a_field_that_weights_keep_is_that_of_the_parent_and_no_other_is_imagined():
    fields = (RATE, Tuned(path="latents", prior=LogIntegers(low=2, high=9)))
    _, history = play(PopulationBasedBandits(), 0, lambda round: -3.0, rounds=4, fields=fields)
    tasks = next_round(
        fields, history, exploit=Truncation(fraction=0.25), explore=PopulationBasedBandits(),
        seed=0, lasting={"latents"},
    )  # fmt: skip
    clones = [task for task in tasks if task.cloned]
    assert clones
    before = {row.member: row.task.hyper for row in history[-1]}
    for task in clones:
        assert task.hyper["latents"] == before[task.parent]["latents"]
    # The rate is chosen as if there were no such field.
    alone = next_round(
        (RATE,), history, exploit=Truncation(fraction=0.25), explore=PopulationBasedBandits(),
        seed=0,
    )  # fmt: skip
    rates = {task.member: task.hyper["optimizer.lr"] for task in alone}
    assert all(task.hyper["optimizer.lr"] == rates[task.member] for task in clones)


def a_few_rounds(score=lambda rate: -((math.log10(rate) + 2.5) ** 2), rounds=3):
    """A population that goes on with the same fields, evenly spaced over the bounds."""
    history, scores = [], [0.0] * 9
    for round in range(1, rounds + 1):
        rows = []
        for member in range(9):
            rate = 10 ** (-5 + 0.5 * member)
            gain = score(rate)
            if gain is not None:
                scores[member] += gain
            rows.append(
                Row(
                    task=Task(
                        member=member,
                        round=round,
                        hyper={"optimizer.lr": rate, "kind": "a"},
                        parent=member if round > 1 else None,
                        seed=0,
                    ),
                    score=None if gain is None else scores[member],
                )
            )
        history.append(rows)
    return history


def test_without_exploration_it_takes_the_best_that_is_expected():
    history = a_few_rounds()
    rule = PopulationBasedBandits(exploration=0)
    found = rule.explore({0: history[-1][5]}, (RATE,), history, 0, 4)
    assert math.log10(found[0]["optimizer.lr"]) == pytest.approx(-2.5, abs=0.3)


def test_clones_of_one_round_spread():
    history = a_few_rounds()
    clones = dict.fromkeys(range(5), history[-1][5])
    found = PopulationBasedBandits(exploration=2).explore(clones, (RATE,), history, 0, 4)
    logs = sorted(math.log10(hyper["optimizer.lr"]) for hyper in found.values())
    assert logs[-1] - logs[0] > 0.5
    alone = PopulationBasedBandits(exploration=2).explore(
        {0: history[-1][5]}, (RATE,), history, 0, 4
    )
    assert alone[0] == found[0]


def test_members_that_diverge_are_kept_away_from():
    # All scores fall, the less the higher the rate; at 3e-3 and more there is none. A change of
    # nothing would be the best of all.
    def score(rate):
        return None if rate > 2e-3 else 0.1 * math.log10(rate)

    rows = a_few_rounds(score, rounds=2)[1]
    history = [a_few_rounds(lambda rate: 0.0, rounds=1)[0], rows]
    found = PopulationBasedBandits(exploration=0).explore({0: rows[4]}, (RATE,), history, 0, 3)
    assert 1e-4 < found[0]["optimizer.lr"] < 3e-3


def test_lists_of_values_and_early_rounds_are_perturbed():
    kind = Tuned(path="kind", prior=Choice(values=("a", "b", "c")))
    rule = PopulationBasedBandits()
    history = a_few_rounds()
    clones = dict.fromkeys(range(3), history[-1][5])
    perturbed = rule.otherwise.explore(clones, (RATE, kind), history, 0, 4)
    found = rule.explore(clones, (RATE, kind), history, 0, 4)
    assert list(found[0]) == ["optimizer.lr", "kind"]
    for member in clones:
        assert found[member]["kind"] == perturbed[member]["kind"] != "a"
        assert found[member]["optimizer.lr"] != perturbed[member]["optimizer.lr"]
    assert rule.explore(clones, (kind,), history, 0, 4) == {
        member: {"kind": hyper["kind"]} for member, hyper in perturbed.items()
    }
    early = dict.fromkeys(range(3), history[0][5])
    assert rule.explore(early, (RATE, kind), history[:1], 0, 2) == rule.otherwise.explore(
        early, (RATE, kind), history[:1], 0, 2
    )


def test_a_choice_is_that_of_member_and_round_whatever_comes_after():
    history = a_few_rounds()
    rule = PopulationBasedBandits()
    few = rule.explore({2: history[-1][5]}, (RATE,), history, 0, 4)
    more = rule.explore({7: history[-1][4], 2: history[-1][5]}, (RATE,), history, 0, 4)
    assert few[2] == more[2]


def test_old_changes_are_left_out():
    # Before the last round the best rate was another.
    old = a_few_rounds(lambda rate: -((math.log10(rate) + 4.5) ** 2), rounds=6)
    new = a_few_rounds(rounds=2)
    history = [*old, *new]
    clones = {0: new[-1][5]}
    rule = PopulationBasedBandits(exploration=0, memory=9)
    found = rule.explore(clones, (RATE,), history, 0, 9)
    assert math.log10(found[0]["optimizer.lr"]) == pytest.approx(-2.5, abs=0.4)


def test_texts():
    text = "pb2(exploration=2, otherwise=perturb(factors=(2, 0.5)))"
    rule = parse(text, Explore)
    assert rule == PopulationBasedBandits(exploration=2, otherwise=Perturb(factors=(2, 0.5)))
    assert str(rule) == text
    assert str(PopulationBasedBandits()) == "pb2"
