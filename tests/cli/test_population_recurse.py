"""How recursions are looked at: their populations' figures, what is left, what to do without."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reference.populations import whole
from session.runs import cli, listing, paragraph
from unweave import plots
from unweave.population import PopulationFolder
from unweave.population.costs import Measured
from unweave.population.recursion.folder import RecursionFolder
from unweave.population.recursion.presets import make_recursion

DATA = "dsprites(grid=(3, 6, 1, 8, 8))"
WHY = "no leaf-run has labels, so that nothing ranks a final population"


@pytest.fixture
def folder(tmp_path):
    """A recursion whose first population is over; its table is that of another one."""
    place = RecursionFolder(tmp_path / "r")
    place.path.mkdir()
    place.write(make_recursion(DATA, scale=0.01))
    (place.path / "first" / "rounds").mkdir(parents=True)
    for name in ("population.json", "state.jsonl"):
        shutil.copy(whole()[0] / name, place.path / "first")
    run = str(PopulationFolder(place.path / "first").run_of(whole()[1].best))
    place.recorder(place.events)("first", {"rounds": 3, "why": "w", "score": 0.5, "run": run})
    return place


def over(folder, *, labels=()):
    """Have the recursion end, with some labels of its first level."""
    record = folder.recorder(folder.events)
    record("leaf-1/level-0/labels", {"labels": list(labels), "cell": None, "why": "no cell"})
    record("leaf-1/merged", {"merged": []})
    record("final", {"why": WHY})


def recurse(folder, *more):
    words = ("population", "recurse", DATA, "--scale", 0.01, "--executor", "serial")
    return cli(*words, "--out", folder.path, *more)


def test_figures_are_those_of_its_populations(folder, monkeypatch):
    value = cli("population", "status", folder.path, "--plots", "--json").json
    names = ("lineage", "schedules", "scores", "fields")
    figures = [str(folder.path / "first" / "figures" / f"{name}.png") for name in names]
    assert value["figures"] == figures
    assert all(Path(figure).is_file() for figure in figures)
    # They are there.
    monkeypatch.setattr(plots, "save", lambda figure, path: path)
    said = cli("population", "status", folder.path, "--plots").out
    assert all(figure in said for figure in figures)
    assert f"It is stopped. Go on with: unweave population resume {folder.path}" in said
    assert cli("population", "status", folder.path, "--json").json["figures"] == []


def test_figures_of_what_has_no_round(folder):
    shutil.rmtree(folder.path / "first")
    said = cli("population", "status", folder.path, "--plots").out
    assert "No figures: no round is over yet." in said


def test_without_labels_it_is_said_what_to_do_and_what_there_is(folder):
    over(folder)
    found = cli("population", "status", folder.path)
    first = str(PopulationFolder(folder.path / "first").run_of(whole()[1].best))
    assert f"There is no final model: {WHY}. Begin again" in found.out
    for words in ("--scale", "--reduction", f"score {whole()[1].best.score:.4g}:\n  run {first}"):
        assert words in found.out
    # The key is for the final model.
    assert cli("population", "status", folder.path, "--json").json["best"] is None


CLUSTERS = {"clusters": 3, "purity": 0.957, "coverage": 0.9}
PLAIN = {"clusters": 0, "purity": 0.0, "coverage": 0.0, "agreed": None}
FACTOR = {"factor": "pos_y", "agreement": 0.304}
LABELS = [
    ({"name": "latent 0", **CLUSTERS, "agreed": 0.712, **FACTOR},
     "latent 0 (purity 0.96, agreed 0.71, pos_y 0.30)"),
    # No other model has such a label.
    ({"name": "latent 1", **CLUSTERS, "agreed": None, **FACTOR},
     "latent 1 (purity 0.96, agreed none, pos_y 0.30)"),
    # The truth is not known.
    ({"name": "ring of 2 and 5", **CLUSTERS, "agreed": 1.0},
     "ring of 2 and 5 (purity 0.96, agreed 1.00)"),
    # Without clusters nothing is pure or not.
    ({"name": "latent 3", **PLAIN, **FACTOR}, "latent 3 (pos_y 0.30)"),
    ({"name": "latent 4", **PLAIN}, "latent 4"),
    # Other models have not been asked.
    ({"name": "latent 6", **CLUSTERS, **FACTOR}, "latent 6 (purity 0.96, pos_y 0.30)"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "words"), LABELS, ids=[words for _, words in LABELS])
def test_a_label_is_told_with_how_pure_it_is_by_its_own_model_and_by_others(label, words, folder):
    over(folder, labels=[label])
    said = cli("population", "status", folder.path).out
    (row,) = [line for line in said.splitlines() if line.startswith("leaf-1/level-0/labels")]
    assert row.endswith(f"  one label: {words}; no cell: no cell")


@pytest.mark.parametrize("command", ["evaluate", "plot", "report", "runs show"])
def test_a_recursion_is_no_run(folder, command):
    first = str(PopulationFolder(folder.path / "first").run_of(whole()[1].best))
    paragraph(cli(*command.split(), folder.path), "is a recursion, and no run", first)


def test_one_population_of_it_is_exported(folder, tmp_path):
    given = ("population", "export", folder.path, "--out", tmp_path / "best.toml")
    paragraph(cli(*given), "is a recursion; name one", str(folder.path / "first"))


@pytest.fixture
def no_measuring(monkeypatch):
    """Steps take a second, whatever their batches: how long they do is tested elsewhere."""
    even = Measured(steps={8: 1.0}, weights_bytes=10**6, step_bytes=10.0)
    monkeypatch.setattr("unweave.population.costs.measure", lambda *given: even)


@pytest.mark.usefixtures("no_measuring")
def test_a_dry_run_says_what_is_left_stage_by_stage_and_in_all(folder):
    before = listing(folder.path)
    value = recurse(folder, "--dry-run", "--json").json
    assert value["parts"].keys() == {"level", "final"}
    assert value["again"] == []
    said = recurse(folder, "--dry-run").out
    assert said.startswith(f"{folder.path}: one leaf-run of at most 2 levels, 2 of them left\n\n")
    level = "each level of a leaf-run, at most: 4 members of 2 models each, 3 rounds at most"
    assert f"\n\n{level}\n" in said
    assert "\n\nfinal: 4 members, 3 rounds at most\n" in said
    assert "\n\nin all: at most about " in said
    assert "first:" not in said
    assert listing(folder.path) == before


@pytest.mark.usefixtures("no_measuring")
def test_a_dry_run_of_a_stage_that_is_done_again(folder):
    over(folder, labels=[{"name": "a"}])
    before = listing(folder.path)
    assert "nothing is left" in recurse(folder, "--dry-run").out
    paragraph(recurse(folder, "--dry-run", "--again", "leaf-7"), "no stage 'leaf-7'")
    value = recurse(folder, "--dry-run", "--again", "leaf-1", "--json").json
    assert value["again"] == ["leaf-1/level-0/labels", "leaf-1/merged", "final"]
    assert value["parts"].keys() == {"level", "final"}
    value = recurse(folder, "--dry-run", "--again", "first", "--json").json
    assert value["parts"]["first"]["done"] == 0
    assert listing(folder.path) == before
