"""Runs in order: by UDR, by a metric, in groups; and what cannot be ranked."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

import unweave
from session.runs import TINY, cli, copy_of, document, flags, folder_for_runs, paragraph
from unweave.encoding import encode_rows
from unweave.errors import DataError, RunError, SpecError
from unweave.metrics.interval import over_runs
from unweave.metrics.label_free.udr import rpu_kl, udr
from unweave.scores import load_scores

SMALL = "dsprites(grid=(3, 2, 2, 4, 4))"
IMAGES = 192


def made(objective, dataset=SMALL, **settings):
    """Folder of a run of a few steps."""
    folder = folder_for_runs() / "run"
    given = flags(**{**TINY, "steps": 3, "latents": 4, **settings})
    result = cli("train", dataset, objective, *given, "--out", folder, "--json")
    assert result.code == 0, result.err
    return folder


def as_if_trained(run, seed, **changes):
    """A copy of a run with other weights, as those of another seed would be."""
    folder = folder_for_runs() / "run"
    shutil.copytree(run, folder)
    config = document(folder / "config.json") | {"seed": seed} | changes
    (folder / "config.json").write_text(json.dumps(config))
    path = folder / "checkpoint" / "state.safetensors"
    with safetensors.safe_open(path, framework="pt") as handle:
        header = handle.metadata()
    state = safetensors.torch.load_file(path)
    noise = torch.Generator().manual_seed(seed)
    for name, tensor in state.items():
        if name.startswith("model/"):
            factor = 1 + 0.3 * torch.randn(tensor.shape, generator=noise)
            state[name] = tensor * factor.to(tensor.dtype)
    safetensors.torch.save_file(state, path, header)
    return folder


@functools.cache
def several() -> tuple[Path, ...]:
    """Three seeds of one configuration and two of another; tests that score copy them."""
    one, other = made("beta_vae(beta=4)"), made("vae", lr=0.01)
    return (
        one,
        as_if_trained(one, 1, log_every=7),
        as_if_trained(one, 2),
        other,
        as_if_trained(other, 1),
    )


def copies(tmp_path):
    return [Path(shutil.copytree(run, tmp_path / str(k))) for k, run in enumerate(several())]


# UDR


def test_udr_is_that_of_the_codes_of_the_same_images():
    ranking = unweave.rank(several(), images=150, seed=3)
    found = {entry.run: entry for entry in ranking.runs}
    # All images of each.
    everything = unweave.rank(several(), images=IMAGES)
    codes, kls = [], []
    for folder in several():
        run = unweave.load_run(folder)
        flat = np.arange(len(run.dataset))
        mean, logvar = (np.empty((len(flat), 4), np.float32) for _ in range(2))
        encode_rows(run.model, run.dataset, flat, mean, logvar)
        codes.append(mean)
        kls.append(0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).mean(axis=0))
    expected = udr(codes, kls)
    whole = {entry.run: entry for entry in everything.runs}
    for k, folder in enumerate(several()):
        entry = whole[str(folder)]
        assert entry.score == pytest.approx(expected.scores[k], abs=1e-5)
        assert entry.informative == expected.informative[k].sum()
        assert entry.low <= entry.score <= entry.high
        assert found[str(folder)].score == pytest.approx(entry.score, abs=0.25)
    scores = [entry.score for entry in everything.runs]
    assert scores == sorted(scores, reverse=True)
    again = unweave.rank([unweave.load_run(run) for run in several()], images=150, seed=3)
    assert again == ranking


def test_groups_are_runs_that_differ_in_their_seed_alone():
    ranking = unweave.rank(several(), images=100)
    groups = {entry.group: entry for entry in ranking.groups}
    assert {label.split(",")[0]: entry.runs for label, entry in groups.items()} == {
        "beta_vae": 3,
        "vae": 2,
    }
    for label, entry in groups.items():
        members = [run.score for run in ranking.runs if run.group == label]
        assert entry.mean == pytest.approx(np.mean(members))
        # Of two runs there is no interval.
        assert (entry.low is None) == (entry.runs == 2)
    # Only what differs is named, and neither the seed nor what leaves the model as it is.
    assert all("optimizer=adam" in label for label in groups)
    assert not any("log_every" in label or "seed" in label for label in groups)


def test_within_a_configuration_only_its_own_runs_are_compared():
    within = {run.run: run for run in unweave.rank(several(), images=100, compare="config").runs}
    alone = {run.run: run for run in unweave.rank(several()[:3], images=100).runs}
    for folder in several()[:3]:
        assert within[str(folder)].score == alone[str(folder)].score
    # Two runs each: no interval.
    assert all(run.low is None for run in within.values())
    with pytest.raises(RunError, match="has no other run that differs in nothing but the seed"):
        unweave.rank(several()[:4], compare="config")


def published(kind, rows):
    """UDR of the runs by the published code of that kind, from these images."""
    codes, kls = [], []
    for folder in several():
        run = unweave.load_run(folder)
        mean, logvar = (np.empty((len(rows), 4), np.float32) for _ in range(2))
        encode_rows(run.model, run.dataset, rows, mean, logvar)
        codes.append(mean)
        kl = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).mean(axis=0)
        kls.append(rpu_kl(mean, logvar) if kind == "rpu" else kl)
    return dict(zip(map(str, several()), udr(codes, kls, compat=kind).scores, strict=True))


def test_the_reference_draws_points_of_the_grid():
    found = unweave.rank(several(), images=108, seed=2, protocol="dlib")
    assert found.protocol.startswith("dlib/")
    # Ten points at a time, one factor after the other.
    state, sizes = np.random.RandomState(2), (3, 2, 2, 4, 4)
    rows = [
        np.ravel_multi_index([state.randint(n, size=10) for n in sizes], sizes) for _ in range(10)
    ]
    scores = published("dlib", np.concatenate(rows))
    assert {run.run: run.score for run in found.runs} == pytest.approx(scores, abs=1e-6)


def test_rpu_shuffles_the_images_and_takes_whole_batches():
    order = np.random.RandomState(1).permutation(IMAGES)
    for images, rows in ((108, 100), (1000, IMAGES - IMAGES % 10)):
        found = unweave.rank(several(), images=images, seed=1, protocol="rpu")
        scores = published("rpu", order[:rows])
        assert {run.run: run.score for run in found.runs} == pytest.approx(scores, abs=1e-6)


def test_a_protocol_without_udr_is_refused():
    with pytest.raises(SpecError, match=r"disvae/\d+ does not define udr; these do: unweave"):
        unweave.rank(several(), protocol="disvae")


# By a metric


def test_scores_that_are_there_are_taken_and_others_are_made(tmp_path):
    runs = copies(tmp_path)[:3]
    kept = unweave.load_run(runs[1]).evaluate(("mig",))["mig"].value
    made_up = document(runs[1] / "scores.json")
    made_up["scores"][0]["value"] = 0.75
    (runs[1] / "scores.json").write_text(json.dumps(made_up))
    ranking = unweave.rank(runs, "mig")
    assert (ranking.by, ranking.higher_is_better, ranking.compared) == ("mig", True, None)
    values = {entry.run: entry.score for entry in ranking.runs}
    assert ranking.runs[0].run == str(runs[1])
    assert values[str(runs[1])] == 0.75 != kept
    for run in runs[2:]:
        (row,) = load_scores(run)
        assert row["metric"] == "mig"
        assert values[str(run)] == row["value"]
    # What was scored with another seed, part or protocol is not the score that is asked for.
    assert unweave.rank(runs, "mig", seed=1).runs[0].score != 0.75
    assert unweave.rank(runs, "mig", protocol="dlib").runs[0].score != 0.75


def test_the_direction_is_that_of_the_metric(tmp_path):
    ranking = unweave.rank(copies(tmp_path)[2:4], "test_losses")
    assert not ranking.higher_is_better
    scores = [entry.score for entry in ranking.runs]
    assert scores == sorted(scores)
    assert [group.mean for group in ranking.groups] == sorted(g.mean for g in ranking.groups)


# The interval


def test_the_bootstrap_is_near_the_closed_form_for_many_runs():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = over_runs(values, np.mean, 0)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.001)
    assert found.high == pytest.approx(values.mean() + half, abs=0.001)
    assert over_runs(values[:2], np.mean, 0) is None
    assert over_runs(np.full(5, 0.25), np.median, 0).low == 0.25


# The command


def test_json(tmp_path):
    out = tmp_path / "ranking.json"
    value = cli("rank", *several(), "--images", 100, "--json", "--out", out).json
    assert document(out) == value
    assert (value["by"], value["compared"], value["data"]) == ("udr", "all", SMALL)
    assert value["higher_is_better"] is True
    assert [set(run) for run in value["runs"]] == [
        {"run", "score", "seed", "group", "low", "high", "informative"}
    ] * 5
    expected = unweave.rank(several(), images=100)
    assert [run["score"] for run in value["runs"]] == [run.score for run in expected.runs]


def test_a_ranking_is_written_again_and_over_nothing_else(tmp_path):
    out = tmp_path / "ranking.json"
    given = ("rank", *several(), "--images", 100, "--out", out)
    for _ in range(2):
        assert cli(*given).code == 0
    out.write_text('{"format": 1, "runs": []}')
    paragraph(cli(*given), "ranking.json is there already", "no ranking", "left as it is")
    assert out.read_text() == '{"format": 1, "runs": []}'


def test_a_table_for_people(tmp_path):
    shown = cli("rank", *several(), "--images", 100).out.splitlines()
    assert shown[0].startswith("udr, higher is better, protocol unweave/")
    assert "every run with every other" in shown[0]
    assert [line.split()[0] for line in shown[3:8]] == list("12345")
    assert "latents in use" in shown[3]
    assert [line.split()[0] for line in shown[10:12]] in (["3", "2"], ["2", "3"])
    shown = cli("rank", *copies(tmp_path)[:2], "--by", "mig").out
    assert shown.startswith("mig, higher is better")
    assert "latents in use" not in shown


def test_what_is_refused(tmp_path):
    other = made("vae", dataset="dsprites(grid=(3, 2, 4, 4, 8))")
    one, two = several()[:2]
    stopped = copy_of(one, tmp_path)
    status = (stopped / "status.json").read_text().replace('"finished"', '"stopped"')
    (stopped / "status.json").write_text(status)
    for given, words in (
        ([one], ["at least 2 runs, not 1"]),
        ([one, two, one], [f"{one} is given twice"]),
        ([one, other], ["was trained on", SMALL, "grid=(3, 2, 4, 4, 8)"]),
        ([one, stopped], ["is not finished but stopped", "--resume"]),
        ([one, tmp_path / "nothing"], ["nothing"]),
        ([one, two, "--by", "urd"], ["'urd' is none of them", "udr"]),
        ([one, two, "--by", "aam", "--protocol", "dlib"], ["does not define aam"]),
        ([one, two, "--protocol", "dilb"], ["Unknown protocol"]),
        ([one, two, "--seed", "-1"], ["seed must be at least 0"]),
        ([one, two, "--images", "1"], ["images must be at least 2, not 1"]),
        ([one, two, "--images", "1001"], ["images must be at most 192", "dsprites(", "not 1001"]),
        ([one, two, "--images", "9" * 30, "--protocol", "dlib"], ["images must be at most 192"]),
        ([one, two, "--images", "few"], ["--images takes a whole number"]),
    ):
        paragraph(cli("rank", *given), *words)
    assert not (one / "scores.json").exists()


def test_runs_of_different_latents_can_be_compared():
    wide = made("vae", latents=6)
    ranking = unweave.rank([*several()[:2], wide], images=100)
    assert any("latents=6" in run.group for run in ranking.runs)
    with pytest.raises(DataError):
        unweave.rank([wide, made("vae", dataset="dsprites(grid=(3, 2, 2, 2, 2))")])


def test_udr_of_codes_without_noise_is_refused():
    with pytest.raises(DataError, match="autoencoder has an encoder without noise"):
        unweave.rank([several()[0], made("autoencoder")])


def test_the_errors_of_arguments():
    with pytest.raises(SpecError, match="compare must be all or config"):
        unweave.rank(several(), compare="none")
    with pytest.raises(RunError, match="at least 2 runs, not 1"):
        unweave.rank(several()[0])
