"""`unweave study list` says of each study by name what can be done, and what waits for what."""

from __future__ import annotations

import pytest

from session.runs import cli, paragraph
from unweave.generalise.presets import STUDIES
from unweave.studies.published import published_studies


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))


def test_all_of_them():
    value = cli("study", "list", "--json").json
    assert value.keys() == {"studies"}
    rows = {row["name"]: row for row in value["studies"]}
    assert list(rows) == [*(study.name for study in published_studies()), *STUDIES]
    for row in rows.values():
        assert row["ready"] + max(row["waiting"].values(), default=0) <= row["runs"]
        assert (row["ready"] == row["runs"]) == (not row["waiting"])
    assert rows["disvae/train_all"]["waiting"] == {"files of celeba": 6}
    assert rows["dlib/unsupervised"]["settings"]["steps"] == 300_000
    assert rows["dlib/unsupervised"]["varied"] == ["dataset", "objective", "seed"]
    spoken = cli("study", "list").out
    assert all(name in spoken for name in rows)
    assert "disvae/train_all: 22 runs, 16 can be done" in spoken
    assert "Waiting: 6 for files of celeba." in spoken


def test_those_that_are_named():
    spoken = cli("study", "list", "disvae/metrics_all", "dpt/celebA_VAE")
    assert spoken.code == 0
    first, second = spoken.out.split("\n\n")
    assert first.splitlines()[0] == "disvae/metrics_all: 5 runs, all can be done"
    assert second.splitlines()[0].startswith("dpt/celebA_VAE: one run, 0 can be done")
    paragraph(cli("study", "list", "disvae/train_al"), "Did you mean disvae/train_all")


def test_those_of_unweaves_own_have_scales_with_names():
    value = cli(
        "study", "list", "generalise/dsprites", "generalise/mpi3d", "dag/dsprites", "--json"
    )
    rows = {row["name"]: row for row in value.json["studies"]}
    assert {name: row["scales"] for name, row in rows.items()} == {
        "generalise/dsprites": ["full", "small", "tiny"],
        "generalise/mpi3d": ["full", "small", "tiny"],
        "dag/dsprites": [],
    }
    assert rows["generalise/dsprites"]["ready"] == rows["generalise/dsprites"]["runs"] == 75
    assert rows["generalise/dsprites"]["source"].startswith("unweave, after Montero")
    spoken = cli("study", "list", "generalise/shapes3d").out
    assert spoken.splitlines()[0] == "generalise/shapes3d: 100 runs, all can be done"
    assert "Scales: full, small, tiny, or a number." in spoken
    paragraph(cli("study", "list", "generalise/dsprite"), "Did you mean generalise/dsprites")


@pytest.mark.parametrize(
    ("name", "scale", "words"),
    [
        ("generalise/dsprites", "tin", "or one of full, small, tiny, not 'tin'"),
        ("generalise/dsprites", "0", "scale takes a number above 0"),
        ("disvae/train_all", "tiny", "takes a number above 0, such as 0.01, not 'tiny'"),
        ("disvae/train_all", "-1", "scale takes a number above 0"),
    ],
)
def test_other_scales_are_refused(name, scale, words):
    paragraph(cli("study", "run", "--preset", name, "--scale", scale, "--dry-run"), words)


def test_a_study_of_unweaves_own_is_estimated(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    result = cli(
        "study", "run", "--preset", "generalise/dsprites", "--scale", "tiny", "--dry-run", "--json"
    )
    assert result.code == 0, result.err
    assert (result.json["study"], result.json["runs"]) == ("generalise-dsprites-tiny", 15)
    assert {kind["runs"] for kind in result.json["kinds"]} == {3}
    assert not (tmp_path / "runs").exists()
