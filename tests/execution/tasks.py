"""Tasks that workers are told by name: they count, die, hang and fail as their payload says."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from unweave.errors import SpecError

WAIT = 120
"""Seconds after which tests do not wait any longer."""


def square(payload, beat):
    """The square of `number`, after `seconds`; a line in `folder/done` tells that it was done."""
    end = time.monotonic() + payload.get("seconds", 0)
    while time.monotonic() < end:
        beat()
        time.sleep(0.01)
    note(payload, "done")
    return {"value": payload["number"] ** 2}


def mishap(payload, beat):
    """`square`, but the first tries of some items end as `mishaps` says."""
    kind = payload.get("mishap")
    if kind is not None:
        tries = len(notes(payload, "tries"))
        note(payload, "tries")
        if tries < payload.get("times", 1):
            happen(kind, beat)
    return square(payload, beat)


def placed(payload, beat):
    """`square`, with where it was done: the node of the cluster, the process and its GPUs.

    It waits until items have been given to as many nodes and processes as `nodes` and `workers`
    say: however long one takes to begin, the others do not do its share.
    """
    import ray

    context = ray.get_runtime_context()
    where = {"node": context.get_node_id(), "pid": os.getpid()}
    gpus = context.get_accelerator_ids()["GPU"]
    places = Path(payload["folder"]) / "places"
    with places.open("a") as handle:
        handle.write(f"{payload['number']} {where['node']} {where['pid']}\n")
    end = time.monotonic() + WAIT
    while not everywhere(payload, places):
        assert time.monotonic() < end, "others do not come"
        beat()
        time.sleep(0.05)
    begun = time.time()
    return {**square(payload, beat), **where, "gpus": gpus, "begun": begun, "ended": time.time()}


def everywhere(payload, places):
    """Whether items have been given to as many nodes and processes as are waited for."""
    rows = [line.split() for line in places.read_text().splitlines()]
    nodes, workers = ({row[column] for row in rows} for column in (1, 2))
    return len(nodes) >= payload.get("nodes", 1) and len(workers) >= payload.get("workers", 1)


def happen(kind, beat):
    if kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hung":
        time.sleep(3600)
    if kind == "slow":
        while True:
            beat()
            time.sleep(0.01)
    if kind == "error":
        raise ValueError("out of luck")
    if kind == "refused":
        raise SpecError("No such thing. Choose another.")
    raise AssertionError(kind)


def note(payload, what):
    with (Path(payload["folder"]) / what).open("a") as handle:
        handle.write(f"{payload['number']}\n")


def notes(payload, what):
    """Lines of this item in a file."""
    path = Path(payload["folder"]) / what
    lines = path.read_text().split() if path.is_file() else []
    return [line for line in lines if line == str(payload["number"])]


def patient(payload, beat):
    """Takes its time, and when it is told to end first writes down that it did."""
    told = []
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {n: signal.signal(n, lambda number, frame: told.append(number)) for n in signals}
    try:
        note(payload, "begun")
        while not told:
            beat()
            time.sleep(0.01)
        time.sleep(0.5)
        note(payload, "told")
        raise KeyboardInterrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interrupted_once(payload, beat):
    """`square`, but the first try is stopped as a training is."""
    first = not notes(payload, "tries")
    note(payload, "tries")
    if first:
        raise KeyboardInterrupt
    return square(payload, beat)


def opened(payload, beat):
    """Opens a dataset at the same time as others do; whether this one built its store."""
    from unweave.data import parse_dataset

    note(payload, "there")
    while len((Path(payload["folder"]) / "there").read_text().split()) < payload["others"]:
        beat()
        time.sleep(0.01)
    told = []
    dataset = parse_dataset(payload["dataset"]).open(lambda what, done, total: told.append(what))
    return {"built": bool(told), "sum": int(dataset.images([0, 5]).sum())}


def environment(payload, beat):
    """What a worker finds in a variable of its environment, and which modules it has."""
    return {"found": os.environ.get(payload["variable"]), "modules": sorted(sys.modules)}


def dies_at_first(environment, pid_file):
    """What a process begins with; the first one does not survive it."""
    died = Path(environment["UNWEAVE_TEST_DIED"])
    if not died.exists():
        died.touch()
        os._exit(1)
    Path(pid_file).write_text(str(os.getpid()))
