"""A recursion carried out, with models hardly trained and labels that are what is asked for."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar, final

import numpy as np
import pytest

from reference.populations import MINI, TUNED, config_of, population_of
from session.runs import cli, listing
from unweave.data import parse_dataset
from unweave.errors import RunError, SpecError
from unweave.population.folder import PopulationFolder
from unweave.population.priors import Choice
from unweave.population.recursion.active import Active
from unweave.population.recursion.cells import choose_cell
from unweave.population.recursion.clusters import Clusters, find_clusters
from unweave.population.recursion.folder import RecursionFolder, depends_on
from unweave.population.recursion.plan import RecursionOutcome
from unweave.population.recursion.presets import RECURSION_PRESETS, make_recursion
from unweave.population.recursion.reduction import Label, Reduction, RpuReduction, Step
from unweave.population.recursion.running import do_again, run_recursion
from unweave.population.recursion.spec import Recursion
from unweave.population.stop import Hopeless
from unweave.population.surrogate_labels import read_labels
from unweave.population.tuned import Tuned
from unweave.run import load_run
from unweave.spec import option, to_dict

LEAF = ("level-0/labels", "level-1", "level-1/labels", "merged")


@final
class ByTruth(Reduction):
    """Labels each level by the next two true factors that vary, as if models had learned them."""

    name: ClassVar[str] = "by_truth"

    most: int = option(default=2, help="How many.")

    def step(self, representation, *, level, rank):
        factors = representation.factors
        varying = [c for c in range(factors.shape[1]) if len(np.unique(factors[:, c])) > 1]
        labels = []
        for j, column in enumerate(varying[: self.most]):
            values = factors[:, column].astype(np.float32)
            noise = np.random.default_rng(column).standard_normal(len(values), np.float32)
            spread = values + 0.03 * noise
            clusters = find_clusters(spread, smallest=1)
            labels.append(Label(f"latent {j}", (j,), 2.0, spread, clusters))
        active = Active(np.arange(len(labels)), np.full(3, 2.0), 1.0)
        choice = choose_cell({each.name: each.clusters for each in labels}, rank=rank, smallest=4)
        return Step(tuple(labels), choice.outcome, active, choice.used, choice.skipped)


def recursion_of(**fields) -> Recursion:
    """Two leaf-runs on 384 images, by populations of two members and one round of two steps."""
    short = {"members": 2, "rounds": 1, "steps": 2, "metrics": ("mig",)}
    config = config_of(batch_size=4)
    unlabelled = population_of(config, fitness="udr(images=20)", models=2, **short)
    final_one = population_of(config, fitness="leaf_mig(samples=200)", **short)
    given = {
        "first": unlabelled,
        "leaf": dataclasses.replace(unlabelled, seed=7),
        "final": final_one,
        "leaf_runs": 2,
        "levels": 1,
        "reduction": ByTruth(),
    }
    return Recursion(**given | fields)


def carried_out(recursion, place, **how):
    return run_recursion(recursion, place, **{"executor": "serial", **how})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A recursion, carried out; it must not be changed."""
    return carried_out(recursion_of(), tmp_path_factory.mktemp("recursion") / "whole")


def test_stages_and_what_they_give(whole):
    folder, outcome = whole
    stages = folder.stages()
    assert set(stages) == {
        "first", "final",
        *(f"leaf-{k}/level-0/labels" for k in (1, 2)),
        *(f"leaf-{k}/level-1" for k in (1, 2)),
        *(f"leaf-{k}/level-1/labels" for k in (1, 2)),
        *(f"leaf-{k}/merged" for k in (1, 2)),
    }  # fmt: skip
    assert next(iter(stages)) == "first"
    assert list(stages)[-1] == "final"
    assert outcome.final is not None
    assert outcome.why == ""
    assert 0 <= outcome.final.judged["scores"]["mig"]["value"] <= 1


def test_labels_tell_the_factors_and_cells_hold_them(whole):
    folder, outcome = whole
    for leaf in outcome.leaves:
        first, second = leaf.levels
        assert [label["factor"] for label in first.found["labels"]] == ["shape", "scale"]
        assert all(label["agreement"] == 1 for label in first.found["labels"])
        # The other model of the member has the same labels here.
        assert all(label["agreed"] == 1 for label in first.found["labels"])
        assert first.found["cell"]["images"] == 4 * 4 * 4
        assert first.found["cell"]["factors"] == {
            "shape": 1, "scale": 1, "orientation": 4, "pos_x": 4, "pos_y": 4,
        }  # fmt: skip
        assert [label["factor"] for label in second.found["labels"]] == ["orientation", "pos_x"]
        assert second.why == "there are 1 levels at most"
        levels = read_labels(leaf.file, size=384, dataset=MINI).levels
        assert [len(level.flat) for level in levels] == [384, 64]
        run = load_run(
            PopulationFolder(folder.path / f"leaf-{leaf.number}/level-1").run_of(
                second.population.best
            )
        )
        assert len(run.dataset) == 64
        assert np.array_equal(
            run.dataset.factors(np.arange(64))[:, 0], np.full(64, run.dataset.factors([0])[0, 0])
        )
    cells = [leaf.levels[0].found["cell"]["values"] for leaf in outcome.leaves]
    assert cells[0] != cells[1], "leaf-runs go down from different cells"


def test_the_final_population_is_ranked_by_the_labels(whole):
    folder, outcome = whole
    population = PopulationFolder(folder.path / "final").population()
    assert population.fitness.files == tuple(str(leaf.file) for leaf in outcome.leaves)
    best = outcome.final.best
    run = load_run(PopulationFolder(folder.path / "final").run_of(best))
    again = population.fitness.measure([run], population.split, population.seed)
    assert again.score == best.score


def flat(outcome: RecursionOutcome):
    """All that a recursion found, but for the time it took and where it lies."""

    def rows(population):
        if population is None:
            return None
        return [[row.to_dict() | {"seconds": 0} for row in each] for each in population.rounds]

    def found(level):
        if level.found is None:
            return None
        cell = level.found["cell"]
        plain = None if cell is None else {k: v for k, v in cell.items() if k != "file"}
        return {**level.found, "cell": plain}

    return [
        rows(outcome.first),
        [
            [(rows(lv.population), found(lv), lv.why) for lv in leaf.levels]
            for leaf in outcome.leaves
        ],
        outcome.final and outcome.final.judged["scores"]["mig"]["value"],
    ]


class Stop(Exception):
    pass


def stopping(when):
    """A listener that ends the recursion; it is told how many events there were, and the last."""
    seen = []

    def listen(row):
        seen.append(row)
        if when(len(seen), row):
            raise Stop

    return listen


@pytest.fixture(scope="module")
def gone_on_with(tmp_path_factory):
    """The same, ended twice on the way; its outcome, and which items have finished."""
    place = tmp_path_factory.mktemp("recursion") / "ended"
    for at in (8, 14):
        listener = stopping(lambda count, row, at=at: count == at)
        with pytest.raises(Stop):
            carried_out(recursion_of(), place, listener=listener)
    folder, outcome = carried_out(recursion_of(), place)
    done = [row["key"] for row in folder.events.read() if row["event"] == "finished"]
    return folder, outcome, done


def test_a_recursion_that_was_ended_anywhere_goes_on_to_the_same_end(whole, gone_on_with):
    """The file names of label files stand in settings, so that the final population differs."""
    _, outcome, done = gone_on_with
    assert flat(outcome) == flat(whole[1])
    assert len(done) == len(set(done))


def test_a_second_call_does_nothing(whole):
    folder, outcome = whole
    before = listing(folder.path)
    _, again = carried_out(recursion_of(), folder.path)
    after = listing(folder.path)
    assert flat(again) == flat(outcome)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed <= {"state.jsonl", ".lock"} | {
        f"{stage}/population.json" for stage in ("first", "final")
    }


def test_a_stage_can_be_done_again_alone(whole, gone_on_with):
    folder = gone_on_with[0]
    place = folder.path
    assert folder.forget("leaf-2/level-1") == [
        "leaf-2/level-1", "leaf-2/level-1/labels", "leaf-2/merged", "final",
    ]  # fmt: skip
    assert not (place / "leaf-2" / "level-1").exists()
    assert (place / "leaf-1" / "level-1").exists()
    begun = len(folder.events.read())
    _, outcome = carried_out(recursion_of(), place)
    keys = {row["key"] for row in folder.events.read()[begun:] if row["event"] == "started"}
    assert keys == {
        "leaf-2-level-1-r001-m00", "leaf-2-level-1-r001-m01", "leaf-2-level-1-labels",
        "final-r001-m00", "final-r001-m01", "final-judged-001",
    }  # fmt: skip
    assert flat(outcome) == flat(whole[1])
    with pytest.raises(RunError, match="no stage"):
        folder.forget("leaf-9")


def test_the_stages_for_people_and_for_scripts(whole):
    folder, outcome = whole
    said = cli("population", "status", folder.path)
    assert said.code == 0, said.err
    assert "cell of 64 images" in said.out
    assert "labels tell shape, scale, orientation, pos_x" in said.out
    value = cli("population", "status", folder.path, "--json").json
    assert value["state"] == "finished"
    assert [stage["name"] for stage in value["stages"]] == [
        "first",
        *(f"leaf-{k}/{part}" for k in (1, 2) for part in LEAF),
        "final",
    ]
    assert value["stages"][-1]["needs"] == ["leaf-1/merged", "leaf-2/merged"]
    assert [label["level"] for label in value["labels"]] == [0, 0, 1, 1] * 2
    assert value["scores"] == {"mig": outcome.final.judged["scores"]["mig"]["value"]}
    assert load_run(value["best"]).config.dataset == folder.recursion().dataset


def test_which_stages_need_which():
    assert depends_on("final", "leaf-1/level-2")
    assert depends_on("leaf-1/level-2", "leaf-1/level-1/labels")
    assert depends_on("leaf-1/level-1/labels", "leaf-1/level-1")
    assert not depends_on("leaf-1/level-1", "leaf-1/level-1/labels")
    assert not depends_on("leaf-1/level-1", "leaf-2/level-0/labels")
    assert not depends_on("first", "final")
    assert not depends_on("leaf-1/level-1", "final")
    assert depends_on("leaf-1/level-0/labels", "first")


def test_leaf_runs_that_learn_nothing_end_and_the_recursion_says_so(tmp_path):
    recursion = recursion_of(reduction=RpuReduction(threshold=50.0), leaf_runs=1)
    folder, outcome = carried_out(recursion, tmp_path / "r")
    assert outcome.final is None
    assert "no leaf-run has labels" in outcome.why
    (level,) = outcome.leaves[0].levels
    assert level.found["labels"] == []
    assert level.why
    assert folder.stages()["final"] == {"why": outcome.why}


def test_a_first_population_without_agreement_says_nothing_of_the_images(tmp_path):
    recursion = recursion_of(leaf_runs=1)
    first = dataclasses.replace(recursion.first, stop=(Hopeless(below=2),))
    folder, outcome = carried_out(dataclasses.replace(recursion, first=first), tmp_path / "r")
    assert outcome.leaves == ()
    assert outcome.final is None
    assert "do not agree" in outcome.why
    value = cli("population", "status", folder.path, "--json").json
    assert value["state"] == "finished"
    assert [stage["name"] for stage in value["stages"]] == ["first", "final"]


def test_a_cell_too_small_to_be_split_ends_its_leaf_run(tmp_path):
    recursion = recursion_of(leaf_runs=1)
    # Of the 64 images of the cell none would be kept.
    leaf = dataclasses.replace(recursion.leaf, share=0.005)
    _, outcome = carried_out(dataclasses.replace(recursion, leaf=leaf), tmp_path / "r")
    assert "keeps none for evaluation" in outcome.leaves[0].levels[1].why
    assert outcome.final is not None


def test_labels_that_were_not_recorded_are_done_again_too(tmp_path):
    place = tmp_path / "r"

    def labelled(_, row):
        return (row["event"], row.get("key")) == ("finished", "leaf-1-level-0-labels")

    with pytest.raises(Stop):
        carried_out(recursion_of(leaf_runs=1), place, listener=stopping(labelled))
    folder = RecursionFolder(place)
    lines = (place / "state.jsonl").read_text().splitlines(keepends=True)
    done = next(
        k for k, line in enumerate(lines)
        if '"finished"' in line and '"leaf-1-level-0-labels"' in line
    )  # fmt: skip
    # As a kill leaves it between the item and the record of the stage.
    (place / "state.jsonl").write_text("".join(lines[: done + 1]))
    assert "leaf-1/level-0/labels" not in folder.stages()
    assert folder.forget("first") == ["first", "leaf-1/level-0/labels"]
    open_ = {row["key"] for row in folder.events.read() if row["event"] == "reopened"}
    assert "leaf-1-level-0-labels" in open_
    assert not list(place.rglob("labels.npz"))


def test_a_stage_is_not_forgotten_under_a_driver_at_work(tmp_path, whole):
    folder, _ = whole
    before = listing(folder.path)
    with folder.alone(), pytest.raises(RunError, match="another process"):
        do_again(recursion_of(), folder.path, "first")
    assert listing(folder.path) == before
    with pytest.raises(RunError, match=r"has no recursion\.json"):
        do_again(recursion_of(), tmp_path / "r", "first")
    assert not (tmp_path / "r").exists()


def test_a_leaf_population_without_agreement_ends_its_leaf_run_with_what_it_has(tmp_path):
    recursion = recursion_of(leaf_runs=1)
    leaf = dataclasses.replace(recursion.leaf, stop=(Hopeless(below=2),))
    _, outcome = carried_out(dataclasses.replace(recursion, leaf=leaf), tmp_path / "r")
    first, second = outcome.leaves[0].levels
    assert first.why == ""
    assert second.found is None
    assert "below 2" in second.why
    assert len(read_labels(outcome.leaves[0].file).levels) == 1
    assert outcome.final is not None


def test_populations_of_levels_fit_their_images():
    recursion = recursion_of()
    sizes = Tuned(path="batch_size", prior=Choice(values=(8, 64, 256)))
    leaf = population_of(fitness="udr", models=2, tuned=(sizes, *TUNED), images=500)
    recursion = dataclasses.replace(recursion, leaf=leaf, least=1000)
    data = parse_dataset(f"subset(data={MINI}, images=100)")
    population = recursion.of_level(data, 1, 2)
    assert population.config.dataset == data
    assert population.tuned[0].prior == Choice(values=(8, 64))
    assert population.images == 1000
    assert population.seed != recursion.of_level(data, 2, 2).seed
    assert population.seed != recursion.of_level(data, 1, 1).seed
    large = parse_dataset("dsprites(grid=(3, 6, 4, 8, 8))")
    assert dataclasses.replace(recursion, least=10).of_level(large, 1, 1).images == 4608


@pytest.mark.parametrize("preset", RECURSION_PRESETS)
def test_presets(preset):
    data = MINI if preset == "rpu/published" else "dsprites(grid=(3, 6, 1, 16, 16))"
    if preset == "rpu/published":
        # Of the published batch sizes those that the dataset has images for.
        assert make_recursion(data, preset).first.tuned[0].prior.values[-1] == 256
        data = "dsprites(grid=(3, 6, 4, 8, 8))"
    recursion = make_recursion(data, preset, seed=3)
    assert Recursion.from_dict(json.loads(json.dumps(to_dict(recursion)))) == recursion
    if preset == "rpu/tiny":
        assert (recursion.first.members, recursion.first.models, recursion.first.rounds) == (
            4,
            2,
            3,
        )
        assert recursion.leaf_runs == 1
        assert recursion.dataset.count <= 5000
    else:
        assert recursion.first.members == 56
        assert recursion.first.models == 5
        assert recursion.reduction == RpuReduction()
        assert recursion.final.rounds == 17


def test_what_makes_no_sense_is_refused(tmp_path):
    recursion = recursion_of()
    other = population_of(
        config_of(dataset="dsprites(grid=(3, 2, 4, 4, 8))"), fitness="udr", models=2
    )
    with pytest.raises(SpecError, match="one dataset"):
        dataclasses.replace(recursion, leaf=other)
    with pytest.raises(SpecError, match="leaf_mig"):
        dataclasses.replace(recursion, final=population_of())
    with pytest.raises(SpecError, match="go in step"):
        dataclasses.replace(recursion, leaf=dataclasses.replace(recursion.leaf, asynchronous=True))
    alone = population_of(config_of(latents=1), fitness="leaf_mig")
    with pytest.raises(SpecError, match="two latents"):
        dataclasses.replace(recursion, final=alone)
    final = dataclasses.replace(recursion.final, metrics=("nonsense",))
    with pytest.raises(SpecError, match="nonsense"):
        carried_out(dataclasses.replace(recursion, final=final), tmp_path / "n")
    with pytest.raises(SpecError, match="Unknown preset"):
        make_recursion(None, "rpu/nonsense")
    (tmp_path / "r").mkdir()
    RecursionFolder(tmp_path / "r").write(recursion_of(leaf_runs=1, levels=0))
    with pytest.raises(RunError, match="leaf_runs is 1 there and 2 here"):
        carried_out(recursion_of(levels=0), tmp_path / "r")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is no recursion"):
        carried_out(recursion, tmp_path / "other")


def test_clusters_of_a_made_up_reduction_are_real():
    values = np.repeat(np.arange(3.0), 50) + np.linspace(-0.01, 0.01, 150)
    clusters = find_clusters(values, smallest=1)
    assert isinstance(clusters, Clusters)
    assert len(clusters.sizes) == 3
