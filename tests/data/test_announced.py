"""Datasets that can be named, with the published sizes, and trained on by no command yet."""

from __future__ import annotations

import pytest

from session.runs import cli, listing, paragraph
from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import DataError
from unweave.run import train
from unweave.settings import make_config
from unweave.spec import members

# As published: image shape after preprocessing, number of images.
PUBLISHED = {
    "mnist": ((32, 32, 1), 60_000),
    "fashion_mnist": ((32, 32, 1), 60_000),
    "celeba": ((64, 64, 3), 202_599),
    "chairs3d": ((64, 64, 1), 86_366),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory, cache and folder of runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.mark.parametrize("name", PUBLISHED)
def test_shapes_and_counts(name):
    spec = parse_dataset(name)
    assert (spec.image_shape, spec.count) == PUBLISHED[name]
    assert make_config(name, "vae", epochs=3, batch_size=100).steps == -(-3 * spec.count // 100)


def test_there_are_no_others():
    assert {n for n, cls in members(DatasetSpec).items() if not cls.loadable} == set(PUBLISHED)


def test_training_is_refused_before_anything_is_written(place):
    given = ("train", "mnist", "vae", "--steps", 10)
    words = ("mnist", "60,000 images of 32x32x1", "--dry-run", "dsprites")
    paragraph(cli(*given), *words)
    paragraph(cli(*given, "--out", "here"), *words)
    with pytest.raises(DataError, match="cannot be loaded by this version"):
        train("chairs3d", "vae", steps=1)
    assert listing(place) == {}


def test_a_dry_run_needs_no_images(place):
    result = cli("train", "celeba", "vae", "--steps", 10, "--dry-run")
    assert result.code == 0, result.err
    assert "model: 504,055 parameters" in result.out
    assert "dataset: cannot be loaded by this version yet" in result.out
    costs = cli("train", "celeba", "vae", "--steps", 10, "--dry-run", "--json").json
    assert costs["config"]["dataset"] == {"type": "celeba"}
    assert costs["epochs"] == pytest.approx(640 / 202_599)
    assert (costs["dataset_loadable"], costs["dataset_ready"]) == (False, False)
    assert listing(place) == {}


@pytest.mark.parametrize("command", ["prepare", "show", "verify"])
def test_data_commands_are_refused(place, command):
    words = ("fashion_mnist", "cannot be loaded by this version", "dsprites")
    paragraph(cli("data", command, "fashion_mnist"), *words)
    if command == "prepare":
        paragraph(cli("data", command, "fashion_mnist", "--from", "x.gz"), *words)
    assert listing(place) == {}
