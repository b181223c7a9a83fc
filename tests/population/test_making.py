"""Populations from names, texts and numbers, and the published ones."""

from __future__ import annotations

import pytest

from reference.populations import MINI
from unweave.errors import SpecError
from unweave.objectives import parse_objective
from unweave.population.exploit import NoExploit, Truncation
from unweave.population.explore import Perturb
from unweave.population.fitness import Scored, UDRFitness
from unweave.population.making import make_population, parse_tuned
from unweave.population.presets import POPULATION_PRESETS, population_preset
from unweave.population.priors import Choice, Grid, LogUniform
from unweave.population.stop import Hopeless, Plateau
from unweave.population.tuned import Tuned
from unweave.training import Adam


def made(objective="beta_tcvae", **fields):
    return make_population(MINI, objective, **fields)


def test_what_is_usual():
    population = made()
    assert population.fitness == Scored(by="mig")
    assert (population.members, population.models, population.rounds) == (8, 1, 10)
    assert population.images == 3 * 2 * 4 * 4 * 4
    assert population.steps is None
    assert population.config.threads == 1
    paths = [field.path for field in population.tuned]
    assert paths == ["optimizer.lr", "objective.beta", "batch_size"]
    assert population.tuned[0].prior == LogUniform(low=1e-5, high=0.1)
    # Larger batches than there are images are no choice.
    assert population.tuned[-1].prior == Choice(values=(16, 32, 64, 128, 256))


def test_rounds_in_steps_do_not_tune_the_batch_size():
    paths = [field.path for field in made("factor_vae", steps=100).tuned]
    assert paths == ["optimizer.lr", "objective.gamma"]


def test_members_judged_by_agreement_have_five_models():
    population = made(fitness="udr")
    assert population.models == 5
    assert population.fitness == UDRFitness()


def test_texts_of_rules():
    population = made(
        exploit="none",
        explore="perturb(factors=(0.5, 2))",
        stop="(plateau(patience=3), hopeless)",
        tune=("optimizer.lr=grid(values=(0.001, 0.01))", "batch_size=choice(values=(8, 16))"),
        passes=0.5,
    )
    assert population.exploit == NoExploit()
    assert population.explore == Perturb(factors=(0.5, 2))
    assert population.stop == (Plateau(patience=3), Hopeless())
    assert population.tuned == (
        Tuned(path="optimizer.lr", prior=Grid(values=(0.001, 0.01))),
        Tuned(path="batch_size", prior=Choice(values=(8, 16))),
    )
    assert population.images == 192
    assert population.steps_of({"batch_size": 16}) == 12


def test_the_long_form_of_a_tuned_field():
    text = "tuned(path='batch_size', prior=grid(values=(8, 16)), high=64)"
    assert parse_tuned(text) == Tuned(path="batch_size", prior=Grid(values=(8, 16)), high=64)
    with pytest.raises(SpecError, match="prior"):
        parse_tuned("batch_size=nonsense(3)")
    for wrong in ("batch_size", "batch_size=", "=uniform(low=1, high=2)", ""):
        with pytest.raises(SpecError, match=r"written as PATH=PRIOR, such as optimizer\.lr=log"):
            parse_tuned(wrong)


def test_what_is_given_is_not_tuned():
    """Of what is tuned by default; whoever names a field to tune means it."""

    def paths(objective="beta_tcvae", **fields):
        return [field.path for field in made(objective, **fields).tuned]

    assert paths(lr=0.001) == ["objective.beta", "batch_size"]
    assert paths(optimizer="adam(lr=0.0005)") == ["objective.beta", "batch_size"]
    assert paths(optimizer=Adam(lr=0.002)) == ["objective.beta", "batch_size"]
    assert paths(optimizer="adam(beta1=0.5)", steps=5) == ["optimizer.lr", "objective.beta"]
    assert paths(batch_size=64) == ["optimizer.lr", "objective.beta"]
    # Also at its default, where it is written down; and not that of another summand.
    assert paths("beta_tcvae(beta=6)", steps=5) == ["optimizer.lr"]
    assert paths(parse_objective("beta_tcvae(beta=3)"), steps=5) == ["optimizer.lr"]
    assert paths("beta_tcvae(gamma=2)", steps=5) == ["optimizer.lr", "objective.beta"]
    assert paths("beta_tcvae + density_ratio_tc(lr=0.001)", steps=5) == [
        "optimizer.lr", "objective.beta",
    ]  # fmt: skip
    schedule = "beta_tcvae(beta=linear(start=0, stop=6, steps=9))"
    assert paths(schedule, steps=5) == ["optimizer.lr"]
    given = made(lr=0.001, tune=["optimizer.lr=log_uniform(low=1e-4, high=1e-3)"])
    assert [field.path for field in given.tuned] == ["optimizer.lr"]
    with pytest.raises(
        SpecError, match=r"Nothing is left to tune, since optimizer\.lr, objective"
    ):
        made("beta_tcvae(beta=3)", lr=0.001, steps=5)


@pytest.mark.parametrize(
    ("tune", "objective", "words"),
    [
        ("lr=log_uniform(low=1e-5, high=0.1)", "beta_tcvae", r"mean optimizer\.lr\? Write"),
        ("beta=uniform(low=1, high=4)", "beta_tcvae", r"mean objective\.beta\?.*uniform\(low=1"),
        (
            "lr=uniform(low=1, high=4)", "vae + density_ratio_tc",
            r"mean optimizer\.lr or objective\.density_ratio_tc\.lr\?",
        ),
        ("nonsense=uniform(low=1, high=4)", "beta_tcvae", "There is no setting 'nonsense'"),
        ("device=choice(values=(cpu, cuda))", "beta_tcvae", "device cannot be tuned: it says how"),
        ("dataset.grid=choice(values=(1, 2))", "beta_tcvae", "dataset.grid cannot be tuned: memb"),
        ("log_every=choice(values=(1, 2))", "beta_tcvae", "log_every cannot be tuned: it says wh"),
        ("init_from=choice(values=(a, b))", "beta_tcvae", "init_from cannot be tuned: weights"),
        ("holdout=choice(values=(0, 0.5))", "beta_tcvae", "holdout cannot be tuned: members are"),
        # The method itself takes any number.
        ("objective.beta=choice(values=(1, -1))", "beta_tcvae", "beta can become -1: beta must"),
        ("objective.beta=choice(values=(-1, 1, 4))", "beta_tcvae", "beta can become -1: beta mu"),
        ("objective.gamma=uniform(low=-2, high=4)", "beta_tcvae", "gamma can become -2.0: gamma"),
    ],
)  # fmt: skip
def test_what_cannot_be_tuned(tune, objective, words):
    with pytest.raises(SpecError, match=words):
        made(objective, tune=[tune], steps=5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"steps": 5, "images": 5}, "either steps or images"),
        ({"steps": 5, "passes": 1.0}, "two of them"),
        ({"passes": 0.0}, "more than 0"),
        ({"exploit": "nonsense"}, "nonsense"),
        ({"fitness": "nonsense"}, "nonsense"),
        ({"stop": "nonsense"}, "nonsense"),
        ({"nonsense": 5}, "nonsense"),
        ({"further": {"nonsense": 5}}, "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, words):
    with pytest.raises(SpecError, match=words):
        made(**fields)


PUBLISHED = {
    # name: (models, rounds, shrink, seed), as the released configurations have them.
    "rpu/x_run": (5, None, 1, 2),
    "rpu/leaf_run": (5, None, 1, 0),
    "rpu/reference": (1, 28, 2, 0),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_populations(name):
    models, rounds, shrink, seed = PUBLISHED[name]
    population = make_population(**population_preset(name).arguments)
    assert population.members == 56
    assert population.models == models
    assert population.shrink == shrink
    assert population.seed == seed
    assert population.images == 480_000
    assert population.exploit == Truncation(fraction=0.2)
    assert population.explore == Perturb(factors=(2, 1.2, 0.8, 0.5), rounding="up")
    assert str(population.config.architecture) == "pbt_vae"
    assert population.config.precision == "float32"
    assert [field.path for field in population.tuned] == [
        "batch_size", "optimizer.lr", "objective.beta",
    ]  # fmt: skip
    if rounds is None:
        assert population.stop == (Hopeless(below=0.1), Plateau(patience=6, change=0.005))
    else:
        assert population.rounds == rounds
        assert population.fitness == Scored(by="mig", protocol="rpu")
        assert population.fitness.metric.samples == 50_000


def test_published_references_of_few_labels_and_other_lengths():
    given = population_preset("rpu/reference(labels=1000)", 0.5).arguments
    population = make_population(**given)
    assert population.fitness == Scored(by="mig", protocol="rpu", labels=1000)
    assert population.images == 240_000
    grid = {**population_preset("rpu/x_run").arguments, "dataset": "dsprites"}
    assert make_population(**grid).images == 737_280


@pytest.mark.parametrize(
    ("name", "scale"), [("rpu/nonsense", 1.0), ("rpu/x_run(labels=3)", 1.0), ("rpu/x_run", 0.0)]
)
def test_presets_that_there_are_not(name, scale):
    with pytest.raises(SpecError):
        population_preset(name, scale)


def test_presets_are_shared_and_cannot_be_changed():
    for preset in POPULATION_PRESETS.values():
        with pytest.raises(TypeError):
            preset.arguments["seed"] = 3
