"""`unweave generalise run|decode|compose|report` on a few images, from command to files."""

from __future__ import annotations

import html
import json
import math
import re
import shutil

import numpy as np
import pytest

import unweave
from generalise.runs import SMALL, few_triplets, trained
from unweave.cli.app import main
from unweave.conditions import split_of
from unweave.generalise import groups_of, read_run, write_page
from unweave.generalise.by_combination import lacking_maps
from unweave.generalise.figures import compared_reconstructions
from unweave.metrics.protocols import protocol
from unweave.scores import load_scores

SPLIT = split_of("shape2tx", SMALL)
KINDS = ("run", "decode", "compose")


@pytest.fixture
def said(capsys):
    """What a command prints, as JSON or as text, with its exit code."""

    def call(*words, code=0, text=False):
        given = [*map(str, words), "--log-level", "error"]
        assert main(given if text else [*given, "--json"]) == code
        out = capsys.readouterr()
        return out.err if code else out.out if text else json.loads(out.out)

    return call


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_on_and_what_is_held_out(kind):
    run = unweave.load_run(trained(kind))
    assert str(run.config.dataset) == SPLIT.train_text
    assert run.config.holdout == 0.05
    found = json.loads((trained(kind) / "generalisation.json").read_text())
    apart = len(SPLIT.train) - run.config.num_train
    assert found["num_train"] == run.config.num_train
    assert found["num_in_distribution"] == apart == round(0.05 * len(SPLIT.train))
    assert found["num_held_out"] == len(SPLIT.held_out)
    assert found["predicate"] == "shape == 'square' and pos_x > 0.5"
    assert (found["condition"], found["kind"]) == ("shape2tx", "recombination_to_range")


@pytest.mark.parametrize("kind", ["run", "decode"])
def test_both_regions_are_scored_on_their_own_images(kind):
    rows = {
        (row["data"], row["part"]): row
        for row in load_scores(trained(kind))
        if row["metric"] == "reconstruction_nll"
    }
    apart = rows[SPLIT.train_text, "holdout"]
    held_out = rows[SPLIT.test_text, "all"]
    assert apart["samples"] == round(0.05 * len(SPLIT.train))
    assert held_out["samples"] == len(SPLIT.held_out)
    found = json.loads((trained(kind) / "generalisation.json").read_text())
    assert found["regions"]["in_distribution"]["reconstruction_nll"]["excess"] == apart["value"]
    assert found["regions"]["held_out"]["reconstruction_nll"]["excess"] == held_out["value"]
    gap = found["gap"]["reconstruction_nll"]["excess"]
    assert gap == pytest.approx(held_out["value"] - apart["value"])


def test_a_decoder_is_disentangled_by_definition_and_has_no_codes():
    found = read_run(trained("decode"))
    assert found.disentanglement == 1
    assert not {"factor_r2", "attribution"} & found.scores["held_out"].keys()
    assert not (trained("decode") / "figures" / "hinton.png").exists()


def test_disentanglement_is_that_of_images_that_were_trained_on():
    (row,) = [row for row in load_scores(trained("run")) if row["metric"] == "dci_lasso"]
    assert (row["protocol"], row["part"]) == (protocol("dag").label, "train")
    assert read_run(trained("run")).disentanglement == row["value"]
    assert (trained("run") / "figures" / "hinton.png").is_file()


def test_a_composer_is_tested_in_all_three_regimes():
    parts = read_run(trained("compose")).composition
    for regime in ("id_id", "id_ood", "ood_ood"):
        assert math.isfinite(parts[f"{regime}.excess"])
    assert (trained("compose") / "figures" / "composed.png").is_file()


@pytest.mark.parametrize("kind", ["run", "decode"])
def test_what_was_held_out_is_drawn(kind):
    assert (trained(kind) / "figures" / "held_out.png").stat().st_size > 1000


def test_the_same_command_scores_nothing_twice(said, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(trained("run"), folder)
    before = (folder / "scores.json").read_bytes()
    command = (
        "generalise", "run", "--data", SMALL, "--condition", "shape2tx", "--steps", 3,
        "--batch-size", 8, "--latents", 6, "--threads", 1, "--out", folder, "--without-probe",
    )  # fmt: skip
    result = said(*command)
    assert result["state"] == "finished"
    assert (folder / "scores.json").read_bytes() == before
    assert "--steps" in command
    message = said(*command[:6], *command[6:8], "--objective", "beta_vae(beta=4)",
                   "--out", folder, code=2)  # fmt: skip
    assert "objective" in message


def test_the_text_shows_both_regions(said):
    folder = trained("run")
    text = said("generalise", "report", folder, text=True)
    assert "shape2tx on" in text
    assert "recombination to range" in text


def test_a_report_sets_models_beside_each_other(said, tmp_path):
    page = tmp_path / "page.html"
    result = said("generalise", "report", *map(trained, KINDS), "--out", page)
    assert [group["model"] for group in result["groups"]] == [
        "vae", "ground_truth_decoder", "composer",
    ]  # fmt: skip
    assert {group["condition"] for group in result["groups"]} == {"shape2tx"}
    text = page.read_text()
    assert result["files"] == [str(page)]
    for words in ("ground_truth_decoder", "Composed images", "Reconstructions"):
        assert words in text


@pytest.mark.parametrize("what", ["checkpoint/state.safetensors", "config.json"])
def test_a_run_that_cannot_reconstruct_is_named_and_the_others_are_shown(tmp_path, what):
    folders = [tmp_path / "good", tmp_path / "bad"]
    for folder, kind in zip(folders, ("run", "decode"), strict=True):
        shutil.copytree(trained(kind), folder)
    found = [read_run(folder) for folder in folders]
    (folders[1] / what).write_bytes(b"damaged")
    figure, lost = compared_reconstructions(found, ["vae", "decoder"])
    rows = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert "vae" in rows
    assert "decoder" not in rows
    [sentence] = lost
    assert sentence.startswith(f"{folders[1]} has no reconstructions here: ")
    page = write_page(found, tmp_path / "page.html").read_text()
    assert f"{folders[1]} has no reconstructions here" in page
    assert "the first run of each model" in page
    (folders[0] / what).write_bytes(b"damaged")
    figure, lost = compared_reconstructions(found, ["vae", "decoder"])
    assert figure is None
    assert len(lost) == 2
    page = write_page(found, tmp_path / "page.html").read_text()
    assert f"{folders[0]} has no reconstructions here" in page


def test_errors_by_combination_are_stored_and_shown(said, tmp_path):
    found = {kind: read_run(trained(kind)) for kind in KINDS}
    assert found["compose"].maps == {}
    for kind in ("run", "decode"):
        for region in ("in_distribution", "held_out"):
            matrix = found[kind].maps[region]
            assert matrix["axes"] == ["shape", "pos_x"]
        outside = np.array(matrix["values"], float)
        # All cells have as many images.
        value = found[kind].number("held_out", "reconstruction_nll", "excess")
        assert np.nanmean(outside) == pytest.approx(value)
        assert np.isfinite(outside).sum() == 4
    stored = json.loads((trained("run") / "generalisation.json").read_text())
    assert stored["maps"]["held_out"] == found["run"].maps["held_out"]
    page = tmp_path / "page.html"
    said("generalise", "report", *map(trained, KINDS), "--out", page)
    said("generalise", "report", trained("run"), "--out", page)  # over a page of its kind
    said("generalise", "report", *map(trained, KINDS), "--out", page)
    assert "Errors by combination" in page.read_text()
    assert "these two commands add" not in page.read_text()


def test_runs_that_were_scored_before_there_were_maps(said, tmp_path):
    """The page bears them, and names commands that do add the maps."""
    folder = tmp_path / "run"
    shutil.copytree(trained("run"), folder)
    stored = json.loads((folder / "scores.json").read_text())
    for row in stored["scores"]:
        row["parts"].pop("excess_placed", None)
        if row["metric"] == "reconstruction_nll":
            row["matrix"] = None
    (folder / "scores.json").write_text(json.dumps(stored))
    run = read_run(folder)
    assert run.maps == {}
    parts = run.scores["held_out"]["attribution"]
    before = read_run(trained("run")).scores["held_out"]["attribution"]
    assert parts["excess_placed"] == pytest.approx(before["excess_placed"])
    text = write_page([run], tmp_path / "page.html").read_text()
    assert "Errors by combination" not in text
    sentence = lacking_maps(groups_of([run]))
    assert html.escape(sentence) in text
    commands = re.findall(r"unweave (evaluate RUN .*?)(?:, and|, with)", sentence)
    assert len(commands) == 2
    for command in commands:
        words = command.replace("RUN", str(folder)).split()
        assert main([*words, "--log-level", "error"]) == 0
    assert read_run(folder).maps.keys() == {"in_distribution", "held_out"}
    assert (
        "Errors by combination" in write_page([read_run(folder)], tmp_path / "p.html").read_text()
    )


def test_runs_without_scores_of_what_was_held_out_are_told(said, tmp_path):
    unweave.train(SMALL, "vae", steps=1, batch_size=8, threads=1, out=tmp_path / "whole")
    assert "Nothing is held out" in said("generalise", "report", tmp_path / "whole", code=2)
    unweave.train(SPLIT.train_text, "vae", steps=1, batch_size=8, threads=1, out=tmp_path / "part")
    message = said("generalise", "report", tmp_path / "part", code=2)
    assert "--data held_out" in message
    result = said("generalise", "report", tmp_path, trained("run"))
    assert len(result["groups"]) == 1
    assert len(result["notes"]) == 2


def test_a_longer_training_is_scored_again(said, tmp_path):
    command = (
        "generalise", "run", "--data", SMALL, "--condition", "shape2tx", "--batch-size", 8,
        "--latents", 6, "--threads", 1, "--out", tmp_path / "run", "--without-probe",
    )  # fmt: skip
    before, after = (said(*command, "--steps", steps) for steps in (1, 2))
    steps = {row["step"] for row in load_scores(tmp_path / "run")}
    assert steps == {2}
    kept = [found["regions"]["held_out"]["reconstruction_nll"] for found in (before, after)]
    assert kept[0] != kept[1]


def test_what_cannot_be_scored_is_told_and_the_rest_is_there(said, tmp_path, caplog):
    result = said(
        "generalise", "run", "--data", SMALL, "--condition", "shape2tx", "--batch-size", 8,
        "--latents", 1, "--threads", 1, "--out", tmp_path / "run", "--without-probe", "--steps", 1,
    )  # fmt: skip
    assert "needs a latent of its own" in caplog.text
    assert "attribution" not in result["regions"]["held_out"]
    assert {"reconstruction_nll", "factor_r2"} <= result["regions"]["held_out"].keys()


def test_a_composer_is_drawn_with_factors_that_it_was_trained_to_take(said, tmp_path):
    with few_triplets():
        result = said(
            "generalise", "compose", "--data", "dsprites(grid=(3, 2, 2, 4, 4))", "--condition",
            "shape != 'square'", "--batch-size", 8, "--latents", 6, "--threads", 1, "--steps", 1,
            "--out", tmp_path / "run", "--without-probe",
        )  # fmt: skip
    assert str(tmp_path / "run" / "figures" / "composed.png") in result["files"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "--steps", 3), "Say what is held out with --condition"),
        (("run", "--condition", "leave1out", "--steps", 3), "of several datasets"),
        (("run", "--condition", "pos_x > 0.5", "--steps", 3), "A rule needs to know of what"),
        (("run", "--data", SMALL, "--condition", "pos_x >= 0", "--steps", 3), "leaves nothing to"),
        (("run", "--data", SMALL, "--condition", "shpe == 'square'", "--steps", 3), "Did you"),
        (("run", "--data", SMALL, "--condition", "pos_x >", "--steps", 3), "cannot be read"),
        (("run", "--data", SMALL, "--condition", "shape2tx"), "Say how long to train"),
        (
            ("run", "--data", SMALL, "--condition", "shape2tx", "--steps", 3, "--objective",
             "composer"),
            "which unweave generalise compose is for",
        ),
        (
            ("run", "--data", SMALL, "--condition", "blank_side", "--steps", 3, "--objective",
             "cvae(labels=(shape, pos_x))"),
            "cvae(labels=(shape, pos_x)) cannot be told pos_x 0.580645, ",
        ),
        (
            ("run", "--data", SMALL, "--condition", "shape2tx", "--steps", 3, "--metrics", "mug"),
            "Did you mean mig",
        ),
        (
            ("run", "--preset", "dag/vae_dsprites_shape2tx", "--condition", "shape2tx"),
            "Give either --preset",
        ),
        (("run", "--preset", "dag/vae_dsprites"), "Nothing is held out of dsprites"),
        (
            ("compose", "--data", SMALL, "--condition", "shape2tx", "--steps", 3, "--batch-size",
             4000),
            "Give a smaller one: --batch-size",
        ),
        (
            ("compose", "--data", SMALL, "--condition", "shape2tx", "--steps", 3, "--operator",
             "interp", "--objective", "composer"),
            "Give either --operator or --objective",
        ),
        (("report", "nowhere"), "nowhere is no folder"),
        (("report", "nowhere", "--out", "page.txt"), "must end in .html"),
    ],
)  # fmt: skip
def test_bad_input_is_told_before_any_work(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["generalise", *map(str, words), "--log-level", "error"]) in (1, 2)
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_dry_run_says_what_would_be_scored(said, tmp_path):
    result = said(
        "generalise", "run", "--data", SMALL, "--condition", "shape2tx", "--steps", 3,
        "--out", tmp_path / "run", "--dry-run",
    )  # fmt: skip
    assert result["num_held_out"] == len(SPLIT.held_out)
    assert [score["data"] for score in result["scores"]] == [None, None, "held_out"]
    assert not (tmp_path / "run").exists()


def test_a_rule_of_ones_own_that_keeps_some_images(said, tmp_path):
    result = said(
        "generalise", "run", "--data", SMALL, "--condition", "shape2tx", "--modifier",
        "index(pos_y) < 4", "--steps", 1, "--batch-size", 8, "--threads", 1, "--without-probe",
        "--out", tmp_path / "run",
    )  # fmt: skip
    half = split_of("shape2tx", SMALL, "index(pos_y) < 4")
    assert result["num_held_out"] == len(half.held_out)
    assert result["condition"] == "shape2tx"
