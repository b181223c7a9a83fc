"""Runs and scores by metric, protocol, and the value of any field."""

import pytest

from results.made import made, score
from unweave.errors import RunError, SpecError
from unweave.results import choose, collect
from unweave.results.choosing import conditions


@pytest.fixture
def results(tmp_path):
    parts = {"completeness": 0.5, "informativeness_test": 0.7}
    for seed, beta in enumerate((1.0, 2.5, 4.0)):
        made(
            tmp_path / f"run{seed}",
            score("mig", 0.1 * seed),
            score("mig", 0.7, protocol="dlib/1", part="holdout"),
            score("mig", 0.8, protocol="dlib/2"),
            score("dci", 0.3, parts=parts),
            beta=beta, seed=seed, init_from="x" if seed else None,
        )  # fmt: skip
    return collect([tmp_path], parts=["dci.completeness"])


def found(results, **given):
    chosen = choose(results, **given)
    return chosen.tidy().collect().select("key", "metric", "protocol", "value").rows()


def test_metrics_stand_in_the_order_in_which_they_are_asked_for(results):
    chosen = choose(results, metrics=["mig", "dci.completeness", "dci"], protocol="unweave")
    assert chosen.cases["metric"].to_list() == ["mig", "dci.completeness", "dci"]


def test_a_metric_is_known_by_its_aliases(tmp_path):
    made(tmp_path / "a", score("beta_vae", 0.4, parts={"shape": 0.5}))
    results = collect([tmp_path], parts=["beta_vae_sklearn.shape"])
    chosen = choose(results, metrics=["beta_vae_sklearn.shape", "beta_vae_sklearn"])
    assert chosen.cases["metric"].to_list() == ["beta_vae.shape", "beta_vae"]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"protocol": "dlib"}, {0.7, 0.8}),
        ({"protocol": "dlib/1"}, {0.7}),
        ({"where": {"part": "holdout"}}, {0.7}),
        ({"where": {"protocol": "dlib", "part": "all"}}, {0.8}),
        ({"where": {"objective.beta": "2.5"}, "protocol": "unweave", "metrics": ["mig"]}, {0.1}),
        ({"where": {"objective": "beta_vae(beta=4)"}, "metrics": ["mig"]}, {0.2, 0.7, 0.8}),
        ({"where": {"seed": "0"}, "protocol": "unweave", "metrics": ["mig"]}, {0.0}),
        ({"where": {"init_from": "none"}, "protocol": "unweave", "metrics": ["mig"]}, {0.0}),
        ({"where": {"state": "finished", "score_seed": "0"}, "metrics": ["dci"]}, {0.3}),
        ({"where": {"unit": "none"}, "metrics": ["dci"]}, {0.3}),
        ({"where": {"score_unweave": "0.1.0"}, "metrics": ["dci"]}, {0.3}),
    ],
)
def test_scores_are_chosen_by_value(results, given, values):
    assert {round(value, 9) for *_, value in found(results, **given)} == values


def test_what_is_left_out_of_the_runs_is_left_out_of_the_cases(results):
    chosen = choose(results, where={"part": "holdout"})
    assert chosen.cases["protocol"].to_list() == ["dlib/1"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"metrics": ["migg"]}, "Unknown metric 'migg'. Did you mean mig"),
        ({"metrics": ["irs"]}, "No run here has a score of irs.*evaluate RUN --metrics irs"),
        ({"metrics": ["dci.completenes"]}, "dci has no part 'completenes'.*completeness"),
        ({"metrics": ["mig", "mig"]}, "mig is named twice"),
        ({"protocol": "dlip"}, "--protocol: no score.* protocol=dlip. There are: dlib/1, dlib/2"),
        ({"where": {"sed": "1"}}, "no field 'sed'. Did you mean seed"),
        ({"where": {"seed": "9"}}, "no run here has seed=9. There are: 0, 1, 2"),
        ({"where": {"seed": "one"}}, "seed=one. There are: 0, 1, 2"),
        ({"where": {"value": "1"}}, "no field 'value'"),
        ({"where": {"unit": "nats"}}, "no score here has unit=nats. There is: none"),
        ({"where": {"part": "train"}}, "part=train. There are: all, holdout"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_an_error_that_says_what_is(results, given, words):
    with pytest.raises(SpecError, match=words):
        choose(results, **given)


def test_runs_without_any_score_are_an_error_that_says_how_to_get_some(tmp_path):
    made(tmp_path / "a")
    with pytest.raises(RunError, match=r"None of the 1 runs has a score.*unweave evaluate"):
        choose(collect([tmp_path]))
    made(tmp_path / "more" / "b", state="stopped")
    with pytest.raises(RunError, match=r"and none is finished: go on with them first"):
        choose(collect([tmp_path / "more"]))


def test_conditions_are_read_with_their_brackets():
    assert conditions(None) == conditions(" ") == {}
    assert conditions("part=all, objective=beta_vae(beta=4, gamma=(1, 2)),seed=3") == {
        "part": "all",
        "objective": "beta_vae(beta=4, gamma=(1, 2))",
        "seed": "3",
    }


@pytest.mark.parametrize("text", ["part", "part=", "=all", "part=all,part=train"])
def test_a_wrong_condition_is_an_error(text):
    with pytest.raises(SpecError, match="--where"):
        conditions(text)
