"""Downloads from servers, and by ways, that do what they should not."""

import gzip
import shlex
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections import namedtuple

import pytest

from reference.server import (
    answer,
    checksum,
    chunked,
    compressed,
    endless,
    running,
    status,
    trickling,
)
from unweave.data.fetching import transfer
from unweave.data.fetching.download import RemoteFile, downloads, fetch
from unweave.data.fetching.pace import Pace
from unweave.data.fetching.transfer import Patience
from unweave.errors import DataError

CONTENT = bytes(range(256)) * 4000
OTHER = bytes(reversed(range(256))) * 4000

# requests drops the connection of a failed download without closing it.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

QUICK = Patience(connect=2, read=5, tries=3, wait=0.01)
ONCE = Patience(connect=2, read=5, tries=1, wait=0.01)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server():
    with running() as server:
        yield server


def get(*urls, name="file.bin", patience=QUICK, **fields):
    return fetch(RemoteFile(name=name, urls=urls, **fields), "By hand.", patience=patience)


def names():
    return sorted(path.name for path in downloads().iterdir() if not path.name.endswith(".lock"))


def test_redirects_are_followed(home, server):
    server.plans["/old"] = [status(302, Location="/new")]
    server.plans["/new"] = [answer(CONTENT, cut=300_000), answer(CONTENT)]
    assert get(f"{server.url}/old").read_bytes() == CONTENT
    (second,) = [asked for path, asked, _ in server.asked[2:] if path == "/new"]
    assert second is not None


def test_redirects_without_end_are_left_at_once(home, server):
    server.plans["/a"] = [status(302, Location="/b")]
    server.plans["/b"] = [status(302, Location="/a")]
    begun = time.monotonic()
    with pytest.raises(DataError, match=r"/a sent from one address to the next without end\. By"):
        get(f"{server.url}/a", patience=Patience(wait=100))
    assert time.monotonic() - begun < 20
    assert names() == []


def test_a_redirect_to_a_file_of_this_machine_is_not_followed(home, server, tmp_path):
    (tmp_path / "secret").write_text("secret")
    server.plans["/file"] = [status(302, Location=f"file://{tmp_path}/secret")]
    with pytest.raises(DataError, match=r"No connection adapters were found for 'file://"):
        get(f"{server.url}/file")


@pytest.mark.parametrize("code", [401, 403, 404, 410, 451])
def test_lasting_refusals_are_named_once(home, server, code):
    server.plans["/file"] = [status(code)]
    with pytest.raises(DataError, match=f"/file answered {code} "):
        get(f"{server.url}/file", patience=Patience(wait=100))
    assert len(server.asked) == 1


def test_a_refused_beginning_is_no_end(home, server):
    server.plans["/file"] = [status(416)]
    with pytest.raises(DataError, match="/file answered 416 "):
        get(f"{server.url}/file", patience=Patience(wait=100))


def test_a_part_that_nobody_asked_for(home, server):
    def part(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", "bytes 0-9/10")
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(CONTENT[:10])

    server.plans["/file"] = [part, answer(CONTENT)]
    assert get(f"{server.url}/file").read_bytes() == CONTENT


@pytest.mark.parametrize("span", ["", "bytes", "bytes 300000-", "bytes x-y/z", "items 3-9/10"])
def test_a_part_that_does_not_say_which_it_is(home, server, span):
    def part(handler):
        handler.send_response(206)
        handler.send_header("Content-Range", span)
        handler.send_header("ETag", '"one"')
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(OTHER[:1000])

    server.plans["/file"] = [answer(CONTENT, cut=300_000), part, answer(CONTENT)]
    assert get(f"{server.url}/file").read_bytes() == CONTENT


def test_parts_of_a_few_bytes_at_a_time(home, server):
    def part(handler):
        first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        end = min(first + 250_000, len(CONTENT))
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {first}-{end - 1}/{len(CONTENT)}")
        handler.send_header("Content-Length", str(end - first))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(CONTENT[first:end])

    server.plans["/file"] = [answer(CONTENT, cut=100_000), part]
    assert get(f"{server.url}/file").read_bytes() == CONTENT


def test_what_is_compressed_for_the_way_is_unpacked(home, server):
    server.plans["/file"] = [compressed(CONTENT)]
    assert get(f"{server.url}/file").read_bytes() == CONTENT
    server.plans["/sized"] = [compressed(CONTENT)]
    path = get(f"{server.url}/sized", name="sized", size=len(CONTENT), checksum=checksum(CONTENT))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("fields", [{}, {"checksum": checksum(CONTENT), "size": len(CONTENT)}])
def test_parts_of_what_is_compressed_are_not_glued(home, server, fields):
    noise = OTHER[:400_000]
    content = {"checksum": checksum(noise), "size": len(noise)} if fields else {}
    packed = len(gzip.compress(noise))
    server.plans["/file"] = [
        compressed(noise, ranges=True, cut=packed - 9),
        compressed(noise, ranges=True),
    ]
    assert get(f"{server.url}/file", **content).read_bytes() == noise


@pytest.mark.parametrize("name", ["gzip", "x-gzip"])
def test_a_file_that_is_packed_itself_stays_packed(home, server, name):
    packed = gzip.compress(CONTENT)
    server.plans["/file.gz"] = [compressed(CONTENT, name=name)]
    path = get(f"{server.url}/file.gz", name="file.gz", checksum=checksum(packed))
    assert path.read_bytes() == packed


def test_pieces_without_a_length(home, server):
    server.plans["/file"] = [chunked(CONTENT, cut=300_000), chunked(CONTENT)]
    assert get(f"{server.url}/file").read_bytes() == CONTENT


@pytest.mark.parametrize("length", [10, len(CONTENT) + 1000])
def test_a_length_that_is_a_lie(home, server, length):
    def lie(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(CONTENT)

    server.plans["/file"] = [lie]
    with pytest.raises(DataError, match=r"broke off after|whose sha256 is .* instead of the pub"):
        get(f"{server.url}/file", checksum=checksum(CONTENT))
    assert not (downloads() / "file.bin").exists()


def test_what_has_no_end_is_left_where_the_file_should_end(home, server):
    server.plans["/file"] = [endless]
    with pytest.raises(DataError, match=r"broke off after 1,\d\d\d,\d\d\d of 1,000,000 bytes"):
        get(f"{server.url}/file", size=1_000_000, patience=ONCE)
    assert names() == []


def test_what_has_no_end_does_not_fill_the_disk(home, server, monkeypatch):
    usage = namedtuple("usage", "total used free")
    sizes = iter([10**9, 10**9, 0])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, next(sizes)))
    monkeypatch.setattr(transfer, "_LOOK", 1 << 20)
    server.plans["/file"] = [endless]
    with pytest.raises(DataError, match=r"disk is full: .*unknown number of MB are to come, 0 MB"):
        get(f"{server.url}/file")
    size = (downloads() / "file.bin.part").stat().st_size
    assert 2 * (1 << 20) <= size < 3 * (1 << 20)


@pytest.mark.parametrize("kind", ["text/html", "Text/HTML; charset=utf-8"])
def test_a_web_page_in_place_of_the_file(home, server, kind):
    server.plans["/file"] = [answer(b"<html>Log in first</html>", kind=kind)]
    with pytest.raises(DataError, match="answered with a web page, not with the file"):
        get(f"{server.url}/file")
    assert names() == []


@pytest.mark.parametrize("length", [True, False])
def test_a_trickle_is_given_up(home, server, length):
    server.plans["/file"] = [trickling(CONTENT, pause=0.05, length=length)]
    patience = Patience(connect=2, read=2, slow=0.4, tries=2, wait=0.01)
    with pytest.raises(
        DataError, match=r"is too slow: after \d+ bytes, no 65,536 more came within 0\.4 s"
    ):
        get(f"{server.url}/file", patience=patience)
    assert len(server.asked) == 2


def test_a_trickle_is_waited_for_elsewhere(home, server):
    server.plans["/slow"] = [trickling(CONTENT, pause=0.05)]
    server.plans["/fast"] = [answer(CONTENT)]
    patience = Patience(connect=2, read=2, slow=1, tries=1)
    path = get(f"{server.url}/slow", f"{server.url}/fast", patience=patience)
    assert path.read_bytes() == CONTENT


def test_a_pace_that_is_kept_stops_nothing():
    stopped = []
    with Pace(1.0, lambda: stopped.append(1)) as pace:
        for _ in range(13):
            time.sleep(0.1)
            pace.beat()
    assert (pace.late, stopped) == (False, [])
    with Pace(0.05, lambda: stopped.append(1)) as pace:
        time.sleep(0.3)
    assert (pace.late, stopped) == (True, [1])


def test_what_was_begun_wrongly_is_fetched_whole(home, server):
    # The first mirror has another file of the same size, and breaks off.
    server.plans["/first"] = [answer(OTHER, cut=300_000), status(404)]
    server.plans["/second"] = [answer(CONTENT)]
    path = get(f"{server.url}/first", f"{server.url}/second", checksum=checksum(CONTENT))
    assert path.read_bytes() == CONTENT
    assert [asked is None for path, asked, _ in server.asked if path == "/second"] == [False, True]


def test_a_name_that_is_not_known(home):
    with pytest.raises(DataError, match=r"gave nothing \(.*\)\. By hand") as caught:
        get("http://nowhere.invalid/file", patience=ONCE)
    assert "object at" not in str(caught.value)


def test_a_proxy_that_is_not_there(home, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(DataError, match=r"was not reached through the proxy \(Unable") as at:
            get("http://nowhere.invalid/file", patience=ONCE)
    assert "HTTP_PROXY" in str(at.value)
    assert "object at" not in str(at.value)


def test_a_proxy_that_wants_a_name(home, server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "")
    server.plans["http://nowhere.invalid/file"] = [status(407)]
    with pytest.raises(DataError, match="answered 407 Proxy Authentication Required"):
        get("http://nowhere.invalid/file", patience=ONCE)


def test_certificates_that_are_not_there(home, server, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    url = server.url.replace("http:", "https:")
    with pytest.raises(DataError, match=r"invalid path: /nowhere\.pem"):
        get(f"{url}/file", patience=ONCE)


def test_a_server_that_speaks_no_tls(home, server):
    with pytest.raises(DataError, match=r"gave nothing \(.*SSL") as caught:
        get(f"{server.url.replace('http:', 'https:')}/file", patience=ONCE)
    assert "object at" not in str(caught.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate by openssl")
def test_a_certificate_that_is_not_trusted(home, tmp_path):
    key, own = tmp_path / "key.pem", tmp_path / "own.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2"
    files = ["-keyout", str(key), "-out", str(own)]
    subprocess.run([*shlex.split(command), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own, key)
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                asked.append(1)
                try:
                    context.wrap_socket(connection, server_side=True)
                except OSError:
                    connection.close()

        threading.Thread(target=serve, daemon=True).start()
        url = f"https://localhost:{listening.getsockname()[1]}/file"
        with pytest.raises(DataError, match="has no certificate that is trusted here") as caught:
            get(url, patience=Patience(wait=100))
        listening.shutdown(socket.SHUT_RDWR)
    assert len(asked) == 1
    assert "set REQUESTS_CA_BUNDLE to their file" in str(caught.value)
