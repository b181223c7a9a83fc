"""A server on this machine that answers as it is told, well or badly."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import threading
import time

__all__ = [
    "answer",
    "broken",
    "checksum",
    "chunked",
    "compressed",
    "endless",
    "running",
    "status",
    "trickling",
]


def answer(
    content,
    *,
    etag='"one"',
    modified=None,
    ranges=True,
    heeds_if_range=True,
    cut=None,
    stall=False,
    length=True,
    kind="application/octet-stream",
    shift=0,
):
    """A file, whole or the part that is asked for.

    `cut` closes the connection after that many bytes, `stall` falls silent there instead; `shift`
    gives a part that begins elsewhere than was asked for.
    """

    def reply(handler):
        asked = handler.headers.get("Range")
        same = handler.headers.get("If-Range") in (None, etag, modified)
        first = 0
        if asked and ranges and (same or not heeds_if_range):
            first = int(asked.removeprefix("bytes=").removesuffix("-")) + shift
            if first >= len(content):
                handler.send_error(416)
                return
            handler.send_response(206)
            span = f"bytes {first}-{len(content) - 1}/{len(content)}"
            handler.send_header("Content-Range", span)
        else:
            handler.send_response(200)
        handler.send_header("Content-Type", kind)
        if length:
            handler.send_header("Content-Length", str(len(content) - first))
        if etag:
            handler.send_header("ETag", etag)
        if modified:
            handler.send_header("Last-Modified", modified)
        handler.end_headers()
        handler.wfile.write(content[first : len(content) if cut is None else first + cut])
        if stall:
            handler.wfile.flush()
            time.sleep(1.5)

    return reply


def status(code, **headers):
    """An error."""

    def reply(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


def compressed(content, *, cut=None, ranges=False, name="gzip"):
    """A file that is packed for the way, though nobody asked for that; parts are of the packed."""
    packed = gzip.compress(content)

    def reply(handler):
        asked = handler.headers.get("Range")
        first = 0
        if asked and ranges:
            first = int(asked.removeprefix("bytes=").removesuffix("-"))
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {first}-{len(packed) - 1}/{len(packed)}")
        else:
            handler.send_response(200)
        handler.send_header("Content-Encoding", name)
        handler.send_header("Content-Length", str(len(packed) - first))
        handler.send_header("ETag", '"one"')
        handler.end_headers()
        handler.wfile.write(packed[first : len(packed) if cut is None else first + cut])

    return reply


def chunked(content, *, cut=None, size=50_000):
    """A file in pieces, whose length is told by none but the last."""

    def reply(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for first in range(0, len(content) if cut is None else cut, size):
            piece = content[first : first + size]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if cut is None:
            handler.wfile.write(b"0\r\n\r\n")

    return reply


def trickling(content, *, pause, length=True):
    """A file of which a byte comes after each pause, so that no silence is ever long."""

    def reply(handler):
        handler.send_response(200)
        if length:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for place in range(len(content)):
            handler.wfile.write(content[place : place + 1])
            handler.wfile.flush()
            time.sleep(pause)

    return reply


def endless(handler):
    """Zeros until nobody reads any more."""
    handler.send_response(200)
    handler.end_headers()
    with contextlib.suppress(OSError):
        while True:
            handler.wfile.write(bytes(1 << 16))


def broken(handler):
    """Close the connection without a word."""
    handler.connection.close()


@contextlib.contextmanager
def running():
    """A server; `plans` maps a path to its answers in turn, of which the last is repeated."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            plan = server.plans.get(self.path, [status(404)])
            turn = sum(path == self.path for path, _, _ in server.asked)
            server.asked.append(
                (self.path, self.headers.get("Range"), self.headers.get("If-Range"))
            )
            with contextlib.suppress(ConnectionError, ValueError):
                plan[min(turn, len(plan) - 1)](self)

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        server.plans, server.asked = {}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def checksum(content, method="sha256"):
    """As it is published."""
    return f"{method}:{hashlib.new(method, content).hexdigest()}"
