"""Downloads, against a server on this machine."""

import errno
import gc
import http.server
import threading

import pooch
import pytest

from unweave.data.download import downloads, fetch
from unweave.errors import DataError

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def server():
    """A server that gives `/good`, cuts `/cut` short, fails on `/broken`, and knows no more."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            if self.path == "/broken":
                self.send_error(500)
                return
            if self.path not in ("/good", "/cut"):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(CONTENT if self.path == "/good" else CONTENT[:5000])

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.asked = asked
        running.url = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_a_file_is_fetched_once(home, server, capfd):
    told = []
    path = fetch(f"{server.url}/good", "file.bin", "", lambda *report: told.append(report))
    assert path == downloads() / "file.bin" == home / "downloads" / "file.bin"
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("downloading file.bin (bytes)", len(CONTENT), len(CONTENT))
    assert [report[1] for report in told] == sorted(report[1] for report in told)
    assert fetch(f"{server.url}/good", "file.bin", "") == path
    assert server.asked == ["/good"]
    assert capfd.readouterr() == ("", "")


# requests drops the connection of a failed download without closing it.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize("place", ["/missing", "/broken", "/cut"])
def test_a_download_that_fails_leaves_no_file(home, server, place):
    with pytest.raises(DataError) as caught:
        fetch(f"{server.url}{place}", "file.bin", "Give path=... by hand.")
    message = str(caught.value)
    assert f"{server.url}{place}" in message
    assert str(home / "downloads" / "file.bin") in message
    assert "Give path=... by hand." in message
    left = [path.name for path in downloads().iterdir() if path.suffix != ".lock"]
    assert left == []
    assert fetch(f"{server.url}/good", "file.bin", "").read_bytes() == CONTENT
    del caught
    gc.collect()


def test_a_server_that_is_not_there(home):
    with http.server.HTTPServer(("127.0.0.1", 0), None) as unused:
        port = unused.server_port
    with pytest.raises(DataError, match="could not be downloaded"):
        fetch(f"http://127.0.0.1:{port}/good", "file.bin", "By hand.")


def test_a_full_disk(home, server, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pooch, "retrieve", full)
    with pytest.raises(DataError, match=r"disk is full: .*UNWEAVE_HOME"):
        fetch(f"{server.url}/good", "file.bin", "")
