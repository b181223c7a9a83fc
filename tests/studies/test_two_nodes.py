"""A study on two Ray nodes that share no folder but a storage, and lose a node on the way."""

import threading

import pytest
from safetensors.numpy import load_file

from execution.conftest import start_cluster
from execution.test_driver_killed import until
from unweave.execution import EventLog, Item, Processes, execute
from unweave.rundir import read_json
from unweave.studies import StudyFolder, run_study, study_of

DATA = "dsprites(grid=(3, 2, 4, 8, 8))"
FORM = {
    "train": {"dataset": DATA, "steps": 200, "batch_size": 8, "checkpoint_every": 10},
    "sweep": [{"grid": {"objective": ["beta_vae", "beta_tcvae"]}}],
    "seeds": 4,
    "evaluate": {"metrics": ["mig"]},
    "limits": {"retries": 0},
}


def test_two_workers_of_a_machine_build_a_store_once(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    items = [
        Item(f"i{n}", {"number": n, "folder": str(tmp_path), "others": 3, "dataset": DATA})
        for n in range(3)
    ]
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, Processes("execution.tasks:opened", 3), log)
    results = [state.result for state in found.values()]
    assert sorted(result["built"] for result in results) == [False, False, True]
    assert len({result["sum"] for result in results}) == 1


@pytest.fixture
def far_nodes(tmp_path, monkeypatch):
    """Two nodes, each with a home of its own, of which the driver sees neither."""
    homes = [tmp_path / "nodes" / name for name in ("one", "two")]
    cluster = start_cluster(
        monkeypatch,
        [{"UNWEAVE_HOME": str(home), "UNWEAVE_RUNS": str(home / "runs")} for home in homes],
    )
    yield cluster, homes
    cluster.shutdown()


@pytest.mark.slow
def test_a_node_that_dies_has_its_runs_gone_on_with_from_the_storage(far_nodes, tmp_path):
    cluster, homes = far_nodes
    url, study = f"file://{tmp_path}/storage", study_of(FORM, "far")
    folder = StudyFolder(tmp_path / "driver" / "far")
    second = cluster.worker_nodes.copy().pop()

    def under_way(home):
        """Runs that are in the middle on a node, and have a checkpoint in the storage."""
        keys = {path.name for path in home.glob("runs/*/*") if path.is_dir()}
        states = [list((tmp_path / "storage" / key / "state").glob("*")) for key in keys]
        return any(found and not found[0].name.endswith(".done.json") for found in states)

    def kill():
        until(lambda: under_way(homes[1]), 240)
        cluster.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    _, states = run_study(study, out=folder.path, executor="ray", storage=url)
    killer.join()
    events = folder.events.read()
    assert {state.state for state in states.values()} == {"finished"}
    assert [row["event"] for row in events].count("finished") == len(states) == 8
    lost = [row["key"] for row in events if row["event"] == "lost"]
    assert lost
    # Each node has built its own store, and the driver none of them.
    assert [len(list((home / "data").glob("dsprites-*"))) for home in homes] == [1, 1]
    logs = {key: (folder.run_folder(key) / "log.txt").read_text() for key in states}
    assert all(text.count("finished at step 200") == 1 for text in logs.values())
    assert any("from step 0" in logs[key] and logs[key].count("from step") == 2 for key in lost)

    plain, _ = run_study(study, out=tmp_path / "plain" / "far", executor="serial")
    for key in states:
        places = [each.run_folder(key) for each in (plain, folder)]
        one, two = (load_file(place / "checkpoint" / "state.safetensors") for place in places)
        assert all((one[name] == two[name]).all() for name in one)
        assert read_json(places[0] / "scores.json") == read_json(places[1] / "scores.json")


@pytest.mark.slow
def test_a_node_that_does_not_see_the_study_says_so(far_nodes, tmp_path, monkeypatch):
    form = FORM | {"seeds": 1}
    out = tmp_path / "driver" / "far"
    # What another machine would have at the same path.
    real = StudyFolder.write

    def write(self, *arguments):
        real(self, *arguments)
        monkeypatch.setattr("unweave.studies.running.write_marker", lambda study: "elsewhere")

    monkeypatch.setattr(StudyFolder, "write", write)
    folder, states = run_study(study_of(form, "far"), out=out, executor="ray")
    assert {state.state for state in states.values()} == {"failed"}
    assert all("does not see the study in" in state.message for state in states.values())
    assert [row["event"] for row in folder.events.read()].count("started") == 2
