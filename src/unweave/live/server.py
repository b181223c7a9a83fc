"""A small server of the page, for this machine alone: GET, one address, no files but its own."""

from __future__ import annotations

__all__ = ["LiveServer"]

import hashlib
import json
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any, Final, final
from urllib.parse import parse_qs, urlsplit

from unweave import curves
from unweave.errors import UnweaveError
from unweave.live.pictures import Pictures
from unweave.live.reading import RunView, find_views, summary

HOST: Final = "127.0.0.1"
# Runs of a folder are looked for again after so many seconds.
_LOOK: Final = 5.0
_FILES: Final = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
    f"/{curves.STYLE}": (curves.STYLE, "text/css; charset=utf-8"),
    **{f"/{name}": (name, "text/javascript; charset=utf-8") for name in curves.SCRIPTS},
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@final
class LiveServer(ThreadingHTTPServer):
    """Serves the page of a run, or of a folder with runs in it.

    Attributes:
        daemon_threads: True: answers do not keep the program from ending.
        allow_reuse_address: False: a port that is taken is refused.

    Args:
        root: The folder.
        port: Which port; 0 for one that is free.

    Raises:
        RunError: There is no such folder.
        OSError: The port is taken.
    """

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._views: dict[str, RunView] = find_views(root, {})
        self._looked = time.monotonic()
        self._pictures: dict[str, Pictures] = {}
        super().__init__((HOST, port), _Handler)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    def overview(self) -> dict[str, Any]:
        """What there is: one run, or many of which each is told in a line."""
        views = self._found()
        if "" in views:
            return {"title": self.root.absolute().name, "runs": None}
        runs = [summary(view.folder) | {"run": name} for name, view in views.items()]
        return {"title": self.root.absolute().name, "runs": runs}

    def state(self, name: str) -> dict[str, Any] | None:
        """All of one run; None where there is no such run."""
        view = self._found().get(name)
        if view is None:
            return None
        return view.state() | {"picture": self._pictures_of(name, view).newest()}

    def picture(self, name: str, file: str) -> bytes | None:
        """A picture of a run: by its file's name, or the one that was drawn here."""
        view = self._found().get(name)
        if view is None:
            return None
        pictures = self._pictures_of(name, view)
        return pictures.of_training(file) if file else pictures.drawn()

    def _found(self) -> dict[str, RunView]:
        with self._lock:
            if time.monotonic() - self._looked > _LOOK:
                self._views = find_views(self.root, self._views)
                self._looked = time.monotonic()
            return self._views

    def _pictures_of(self, name: str, view: RunView) -> Pictures:
        with self._lock:
            return self._pictures.setdefault(name, Pictures(view.folder))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a page that was closed while it was answered is no error."""


@final
class _Handler(BaseHTTPRequestHandler):
    server: LiveServer
    server_version = "unweave"
    sys_version = ""

    def do_GET(self) -> None:
        if self.headers.get("Host") not in self._hosts():
            # A page from elsewhere whose name was made to point here.
            self._send(HTTPStatus.FORBIDDEN, b"Only for this machine.", "text/plain")
            return
        address = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
        try:
            self._answer(address.path, asked)
        except UnweaveError as error:
            self._json({"error": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # Files that are not as they should be; the page asks again.
            told = f"the files of the run cannot be read: {type(error).__name__}: {error}"
            self._json({"error": told}, HTTPStatus.SERVICE_UNAVAILABLE)

    def _answer(self, path: str, asked: dict[str, str]) -> None:
        run = asked.get("run", "")
        if path in _FILES:
            name, kind = _FILES[path]
            self._send(HTTPStatus.OK, _file(name), kind)
        elif path == "/runs.json":
            self._json(self.server.overview())
        elif path == "/run.json":
            state = self.server.state(run)
            if state is None:
                self._json({"error": "There is no such run here."}, HTTPStatus.NOT_FOUND)
            else:
                self._json(state)
        elif path == "/picture.png" and (
            picture := self.server.picture(run, asked.get("name", ""))
        ):
            self._send(HTTPStatus.OK, picture, "image/png")
        else:
            self._send(HTTPStatus.NOT_FOUND, b"There is nothing here.", "text/plain")

    def _json(self, value: Any, status: HTTPStatus = HTTPStatus.OK) -> None:
        content = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
        self._send(status, content, "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        """Answer; with nothing, where the page has the same already."""
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        same = status == HTTPStatus.OK and self.headers.get("If-None-Match") == tag
        self.send_response(HTTPStatus.NOT_MODIFIED if same else status)
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "no-cache")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if not same:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not same:
            self.wfile.write(content)

    def _hosts(self) -> tuple[str, str]:
        port = self.server.server_port
        return f"{HOST}:{port}", f"localhost:{port}"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is for people."""


def _file(name: str) -> bytes:
    if name in (curves.STYLE, *curves.SCRIPTS):
        return curves.asset(name).encode("utf-8")
    return resources.files("unweave.live").joinpath(name).read_bytes()
