"""Populations whose workers share no disk: members come and go through a storage."""

from __future__ import annotations

import shutil

import pytest

from reference.populations import config_of, move, population_of, table, whole
from session.runs import assert_same_state
from unweave.errors import RunError, SpecError
from unweave.execution import Serial
from unweave.population.fitness import Scored
from unweave.population.folder import PopulationFolder
from unweave.population.rounds import following, member_folder, member_item
from unweave.population.running import run_population
from unweave.population.stored import Members, storage_of
from unweave.population.task import model_folder, run_item
from unweave.rundir import read_json
from unweave.studies.storage import StoredRun, ended_runs, stored_keys


@pytest.fixture(autouse=True)
def nodes_own(tmp_path, monkeypatch):
    """Datasets stay where they are; workers have a home of their own."""
    monkeypatch.setattr("unweave.studies.storage.home", lambda: tmp_path / "home")


def with_storage(population, tmp_path, monkeypatch, url=None, **how):
    """Carried out serially by a worker that does not see the folder `p`, but a storage."""
    place, nowhere = tmp_path / "p", tmp_path / "nowhere"
    with monkeypatch.context() as patch:
        move(patch, Serial, place, nowhere)
        found = run_population(
            population, place, executor="serial", storage=url or f"file://{tmp_path}/s", **how
        )
    assert not nowhere.exists()
    return found


def part_of(place):
    return read_json(place / "storage.json")["url"]


def left_on_the_worker(tmp_path):
    return [path for path in (tmp_path / "home" / "runs").glob("*/*") if path.is_dir()]


@pytest.mark.parametrize("kind", ["file", pytest.param("memory", marks=pytest.mark.slow)])
def test_workers_that_share_no_disk_come_to_the_same_table(kind, tmp_path, monkeypatch):
    url = f"{kind}://{tmp_path}/s"
    folder, outcome = with_storage(population_of(), tmp_path, monkeypatch, url)
    place, expected = whole()
    assert table(outcome) == table(expected)
    assert outcome.judged == expected.judged
    for row in outcome.rounds[-1]:
        assert_same_state(folder.run_of(row), PopulationFolder(place).run_of(row))
    assert not left_on_the_worker(tmp_path)
    # What stays in the storage is what stays here.
    here = {
        "-".join(path.relative_to(folder.path).parts) for path in folder.path.glob("rounds/*/m*")
    }
    assert stored_keys(part_of(folder.path)) == here
    assert {f"rounds-003-m0{number}" for number in range(4)} <= here
    assert len(here) <= 5
    spent = [row["result"]["spent"] for row in finished(folder) if "spent" in row["result"]]
    assert all(0 < each["storing"] < 30 for each in spent)


def finished(folder):
    return [row for row in folder.events.read() if row["event"] == "finished"]


@pytest.mark.slow
def test_the_storage_is_remembered_and_each_population_has_a_part_of_it(tmp_path, monkeypatch):
    short = population_of(rounds=2)
    folder, _ = with_storage(short, tmp_path, monkeypatch)
    part = part_of(folder.path)
    assert storage_of(folder.path, f"file://{tmp_path}/s/") == part
    move(monkeypatch, Serial, folder.path, tmp_path / "nowhere")
    _, outcome = run_population(population_of(), folder.path, executor="serial")
    assert table(outcome) == table(whole()[1])
    assert part_of(folder.path) == part
    other = population_of(seed=2, rounds=1)
    run_population(other, tmp_path / "q", executor="serial", storage=f"file://{tmp_path}/s")
    assert part_of(tmp_path / "q") != part
    assert {f"rounds-001-m0{number}" for number in range(4)} == stored_keys(
        part_of(tmp_path / "q")
    )
    with pytest.raises(SpecError, match="a folder of one machine"):
        run_population(other, tmp_path / "r", executor="serial", storage=str(tmp_path))
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_a_population_begun_without_a_storage_goes_on_with_one(tmp_path, monkeypatch):
    run_population(population_of(rounds=2), tmp_path / "p", executor="serial")
    _, outcome = with_storage(population_of(), tmp_path, monkeypatch)
    assert table(outcome) == table(whole()[1])


@pytest.mark.slow
def test_a_worker_that_dies_is_followed_by_one_that_goes_on_from_its_checkpoint(
    tmp_path, monkeypatch
):
    config = config_of(checkpoint_every=2)
    population = population_of(config, rounds=2, steps=6)
    folder, first = with_storage(population_of(config, rounds=1, steps=6), tmp_path, monkeypatch)
    task = following(population, first.rounds)[0]
    before = first.rounds[0][task.parent].task
    known = {"root": str(folder.path), "storage": part_of(folder.path)}
    item = member_item(population, folder.path, task, before, known=known)
    key = "rounds-002-m00"

    def dying():
        if StoredRun(part_of(folder.path), key).exists:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_item(item.payload, dying)
    assert left_on_the_worker(tmp_path)
    shutil.rmtree(tmp_path / "home")
    folder, outcome = with_storage(population, tmp_path, monkeypatch)
    log = (member_folder(folder.path, task) / "models" / "0" / "log.txt").read_text()
    assert "from step 8" in log
    _, expected = run_population(population, tmp_path / "plain", executor="serial")
    assert table(outcome) == table(expected)
    row = outcome.rounds[1][0]
    assert_same_state(folder.run_of(row), PopulationFolder(tmp_path / "plain").run_of(row))


@pytest.mark.slow
def test_members_of_several_models(tmp_path, monkeypatch):
    population = population_of(fitness="udr(images=50)", models=2, rounds=2, keep="all")
    folder, outcome = with_storage(population, tmp_path, monkeypatch)
    plain, expected = run_population(population, tmp_path / "plain", executor="serial")
    assert table(outcome) == table(expected)
    for row in outcome.rounds[-1]:
        for model in (0, 1):
            one, two = (
                model_folder(member_folder(each.path, row.task), model) for each in (folder, plain)
            )
            assert_same_state(one, two)
    # All runs are here, and the storage has what a further round needs.
    assert len(list(folder.path.glob("rounds/*/m*/models/*"))) == 16
    assert len(stored_keys(part_of(folder.path))) <= 5


@pytest.mark.slow
def test_members_that_wait_for_nobody(tmp_path, monkeypatch):
    population = population_of(asynchronous=True)
    folder, outcome = with_storage(population, tmp_path, monkeypatch)
    _, expected = run_population(population, tmp_path / "plain", executor="serial")
    assert table(outcome) == table(expected)
    here = {
        "-".join(path.relative_to(folder.path).parts) for path in folder.path.glob("rounds/*/m*")
    }
    assert stored_keys(part_of(folder.path)) == here


@pytest.mark.slow
def test_a_member_that_fails_comes_with_its_log(tmp_path, monkeypatch):
    def measure(self, runs, *rest):
        raise RunError("The labels are not here.")

    with monkeypatch.context() as patch:
        patch.setattr(Scored, "measure", measure)
        with pytest.raises(RunError, match=r"r001-m00 failed: The labels are not here"):
            with_storage(population_of(), tmp_path, monkeypatch)
    log = tmp_path / "p" / "rounds" / "001" / "m00" / "log.txt"
    assert "Failed: The labels are not here." in log.read_text()
    _, outcome = with_storage(population_of(), tmp_path, monkeypatch)
    assert table(outcome) == table(whole()[1])
    # Nothing was trained again.
    log = tmp_path / "p" / "rounds" / "003" / "m00" / "models" / "0" / "log.txt"
    assert log.read_text().count("from step") == 1


def test_what_a_member_goes_on_from_and_the_storage_lacks_is_named(tmp_path, monkeypatch):
    folder, first = with_storage(population_of(rounds=1), tmp_path, monkeypatch)
    task = following(population_of(rounds=2), first.rounds)[0]
    before = first.rounds[0][task.parent].task
    url = part_of(folder.path)
    known = {"root": str(folder.path), "storage": url}
    item = member_item(population_of(rounds=2), folder.path, task, before, known=known)
    parent = f"rounds-001-m{before.member:02d}"
    shutil.rmtree(tmp_path / "s" / url.rsplit("/", 1)[1] / parent)
    with pytest.raises(RunError, match=rf"goes on from {parent}, which the storage.* lacks"):
        run_item(item.payload, lambda: None)
    # The driver has it, and puts it there.
    _, outcome = with_storage(population_of(rounds=2), tmp_path, monkeypatch)
    assert table(outcome) == table(whole()[1])[:2]


@pytest.mark.slow
def test_a_storage_that_keeps_old_rounds_for_once_is_cleared_by_the_next_driver(
    tmp_path, monkeypatch, caplog
):
    def remove(self):
        raise RunError("The storage does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(StoredRun, "remove", remove)
        folder, _ = with_storage(population_of(rounds=2), tmp_path, monkeypatch)
    assert "stays in the storage: The storage does not answer." in caplog.text
    before = stored_keys(part_of(folder.path))
    assert len(before) == 8
    assert ended_runs(part_of(folder.path)) == before
    with_storage(population_of(rounds=2), tmp_path, monkeypatch)
    after = stored_keys(part_of(folder.path))
    assert {f"rounds-002-m0{number}" for number in range(4)} <= after
    assert len(after) <= 5
    assert Members(part_of(folder.path), folder.path)._whole == after
