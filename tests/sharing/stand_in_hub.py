"""What unweave asks of the library huggingface_hub, with a hub in memory behind it."""

from __future__ import annotations

import hashlib
import types
from pathlib import Path


class HubHTTPError(OSError):
    def __init__(self, code, text="an error"):
        super().__init__(text)
        self.response = types.SimpleNamespace(status_code=code)


class RepositoryNotFoundError(HubHTTPError):
    pass


class GatedRepoError(RepositoryNotFoundError):
    pass


class RevisionNotFoundError(HubHTTPError):
    pass


class LocalTokenNotFoundError(EnvironmentError):
    pass


class HFValidationError(ValueError):
    pass


class OfflineModeIsEnabled(ConnectionError):
    pass


_ERRORS = (
    RepositoryNotFoundError, GatedRepoError, RevisionNotFoundError, LocalTokenNotFoundError,
    HFValidationError, OfflineModeIsEnabled,
)  # fmt: skip


class Hub:
    """Repositories with their commits; `fail` is raised by what is asked of it next."""

    def __init__(self):
        self.repositories = {}
        self.private = {}
        self.fail = {}
        self.asked = []
        self.bars = True

    def files(self, repository, revision=None):
        commits = self.repositories[repository]
        return commits[revision or list(commits)[-1]]

    def head(self, repository):
        return list(self.repositories[repository])[-1]

    def commit(self, repository, files):
        """A commit, which is all of its files; its name."""
        commits = self.repositories[repository]
        name = hashlib.sha1(repr((len(commits), sorted(files))).encode()).hexdigest()
        commits[name] = dict(files)
        return name

    def ask(self, what, *facts):
        self.asked.append((what, *facts, self.bars))
        if what in self.fail:
            raise self.fail[what]

    def library(self):
        """The module."""
        hub = self

        class HfApi:
            def __init__(self, library_name):
                assert library_name == "unweave"

            def model_info(self, repository, *, revision=None, files_metadata):
                assert files_metadata
                hub.ask("model_info", repository, revision)
                if repository not in hub.repositories:
                    raise RepositoryNotFoundError(404)
                if revision not in (None, "main", *hub.repositories[repository]):
                    raise RevisionNotFoundError(404)
                named = None if revision == "main" else revision
                files = hub.files(repository, named)
                siblings = [
                    types.SimpleNamespace(rfilename=name, size=len(content))
                    for name, content in files.items()
                ]
                sha = named or hub.head(repository)
                return types.SimpleNamespace(sha=sha, siblings=siblings)

            def create_repo(self, repository, *, private, exist_ok):
                assert exist_ok
                hub.ask("create_repo", repository, private)
                hub.repositories[repository] = {}
                hub.private[repository] = private
                hub.commit(repository, {".gitattributes": b"*.safetensors filter=lfs\n"})

            def create_commit(self, repository, operations, *, commit_message, parent_commit):
                assert commit_message
                hub.ask("create_commit", repository)
                if parent_commit not in (None, hub.head(repository)):
                    raise HubHTTPError(412)
                files = dict(hub.files(repository))
                for operation in operations:
                    if operation.content is None:
                        del files[operation.name]
                    else:
                        files[operation.name] = operation.content
                hub.commit(repository, files)

        def hf_hub_download(repository, name, *, revision, local_dir, library_name):
            assert library_name == "unweave"
            hub.ask("download", name, revision)
            path = Path(local_dir) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(hub.files(repository, revision)[name])
            notes = Path(local_dir) / ".cache" / "huggingface" / f"{path.name}.metadata"
            notes.parent.mkdir(parents=True, exist_ok=True)
            notes.write_text(revision)
            return str(path)

        def add(path_in_repo, path_or_fileobj):
            content = path_or_fileobj
            content = content if isinstance(content, bytes) else Path(content).read_bytes()
            return types.SimpleNamespace(name=path_in_repo, content=content)

        library = types.ModuleType("huggingface_hub")
        library.HfApi = HfApi
        library.hf_hub_download = hf_hub_download
        library.CommitOperationAdd = add
        library.CommitOperationDelete = lambda path_in_repo: types.SimpleNamespace(
            name=path_in_repo, content=None
        )
        library.errors = types.ModuleType("huggingface_hub.errors")
        for error in _ERRORS:
            setattr(library.errors, error.__name__, error)
        library.utils = types.ModuleType("huggingface_hub.utils")
        library.utils.are_progress_bars_disabled = lambda: not hub.bars
        library.utils.disable_progress_bars = lambda: setattr(hub, "bars", False)
        library.utils.enable_progress_bars = lambda: setattr(hub, "bars", True)
        return library
