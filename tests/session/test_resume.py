"""A resumed run is bit for bit the uninterrupted one."""

from __future__ import annotations

import json
import shutil
import signal

import pytest
import safetensors
import safetensors.torch
import torch

from session.runs import (
    BATCH,
    RICH,
    Watcher,
    assert_same_state,
    checkpoint_step,
    cli,
    copy_of,
    document,
    lines,
    listing,
    paragraph,
    resume,
    rich,
    tensors,
    timeless,
    train,
)

STEPS = 12


def interrupt():
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def watch(monkeypatch):
    """The watch of the commands in this test."""
    watcher = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watcher)
    return watcher


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("objective", ["beta_tcvae(beta=4)", "factor_vae(gamma=4, width=50)"])
def test_resume_equals_uninterrupted(tmp_path, watch, objective, precision):
    settings = {
        "steps": STEPS,
        "precision": precision,
        "log_every": 5,
        "checkpoint_every": 4,
    }
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train(whole, objective, **settings).json["state"] == "finished"

    watch.at = {6: interrupt}
    first = train(broken, objective, **settings)
    assert first.code == 0
    assert first.json["state"] == "stopped"
    middle = first.json["steps"]
    assert 6 <= middle < STEPS
    assert checkpoint_step(broken) == middle
    assert document(broken / "status.json")["state"] == "stopped"
    assert "SIGINT" in document(broken / "status.json")["message"]

    watch.at = {}
    second = resume(broken)
    assert second.code == 0
    assert second.json["state"] == "finished"
    assert second.json["steps"] == STEPS
    assert watch.begun[-1] == middle
    assert_same_state(whole, broken)
    assert timeless(lines(broken)) == timeless(lines(whole))
    assert document(broken / "config.json") == document(whole / "config.json")
    assert document(broken / "status.json")["state"] == "finished"


def test_pieces_of_one_step_equal_the_whole(tmp_path):
    settings = {"steps": 5, "log_every": 2, "checkpoint_every": 100}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, **settings)
    done = train(broken, **settings, max_minutes=1e-9).json["steps"]
    pieces = [done]
    while done < 5:
        done = resume(broken, max_minutes=1e-9).json["steps"]
        pieces.append(done)
    assert pieces == [1, 2, 3, 4, 5]
    assert_same_state(whole, broken)
    assert timeless(lines(broken)) == timeless(lines(whole))


def test_observers_see_the_same_after_a_resume(tmp_path, watch):
    """Scores, snapshots and pictures of a step come again when its checkpoint was not written."""
    settings = {"steps": 8, "log_every": 4, "checkpoint_every": 6, "evaluate_every": 4}
    settings |= {"snapshot_every": 4, "latents": 3, "dataset": RICH}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, **settings)

    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    watch.at = {8: kill}
    with pytest.raises(Killed):
        train(broken, **settings)
    watch.at = {}
    assert checkpoint_step(broken) == 6
    assert document(broken / "status.json")["state"] == "running"
    assert resume(broken).json["state"] == "finished"
    assert timeless(lines(broken)) == timeless(lines(whole))
    for name in ("step-0000004.safetensors", "step-0000008.safetensors"):
        one, other = whole / "snapshots" / name, broken / "snapshots" / name
        assert one.stat().st_size == other.stat().st_size
    assert_same_state(whole, broken)


def test_killed_between_scores_and_checkpoint_loses_nothing(tmp_path, monkeypatch):
    """What observers write for a step stands before the checkpoint of that step, never after."""
    from unweave import observers
    from unweave.session import session

    order = []
    look, save = observers.Snapshots.look, session.save_tensors
    monkeypatch.setattr(
        observers.Snapshots,
        "look",
        lambda self, learner, step, seconds: order.append(("look", step)),
    )

    def save_and_tell(path, state, *, step, seconds):
        order.append(("save", step))
        save(path, state, step=step, seconds=seconds)

    monkeypatch.setattr(session, "save_tensors", save_and_tell)
    train(tmp_path / "run", steps=4, checkpoint_every=2, snapshot_every=2)
    assert order == [("look", 2), ("save", 2), ("look", 4), ("save", 4)]
    assert look is not observers.Snapshots.look


def test_resume_before_the_first_checkpoint_starts_again(tmp_path, watch):
    settings = {"steps": 4, "log_every": 1, "checkpoint_every": 4}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, **settings)

    class Killed(BaseException):
        pass

    def kill():
        raise Killed

    watch.at = {3: kill}
    with pytest.raises(Killed):
        train(broken, **settings)
    watch.at = {}
    assert not (broken / "checkpoint").exists()
    assert [row["step"] for row in lines(broken)] == [1, 2]
    assert resume(broken).json["state"] == "finished"
    assert watch.begun[-1] == 0
    assert_same_state(whole, broken)
    assert timeless(lines(broken)) == timeless(lines(whole))


def test_resume_of_a_finished_run_does_nothing_and_says_so(tmp_path):
    run = copy_of(rich(), tmp_path)
    before = listing(run)
    result = resume(run)
    assert result.json["state"] == "finished"
    assert result.json["steps"] == 24
    assert result.json["terms"] == lines(run, "train")[-1]["raw"]
    assert listing(run) == before
    spoken = cli("train", "--out", run, "--resume")
    assert spoken.code == 0
    assert "finished already, nothing done" in spoken.out
    assert listing(run) == before


def test_a_run_killed_after_its_last_checkpoint_becomes_finished(tmp_path):
    run = copy_of(rich(), tmp_path)
    status = document(run / "status.json")
    (run / "status.json").write_text(json.dumps(status | {"state": "running", "step": 0}))
    assert resume(run).json["state"] == "finished"
    after = document(run / "status.json")
    assert (after["state"], after["step"]) == ("finished", 24)


def test_more_steps_extend_to_a_run_of_that_length(tmp_path):
    settings = {"log_every": 2, "checkpoint_every": 3}
    whole, longer = tmp_path / "whole", tmp_path / "longer"
    train(whole, steps=8, **settings)
    train(longer, steps=4, **settings)
    result = resume(longer, steps=8)
    assert result.json["steps"] == 8
    assert_same_state(whole, longer)
    assert timeless(lines(longer)) == timeless(lines(whole))
    assert document(longer / "config.json") == document(whole / "config.json")
    assert document(longer / "status.json")["steps"] == 8


def test_the_same_command_with_resume_goes_on(tmp_path, watch):
    settings = {"steps": 6, "checkpoint_every": 2}
    watch.at = {3: interrupt}
    assert train(tmp_path / "run", **settings, resume=True).json["state"] == "stopped"
    watch.at = {}
    assert train(tmp_path / "run", **settings, resume=True).json["state"] == "finished"
    assert watch.begun[0] == 0
    assert watch.begun[1] > 0


def test_epochs_given_again_mean_the_steps_of_the_run(tmp_path):
    settings = {"epochs": 0.02, "batch_size": 8, "checkpoint_every": 2}
    steps = train(tmp_path / "run", **settings).json["steps"]
    assert steps == 4  # 0.02 * 1536 / 8 = 3.84
    again = resume(tmp_path / "run", epochs=0.02)
    assert again.code == 0, again.err
    assert again.json["steps"] == 4


@pytest.mark.parametrize(
    ("setting", "value", "was"),
    [
        ("lr", "0.002", "adam(lr=0.001)"),
        ("batch_size", "16", str(BATCH)),
        ("latents", "5", "4"),
        ("seed", "4", "3"),
        ("holdout", "0.5", "0.25"),
        ("log_every", "5", "4"),
        ("threads", "2", "1"),
        ("precision", "bfloat16", "float32"),
        ("likelihood", "laplace", "bernoulli"),
        ("steps", "12", "24"),
    ],
)
def test_other_settings_are_refused_by_name(setting, value, was):
    before = listing(rich())
    result = resume(rich(), **{setting: value})
    field = {"lr": "optimizer"}.get(setting, setting)
    paragraph(result, f"{field}={was}", value, "Start a new run")
    assert listing(rich()) == before


def test_another_objective_or_dataset_is_refused():
    run = rich()
    other = "dsprites(grid=(3, 2, 4, 8, 4))"
    flags = ("--out", run, "--resume", "--json")
    paragraph(cli("train", other, *flags), "dataset=", other, str(run))
    paragraph(cli("train", RICH, "vae", *flags), "objective=beta_tcvae(beta=2)", "objective=vae")


def test_automatic_settings_are_those_of_the_run():
    result = resume(rich(), precision="auto", device="auto", seed=3)
    assert result.code == 0, result.err
    assert result.json["state"] == "finished"


def test_threads_and_device_and_precision_are_kept(tmp_path, watch):
    run = tmp_path / "run"
    watch.at = {1: interrupt}
    train(run, steps=4, threads=2, precision="bfloat16", device="auto")
    torch.set_num_threads(1)
    seen = []
    watch.at = {4: lambda: seen.append(torch.get_num_threads())}
    assert resume(run).json["state"] == "finished"
    assert seen == [2]
    config = document(run / "config.json")
    assert (config["threads"], config["precision"]) == (2, "bfloat16")
    assert config["device"] in ("cpu", "cuda")


TORN = {"steps": 6, "log_every": 1, "checkpoint_every": 3}


@pytest.fixture(scope="module")
def untorn(tmp_path_factory):
    """A run that was not interrupted."""
    run = tmp_path_factory.mktemp("untorn") / "run"
    train(run, **TORN)
    return run


@pytest.mark.parametrize("torn", ['{"event": "train", "ste', '{"event": "tr\n', "\x00\x00\x00"])
def test_a_torn_last_line_is_dropped(tmp_path, watch, torn, untorn):
    broken = tmp_path / "broken"
    watch.at = {4: interrupt}
    train(broken, **TORN)
    watch.at = {}
    with (broken / "metrics.jsonl").open("a") as handle:
        handle.write(torn)
    assert resume(broken).json["state"] == "finished"
    assert timeless(lines(broken)) == timeless(lines(untorn))


def test_resume_needs_a_run(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("mine")
    paragraph(resume(empty), str(empty), "not a run folder")
    assert listing(empty).keys() == {"notes.txt"}
    missing = tmp_path / "missing"
    paragraph(resume(missing), str(missing), "does not exist")
    assert not missing.exists()


def test_resume_and_overwrite_exclude_each_other():
    before = listing(rich())
    paragraph(resume(rich(), overwrite=True), "--resume", "--overwrite", "not both")
    assert listing(rich()) == before


def test_a_state_of_the_optimiser_that_does_not_fit_is_refused(tmp_path):
    run = copy_of(rich(), tmp_path)
    path = run / "checkpoint" / "state.safetensors"
    with safetensors.safe_open(path, framework="pt") as handle:
        header = handle.metadata()
    state = tensors(run)
    name = next(name for name in state if name.endswith("/exp_avg"))
    state[name] = torch.zeros(2)
    safetensors.torch.save_file(state, path, metadata=header)
    before = listing(run)
    paragraph(resume(run, steps=30), "does not fit the run's configuration", name)
    assert listing(run) == before


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_checkpoint_is_refused(tmp_path, damage):
    run = copy_of(rich(), tmp_path)
    path = run / "checkpoint" / "state.safetensors"
    data = path.read_bytes()
    path.write_bytes(
        {"cut": data[: len(data) // 2], "empty": b"", "other": b"not it" * 99}[damage]
    )
    for result in (resume(run, steps=30), cli("evaluate", run), cli("plot", run)):
        paragraph(result, str(path), "not a checkpoint that can be read")


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run = copy_of(rich(), tmp_path)
    train(tmp_path / "other", steps=1, latents=6)
    shutil.copytree(tmp_path / "other" / "checkpoint", run / "checkpoint", dirs_exist_ok=True)
    paragraph(resume(run, steps=30), "does not fit")
    paragraph(cli("evaluate", run), "does not fit")


def test_the_optimiser_goes_on_where_it_was(tmp_path):
    """A resume without the state of Adam would differ at the first step."""
    state = tensors(rich())
    steps = {float(value) for name, value in state.items() if name.endswith("/step")}
    assert steps == {24.0}
    assert any(name.startswith("optimizer/model/0/exp_avg") for name in state)
