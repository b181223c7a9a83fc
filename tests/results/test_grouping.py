"""Statistics of groups are those of their scores, and never of scores of two kinds."""

import statistics

import numpy as np
import pytest
import scipy.stats

from results.made import made, score, series, study
from unweave.errors import RunError, SpecError
from unweave.metrics.interval import bootstrap_ends, over_runs
from unweave.results import choose, collect, summarise
from unweave.results.cases import kinds_of
from unweave.results.grouping import group_labels
from unweave.results.notes import notes_of
from unweave.splits import keyed_generator

LOW = [0.11, 0.25, 0.17, 0.42, 0.3]
HIGH = [0.61, 0.55, 0.7]


def rows(results, *fields, **given):
    return summarise(results, fields or None, **given).rows.to_dicts()


def two(tmp_path):
    series(tmp_path, LOW, beta=1.0)
    series(tmp_path, HIGH, beta=10.0)
    series(tmp_path, [0.5], beta=4.0)
    return collect([tmp_path])


def test_each_group_has_the_statistics_of_its_scores(tmp_path):
    found = rows(two(tmp_path), "objective", seed=3)
    # 4 stands before 10, as numbers do.
    assert [row["objective"] for row in found] == [
        "beta_vae(beta=1)", "beta_vae(beta=4)", "beta_vae(beta=10)",
    ]  # fmt: skip
    for row, values in zip(found, (LOW, [0.5], HIGH), strict=True):
        assert (row["runs"], row["finished"], row["n"]) == (len(values),) * 3
        assert row["missing"] == row["not_finite"] == 0
        assert row["mean"] == pytest.approx(statistics.fmean(values), abs=1e-15)
        assert row["median"] == statistics.median(values)
        assert row["values"] == values
        assert (row["metric"], row["protocol"], row["part"]) == ("mig", "unweave/1", "all")
    assert found[0]["sd"] == pytest.approx(statistics.stdev(LOW), abs=1e-15)
    assert found[1]["sd"] is found[1]["low"] is found[1]["high"] is None
    # A slow bootstrap with the same draws.
    generator = keyed_generator(3, "bootstrap over runs")
    means = [np.mean([LOW[i] for i in row]) for row in generator.integers(5, size=(2000, 5))]
    assert found[0]["low"] == pytest.approx(np.percentile(means, 2.5), abs=1e-12)
    assert found[0]["high"] == pytest.approx(np.percentile(means, 97.5), abs=1e-12)


def test_intervals_are_those_of_scipy_up_to_the_draws():
    values = np.random.default_rng(1).gamma(2.0, size=(3, 40))
    ends = bootstrap_ends(values, np.mean, 0)
    for row, (low, high) in zip(values, ends, strict=True):
        other = scipy.stats.bootstrap(
            (row,), np.mean, n_resamples=20_000, method="percentile", random_state=5
        ).confidence_interval
        spread = row.std() / np.sqrt(40)
        assert (low, high) == pytest.approx((other.low, other.high), abs=0.12 * spread)
    # As rankings have them, group by group.
    one = over_runs(values[1], np.mean, 0)
    assert (one.low, one.high) == tuple(ends[1])


def test_one_and_two_scores_have_what_they_can_have(tmp_path):
    series(tmp_path, [0.4], beta=1.0)
    series(tmp_path, [0.4, 0.1], beta=2.0)
    one, two = rows(collect([tmp_path]), "objective")
    assert [one[name] for name in ("n", "mean", "sd", "median", "low", "high")] == [
        1, 0.4, None, 0.4, None, None,
    ]  # fmt: skip
    assert [two[name] for name in ("n", "mean", "median", "low", "high")] == [
        2, 0.25, 0.25, None, None,
    ]  # fmt: skip
    assert two["sd"] == pytest.approx(0.3 / 2**0.5, abs=1e-15)


@pytest.mark.filterwarnings("error")
def test_what_is_too_large_for_a_number_is_not_known(tmp_path):
    series(tmp_path, [1.7e308, 1.7e308, 0.1], beta=1.0)
    series(tmp_path, [1e200, -1e200, 3e-200], beta=2.0)
    one, other = rows(collect([tmp_path]), "objective")
    assert one["mean"] is one["sd"] is one["high"] is None
    assert one["median"] == 1.7e308
    assert other["mean"] == 1e-200
    assert other["sd"] is None


def test_many_runs_are_drawn_in_blocks_that_change_nothing(monkeypatch):
    values = np.random.default_rng(1).normal(size=(7, 30))
    whole = bootstrap_ends(values, np.median, 0)
    monkeypatch.setattr("unweave.metrics.interval._BLOCK", 500)
    assert (bootstrap_ends(values, np.median, 0) == whole).all()


def test_groups_by_default_are_configurations_apart_from_the_seed(tmp_path):
    series(tmp_path, [0.1, 0.2], beta=1.0)
    series(tmp_path, [0.3], beta=1.0, latents=6)
    series(tmp_path, [0.4], beta=2.0, threads=2)
    summary = summarise(collect([tmp_path]))
    assert summary.group_by == ("objective", "latents")
    assert [(r["objective"], r["latents"], r["n"]) for r in summary.rows.to_dicts()] == [
        ("beta_vae(beta=1)", 6, 1),
        ("beta_vae(beta=1)", 10, 2),
        ("beta_vae(beta=2)", 10, 1),
    ]


def test_runs_that_have_not_begun_make_no_setting_differ(tmp_path):
    folder = study(tmp_path / "study", ["a", "b", "c"])
    made(folder / "runs" / "a", score("mig", 0.1))
    made(folder / "runs" / "b", score("mig", 0.3), seed=1)
    summary = summarise(collect([folder]))
    assert summary.group_by == ("objective",)
    (row,) = summary.rows.to_dicts()
    assert (row["runs"], row["n"]) == (2, 2)
    assert summary.left_out == {"waiting": (str(folder / "runs" / "c"),)}


def test_scores_that_lack_are_named_with_their_circumstances(tmp_path):
    made(tmp_path / "a", score("mig", 0.1), score("mig", 0.2, part="holdout"))
    made(tmp_path / "b", score("mig", 0.1), seed=1)
    out = summarise(collect([tmp_path])).left_out
    assert out == {"no score of mig, unweave/1, holdout": (str(tmp_path / "b"),)}


def test_what_the_same_runs_lack_is_said_at_once(tmp_path):
    made(tmp_path / "a", *(score(name, 0.1) for name in ("mig", "sap", "irs")))
    for seed in range(1, 8):
        made(tmp_path / f"b{seed}", score("irs", 0.1), seed=seed)
    results = collect([tmp_path])
    one, two = notes_of(results, summarise(results))
    assert one == "8 runs: 8 finished."
    assert two.startswith("Not counted, no score of mig, unweave/1; sap, unweave/1: ")
    assert two.endswith(f"{tmp_path / 'b5'} and 2 more.")


def test_groups_by_several_fields_and_by_what_only_some_runs_have(tmp_path):
    series(tmp_path, [0.1, 0.2], beta=1.0)
    made(tmp_path / "z", score("mig", 0.4), objective={"type": "vae", "gamma": 3.0})
    found = rows(collect([tmp_path]), "objective.type", "objective.beta")
    assert [(r["objective.type"], r["objective.beta"], r["mean"]) for r in found] == [
        ("beta_vae", 1.0, pytest.approx(0.15)),
        ("vae", None, 0.4),
    ]


@pytest.mark.parametrize(
    ("name", "change", "column"),
    [
        ("protocol", {"protocol": "unweave/2"}, "protocol"),
        ("version", {"protocol": "dlib/1"}, "protocol"),
        ("data", {"data": "shapes3d"}, "data"),
        ("source", {"source": "archive"}, "source"),
        ("part", {"part": "holdout"}, "part"),
        ("codes", {"codes": "sampled"}, "codes"),
        ("seed", {"seed": 1}, "score_seed"),
        ("repeats", {"repeats": 5}, "repeats"),
        ("settings", {"text": "mig(bins=5)"}, "settings"),
        ("samples", {"samples": 99}, "samples"),
        ("precision", {"precision": "bfloat16"}, "score_precision"),
        ("precision unknown", {"precision": None}, "score_precision"),
        ("unit", {"unit": "nats"}, "unit"),
    ],
)
def test_scores_of_two_kinds_are_never_taken_together(tmp_path, name, change, column):
    for seed in range(4):
        made(tmp_path / f"a{seed}", score("mig", 0.1), seed=seed)
        made(tmp_path / f"b{seed}", score("mig", 0.9, **change), seed=seed + 4)
    made(tmp_path / "both", score("mig", 0.1), score("mig", 0.9, **change), seed=8)
    summary = summarise(collect([tmp_path]), ["objective"])
    found = summary.rows.to_dicts()
    assert sorted(row["mean"] for row in found) == pytest.approx([0.1, 0.9])
    assert [row["n"] for row in found] == [5, 5]
    assert column in summary.differing
    assert len({row[column] for row in found}) == 2


def test_metrics_that_differ_in_their_own_settings_do_not_differ_for_that(tmp_path):
    made(tmp_path / "a", score("mig", 0.1), score("dci", 0.2, text="dci(bins=9)", samples=5))
    assert summarise(collect([tmp_path])).differing == ()


def test_what_does_not_count_is_counted_and_named(tmp_path):
    series(tmp_path, [0.2, 0.4])
    for seed, (name, rows_of, state) in enumerate(
        (
            ("unscored", [], "finished"),
            ("other", [score("sap", 0.5)], "finished"),
            ("broken", [score("mig", None)], "finished"),
            ("stale", [score("mig", 0.9, step=5)], "finished"),
            ("diverged", [score("mig", 0.9)], "diverged"),
            ("stopped", [score("mig", 0.9)], "stopped"),
        ),
        start=50,
    ):
        made(tmp_path / name, *rows_of, state=state, seed=seed)
    summary = summarise(collect([tmp_path]))
    mig, sap = summary.rows.to_dicts()
    assert (mig["runs"], mig["finished"], mig["n"]) == (8, 6, 2)
    assert (mig["missing"], mig["not_finite"]) == (3, 1)
    assert mig["mean"] == pytest.approx(0.3)
    assert (sap["n"], sap["missing"], sap["mean"]) == (1, 5, 0.5)
    out = {
        reason: [run.rpartition("/")[2] for run in runs]
        for reason, runs in summary.left_out.items()
    }
    assert out["diverged"] == ["diverged"]
    assert out["stopped"] == ["stopped"]
    assert out["no score of mig, unweave/1"] == ["other", "unscored"]
    assert out["a score that is not a number: mig, unweave/1"] == ["broken"]
    assert out["a score of earlier weights: mig, unweave/1"] == ["stale"]
    assert set(out["no score of sap, unweave/1"]) == {"000", "001", "broken", "stale", "unscored"}


def test_a_group_without_any_score_has_its_row(tmp_path):
    series(tmp_path, [0.1, 0.2], beta=1.0)
    made(tmp_path / "z", beta=2.0)
    made(tmp_path / "y", beta=3.0, state="diverged")
    found = {row["objective.beta"]: row for row in rows(collect([tmp_path]), "objective.beta")}
    assert (found[2.0]["n"], found[2.0]["missing"], found[2.0]["mean"]) == (0, 1, None)
    assert (found[3.0]["runs"], found[3.0]["finished"], found[3.0]["missing"]) == (1, 0, 0)


def test_groups_of_numbers_that_are_rounded_alike_have_names_of_their_own():
    rows = [{"objective.beta": beta, "lr": None} for beta in (0.12345678, 0.12345679, 2.0)]
    assert group_labels([*rows, rows[0]], ["objective.beta", "lr"]) == [
        "objective.beta=0.12345678, lr=None",
        "objective.beta=0.12345679, lr=None",
        "beta=2",
        "objective.beta=0.12345678, lr=None",
    ]


def test_runs_of_another_dataset_do_not_lack_a_score_of_this_one(tmp_path):
    series(tmp_path, [0.1, 0.2])
    for seed in range(3):
        row = score("mig", 0.5, data="shapes3d")
        made(tmp_path / f"s{seed}", row, dataset="shapes3d", seed=seed)
    found = rows(collect([tmp_path]), "objective")
    assert [(r["data"], r["runs"], r["n"], r["missing"]) for r in found] == [
        ("dsprites", 2, 2, 0),
        ("shapes3d", 3, 3, 0),
    ]


@pytest.mark.parametrize("method", ["ground_truth_decoder", "composer"])
def test_scores_that_are_of_other_kinds_of_models_are_not_missing(tmp_path, method):
    error = score("reconstruction_nll", 30.0)
    for seed in range(2):
        made(tmp_path / f"vae{seed}", score("mig", 0.5), score("dci", 0.1), seed=seed)
        made(tmp_path / f"other{seed}", *[error] * seed, seed=seed, objective={"type": method})
    summary = summarise(collect([tmp_path]))
    found = summary.rows.to_dicts()
    assert [(r["objective"], r["metric"], r["n"], r["missing"]) for r in found] == [
        ("beta_vae(beta=4)", "dci", 2, 0),
        ("beta_vae(beta=4)", "mig", 2, 0),
        # One of them was asked, so that the other one lacks it.
        ("other", "reconstruction_nll", 1, 1),
    ]
    assert {reason: len(runs) for reason, runs in summary.left_out.items()} == {
        "no score of reconstruction_nll, unweave/1": 1
    }


def test_the_kinds_of_models_are_those_of_the_methods(tmp_path):
    from unweave import objectives
    from unweave.objectives import Method, parse_objective
    from unweave.objectives.kinds import kind_of

    methods = [
        name
        for name in objectives.__all__
        if isinstance(found := getattr(objectives, name), type) and issubclass(found, Method)
    ]
    texts = {getattr(objectives, name).name for name in methods} - {None}
    kinds = {}
    for text in sorted(text for text in texts if isinstance(text, str)):
        try:
            kinds[text] = kind_of(parse_objective(text).expand())
        except SpecError:  # it needs fields
            continue
    assert len(kinds) > 10
    for seed, text in enumerate(kinds):
        made(tmp_path / f"{seed:03}", objective={"type": text}, seed=seed)
    results = collect([tmp_path])
    found = results.runs.join(kinds_of(results), on="id").select("objective.type", "kind").rows()
    apart = {text: text for text, kind in kinds.items() if kind in ("decoder", "composer")}
    assert dict(found) == {text: apart.get(text, "") for text in kinds}
    assert set(apart.values()) == {"ground_truth_decoder", "composer"}


def test_timings_are_grouped_like_scores(tmp_path):
    for seed in range(3):
        made(tmp_path / str(seed), score("mig", 0.1), seed=seed, seconds=10.0 * seed)
    made(tmp_path / "late", seed=7, seconds=9e9, state="stopped")
    results = choose(collect([tmp_path]), metrics=["seconds", "mig"])
    seconds, mig = summarise(results).rows.to_dicts()
    assert (seconds["metric"], seconds["unit"], seconds["n"]) == ("seconds", "s", 3)
    assert (seconds["mean"], seconds["median"], seconds["protocol"]) == (10.0, 10.0, None)
    assert mig["metric"] == "mig"
    assert summarise(results).differing == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (["objectiv"], "no field 'objectiv'. Did you mean objective"),
        (["optimizer.rl"], "optimizer.lr"),
        (["seed", "seed"], "seed twice"),
    ],
)
def test_a_wrong_field_is_an_error_that_names_the_nearest(tmp_path, fields, words):
    with pytest.raises(SpecError, match=words):
        summarise(two(tmp_path), fields)


def test_runs_that_are_not_finished_are_an_error(tmp_path):
    made(tmp_path / "a", score("mig", 0.1), state="stopped")
    with pytest.raises(RunError, match=r"None of the 1 runs is finished \(1 stopped\)"):
        summarise(collect([tmp_path]))
    with pytest.raises(RunError, match=r"None of the 1 runs is finished \(1 waiting\)"):
        summarise(collect([study(tmp_path / "study", ["k"])]))
