"""The folder of downloads: closed, full, shared by processes, left in the middle."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import filelock
import pytest

from reference.server import answer, checksum, running
from session.runs import full_disk
from unweave import rundir
from unweave.data.fetching.download import RemoteFile, downloads, fetch
from unweave.data.fetching.transfer import Patience
from unweave.errors import DataError

CONTENT = bytes(range(256)) * 4000
QUICK = Patience(connect=2, read=5, tries=2, wait=0.01)

# requests drops the connection of a failed download without closing it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def server():
    with running() as server:
        server.plans["/file"] = [answer(CONTENT)]
        yield server


def get(server, progress=None, **fields):
    file = RemoteFile(name="file.bin", urls=(f"{server.url}/file",), **fields)
    return fetch(file, "By hand.", progress, QUICK)


def names():
    return sorted(path.name for path in downloads().iterdir() if not path.name.endswith(".lock"))


def refused(server, *words):
    with pytest.raises(DataError) as caught:
        get(server)
    text = str(caught.value)
    for word in (*words, "file.bin could not be downloaded", "Set UNWEAVE_HOME to a folder that"):
        assert word in text
    assert server.asked == []


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser")
@pytest.mark.parametrize("made", [[], ["downloads"]])
def test_a_folder_that_cannot_be_written(home, server, made):
    for folder in (home, *(home / name for name in made)):
        folder.mkdir(mode=0o700)
    for folder in (*(home / name for name in made), home):
        folder.chmod(0o500)
    refused(server, "Permission denied", str(home))
    for folder in (home, *(home / name for name in made)):
        folder.chmod(0o700)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_disk_that_cannot_be_written(home, server, monkeypatch, code):
    class Closed(filelock.FileLock):
        def _acquire(self):
            raise OSError(code, os.strerror(code), self.lock_file)

    monkeypatch.setattr(rundir.filelock, "FileLock", Closed)
    refused(server, os.strerror(code), ".file.bin.lock")


def test_a_file_in_place_of_the_folder(home, server):
    home.write_text("a file")
    refused(server, str(home))


def test_what_lies_there_is_read_from_a_closed_folder(home, server, monkeypatch):
    path = get(server)
    monkeypatch.setattr(rundir.filelock, "FileLock", None)
    assert get(server) == path


def test_a_small_file_beside_it_that_cannot_be_written(home, server, monkeypatch):
    downloads().mkdir(parents=True)
    (downloads() / "file.bin.part.json").mkdir()
    with pytest.raises(DataError, match=r"file\.bin could not be downloaded: .*UNWEAVE_HOME"):
        get(server)


@pytest.mark.parametrize("begun", [1, 600_000])
def test_an_interrupted_download_is_gone_on_with(home, server, begun):
    def stop(what, done, total):
        if done >= begun:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, stop, checksum=checksum(CONTENT))
    assert names() == ["file.bin.part", "file.bin.part.json"]
    kept = (downloads() / "file.bin.part").stat().st_size
    assert kept >= begun
    assert get(server, checksum=checksum(CONTENT)).read_bytes() == CONTENT
    assert [asked for _, asked, _ in server.asked] == [None, f"bytes={kept}-"]
    assert names() == ["file.bin"]


def test_one_that_is_interrupted_while_it_is_checked_needs_no_server(home, server):
    def stop(what, done, total):
        if what.startswith("checking"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, stop, checksum=checksum(CONTENT))
    assert get(server, checksum=checksum(CONTENT)).read_bytes() == CONTENT
    assert len(server.asked) == 1


def process(home, server):
    """Another process that fetches the same file, and says what it has."""
    code = f"""
        import signal
        from unweave.data.fetching.download import RemoteFile, fetch
        signal.signal(signal.SIGINT, signal.default_int_handler)
        told = []
        def progress(what, done, total):
            if not told:
                print("begun", flush=True)
            told.append(done)
        file = RemoteFile(name="file.bin", urls=({f"{server.url}/file"!r},))
        print(len(fetch(file, "By hand.", progress).read_bytes()), flush=True)
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "UNWEAVE_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_processes_fetch_once(home, server):
    processes = [process(home, server) for _ in range(3)]
    said = [each.communicate(timeout=60)[0].split()[-1] for each in processes]
    assert said == [str(len(CONTENT))] * 3
    assert len(server.asked) == 1


def test_who_waits_is_told_how_far_the_other_is(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=500_000, stall=True), answer(CONTENT)]
    other = process(home, server)
    assert other.stdout.readline() == "begun\n"
    told = []
    path = get(server, lambda *report: told.append(report))
    assert path.read_bytes() == CONTENT
    other.communicate(timeout=60)
    assert {what for what, _, _ in told} == {"downloading file.bin in another process (bytes)"}
    assert all(0 < done < total == len(CONTENT) for _, done, total in told[:1])
    assert all(done < total for _, done, total in told)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_ends_in_the_middle_leaves_what_has_come(home, server, sent):
    server.plans["/file"] = [answer(CONTENT, cut=500_000, stall=True), answer(CONTENT)]
    other = process(home, server)
    assert other.stdout.readline() == "begun\n"
    deadline = time.monotonic() + 30
    while (downloads() / "file.bin.part").stat().st_size < 200_000:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    other.send_signal(sent)
    other.communicate(timeout=30)
    assert other.returncode != 0
    assert get(server).read_bytes() == CONTENT
    assert server.asked[-1][1] is not None


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are told by /proc")
def test_a_disk_that_fills_up(home, server, monkeypatch):
    with full_disk(monkeypatch, "part.json") as files, pytest.raises(DataError) as caught:
        get(server)
    assert files
    for words in ("The disk is full", "What has come is kept", "set UNWEAVE_HOME"):
        assert words in str(caught.value)
    assert names() == []
    assert get(server).read_bytes() == CONTENT
