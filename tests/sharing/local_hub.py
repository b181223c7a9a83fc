"""A hub on this machine, which speaks HTTP as the library huggingface_hub asks for it.

Repositories of models, commits of regular and of large files, downloads; no Xet storage. A token
may write where it says: `org` in the token `hf_org`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
from urllib.parse import unquote, urlsplit

_REPOSITORY = r"([\w.-]+/[\w.-]+)"


class Hub:
    """What the hub holds, and what was asked of it."""

    def __init__(self):
        self.repositories = {}
        self.private = {}
        self.large = {}
        self.asked = []
        # Answers in the place of the next ones, by the part of a path: a status, or "cut".
        self.trouble = {}
        self.lock = threading.Lock()

    def head(self, repository):
        return list(self.repositories[repository])[-1]

    def files(self, repository, revision="main"):
        name = self.head(repository) if revision == "main" else revision
        return self.repositories[repository].get(name)

    def commit(self, repository, files):
        commits = self.repositories.setdefault(repository, {})
        name = hashlib.sha1(f"{repository} {len(commits)}".encode()).hexdigest()
        commits[name] = dict(files)
        return name


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def hub(self):
        return self.server.hub

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer("GET")

    def do_HEAD(self):
        self.answer("HEAD")

    def do_POST(self):
        self.answer("POST")

    def do_PUT(self):
        self.answer("PUT")

    def answer(self, method):
        path = unquote(urlsplit(self.path).path)
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        with self.hub.lock:
            self.hub.asked.append(f"{method} {path}")
            for part, troubles in self.hub.trouble.items():
                if part in path and troubles:
                    self.send(None, status=troubles.pop(0))
                    return
            for pattern, name in _ROUTES:
                if found := re.fullmatch(pattern, f"{method} {path}"):
                    getattr(self, name)(*found.groups())
                    return
            self.send(None, status=404)

    def send(self, form, *, status=200, headers=None, content=None):
        content = json.dumps(form).encode() if content is None else content
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def error(self, status, code, message):
        self.send(
            {"error": message}, status=status,
            headers={"X-Error-Code": code, "X-Error-Message": message},
        )  # fmt: skip

    def may(self, repository, *, write=False):
        """Whether the token may read, or write, a repository; answers if not."""
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        own = token == f"hf_{repository.split('/')[0]}"
        if repository not in self.hub.repositories or (
            self.hub.private.get(repository) and not own
        ):
            self.error(404 if token else 401, "RepoNotFound", "Repository not found")
            return False
        if write and not own:
            self.error(403, "", "You don't have the rights")
            return False
        return True

    # What is asked for

    def create(self):
        asked = json.loads(self.body)
        repository = f"{asked['organization']}/{asked['name']}"
        token = self.headers.get("Authorization")
        if token != f"Bearer hf_{asked['organization']}":
            self.error(403 if token else 401, "", "You don't have the rights")
            return
        if repository in self.hub.repositories:
            self.send({"url": f"{self.server.url}/{repository}"}, status=409)
            return
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.private[repository] = bool(private)
        self.hub.commit(repository, {".gitattributes": b"*.safetensors filter=lfs\n"})
        self.send({"url": f"{self.server.url}/{repository}"})

    def info(self, repository, revision=None):
        if not self.may(repository):
            return
        revision = revision or "main"
        files = self.hub.files(repository, revision)
        if files is None:
            self.error(404, "RevisionNotFound", "Revision not found")
            return
        siblings = [{"rfilename": name, "size": len(f)} for name, f in files.items()]
        sha = self.hub.head(repository) if revision == "main" else revision
        self.send({"id": repository, "modelId": repository, "sha": sha, "siblings": siblings,
                   "private": self.hub.private.get(repository, False)})  # fmt: skip

    def validate(self):
        text = json.loads(self.body)["content"]
        good = text.startswith("---\n") and 'license: "nonsense"' not in text
        errors = [] if good else [{"message": '"license" must be one of ...'}]
        self.send({"errors": errors, "warnings": []}, status=200 if good else 400)

    def preupload(self, repository, revision):
        if not self.may(repository, write=True):
            return
        files = []
        for each in json.loads(self.body)["files"]:
            large = each["path"].endswith(".safetensors") or each["size"] > 10_000_000
            files.append({"path": each["path"], "uploadMode": "lfs" if large else "regular",
                          "shouldIgnore": False, "oid": None})  # fmt: skip
        self.send({"files": files})

    def batch(self, repository):
        if not self.may(repository, write=True):
            return
        asked = json.loads(self.body)
        objects = []
        for each in asked["objects"]:
            action = {"oid": each["oid"], "size": each["size"]}
            if each["oid"] not in self.hub.large:
                action["actions"] = {
                    "upload": {"href": f"{self.server.url}/large/{each['oid']}", "header": {}},
                    "verify": {"href": f"{self.server.url}/verify/{repository}", "header": {}},
                }
            objects.append(action)
        self.send({"transfer": "basic", "objects": objects})

    def upload(self, oid):
        if hashlib.sha256(self.body).hexdigest() != oid:
            self.send(None, status=400)
            return
        self.hub.large[oid] = self.body
        self.send(None)

    def verify(self, repository):
        asked = json.loads(self.body)
        there = len(self.hub.large.get(asked["oid"], b"")) == asked["size"]
        self.send(None, status=200 if there else 404)

    def commit(self, repository, revision):
        if not self.may(repository, write=True):
            return
        head, *operations = [json.loads(line) for line in self.body.splitlines()]
        if head["value"].get("parentCommit") not in (None, self.hub.head(repository)):
            self.send({"error": "The repository has changed"}, status=412)
            return
        files = dict(self.hub.files(repository))
        for operation in operations:
            key, value = operation["key"], operation["value"]
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
            else:
                self.send({"error": f"Unknown operation {key}"}, status=400)
                return
        name = self.hub.commit(repository, files)
        self.send({"success": True, "commitOid": name,
                   "commitUrl": f"{self.server.url}/{repository}/commit/{name}"})  # fmt: skip

    def resolve(self, repository, revision, name):
        if not self.may(repository):
            return
        content = (self.hub.files(repository, revision) or {}).get(name)
        if content is None:
            self.error(404, "EntryNotFound", "Entry not found")
            return
        sha = self.hub.head(repository) if revision == "main" else revision
        headers = {"X-Repo-Commit": sha, "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
                   "Accept-Ranges": "bytes"}  # fmt: skip
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if asked and self.command == "GET":
            first = int(asked[1])
            last = min(int(asked[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self.send(None, status=206, content=content[first : last + 1], headers=headers)
        else:
            self.send(None, content=content, headers=headers)


_ROUTES = (
    (r"POST /api/repos/create", "create"),
    (r"POST /api/validate-yaml", "validate"),
    (rf"GET /api/models/{_REPOSITORY}", "info"),
    (rf"GET /api/models/{_REPOSITORY}/revision/(.+)", "info"),
    (rf"POST /api/models/{_REPOSITORY}/preupload/(.+)", "preupload"),
    (rf"POST /api/models/{_REPOSITORY}/commit/(.+)", "commit"),
    (rf"POST /{_REPOSITORY}\.git/info/lfs/objects/batch", "batch"),
    (r"PUT /large/(\w+)", "upload"),
    (rf"POST /verify/{_REPOSITORY}", "verify"),
    (rf"(?:GET|HEAD) /{_REPOSITORY}/resolve/([^/]+)/(.+)", "resolve"),
)


@contextlib.contextmanager
def running():
    """A hub, with its `url` and what it holds as `hub`."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_):
            pass

    with Server(("127.0.0.1", 0), _Handler) as server:
        server.hub = Hub()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
