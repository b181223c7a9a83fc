"""The model card says what was trained and measured, and the hub can read its header."""

from __future__ import annotations

import re

import pytest
import yaml

import unweave
from session.runs import MINI, TINY, copy_of, rich
from sharing.made import whole
from unweave import load_run
from unweave.scores import load_scores
from unweave.session import read_config
from unweave.sharing.card import card_of
from unweave.sharing.contents import contents_of
from unweave.sharing.header import header
from unweave.training.checkpoint import load_tensors


def card(folder, pull="unweave pull hf://org/mine", license=None):
    """The card of a run: what its header says, and the text below it."""
    config = read_config(folder)
    step = load_tensors(folder / "checkpoint" / "state.safetensors").step
    text = card_of(folder, config, step, contents_of(folder).files, pull, license)
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


@pytest.fixture(scope="module")
def made():
    return card(whole(), license="apache-2.0")


def test_the_header_is_that_of_the_hub(made):
    head, _ = made
    assert head["license"] == "apache-2.0"
    assert head["library_name"] == "unweave"
    assert {"unweave", "disentanglement", "beta_tcvae", "dsprites"} <= set(head["tags"])
    # Names of datasets of the hub alone belong there.
    assert "datasets" not in head
    assert "license" not in card(whole())[0]


def test_the_header_has_every_score_as_the_hub_takes_them(made):
    head, _ = made
    (model,) = head["model-index"]
    (result,) = model["results"]
    assert result["task"]["type"] == "image-feature-extraction"
    assert result["dataset"] == {
        "name": "dsprites(grid=(3, 2, 4, 4, 4)) (rendered)", "type": "dsprites", "split": "all",
    }  # fmt: skip
    (metric,) = result["metrics"]
    (row,) = load_scores(whole())
    assert metric["type"] == "mig"
    assert metric["value"] == row["value"]
    assert metric["name"] == "mig (unweave/1)"
    said = metric["args"]
    assert (said["protocol"], said["seed"], said["step"]) == ("unweave/1", 0, 24)
    assert said["interval"] == [row["interval"]["low"], row["interval"]["high"]]


def test_scores_of_other_weights_are_not_those_of_the_model(tmp_path):
    run = copy_of(whole(), tmp_path)
    old = load_scores(run)[0] | {"step": 10}
    assert "model-index" not in yaml.safe_load(
        header("x", read_config(run), [old], 24, None).split("---\n")[1]
    )
    null = load_scores(run)[0] | {"value": None}
    assert "model-index" not in header("x", read_config(run), [null], 24, None)


def test_numbers_and_texts_are_read_back_as_they_are():
    config = read_config(rich())
    row = {"metric": "mig", "protocol": "p: #1", "data": "dsprites", "part": "all", "step": 1,
           "source": 'a "b"\n- c', "seed": 0}  # fmt: skip
    for value in (1e-7, 1e-05, 1.5e300, 3, 0.1, -2.0, 1e22):
        head = yaml.safe_load(
            header("no: yes", config, [row | {"value": value}], 1, None).split("---\n")[1]
        )
        result = head["model-index"][0]["results"][0]
        assert result["metrics"][0]["value"] == value
        assert result["dataset"]["name"] == 'dsprites (a "b"\n- c)'
        assert head["model-index"][0]["name"] == "no: yes"


def test_the_text_says_data_method_scores_and_how_to_use_it(made):
    _, text = made
    config = read_config(whole())
    for words in (
        "## Use it", "unweave pull hf://org/mine", "unweave.pull('hf://org/mine')",
        "![Traversals", "(figures/traversals.png)",
        "| number of images | 384 |", "| trained on | 288, the others held out |",
        "| shape | categorical | 3 | square, ellipse, heart |",
        "rendered: drawn by unweave, not read from a published file",
        "`beta_tcvae(beta=2)` trained on", "Protocol `unweave/1`", "mean codes in float32",
        "seed 0",
        "over 3 draws", "## Train it again", config.command,
        "not those of the published file of dsprites", "No licence of the weights is given",
        "one model of one seed", "## What to cite", "method beta_tcvae",
    ):  # fmt: skip
        assert (words in text) != (words.startswith("No licence")), words
    assert "No licence of the weights is given" in card(whole())[1]


def test_every_setting_is_in_it(made):
    _, text = made
    rows = dict(re.findall(r"^\| ([\w.]+) \| `(.*)` \|$", text, re.MULTILINE))
    expected = {
        "objective.type": "beta_tcvae", "objective.beta": "2", "objective.alpha": "1",
        "optimizer.lr": "0.001", "optimizer.beta1": "0.9", "latents": "4", "seed": "3",
        "holdout": "0.25", "batch_size": "4", "steps": "24", "precision": "float32",
        "architecture.type": "burgess", "likelihood.type": "bernoulli", "dataset.source":
        "rendered", "dataset.grid": "3, 2, 4, 4, 4", "ema": "none", "snapshot_every": "9",
    }  # fmt: skip
    assert expected.items() <= rows.items()


def test_the_score_in_the_text_is_the_stored_one(made):
    _, text = made
    (row,) = load_scores(whole())
    found = re.search(r"^\| `mig` \| ([\d.]+) \| ([\d.]+) to ([\d.]+), over", text, re.MULTILINE)
    values = (row["value"], row["interval"]["low"], row["interval"]["high"])
    assert [float(number) for number in found.groups()] == pytest.approx(values, abs=5e-5)


def test_the_same_run_has_the_same_card(made, tmp_path):
    other = copy_of(whole(), tmp_path).rename(tmp_path / whole().name)
    assert card(other, license="apache-2.0") == made


def test_no_path_of_this_machine_is_in_it(made):
    _, text = made
    assert str(whole().parent) not in text
    here = card(whole(), pull=None)[1]
    assert "unweave pull PLACE" in here
    assert str(whole().parent) not in here


def test_what_a_run_does_not_have_is_not_said(tmp_path):
    run = copy_of(rich(), tmp_path)
    head, text = card(run)
    assert "model-index" not in head
    assert "None yet: `unweave evaluate` makes them." in text
    assert "It has not been scored" in text
    assert "![" not in text


def test_a_training_that_was_stopped_and_a_sum_of_terms_and_a_decoder(tmp_path):
    run = unweave.train(
        MINI, "vae + density_ratio_tc(weight=5)", steps=4, out=tmp_path / "sum", **TINY
    )
    status = (run.folder / "config.json").read_text().replace('"steps": 4', '"steps": 9')
    (run.folder / "config.json").write_text(status)
    head, text = card(run.folder)
    assert {"vae", "density_ratio_tc"} <= set(head["tags"])
    assert "these are the weights of step 4 of 9" in text
    assert "| objective.items.2.weight | `5` |" in text
    decoder = unweave.train(MINI, "ground_truth_decoder", steps=2, out=tmp_path / "d", **TINY)
    decoder.evaluate(("test_losses",))
    head, text = card(decoder.folder)
    assert "model-index" not in head
    assert "run.render(factors)" in text
    assert "run.encode" not in text


def test_code_of_the_card_runs(tmp_path, monkeypatch):
    """What the card says to type is typed."""
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    load_run(whole()).push(tmp_path / "shared")
    text = (tmp_path / "shared" / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    names = {"images": load_run(whole()).dataset.images([0, 1])}
    code = code.replace("print(run.evaluate())", "found = run.evaluate(('mig',))")
    exec(code.replace("PLACE", str(tmp_path / "shared")), names)
    assert names["run"].folder == tmp_path / "runs" / "shared"
    assert names["images"].shape == (2, 64, 64, 1)
    assert "mig" in names["found"]
