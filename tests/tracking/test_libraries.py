"""TensorBoard, Weights & Biases offline and MLflow, read back with their own readers."""

from __future__ import annotations

import json
import os
import signal
import struct
import time
from pathlib import Path

import pytest

from session.runs import MINI, TINY, assert_same_state, lines
from unweave import train
from unweave.rundir import read_json

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

OBJECTIVE = "beta_tcvae(beta=4)"
SETTINGS = {
    **TINY, "log_every": 2, "checkpoint_every": 5, "evaluate_every": 10, "picture_every": 10,
}  # fmt: skip
# On a machine that is busy it takes long to import them.
PATIENCE = "patience=300"
ALL = (f"tensorboard({PATIENCE})", f"wandb(mode=offline, {PATIENCE})", f"mlflow({PATIENCE})")


def expected(out):
    """What metrics.jsonl says, by name and step."""
    found = {}
    for row in lines(out):
        if row["event"] == "scores":
            values = {f"scores/{name}": value for name, value in row["scores"].items()}
        else:
            values = {
                f"{g}/{n}": v for g in ("loss", "raw", "weighted") for n, v in row[g].items()
            }
            values |= {f"kl/z{j}": value for j, value in enumerate(row["kl"])}
            values["lr"] = 0.0005
        for name, value in values.items():
            found.setdefault(name, {})[row["step"]] = value
    return found


def events_of(out):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "tracking" / "tensorboard"), size_guidance={"images": 0})
    return events.Reload()


def logged(content):
    """The entries of a file in the log format of LevelDB, which W&B writes offline.

    Blocks of 32 KiB hold pieces, each after its checksum (4 bytes), length (2) and kind (1):
    whole, first, middle or last. The file itself begins with 7 bytes.
    """
    entry, place, block = b"", 7, 2**15
    while place + 7 <= len(content):
        if block - place % block < 7:
            place += block - place % block
            continue
        length, kind = struct.unpack("<HB", content[place + 4 : place + 7])
        entry += content[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):
            yield entry
            entry = b""


def pieces_of(out):
    """What each offline piece of W&B has logged: [(config, {name: {step: value}}, pictures)]."""
    from wandb.proto import wandb_internal_pb2

    pieces = []
    for path in sorted((out / "tracking" / "wandb").glob("wandb/offline-run-*/*.wandb")):
        config, history, pictures = {}, {}, []
        for data in logged(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            for item in record.run.config.update:
                config[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
            items = {
                tuple(item.nested_key) or (item.key,): json.loads(item.value_json)
                for item in record.history.item
            }
            step = items.get(("_step",), record.history.step.num)
            for (name, *inside), value in items.items():
                if inside == ["_type"]:
                    pictures.append((step, name, value))
                elif not inside and not name.startswith("_"):
                    history.setdefault(name, {})[step] = value
        pieces.append((config, history, pictures))
    return pieces


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Twenty steps that nothing tracks."""
    out = tmp_path_factory.mktemp("plain") / "run"
    train(MINI, OBJECTIVE, steps=20, out=out, **SETTINGS)
    return out


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """Twenty steps in two pieces, tracked by all three."""
    out = tmp_path_factory.mktemp("tracked") / "run"
    for steps in (10, 20):
        train(MINI, OBJECTIVE, steps=steps, out=out, resume=True, track=ALL, **SETTINGS)
    return out


def test_all_three_at_once_leave_the_weights_as_they_are(tracked, plain):
    assert_same_state(tracked, plain)
    assert "left out" not in (tracked / "log.txt").read_text(encoding="utf-8")


def test_tensorboard_has_every_scalar_picture_and_setting(tracked):
    events = events_of(tracked)
    for name, values in expected(tracked).items():
        told = {event.step: event.value for event in events.Scalars(name)}
        assert told.keys() == values.keys(), name
        assert told == pytest.approx(values, rel=1e-6)
    assert [event.step for event in events.Images("reconstructions")] == [10, 20]
    image = events.Images("reconstructions")[-1]
    picture = tracked / "figures" / "training" / "step-0000020.png"
    assert image.encoded_image_string == picture.read_bytes()
    assert image.width > image.height > 0

    from tensorboard.plugins.hparams import metadata

    content = events.summary_metadata[metadata.SESSION_START_INFO_TAG].plugin_data.content
    told = metadata.parse_session_start_info_plugin_data(content).hparams
    assert told["objective"].string_value == OBJECTIVE
    assert told["optimizer.lr"].number_value == 0.0005
    text = (
        events.Tensors("run/text_summary")
        if "run/text_summary" in events.Tags()["tensors"]
        else events.Tensors("run")
    )
    assert "unweave train" in text[0].tensor_proto.string_val[0].decode()


def test_tensorboard_forgets_what_stands_behind_the_checkpoint(tmp_path):
    """A run that was killed behind its checkpoint does some steps again, and shows them once."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    out = tmp_path / "run"
    track = ALL[:1]
    train(MINI, OBJECTIVE, steps=10, out=out, track=track, **SETTINGS)
    killed = EventFileWriter(str(out / "tracking" / "tensorboard"), filename_suffix=".killed")
    lost = Summary(value=[Summary.Value(tag="loss/model", simple_value=1.0)])
    killed.add_event(Event(step=12, wall_time=time.time(), summary=lost))
    killed.close()
    # Files are read in the order of their names, which begin with the second they are of.
    time.sleep(1.1)
    train(MINI, OBJECTIVE, steps=20, out=out, resume=True, track=track, **SETTINGS)
    told = {event.step: event.value for event in events_of(out).Scalars("loss/model")}
    assert told == pytest.approx(expected(out)["loss/model"], rel=1e-6)


def test_wandb_has_the_same_run_in_two_pieces(tracked):
    (first, begin, _), (second, further, _) = pieces_of(tracked)
    identifier = read_json(tracked / "tracking" / "ids.json")["wandb"]["id"]
    files = (tracked / "tracking" / "wandb").glob("wandb/offline-run-*/*.wandb")
    assert {path.name for path in files} == {f"run-{identifier}.wandb"}
    assert (first["objective"], first["steps"], second["steps"]) == (OBJECTIVE, 10, 20)
    for name, values in expected(tracked).items():
        assert begin[name].keys() == {step for step in values if step <= 10}
        assert further[name].keys() == {step for step in values if step > 10}
        assert {**begin[name], **further[name]} == pytest.approx(values)
    pictures = [pictures for _, _, pictures in pieces_of(tracked)]
    assert pictures == [
        [(10, "reconstructions", "image-file")],
        [(20, "reconstructions", "image-file")],
    ]


def test_mlflow_has_one_run_that_goes_on(tracked, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=(tracked / "tracking" / "mlflow").as_uri())
    experiment = client.get_experiment_by_name("unweave")
    (run,) = client.search_runs([experiment.experiment_id])
    assert (run.info.run_name, run.info.status) == ("run", "FINISHED")
    assert run.data.params["objective"] == OBJECTIVE
    assert run.data.params["optimizer.lr"] == "0.0005"
    assert run.data.tags["unweave.folder"] == str(tracked)
    assert run.data.tags["unweave.command"].startswith("unweave train")
    for name, values in expected(tracked).items():
        history = client.get_metric_history(run.info.run_id, name)
        assert [metric.step for metric in history] == sorted(values), name
        assert {metric.step: metric.value for metric in history} == pytest.approx(values)
    pictures = client.list_artifacts(run.info.run_id, "reconstructions")
    assert [Path(each.path).name for each in pictures] == [
        "step-0000010.png", "step-0000020.png",
    ]  # fmt: skip


class Killer:
    """Kills the process of W&B in the midst of a training, and waits for it to be noticed."""

    def __init__(self, out):
        self._out = out
        self.killed = []

    def start(self, config, done):
        pass

    def step(self, step, images):
        if step == 6:
            self._wait(lambda: list(self._out.glob("tracking/wandb/wandb/offline-run-*/*.wandb")))
            self.killed = [pid for pid, name in family(os.getpid()) if "wandb-core" in name]
            for pid in self.killed:
                os.kill(pid, signal.SIGKILL)
        if step == 12:
            log = self._out / "log.txt"
            self._wait(lambda: "The tracker wandb is left out" in log.read_text())

    def record(self, step, record):
        pass

    def close(self):
        pass

    @staticmethod
    def _wait(until):
        end = time.monotonic() + 300
        while not until() and time.monotonic() < end:
            time.sleep(0.1)


def family(pid):
    """Descendants of a process, with their command lines."""
    children = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            name = (stat.parent / "cmdline").read_text()
        except (OSError, ValueError, IndexError):
            continue
        children.setdefault(parent, []).append((int(stat.parent.name), name))

    def below(parent):
        for child, name in children.get(parent, ()):
            yield child, name
            yield from below(child)

    return list(below(pid))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found in /proc")
def test_a_training_goes_on_when_the_process_of_wandb_is_killed(tmp_path, plain):
    out = tmp_path / "run"
    killer = Killer(out)
    train(MINI, OBJECTIVE, steps=20, out=out, track=ALL, watch=killer, **SETTINGS)
    assert killer.killed
    assert_same_state(out, plain)
    assert read_json(out / "status.json")["state"] == "finished"
    log = (out / "log.txt").read_text(encoding="utf-8")
    assert log.count("The tracker wandb is left out from here on") == 1
    assert "The tracker tensorboard" not in log
    assert "The tracker mlflow" not in log
    events = events_of(out)
    assert [event.step for event in events.Scalars("loss/model")] == list(range(2, 21, 2))
    assert not [name for _, name in family(os.getpid()) if "unweave.tracking" in name]
