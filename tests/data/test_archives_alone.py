"""Datasets of published files alone: known without them, and refused before any work."""

from __future__ import annotations

import pytest

from session.runs import cli, listing, paragraph
from unweave.data import parse_dataset
from unweave.errors import DataError
from unweave.run import train
from unweave.settings import make_config

# As published: image shape after preprocessing, number of images.
PUBLISHED = {
    "mnist": ((32, 32, 1), 60_000),
    "fashion_mnist": ((32, 32, 1), 60_000),
    "celeba": ((64, 64, 3), 202_599),
    "chairs3d": ((64, 64, 1), 86_366),
    "cars3d": ((64, 64, 3), 17_568),
    "smallnorb": ((64, 64, 1), 48_600),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory, cache and folder of runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.mark.parametrize("name", PUBLISHED)
def test_shapes_and_counts(place, name):
    spec = parse_dataset(name)
    assert (spec.image_shape, spec.count, spec.source) == (*PUBLISHED[name], "archive")
    assert make_config(name, "vae", epochs=3, batch_size=100).steps == -(-3 * spec.count // 100)
    assert not spec.ready()
    assert listing(place) == {}


def test_training_is_refused_before_anything_is_written(place):
    words = ("celeba are not downloaded", "Accept the terms at", "data prepare celeba --from")
    given = ("train", "celeba", "vae", "--steps", 10)
    paragraph(cli(*given), *words)
    paragraph(cli(*given, "--out", "here"), *words)
    with pytest.raises(DataError, match=r"missing\.tar does not exist"):
        train("chairs3d(path='missing.tar')", "vae", steps=1)
    assert listing(place) == {}


def test_a_dry_run_needs_no_images(place):
    result = cli("train", "celeba", "vae", "--steps", 10, "--dry-run")
    assert result.code == 0, result.err
    assert "model: 504,055 parameters" in result.out
    assert "dataset: not there, so that this cannot be trained yet. The files of" in result.out
    costs = cli("train", "celeba", "vae", "--steps", 10, "--dry-run", "--json").json
    assert costs["config"]["dataset"]["type"] == "celeba"
    assert costs["epochs"] == pytest.approx(640 / 202_599)
    assert costs["dataset_ready"] is False
    assert "Accept the terms at" in costs["dataset_missing"]
    assert listing(place) == {}


@pytest.mark.parametrize("command", ["prepare", "show", "verify"])
def test_data_commands_are_refused(place, command):
    words = ("celeba are not downloaded", "Accept the terms at")
    paragraph(cli("data", command, "celeba"), *words)
    if command == "prepare":
        paragraph(cli("data", command, "celeba", "--from", "x.zip"), "x.zip does not exist")
    assert listing(place) == {}
