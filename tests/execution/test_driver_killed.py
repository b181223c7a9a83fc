"""A driver that is killed: its workers end with it, and the next one goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from execution.tasks import WAIT
from unweave.execution import EventLog, Item, Processes, execute

TESTS = Path(__file__).parents[1]
SCRIPT = """
import sys
from pathlib import Path
from unweave.execution import EventLog, Item, Processes, execute

if __name__ == "__main__":
    folder = sys.argv[1]
    count = int(sys.argv[3])
    items = [Item(f"i{n}", {"number": n, "folder": folder, "seconds": 0.1}) for n in range(count)]
    log = EventLog(Path(folder) / "state.jsonl")
    execute(items, Processes(f"execution.tasks:{sys.argv[2]}", 2), log)
"""


def finished(log):
    return [row["key"] for row in log.read() if row["event"] == "finished"]


def children_of(parent):
    """Processes whose parent is this one, or was until it died and they are being ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def forker_of(driver):
    """The process of which a driver's workers are forks."""
    (found,) = [pid for pid in children_of(driver) if "forkserver" in command_of(pid)]
    return found


def workers_of(driver):
    return children_of(forker_of(driver))


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=WAIT + 60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def lines(path):
    return path.read_text().split()


def begin(folder, task="square", items=40):
    script = folder / "driver.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(script), str(folder), task, str(items)]
    return subprocess.Popen(command, env=environment)


def test_the_next_driver_does_what_is_left(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    driver = begin(tmp_path)
    until(lambda: len(finished(log)) >= 5)
    processes = [forker_of(driver.pid), *workers_of(driver.pid)]
    assert len(processes) == 3
    driver.kill()
    driver.wait()
    until(lambda: not any(alive(pid) for pid in processes), 30)
    before = finished(log)
    assert 5 <= len(before) < 40

    items = [
        Item(f"i{n}", {"number": n, "folder": str(tmp_path), "seconds": 0}) for n in range(40)
    ]
    found = execute(items, Processes("execution.tasks:square", 2), log)
    assert [found[f"i{n}"].result["value"] for n in range(40)] == [n * n for n in range(40)]
    assert sorted(finished(log)) == sorted(f"i{n}" for n in range(40))
    done = (tmp_path / "done").read_text().split()
    # At most what was under way when the driver died was done twice.
    assert len(set(done)) == 40
    assert len(done) <= 40 + 2


def test_ctrl_c_ends_the_workers_and_is_written_down(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    driver = begin(tmp_path)
    until(lambda: len(finished(log)) >= 3)
    processes = [forker_of(driver.pid), *workers_of(driver.pid)]
    driver.send_signal(signal.SIGINT)
    assert driver.wait(60) != 0
    until(lambda: not any(alive(pid) for pid in processes), 30)
    last = log.read()[-1]
    assert (last["event"], last["why"]) == ("ended", "KeyboardInterrupt")


def test_workers_are_told_before_they_are_ended(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    driver = begin(tmp_path, "patient")
    until(lambda: (tmp_path / "begun").is_file() and len(lines(tmp_path / "begun")) == 2)
    driver.send_signal(signal.SIGINT)
    assert driver.wait(60) != 0
    assert sorted(lines(tmp_path / "told")) == ["0", "1"]
    assert log.read()[-1]["event"] == "ended"


def test_a_worker_that_is_told_by_others_loses_its_item_alone(tmp_path):
    items = [Item("a", {"number": 1, "folder": str(tmp_path), "seconds": 0.0})]
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, Processes("execution.tasks:interrupted_once", 1), log)
    assert found["a"].result == {"value": 1}
    assert [row["message"] for row in log.read() if row["event"] == "lost"] == [
        "Its process was told to stop."
    ]


def test_workers_end_with_what_they_are_forks_of_and_others_do_their_items(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    driver = begin(tmp_path, items=16)
    until(lambda: len(finished(log)) >= 3)
    forker, workers = forker_of(driver.pid), workers_of(driver.pid)
    os.kill(forker, signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in workers), 30)
    assert driver.wait(60) == 0
    assert sorted(finished(log)) == sorted(f"i{n}" for n in range(16))
    lost = [row for row in log.read() if row["event"] == "lost"]
    assert 1 <= len(lost) <= 2
