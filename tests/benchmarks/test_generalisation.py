"""The experiment on held-out combinations runs to its end, at tiny sizes."""

from __future__ import annotations

import generalisation
import pytest
from _generalisation.answers import answers
from _generalisation.studies import FULL, PARTS, TINY, study_of

from generalise.runs import found_of, nll
from unweave.studies.planning import plan


@pytest.mark.slow
def test_every_part_runs_to_its_end(capsys):
    generalisation.main([])
    out = capsys.readouterr().out
    for part in PARTS:
        assert f"## {part}" in out
    assert "Gaps in the order" in out


def test_each_part_has_every_model_under_every_condition_with_its_seeds():
    counts = {part: len(study_of(part, FULL).combinations()) for part in PARTS}
    assert counts == {
        "dsprites": 18,
        "dsprites_decoders": 6,
        "shapes3d": 4,
        "shapes3d_decoders": 4,
        "dsprites_composers": 6,
    }


def test_every_part_has_its_results_in_one_file():
    assert sorted(part for parts in generalisation.RESULTS.values() for part in parts) == sorted(
        PARTS
    )


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_scored_as_it_is_asked(part):
    runs = plan(study_of(part, TINY))
    assert len(runs) == len(PARTS[part][2])


def found(objective, gaps, disentanglement=(0.2, 0.4)):
    return [
        found_of(
            objective,
            condition,
            data="dsprites",
            seed=seed,
            disentanglement=disentanglement[seed],
            inside=nll(10),
            outside=nll(10.0 + gap + seed),
        )
        for condition, gap in zip(("leave1out", "shape2tx", "blank_side"), gaps, strict=True)
        for seed in (0, 1)
    ]


@pytest.mark.parametrize(
    ("gaps", "answer"), [((1, 50, 900), "**confirmed**"), ((60, 50, 900), "**not confirmed**")]
)
def test_the_order_of_conditions_is_that_of_mean_gaps(gaps, answer):
    line = answers({"dsprites": found("vae", gaps)})[2]
    assert answer in line
    assert ", ".join(f"{gap + 0.5:.1f}" for gap in gaps) in line


@pytest.mark.parametrize(
    ("gaps", "answer"), [((0, 30, 450), "**confirmed**"), ((0, 30, 449), "**not confirmed**")]
)
def test_decoders_fail_like_vaes_if_they_have_half_their_gaps(gaps, answer):
    models = {"dsprites": found("vae", (1, 50, 900)),
              "dsprites_decoders": found("ground_truth_decoder(inputs=raw)", gaps)}  # fmt: skip
    (line,) = [line for line in answers(models) if "fail like VAEs" in line]
    assert answer in line


@pytest.mark.parametrize(("floor", "answer"), [(91, "**confirmed**"), (80, "**not confirmed**")])
def test_the_raw_gap_is_the_floor_if_nine_tenths_of_it_are(floor, answer):
    runs = [
        found_of(
            "ground_truth_decoder", seed=seed, inside=nll(5), outside=nll(105.0 - floor, floor)
        )
        for seed in (0, 1)
    ]
    (line,) = [
        line for line in answers({"shapes3d_decoders": runs}) if "entropy of the images" in line
    ]
    assert answer in line


@pytest.mark.parametrize(("new", "answer"), [(200, "**confirmed**"), (199, "**not confirmed**")])
def test_a_new_output_is_hard_if_it_doubles_the_excess(new, answer):
    run = found_of(
        "composer",
        data="dsprites",
        composition={"id_id.excess": 100.0, "id_ood.excess": float(new), "ood_ood.excess": 300.0},
    )
    (line,) = [line for line in answers({"dsprites_composers": [run]}) if "new output" in line]
    assert answer in line
