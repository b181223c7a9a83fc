"""Downloads, against a server on this machine that behaves in every way that servers do."""

import contextlib
import email.utils
import errno
import http.server
import shutil
import threading
import time
from collections import namedtuple

import pytest

from reference.server import answer, broken, checksum, running, status
from unweave.data.fetching import transfer as transfer_module
from unweave.data.fetching.download import RemoteFile, downloads, fetch, set_aside
from unweave.data.fetching.transfer import Patience, transfer
from unweave.errors import DataError

CONTENT = bytes(range(256)) * 4000
OTHER = bytes(reversed(range(256))) * 4000
MONDAY = "Mon, 02 Nov 2026 10:00:00 GMT"
TUESDAY = "Tue, 03 Nov 2026 10:00:00 GMT"

# requests drops the connection of a failed download without closing it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

QUICK = Patience(connect=2, read=5, tries=3, wait=0.01)
ONCE = Patience(connect=2, read=5, tries=1, wait=0.01)


@pytest.fixture
def server():
    with running() as server:
        yield server


def get(server, *paths, patience=QUICK, progress=None, **fields):
    urls = tuple(f"{server.url}{path}" for path in paths)
    return fetch(RemoteFile(name="file.bin", urls=urls, **fields), "By hand.", progress, patience)


def left():
    return {path.name: path.read_bytes() for path in downloads().iterdir() if path.suffix}


def names():
    return sorted(name for name in left() if not name.endswith(".lock"))


def ranges(server):
    return [asked for _, asked, _ in server.asked]


def test_a_file_is_fetched_once(home, server, capfd):
    server.plans["/file"] = [answer(CONTENT)]
    told = []
    path = get(server, "/file", progress=lambda *report: told.append(report))
    assert path == downloads() / "file.bin" == home / "downloads" / "file.bin"
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("downloading file.bin (bytes)", len(CONTENT), len(CONTENT))
    assert [report[1] for report in told] == sorted(report[1] for report in told)
    assert get(server, "/file") == path
    assert server.asked == [("/file", None, None)]
    assert names() == ["file.bin"]
    assert capfd.readouterr() == ("", "")


def test_a_download_that_breaks_off_goes_on(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=300_000), answer(CONTENT)]
    told = []
    path = get(server, "/file", progress=lambda *report: told.append(report))
    assert path.read_bytes() == CONTENT
    first, second = ranges(server)
    assert first is None
    begun = int(second.removeprefix("bytes=").removesuffix("-"))
    assert 200_000 < begun <= 300_000
    assert server.asked[1][2] == '"one"'
    done = [report[1] for report in told]
    assert done == sorted(done)
    assert done[-1] == len(CONTENT)


def test_attempts_that_bring_something_new_are_not_counted(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=200_000)] * 6
    assert get(server, "/file").read_bytes() == CONTENT
    assert len(server.asked) > QUICK.tries + 1


def test_the_next_call_goes_on_where_one_failed(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=300_000), answer(CONTENT)]
    with pytest.raises(DataError, match=r"broke off after \d\d\d,\d\d\d bytes"):
        get(server, "/file", patience=ONCE)
    assert names() == ["file.bin.part", "file.bin.part.json"]
    kept = left()["file.bin.part"]
    assert CONTENT.startswith(kept)
    assert len(kept) > 200_000
    assert get(server, "/file").read_bytes() == CONTENT
    assert ranges(server) == [None, f"bytes={len(kept)}-"]
    assert names() == ["file.bin"]


def test_a_server_without_ranges_is_begun_anew(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=300_000), answer(CONTENT, ranges=False)]
    assert get(server, "/file").read_bytes() == CONTENT


@pytest.mark.parametrize("heeds_if_range", [True, False])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"etag": '"one"'}, {"etag": '"two"'}),
        ({"etag": None, "modified": MONDAY}, {"etag": None, "modified": TUESDAY}),
        ({"etag": '"one"'}, {"etag": None}),
        ({"etag": 'W/"one"', "modified": MONDAY}, {"etag": 'W/"two"', "modified": TUESDAY}),
    ],
)
def test_a_file_that_changed_is_not_glued(home, server, before, after, heeds_if_range):
    server.plans["/file"] = [
        answer(CONTENT, cut=300_000, **before),
        answer(OTHER, heeds_if_range=heeds_if_range, **after),
    ]
    assert get(server, "/file").read_bytes() == OTHER


def test_a_file_that_grew_under_the_same_mark_is_not_glued(home, server):
    longer = OTHER + OTHER
    server.plans["/file"] = [answer(CONTENT, cut=300_000), answer(longer)]
    assert get(server, "/file").read_bytes() == longer


def test_what_cannot_be_told_apart_is_begun_anew(home, server):
    plain = {"etag": None, "modified": None}
    server.plans["/file"] = [answer(CONTENT, cut=300_000, **plain), answer(OTHER, **plain)]
    assert get(server, "/file").read_bytes() == OTHER
    assert ranges(server) == [None, None]


def test_a_part_that_was_not_asked_for_is_not_glued(home, server):
    server.plans["/file"] = [
        answer(CONTENT, cut=300_000),
        answer(CONTENT, shift=-5),
        answer(CONTENT),
    ]
    assert get(server, "/file").read_bytes() == CONTENT
    assert ranges(server)[2] is None


def test_a_file_that_shrank_is_begun_anew(home, server):
    small = answer(OTHER[:1000], etag='"two"', heeds_if_range=False)
    server.plans["/file"] = [answer(CONTENT, cut=300_000), small]
    assert get(server, "/file").read_bytes() == OTHER[:1000]


def test_a_part_without_its_description_is_not_trusted(home, server):
    server.plans["/file"] = [answer(CONTENT)]
    downloads().mkdir(parents=True)
    (downloads() / "file.bin.part").write_bytes(OTHER[:5000])
    for text in (None, "{", "[]", '{"url": 1}'):
        if text is not None:
            (downloads() / "file.bin.part.json").write_text(text)
        assert get(server, "/file").read_bytes() == CONTENT
        (downloads() / "file.bin").rename(downloads() / "file.bin.part")


def test_a_download_that_was_killed_before_its_end_needs_no_server(home, server):
    server.plans["/file"] = [answer(CONTENT)]
    downloads().mkdir(parents=True)
    part = downloads() / "file.bin.part"
    url = f"{server.url}/file"
    transfer(url, part, "", size=None, proven=False, progress=None, patience=QUICK)
    assert get(server, "/file").read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_length_that_is_not_said(home, server):
    server.plans["/file"] = [answer(CONTENT, length=False)]
    told = []
    path = get(server, "/file", progress=lambda *report: told.append(report))
    assert path.read_bytes() == CONTENT
    assert told[-1][1:] == (len(CONTENT), len(CONTENT))


def test_a_server_that_falls_silent_is_asked_again(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=300_000, stall=True), answer(CONTENT)]
    patience = Patience(connect=2, read=0.3, tries=2, wait=0.01)
    assert get(server, "/file", patience=patience).read_bytes() == CONTENT
    assert ranges(server)[1] is not None


def test_a_server_that_stays_silent_is_given_up(home, server):
    server.plans["/file"] = [answer(CONTENT, cut=0, stall=True)]
    patience = Patience(connect=2, read=0.2, tries=2, wait=0.01)
    with pytest.raises(DataError, match=r"gave nothing \(Read timed out"):
        get(server, "/file", patience=patience)
    assert len(server.asked) == 2


@pytest.mark.parametrize("trouble", [status(503), status(429, Retry_After="0"), broken])
def test_passing_trouble_is_waited_for(home, server, trouble):
    server.plans["/file"] = [trouble, trouble, answer(CONTENT)]
    assert get(server, "/file").read_bytes() == CONTENT


def test_waits_grow_unless_the_server_names_one(home, server, monkeypatch):
    waits = []
    monkeypatch.setattr(transfer_module.time, "sleep", waits.append)
    server.plans["/file"] = [
        status(503),
        status(503),
        status(503),
        status(429, Retry_After="7"),
        status(503, Retry_After="86400"),
        status(503, Retry_After="Mon, 02 Nov 2020 10:00:00 GMT"),
        status(503, Retry_After="soon"),
        answer(CONTENT),
    ]
    get(server, "/file", patience=Patience(tries=9, wait=0.5))
    assert waits == [0.5, 1.0, 2.0, 7.0, 60.0, 0.0, 32.0]


def test_a_server_may_name_a_date_to_come_again(home, server, monkeypatch):
    waits = []
    monkeypatch.setattr(transfer_module.time, "sleep", waits.append)
    later = email.utils.formatdate(time.time() + 30, usegmt=True)
    server.plans["/file"] = [status(503, Retry_After=later), answer(CONTENT)]
    get(server, "/file")
    (wait,) = waits
    assert 25 < wait <= 30


def test_a_lasting_refusal_is_not_repeated(home, server):
    with pytest.raises(DataError, match=r"/nothing answered 404 .*By hand\."):
        get(server, "/nothing")
    assert len(server.asked) == 1


def test_mirrors_are_tried_in_order(home, server):
    server.plans["/broken"] = [status(500)]
    server.plans["/third"] = [answer(CONTENT)]
    server.plans["/fourth"] = [answer(OTHER)]
    assert get(server, "/gone", "/broken", "/third", "/fourth").read_bytes() == CONTENT
    asked = [path for path, _, _ in server.asked]
    assert asked == ["/gone", *["/broken"] * QUICK.tries, "/third"]


def test_an_error_names_every_mirror(home, server):
    server.plans["/cut"] = [answer(CONTENT, cut=10)]
    with pytest.raises(DataError) as caught:
        get(server, "/gone", "/cut")
    message = str(caught.value)
    for words in (
        str(downloads() / "file.bin"),
        f"{server.url}/gone answered 404",
        f"{server.url}/cut gave nothing (Connection broken",
        "By hand.",
    ):
        assert words in message
    assert not (downloads() / "file.bin").exists()


def test_a_mirror_goes_on_where_another_broke_off_if_a_checksum_proves_it(home, server):
    server.plans["/first"] = [answer(CONTENT, cut=300_000), status(404)]
    server.plans["/second"] = [answer(CONTENT, etag='"of another server"')]
    get(server, "/first", "/second", checksum=checksum(CONTENT))
    assert left()["file.bin"] == CONTENT
    assert server.asked[-1][0] == "/second"
    assert server.asked[-1][1] is not None


def test_a_mirror_begins_anew_without_a_checksum(home, server):
    server.plans["/first"] = [answer(CONTENT, cut=300_000), status(404)]
    server.plans["/second"] = [answer(OTHER)]
    get(server, "/first", "/second")
    assert left()["file.bin"] == OTHER
    assert server.asked[-1] == ("/second", None, None)


@pytest.mark.parametrize("method", ["sha256", "md5"])
def test_the_published_checksum_is_compared(home, server, method):
    server.plans["/file"] = [answer(CONTENT)]
    told = []
    get(
        server,
        "/file",
        checksum=checksum(CONTENT, method).upper().replace(method.upper(), method),
        progress=lambda *report: told.append(report),
    )
    assert left()["file.bin"] == CONTENT
    assert told[-1] == ("checking file.bin (bytes)", len(CONTENT), len(CONTENT))


def test_wrong_bytes_are_kept_aside_and_named(home, server):
    server.plans["/file"] = [answer(OTHER), answer(CONTENT)]
    with pytest.raises(DataError) as caught:
        get(server, "/file", checksum=checksum(CONTENT))
    message = str(caught.value)
    assert str(downloads() / "file.bin.wrong") in message
    assert checksum(OTHER).removeprefix("sha256:") in message
    assert checksum(CONTENT).removeprefix("sha256:") in message
    assert names() == ["file.bin.wrong"]
    assert left()["file.bin.wrong"] == OTHER
    # The next call begins anew.
    assert get(server, "/file", checksum=checksum(CONTENT)).read_bytes() == CONTENT
    assert ranges(server) == [None, None]


def test_a_wrong_file_that_another_process_has_set_aside_is_where_it_said(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(OTHER)
    assert set_aside(path) == set_aside(path) == tmp_path / "file.bin.wrong"
    assert (tmp_path / "file.bin.wrong").read_bytes() == OTHER
    assert not path.exists()


def test_wrong_bytes_of_one_mirror_are_right_at_another(home, server):
    server.plans["/first"] = [answer(OTHER)]
    server.plans["/second"] = [answer(CONTENT)]
    get(server, "/first", "/second", checksum=checksum(CONTENT))
    assert left()["file.bin"] == CONTENT


def test_another_size_than_published_is_refused_before_it_is_read(home, server):
    server.plans["/file"] = [answer(CONTENT)]
    with pytest.raises(DataError, match="offers 1,024,000 bytes, but 1,024,001 are published"):
        get(server, "/file", size=len(CONTENT) + 1)
    assert names() == []
    get(server, "/file", size=len(CONTENT))


def test_the_published_size_stands_in_for_a_length_that_is_not_said(home, server):
    server.plans["/file"] = [answer(CONTENT[:-5], length=False)]
    with pytest.raises(DataError, match="broke off after 1,023,995 of 1,024,000 bytes"):
        get(server, "/file", size=len(CONTENT), patience=ONCE)
    server.plans["/longer"] = [answer(CONTENT + b"more", length=False)]
    with pytest.raises(DataError, match="broke off after 1,024,004 of 1,024,000 bytes"):
        get(server, "/longer", size=len(CONTENT), patience=ONCE)
    server.plans["/right"] = [answer(CONTENT, length=False)]
    assert get(server, "/right", size=len(CONTENT)).read_bytes() == CONTENT


def test_a_web_page_is_not_the_file(home, server):
    server.plans["/file"] = [answer(b"<html>too many have asked</html>", kind="text/html; a=b")]
    with pytest.raises(DataError, match="answered with a web page"):
        get(server, "/file")
    assert names() == []


def test_a_disk_without_room_is_noticed_first(home, server, monkeypatch):
    server.plans["/file"] = [answer(CONTENT)]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 500_000))
    with pytest.raises(DataError, match=r"disk is full: .*file\.bin .*1 MB are to come.*HOME"):
        get(server, "/file")
    assert names() == []


def test_a_disk_without_room_for_what_is_made_of_the_file(home, server, monkeypatch):
    server.plans["/file"] = [answer(CONTENT)]
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**7))
    file = RemoteFile(name="file.bin", urls=(f"{server.url}/file",))
    with pytest.raises(DataError, match=r"1 MB are to come, 9 MB are needed to prepare them, 10 "):
        fetch(file, "By hand.", patience=QUICK, room=9 * 10**6)
    assert names() == []
    fetch(file, "By hand.", patience=QUICK, room=7 * 10**6)


def test_a_disk_that_fills_up_keeps_what_has_come(home, server, monkeypatch):
    server.plans["/file"] = [answer(CONTENT)]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"disk is full: .*What has come is kept"):
        get(server, "/file", progress=full)
    assert "file.bin.part" in names()
    assert get(server, "/file").read_bytes() == CONTENT


def test_only_one_of_several_fetches(home, server):
    server.plans["/file"] = [answer(CONTENT)]
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(get(server, "/file").read_bytes()))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 4
    assert len(server.asked) == 1


def test_a_server_that_is_not_there(home):
    with contextlib.closing(http.server.HTTPServer(("127.0.0.1", 0), None).socket) as unused:
        port = unused.getsockname()[1]
    file = RemoteFile(name="file.bin", urls=(f"http://127.0.0.1:{port}/good",))
    with pytest.raises(
        DataError, match=r"could not be downloaded: .*/good gave nothing \("
    ) as caught:
        fetch(file, "By hand.", patience=QUICK)
    assert "refused" in str(caught.value)
    assert "Pool" not in str(caught.value)


@pytest.mark.parametrize("url", ["no address", "gopher://127.0.0.1/file"])
def test_an_address_that_is_none_is_not_tried_again(home, url):
    with pytest.raises(DataError, match=r"could not be downloaded: .*By hand\."):
        fetch(RemoteFile(name="file.bin", urls=(url,)), "By hand.", patience=Patience(wait=100))


def test_a_file_without_addresses(home):
    with pytest.raises(DataError, match=r"no address is known\. By hand\."):
        fetch(RemoteFile(name="file.bin"), "By hand.")
