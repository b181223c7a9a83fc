"""`unweave study list` says of each published study what can be done, and what waits for what."""

from __future__ import annotations

import pytest

from session.runs import cli, paragraph
from unweave.studies.published import published_studies


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))


def test_all_of_them():
    value = cli("study", "list", "--json").json
    assert value.keys() == {"studies"}
    rows = {row["name"]: row for row in value["studies"]}
    assert list(rows) == [study.name for study in published_studies()]
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
