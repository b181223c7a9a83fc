"""A repository of the Hugging Face Hub as a place; **the only importer of huggingface_hub**."""

from __future__ import annotations

__all__ = ["HUB", "HubPlace"]

import contextlib
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final, final

from unweave.errors import RunError, SpecError, UnweaveError
from unweave.sharing.contents import CARD, MANIFEST, SharedFile
from unweave.sharing.place import DamagedError, Meter, without_secrets

HUB: Final = "hf://"

_WORD: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PLACE: Final = re.compile(rf"hf://({_WORD}/{_WORD})(?:@([A-Za-z0-9_][A-Za-z0-9_./-]*))?")
# What the hub itself puts into a repository, or its page does for whoever makes one there.
_OWN: Final = frozenset({".gitattributes", "LICENSE", CARD})


@final
class HubPlace:
    """A model repository of the hub.

    A push is one commit, so that what is there is the earlier version or the new one. The library
    finds the token that `hf auth login` has kept, or `HF_TOKEN`, and the hub, or `HF_ENDPOINT`.

    Args:
        text: `hf://ORG/NAME`, or `hf://ORG/NAME@REVISION` of a branch, tag or commit.
        private: Whether a repository that is made is seen by its owners alone.
        quiet: Whether the library shows no progress of its own.

    Raises:
        SpecError: It is not written like this, or the library is not installed.
    """

    def __init__(self, text: str, *, private: bool = False, quiet: bool = True) -> None:
        found = _PLACE.fullmatch(text)
        if not found:
            raise SpecError(
                f"{text!r:.200} is no repository of models. Write hf://ORG/NAME, or "
                "hf://ORG/NAME@REVISION for a branch, tag or commit."
            )
        self.text = text
        self.repository: str = found[1]
        self.revision: str | None = found[2]
        self.name = self.repository.split("/")[1]
        self.command: str | None = f"unweave pull {HUB}{self.repository}"
        self.beside = _OWN
        self._private, self._quiet = private, quiet
        self._library = _library()
        self._api = self._library.HfApi(library_name="unweave")
        self._sizes: dict[str, int | None] | None = None
        self._commit: str | None = None
        self._missing: RunError | None = None

    def names(self) -> set[str]:
        """Names of the files that are there."""
        return set(self._look() or ())

    def read(self, name: str, most: int) -> bytes | None:
        """What is in a small file; None where it is not there."""
        sizes = self._look()
        if sizes is None and self._missing is not None:
            raise self._missing
        if sizes is None or name not in sizes:
            return None
        with tempfile.TemporaryDirectory(prefix="unweave-") as folder:
            self._download(name, Path(folder), most)
            return (Path(folder) / name).read_bytes()

    def fetch(self, name: str, folder: Path, most: int, meter: Meter) -> None:
        """Have a file in a folder, under its name there.

        Raises:
            DamagedError: It is not there.
        """
        if name not in (self._look() or {}):
            raise DamagedError(f"{self.text} is damaged: {name} is not there.")
        # The library shows what comes.
        self._download(name, folder, most)

    def replace(
        self,
        files: Sequence[SharedFile],
        gone: Collection[str],
        manifest: tuple[bytes, bytes],
        card: bytes | None,
        meter: Meter,
    ) -> None:
        """Have these files there in the place of an earlier version, by one commit."""
        add, remove = self._library.CommitOperationAdd, self._library.CommitOperationDelete
        contents: dict[str, bytes | Path] = {file.name: file.content for file in files}
        contents[MANIFEST] = manifest[0]
        if card is not None:
            contents[CARD] = card
        there = self._look()
        operations = [
            add(path_in_repo=name, path_or_fileobj=content)
            for name, content in sorted(contents.items())
        ]
        operations += [remove(path_in_repo=name) for name in sorted(gone) if name in (there or {})]
        with self._answered("cannot be written"), self._shown():
            if there is None:
                # None leaves to the organisation what is usual there.
                self._api.create_repo(
                    self.repository, private=self._private or None, exist_ok=True
                )
            self._api.create_commit(
                self.repository,
                operations,
                commit_message="Push a run with unweave",
                parent_commit=self._commit,
            )
        self._sizes = self._commit = None
        meter.finish()

    @property
    def commit(self) -> str | None:
        """The commit that was read; None where there is no repository."""
        self._look()
        return self._commit

    def _look(self) -> dict[str, int | None] | None:
        """Files of one commit with their sizes, asked once; None where there is no repository."""
        if self._commit is None and self._sizes is None:
            try:
                with self._answered("does not answer"):
                    info = self._api.model_info(
                        self.repository, revision=self.revision, files_metadata=True
                    )
            except _NotThereError as error:
                self._missing = error
                return None
            self._sizes = {each.rfilename: each.size for each in info.siblings or ()}
            self._commit = info.sha
        return self._sizes

    def _download(self, name: str, folder: Path, most: int) -> None:
        size = (self._sizes or {}).get(name)
        if size is not None and size > most:
            raise DamagedError(f"{self.text} is damaged: {name} has more than {most:,} bytes.")
        with self._answered("does not answer"), self._shown():
            self._library.hf_hub_download(
                self.repository,
                name,
                revision=self._commit,
                local_dir=folder,
                library_name="unweave",
            )

    @contextlib.contextmanager
    def _shown(self) -> Iterator[None]:
        """Have the library show its progress in the block, or be silent."""
        bars = self._library.utils
        before = bars.are_progress_bars_disabled()
        if self._quiet and not before:
            bars.disable_progress_bars()
        try:
            yield
        finally:
            if self._quiet and not before:
                bars.enable_progress_bars()

    @contextlib.contextmanager
    def _answered(self, what: str) -> Iterator[None]:
        """A block that asks the hub; an error, of whatever kind, is one for the user."""
        try:
            yield
        except UnweaveError:
            raise
        except Exception as error:
            raise self._explained(error, what) from error

    def _explained(self, error: Exception, what: str) -> UnweaveError:
        """An error of the library, of which the kind tells more than the text."""
        errors = self._library.errors
        login = "Log in with 'hf auth login', or set HF_TOKEN to a token that may"
        code = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, errors.GatedRepoError):
            return RunError(
                f"{self.text} is given to those alone who have asked for it: ask on its page, "
                f"then try again. {login} read it."
            )
        if isinstance(error, errors.RepositoryNotFoundError) and what == "does not answer":
            return _NotThereError(
                f"{self.text} is not there, or is private. {login} read it, and look at the name."
            )
        if isinstance(error, errors.RevisionNotFoundError):
            return RunError(
                f"{HUB}{self.repository} has no branch, tag or commit {self.revision!r}."
            )
        if isinstance(error, errors.LocalTokenNotFoundError) or code in (401, 403, 404):
            may = "write to it" if what == "cannot be written" else "read it"
            return RunError(f"{self.text} {what}: you may not do so there. {login} {may}.")
        if code in (409, 412):
            return RunError(f"{self.text} has changed in the meantime. Push again.")
        if isinstance(error, errors.HFValidationError):
            return SpecError(f"{self.text} is no name of a repository: {error}")
        reason = " ".join(without_secrets(str(error)).split()) or type(error).__name__
        if isinstance(error, errors.OfflineModeIsEnabled):
            return RunError(f"{self.text} {what}: HF_HUB_OFFLINE is set. Unset it.")
        if code == 400 or (isinstance(error, ValueError) and what == "cannot be written"):
            return RunError(f"{self.text} {what}: the hub refuses it ({reason:.500}).")
        return RunError(
            f"{self.text} {what}: {type(error).__name__}: {reason:.300}. Is there a network? "
            "HF_ENDPOINT names another hub."
        )


class _NotThereError(RunError):
    """There is no such repository, or none that one may see."""


def _library() -> ModuleType:
    """The library, imported when it is first needed.

    Raises:
        SpecError: It is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as error:
        raise SpecError(
            "Places hf://ORG/NAME need the package huggingface_hub, which is not installed: "
            "pip install 'unweave[hub]'."
        ) from error
    library: Any = huggingface_hub
    return library  # type: ignore[no-any-return]
