"""One address into one file: retried with patience, and gone on with where it broke off."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from unweave.data.fetching.pace import Pace
from unweave.progress import Progress
from unweave.rundir import write_json

if TYPE_CHECKING:
    import requests

__all__ = ["Patience", "TransferError", "discard", "reached", "transfer"]

_CHUNK: Final = 1 << 16
"""Bytes written at once: those of a chunk that is not whole are lost when a connection breaks."""
_RESERVE: Final = 1 << 20
"""Bytes of the disk that stay free."""
_LOOK: Final = 1 << 26
"""Bytes after which the disk is looked at again, where it is not known how many come."""
_LONGEST_WAIT: Final = 60.0
_PACKED: Final = (".gz", ".tgz")
# What a server says when it is worth asking again: too early, too often, or its own trouble.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


@final
@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a server is waited for, in seconds, and how often it is asked.

    Args:
        connect: For a connection.
        read: For the next bytes, once it is there.
        slow: For the next 64 kB, however steadily they trickle.
        tries: Attempts in a row that bring nothing new, or too little; then the address is left.
        wait: Before the second attempt; doubled for each further one.
    """

    connect: float = 15.0
    read: float = 60.0
    slow: float = 120.0
    tries: int = 4
    wait: float = 1.0


class TransferError(Exception):
    """Why an address gave no file, as the end of a sentence."""


class _PassingError(TransferError):
    """A failure that may be over at the next attempt; `wait` is the server's wish, in seconds."""

    def __init__(self, text: str, wait: float | None = None) -> None:
        super().__init__(text)
        self.wait = wait


class _SlowError(_PassingError):
    """What came was too little to be worth going on for."""


@final
@dataclass(frozen=True)
class _Identity:
    """What tells a file on a server from another under the same address.

    Attributes:
        url: The address.
        etag: The server's mark of this content, if it is a strong one.
        modified: When it was changed, as the server says it.
        size: Bytes, where the server says how many.
    """

    url: str
    etag: str | None
    modified: str | None
    size: int | None

    @property
    def mark(self) -> str | None:
        """What a server compares when it is asked for the rest of this content alone."""
        return self.etag or self.modified


def transfer(
    url: str,
    part: Path,
    what: str,
    *,
    size: int | None,
    proven: bool,
    progress: Progress | None,
    patience: Patience,
    room: int = 0,
) -> None:
    """Fill a file from an address, after what an earlier attempt left in it.

    What belongs together is known by what stands beside the file, `NAME.json`: address, ETag, time
    of change and size as the server gave them. When any of these has changed, or the server cannot
    give the rest of a file, the file is begun anew.

    Args:
        url: Where the bytes are.
        part: Where they go; it stays when the transfer fails, to be gone on with.
        what: What the progress is called.
        size: How many bytes are published, None where that is not known.
        proven: Whether a checksum is compared afterwards, so that bytes of another address with
            the same size may be gone on with.
        progress: Told how many bytes are there.
        patience: How long and how often to try.
        room: Bytes of the disk that must stay free beside the file.

    Raises:
        TransferError: The address does not give the file.
        OSError: The file cannot be written; ENOSPC when the disk has no room for what is to come.
    """
    job = _Job(url, part, what, size, proven, progress, patience, room)
    best, failures = _length(part), 0
    while True:
        try:
            job.attempt()
            return
        except _PassingError as error:
            reached = _length(part)
            new = reached > best and not isinstance(error, _SlowError)
            failures = 1 if new else failures + 1
            best = max(best, reached)
            if failures >= patience.tries:
                raise TransferError(str(error)) from error
            wait = patience.wait * 2 ** (failures - 1) if error.wait is None else error.wait
            time.sleep(min(wait, _LONGEST_WAIT))


def reached(part: Path) -> tuple[int, int | None]:
    """How many bytes of a file have come, and how many there will be, where that is known."""
    known = _read_identity(part)
    return _length(part), None if known is None else known.size


def discard(part: Path) -> None:
    """Remove what a transfer left."""
    part.unlink(missing_ok=True)
    _beside(part).unlink(missing_ok=True)


@final
@dataclass(frozen=True)
class _Job:
    """The arguments of `transfer`."""

    url: str
    part: Path
    what: str
    size: int | None
    proven: bool
    progress: Progress | None
    patience: Patience
    room: int

    def attempt(self) -> None:
        """Ask once, and write what comes."""
        import requests

        known, done = _read_identity(self.part), 0
        own_mark = known.mark if known is not None and known.url == self.url else None
        if known is not None and (self.proven or own_mark is not None):
            done = _length(self.part)
        if known is not None and done and done == known.size:
            return
        headers = {"Accept-Encoding": "identity"}
        if done:
            headers["Range"] = f"bytes={done}-"
        if done and own_mark is not None:
            headers["If-Range"] = own_mark
        timeout = (self.patience.connect, self.patience.read)
        try:
            with requests.get(self.url, headers=headers, stream=True, timeout=timeout) as answer:
                identity, done = self.understand(answer, known, done)
                done = self.write(answer, identity, done)
        except requests.RequestException as error:
            raise _failure(error, _length(self.part)) from error
        if identity.size is not None and done != identity.size:
            if done > identity.size:
                discard(self.part)
            raise _PassingError(f"broke off after {done:,} of {identity.size:,} bytes")

    def understand(
        self, answer: requests.Response, known: _Identity | None, done: int
    ) -> tuple[_Identity, int]:
        """What an answer brings, and how many bytes of it are there already."""
        status = answer.status_code
        if status == 416 and done:
            discard(self.part)
            raise _PassingError("has no bytes after those that are here", 0.0)
        if status in _PASSING:
            wait = _seconds(answer.headers.get("Retry-After", ""))
            raise _PassingError(f"answered {status} {answer.reason}", wait)
        if status not in (200, 206):
            raise TransferError(f"answered {status} {answer.reason}")
        if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise TransferError("answered with a web page, not with the file")
        if self.compressed(answer):
            if status == 206:
                discard(self.part)
                raise _PassingError("gave a part of what it compressed for the way", 0.0)
            # Length and marks are of what was compressed, which is no part of the file.
            first, total, etag, modified = 0, None, None, None
        else:
            first, total = 0, _whole(answer.headers.get("Content-Length"))
            if status == 206:
                first, total = _range(answer.headers.get("Content-Range", ""))
            etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
        identity = _Identity(
            self.url,
            None if etag is None or etag.startswith("W/") else etag,
            modified,
            self.size if total is None else total,
        )
        if self.size is not None and identity.size != self.size:
            raise TransferError(f"offers {total:,} bytes, but {self.size:,} are published")
        if status == 206 and (first != done or known is None or not _same(known, identity)):
            discard(self.part)
            raise _PassingError("gave another part than was asked for, or of another file", 0.0)
        return identity, first

    def compressed(self, answer: requests.Response) -> bool:
        """Whether the bytes must be unpacked to be those of the file."""
        if answer.headers.get("Content-Encoding", "identity").lower() in ("", "identity"):
            return False
        if Path(self.part.stem).suffix.lower() not in _PACKED:
            return True
        # Some servers announce in this way that the file itself is a packed one.
        answer.raw.headers.pop("Content-Encoding", None)
        return False

    def write(self, answer: requests.Response, identity: _Identity, done: int) -> int:
        """Write what comes after the first `done` bytes, and return how many there are then."""
        if done == 0:
            discard(self.part)
        self.check_room(identity, done)
        write_json(_beside(self.part), asdict(identity))
        with self.part.open("ab") as handle, Pace(self.patience.slow, _hang_up(answer)) as pace:
            try:
                for chunk in answer.iter_content(_CHUNK):
                    handle.write(chunk)
                    done += len(chunk)
                    pace.beat()
                    if identity.size is not None and done > identity.size:
                        break
                    if identity.size is None and done % _LOOK < len(chunk):
                        self.check_room(identity, done)
                    if self.progress is not None:
                        self.progress(self.what, done, max(done, identity.size or 0))
            except OSError:  # as those of requests are
                if not pace.late:
                    raise
            if pace.late:
                raise _SlowError(
                    f"is too slow: after {done:,} bytes, no {_CHUNK:,} more came within "
                    f"{self.patience.slow:g} s"
                )
        return done

    def check_room(self, identity: _Identity, done: int) -> None:
        """Refuse to fill the disk, before the first byte, and later where no length was told."""
        need = 0 if identity.size is None else identity.size - done
        free = shutil.disk_usage(self.part.parent).free
        if free < need + self.room + _RESERVE:
            much = "an unknown number of" if identity.size is None else f"{need / 1e6:,.0f}"
            then = f", {self.room / 1e6:,.0f} MB are needed to prepare them" if self.room else ""
            raise OSError(
                errno.ENOSPC, f"{much} MB are to come{then}, {free / 1e6:,.0f} MB are free"
            )


def _hang_up(answer: requests.Response) -> Callable[[], None]:
    """Ends from another thread what is read; older versions of urllib3 cannot."""

    def stop() -> None:
        with contextlib.suppress(AttributeError, RuntimeError, ValueError, OSError):
            answer.raw.shutdown()

    return stop


def _failure(error: requests.RequestException, reached: int) -> TransferError:
    """What is said of a connection that failed, and whether it is worth trying again."""
    import requests

    if isinstance(error, ValueError):  # no address at all
        return TransferError(str(error))
    reason = _reason(error)
    if isinstance(error, requests.TooManyRedirects):
        return TransferError("sent from one address to the next without end")
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return TransferError(
            f"has no certificate that is trusted here ({reason}; where a network has certificates "
            "of its own, set REQUESTS_CA_BUNDLE to their file)"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return _PassingError(
            f"was not reached through the proxy ({reason}; it is that of HTTP_PROXY, HTTPS_PROXY "
            "or ALL_PROXY)"
        )
    what = f"broke off after {reached:,} bytes" if reached else "gave nothing"
    return _PassingError(f"{what} ({reason})")


def _reason(error: requests.RequestException) -> str:
    """What happened, without the names of the objects to which it happened."""
    cause: BaseException = error
    while cause.args and isinstance(cause.args[0], BaseException):
        cause = cause.args[0]
    cause = getattr(cause, "reason", None) or cause
    text = str(cause.args[0] if cause.args and isinstance(cause.args[0], str) else cause)
    _, found, rest = text.partition("): ")
    return rest if found and text.startswith("HTTP") else text


def _same(known: _Identity, found: _Identity) -> bool:
    """Whether the rest of a file is of the same file as its beginning."""
    if known.size != found.size:
        return False
    if known.url != found.url:
        return found.size is not None
    return known.etag == found.etag and known.modified == found.modified


def _range(text: str) -> tuple[int, int | None]:
    """First byte and size of the whole, of a Content-Range such as `bytes 5-9/10`."""
    unit, _, rest = text.partition(" ")
    span, _, total = rest.partition("/")
    first = _whole(span.partition("-")[0])
    return (-1 if unit != "bytes" or first is None else first), _whole(total)


def _seconds(text: str) -> float | None:
    """How long a server wishes to be left alone, as a number of seconds or as a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdecimal() else None


def _length(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0


def _beside(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_identity(part: Path) -> _Identity | None:
    """What the bytes that are there belong to; None when that is not known."""
    try:
        form: Any = json.loads(_beside(part).read_text(encoding="utf-8"))
        return _Identity(form["url"], form["etag"], form["modified"], form["size"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
