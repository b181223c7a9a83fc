"""Groups of runs, and what is related, against NumPy and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from generalise.runs import found_of, nll
from unweave.generalise import COLUMNS, groups_of, relations_of
from unweave.generalise.page import write_page
from unweave.generalise.words import lines_of, told


def test_a_gap_is_held_out_less_in_distribution():
    run = found_of(inside=nll(10, floor=3), outside=nll(45, floor=5))
    assert run.gap("reconstruction_nll", "excess") == 35
    assert COLUMNS["excess_gap"](run) == 35
    assert COLUMNS["nll_gap"](run) == 37
    assert COLUMNS["floor_gap"](run) == 2
    assert run.to_dict()["gap"]["reconstruction_nll"]["excess"] == 35


def test_what_one_side_lacks_has_no_gap():
    run = found_of(inside=nll(10))
    assert run.gap("reconstruction_nll", "excess") is None
    assert COLUMNS["excess_gap"](run) is None
    assert not run.scored


def test_runs_that_differ_in_their_seed_are_one_group():
    runs = [
        found_of(objective, condition, seed=seed, inside=nll(1), outside=nll(seed + 2.0))
        for objective in ("vae", "beta_vae(beta=8)")
        for condition in ("shape2tx", "blank_side")
        for seed in (0, 1, 2, 3)
    ]
    groups = groups_of(runs)
    assert [(g.model, g.condition, len(g.runs)) for g in groups] == [
        ("vae", "shape2tx", 4),
        ("vae", "blank_side", 4),
        ("beta_vae", "shape2tx", 4),
        ("beta_vae", "blank_side", 4),
    ]
    number = groups[0].number("excess_held_out")
    assert number.values == (2.0, 3.0, 4.0, 5.0)
    assert number.mean == 3.5
    assert number.interval
    assert 2.0 <= number.low < 3.5 < number.high <= 5.0


@pytest.mark.parametrize(("values", "ends"), [((4.0,), (None, None)), ((4.0, 2.0), (2.0, 4.0))])
def test_of_few_runs_the_values_themselves_are_shown(values, ends):
    runs = [found_of(seed=k, inside=nll(1), outside=nll(v)) for k, v in enumerate(values)]
    number = groups_of(runs)[0].number("excess_held_out")
    assert (number.low, number.high) == ends
    assert not number.interval


def test_relations_are_rank_correlations_over_runs_with_an_encoder():
    rng = np.random.default_rng(0)
    score, error = rng.random(7), rng.random(7) * 100
    runs = [
        found_of(seed=k, disentanglement=float(s), inside=nll(1.0), outside=nll(float(e)))
        for k, (s, e) in enumerate(zip(score, error, strict=True))
    ]
    decoder = found_of("ground_truth_decoder", disentanglement=1.0, inside=nll(1), outside=nll(5))
    relations = relations_of(groups_of([*runs, decoder]))
    assert [each.column for each in relations] == ["excess_held_out", "excess_gap"]
    for relation in relations:
        assert relation.runs == 7
        assert relation.rho == pytest.approx(spearmanr(score, error).statistic)
        assert relation.low < relation.rho < relation.high


def test_of_two_runs_nothing_is_said_to_be_related():
    runs = [found_of(seed=k, inside=nll(1), outside=nll(2.0 + k)) for k in range(2)]
    assert {relation.rho for relation in relations_of(groups_of(runs))} == {None}
    text = "\n".join(lines_of(groups_of(runs), relations_of(groups_of(runs))))
    assert "cannot be said of 2 runs" in text


def test_the_published_numbers_of_a_model_stand_beside_it():
    runs = [
        found_of(text, "shape2tx", data="dsprites", inside=nll(1), outside=nll(2))
        for text in ("vae", "beta_vae(beta=8)", "factor_vae(gamma=50)", "beta_vae(beta=3)")
    ]
    numbers = [group.published for group in groups_of(runs)]
    assert [n and (n.disentanglement, n.trained, n.held_out) for n in numbers] == [
        (0.278, 18.82, 200.36), (0.474, 102.90, 215.95), (0.387, 27.99, 153.98), None,
    ]  # fmt: skip
    # Published decoders were given raw factors.
    decoders = [
        found_of(f"ground_truth_decoder(inputs={inputs})", data="dsprites")
        for inputs in ("raw", "scaled")
    ]
    assert [group.published is None for group in groups_of(decoders)] == [False, True]
    # Of another grid they are none.
    assert groups_of([found_of()])[0].published is None


def test_the_text_of_one_run_says_both_regions_and_their_difference():
    text = told(found_of(inside=nll(10.5), outside=nll(45.25)))
    (line,) = [line for line in text.splitlines() if line.startswith("excess NLL")]
    assert line.split()[-3:] == ["10.50", "45.25", "+34.75"]
    assert "recombination to range" in text


def test_the_page_has_a_table_for_each_condition(tmp_path):
    runs = [
        found_of(text, condition, seed=seed, inside=nll(10.0 + seed), outside=nll(99.5 + seed))
        for text in ("vae", "beta_vae(beta=8)")
        for condition in ("shape2tx", "blank_side")
        for seed in (0, 1)
    ]
    page = write_page(runs, tmp_path / "page.html", ["One run is left out."]).read_text()
    assert "One run is left out." in page
    for words in ("shape2tx on", "blank_side on", "extrapolation", "100.00", "99.50 to 100.50"):
        assert words in page
    assert page.count("<table>") == 2
    # The two figures of all conditions.
    assert page.count("<img ") == 2
