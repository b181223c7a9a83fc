"""Evolution: tasks of the next round from all rounds before it."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unweave.population.evolve
from unweave.errors import SpecError
from unweave.population.evolve import first_round, member_seed, next_round
from unweave.population.exploit import NoExploit, Truncation
from unweave.population.explore import Perturb
from unweave.population.priors import Choice
from unweave.population.published import EXPLOIT, EXPLORE, SHRINK, published_tuned
from unweave.population.table import Row, ranked
from unweave.population.tuned import Tuned, initial

TUNED = (*published_tuned(), Tuned(path="kind", prior=Choice(values=("a", "b", "c"))))
RULES = {"exploit": EXPLOIT, "explore": EXPLORE}
some_scores = st.none() | st.integers(0, 4).map(lambda k: k / 4)


def done(tasks, scores):
    """What members did, with the scores that are given for their numbers."""
    return [Row(task=task, score=scores[task.member]) for task in tasks]


@st.composite
def populations(draw):
    """Two to five rounds of a population, played with random rules and scores."""
    seed = draw(st.integers(0, 10**6))
    members = draw(st.integers(1, 14))
    shrink = draw(st.integers(1, min(3, members)))
    exploit = draw(st.sampled_from([NoExploit(), Truncation(), Truncation(fraction=0.5)]))
    explore = draw(st.sampled_from([EXPLORE, Perturb(resample=0.2)]))
    rules = {"exploit": exploit, "explore": explore, "seed": seed, "shrink": shrink}
    tasks = first_round(TUNED, members=members, seed=seed)
    history = []
    for _ in range(draw(st.integers(1, 4))):
        scores = draw(st.lists(some_scores, min_size=members, max_size=members))
        history.append(done(tasks, scores))
        tasks = next_round(TUNED, history, **rules)
    return rules, history, tasks


@given(populations())
@settings(deadline=None)
def test_who_goes_on_is_unchanged_and_who_does_not_takes_from_the_best(population):
    rules, history, tasks = population
    rows = ranked(history[-1])
    if len(history) == 1:
        rows = rows[: len(rows) // rules["shrink"]]
    assert [task.member for task in tasks] == sorted(row.member for row in rows)
    assert {task.round for task in tasks} == {len(history) + 1}
    scored = [row for row in rows if row.score is not None]
    # Fractions are fifths and halves, whose products have no rounding errors that matter.
    share = getattr(rules["exploit"], "fraction", 0) * len(rows)
    count = min(math.ceil(share), len(scored) // 2)
    winners = {row.member for row in scored[: max(1, count)]}
    before = {row.member: row for row in rows}
    for task in tasks:
        row = before[task.member]
        if task.parent == task.member:
            assert row.score is not None
            assert (task.hyper, task.seed) == (row.task.hyper, row.task.seed)
            assert not task.cloned
        else:
            assert task.seed == member_seed(rules["seed"], task.member, task.round)
            assert task.parent in winners or task.parent is None
        if task.member in winners and row.score is not None:
            assert task.parent == task.member
        if task.parent is None:
            assert task.hyper == initial(TUNED, rules["seed"], task.member, task.round)
            assert row.score is None
            assert not scored or isinstance(rules["exploit"], NoExploit)


@given(populations())
@settings(deadline=None)
def test_all_values_are_in_bounds_and_whole_where_they_are_to_be(population):
    _, history, tasks = population
    for task in (*tasks, *(row.task for rows in history for row in rows)):
        assert list(task.hyper) == [field.path for field in TUNED]
        assert 1 <= task.hyper["batch_size"] <= 1024
        assert task.hyper["objective.beta"] >= 1
        assert task.hyper["optimizer.lr"] > 0
        assert task.hyper["kind"] in ("a", "b", "c")
        assert type(task.hyper["batch_size"]) is type(task.hyper["objective.beta"]) is int


@given(populations(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_same_call_gives_the_same_tasks_in_whatever_order_rows_come(population, random):
    rules, history, tasks = population
    assert next_round(TUNED, history, **rules) == tasks
    mixed = [random.sample(rows, len(rows)) for rows in history]
    assert next_round(TUNED, mixed, **rules) == tasks
    read = [[Row.from_dict(row.to_dict()) for row in rows] for rows in history]
    assert next_round(TUNED, read, **rules) == tasks


def test_the_first_round():
    tasks = first_round(TUNED, members=20, seed=3)
    assert [task.member for task in tasks] == list(range(20))
    assert {(task.round, task.parent) for task in tasks} == {(1, None)}
    assert len({task.seed for task in tasks}) == 20
    assert [task.hyper for task in tasks] == [initial(TUNED, 3, k) for k in range(20)]
    # More members, or another seed, leave or change the others.
    assert first_round(TUNED, members=30, seed=3)[:20] == tasks
    assert first_round(TUNED, members=20, seed=4) != tasks
    with pytest.raises(SpecError, match="at least one member, not 0"):
        first_round(TUNED, members=0, seed=3)
    with pytest.raises(SpecError, match="kind is tuned twice"):
        first_round((*TUNED, TUNED[-1]), members=2, seed=3)
    with pytest.raises(SpecError, match="begin with first_round"):
        next_round(TUNED, [], **RULES, seed=0)


def test_a_population_shrinks_once():
    history, sizes = [], []
    tasks = first_round(TUNED, members=56, seed=0)
    for round in range(1, 6):
        scores = [((7 * k + round) % 56) / 56 for k in range(56)]
        history.append(done(tasks, scores))
        tasks = next_round(TUNED, history, **RULES, seed=0, shrink=SHRINK)
        sizes.append((len(tasks), sum(task.cloned for task in tasks)))
    assert sizes == [(28, 6)] * 5
    # Whoever is left keeps its number.
    best = sorted(row.member for row in ranked(history[0])[:28])
    assert [task.member for task in tasks] == best
    with pytest.raises(SpecError, match="has no member left"):
        next_round(TUNED, history[:1], **RULES, seed=0, shrink=57)


def test_without_a_factor_it_keeps_its_size():
    tasks = first_round(TUNED, members=56, seed=0)
    tasks = next_round(TUNED, [done(tasks, [k / 56 for k in range(56)])], **RULES, seed=0)
    assert len(tasks) == 56
    assert {task.member for task in tasks if task.cloned} == set(range(12))
    assert {task.parent for task in tasks if task.cloned} <= set(range(44, 56))


def test_clones_have_fields_of_their_parent_times_a_factor():
    first = first_round(TUNED, members=56, seed=1)
    tasks = next_round(TUNED, [done(first, [k / 56 for k in range(56)])], **RULES, seed=1)
    for task in tasks:
        if task.cloned:
            rate = first[task.parent].hyper["optimizer.lr"]
            ratio = task.hyper["optimizer.lr"] / rate
            assert min(abs(ratio - factor) for factor in (2, 1.2, 0.8, 0.5)) < 1e-9


def test_a_clone_of_a_later_round_does_not_repeat_the_noise_of_an_earlier_one():
    history = []
    tasks = first_round(TUNED, members=2, seed=1)
    seeds = []
    for _ in range(4):
        history.append(done(tasks, [1.0, 0.0]))
        tasks = next_round(TUNED, history, **RULES | {"exploit": Truncation(fraction=0.5)}, seed=1)
        seeds.append([task.seed for task in tasks])
    assert len({kept for kept, _ in seeds}) == 1
    assert len({new for _, new in seeds}) == 4


@given(st.integers(0, 2**63), st.integers(0, 99), st.integers(1, 99))
def test_seeds_of_members_have_63_bits(seed, member, round):
    value = member_seed(seed, member, round)
    assert 0 <= value < 2**63
    others = {member_seed(seed + 1, member, round), member_seed(seed, member + 1, round)}
    assert value not in others | {member_seed(seed, member, round + 1)}


def test_seeds_stay_the_same_from_version_to_version():
    # A population that goes on must repeat them.
    assert member_seed(0, 0, 1) == 1938900261757667670


def test_rules_know_neither_torch_nor_rooms_that_do():
    folder = Path(unweave.population.evolve.__file__).parent
    known = {"errors", "spec", "splits", "population"}
    for name in (
        *("evolve", "exploit", "explore", "pb2", "priors"),
        *("published", "stop", "forgetting", "table", "tuned"),
    ):
        tree = ast.parse((folder / f"{name}.py").read_text())
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for module in names:
                assert not module.startswith("torch")
                if module.startswith("unweave"):
                    assert module.split(".")[1] in known, (name, module)
