"""Scores are asked of the runs that can answer them, so that one study holds several kinds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import get_args

import pytest

from unweave.data import parse_dataset
from unweave.errors import SpecError, UnweaveError
from unweave.objectives.kinds import Kind
from unweave.scores import load_scores
from unweave.studies import Study, forecast, place_of, plan, run_study, study_of, superfluous

WHOLE = "dsprites(grid=(3, 2, 4, 8, 8))"
PART = f"without(data={WHOLE}, where='pos_x > 0.5')"
FORM = {
    "train": {"dataset": PART, "steps": 1, "batch_size": 8},
    "sweep": [{"grid": {"objective": ["vae", "composer", "ground_truth_decoder"]}}],
    "evaluate": [
        {"metrics": ["dci_lasso"], "kind": "autoencoder", "part": "train"},
        {"metrics": ["composition"], "kind": "composer"},
        {"metrics": ["reconstruction_nll"], "kind": "decoder", "data": "held_out"},
        {"metrics": ["test_losses"]},
    ],
}  # fmt: skip
ASKED = {
    "vae": [["dci_lasso"], ["test_losses"]],
    "composer": [["composition"], ["test_losses"]],
    "ground_truth_decoder": [["reconstruction_nll"], ["test_losses"]],
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Folder of the study, carried out."""
    folder, states = run_study(
        study_of(FORM, "kinds"), out=tmp_path_factory.mktemp("kinds") / "study", executor="serial"
    )
    assert {state.state for state in states.values()} == {"finished"}
    return folder


def test_each_run_is_asked_what_is_of_its_kind():
    study = study_of(FORM, "kinds")
    found = {
        str(run.config.objective): [
            request["metrics"] for request in json.loads(json.dumps(scores_of(run, study)))
        ]
        for run in plan(study)
    }
    assert found == ASKED


def scores_of(run, study):
    """What a worker is told, in which no kind is left."""
    scores = run.item(study, "place").payload["scores"]
    assert all("kind" not in request for request in scores)
    return scores


def test_kinds_are_read_and_written():
    study = study_of(FORM, "kinds")
    assert [r.kind for r in study.scores] == ["autoencoder", "composer", "decoder", None]
    form = json.loads(json.dumps(study.to_dict()))
    assert "kind" not in form["scores"][-1]
    assert Study.from_dict(form) == study
    wrong = FORM | {"evaluate": [{"metrics": ["mig"], "kind": "encoder"}]}
    message = f"evaluate: kind takes one of {', '.join(get_args(Kind))}, not 'encoder'"
    with pytest.raises(SpecError, match=message):
        study_of(wrong, "wrong")


def test_without_kinds_all_are_asked_and_what_some_cannot_answer_is_refused():
    study = study_of(FORM, "kinds")
    scores = (replace(study.scores[0], kind=None), *study.scores[1:])
    with pytest.raises(SpecError, match=r"objective=ground_truth_decoder.*has no encoder"):
        plan(replace(study, scores=scores))


def test_parts_and_data_are_checked_for_the_runs_that_are_asked():
    study = study_of(FORM, "kinds")
    # Nothing is held out of the whole, and decoders alone are asked about that.
    vae, composer, decoder = study.axes[0]
    axis = (vae | {"dataset": WHOLE}, composer | {"dataset": WHOLE}, decoder)
    assert len(plan(replace(study, axes=(axis,)))) == 3
    axis = (*axis[:2], decoder | {"dataset": WHOLE})
    with pytest.raises(SpecError, match=r"objective=ground_truth_decoder.*Nothing is held out"):
        plan(replace(study, axes=(axis,)))
    # Images are kept apart of one run, and it alone is asked about them.
    axis = (vae | {"holdout": 0.1}, composer, decoder)
    scores = (replace(study.scores[0], part="holdout"), *study.scores[1:])
    assert len(plan(replace(study, axes=(axis,), scores=scores))) == 3
    with pytest.raises(UnweaveError, match="The run with objective=vae holds no images out"):
        plan(replace(study, scores=scores))


def test_a_run_of_which_nothing_is_asked_is_refused():
    study = study_of(FORM, "kinds")
    some = tuple(request for request in study.scores if request.kind in ("autoencoder", "decoder"))
    message = (
        "The run with objective=composer: no score is asked of it. Its model is of the kind "
        "composer, and evaluate has requests of the kind autoencoder and decoder alone"
    )
    with pytest.raises(SpecError, match=re.escape(message)):
        plan(replace(study, scores=some))
    # Where nothing is asked of any, that is meant.
    assert len(plan(replace(study, scores=()))) == 3


def test_runs_have_the_scores_of_their_kind_and_no_others(done):
    for run in plan(done.study()):
        names = {row["metric"] for row in load_scores(done.run_folder(run.key))}
        assert names == {name for each in ASKED[str(run.config.objective)] for name in each}


def test_what_is_done_is_not_done_again(done):
    paths = [done.run_folder(run.key) / "scores.json" for run in plan(done.study())]
    before = [path.stat().st_mtime_ns for path in paths]
    assert len(before) == 3
    begun = []
    run_study(
        done.study(),
        out=done.path,
        executor="serial",
        listener=lambda event: begun.append(event["event"]),
    )
    assert not {"started", "reopened"} & set(begun)
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_weights_can_go_when_a_run_has_all_that_is_asked_of_it(done):
    study = replace(done.study(), keep="scores")
    done.write(study, plan(study))
    try:
        (found,) = superfluous(done)
        named = {path.parent.name for path in found.paths if path.name == "checkpoint"}
        assert named == set(done.keys())
        # Another analysis of decoders is still to come: their weights are needed.
        more = replace(study.scores[2], metrics=("reconstruction_nll", "factor_errors"))
        asked = replace(study, scores=(*study.scores[:2], more, study.scores[3]))
        done.write(asked, plan(asked))
        (found,) = superfluous(done)
        assert len({path.parent for path in found.paths}) == 2
    finally:
        done.write(replace(study, keep="all"), plan(study))


def test_codes_are_counted_where_they_are_asked_for(tmp_path):
    study = replace(study_of(FORM, "kinds"), keep="codes")
    found = forecast(study, plan(study), place_of(study, tmp_path / "study"), workers=1)
    alone = replace(study, scores=study.scores[3:])
    less = forecast(alone, plan(alone), place_of(alone, tmp_path / "study"), workers=1)
    more = {
        kind["objective"]: kind["bytes"] - other["bytes"]
        for kind, other in zip(found.kinds, less.kinds, strict=True)
    }
    # Means and logvars of ten latents in four bytes each.
    codes = parse_dataset(PART).count * 10 * 2 * 4
    assert more.pop("vae") == codes
    assert more["composer"] == 0
