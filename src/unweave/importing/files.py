"""Checkpoints in both file formats of PyTorch, read without PyTorch's own reader."""

from __future__ import annotations

__all__ = ["Content", "StateFile", "read_content", "read_settings", "read_state", "state_of"]

import hashlib
import io
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import CheckpointError
from unweave.importing.unpickle import Settings, StorageRef, TensorRef, load_pickle

Serialisation = Literal["legacy", "zip"]

# Eight published models of disentangling-vae.
_MOST_BYTES = 2**24
# Dense networks of colour images have 135 MB, and optimisers keep two numbers beside each weight.
_MOST_CONTENT = 2**29
# An archive's list of files can take ten times its bytes in memory.
_MOST_LIST = 2**21
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_ZIP = b"PK\x03\x04"
_PROTOCOL = 1001
_MOST_AXES = 8
_MOST_DEPTH = 20

Storages = Mapping[str, NDArray[Any]]


@final
@dataclass(frozen=True)
class StateFile:
    """The content of a checkpoint file.

    Attributes:
        tensors: By name, in the file's order; they share memory with the file's bytes and cannot
            be written to.
        serialisation: `legacy`, or `zip` since PyTorch 1.6.
        sha256: Of the whole file, 64 hexadecimal digits.
        size: Of the file, in bytes.
    """

    tensors: dict[str, NDArray[Any]]
    serialisation: Serialisation
    sha256: str
    size: int


@final
@dataclass(frozen=True)
class Content:
    """What a file that `torch.save` has written holds.

    Attributes:
        value: Plain objects, and arrays in the place of tensors; they share memory with the file's
            bytes and cannot be written to.
        serialisation: `legacy`, or `zip` since PyTorch 1.6.
        sha256: Of the whole file, 64 hexadecimal digits.
        size: Of the file, in bytes.
    """

    value: Any
    serialisation: Serialisation
    sha256: str
    size: int


def read_state(path: Path) -> StateFile:
    """Read a state dict that `torch.save` has written.

    Nothing that the file names is run, and no more memory is used than a few times its size.

    Raises:
        CheckpointError: The file is missing, too large, damaged, or something else.
    """
    return state_of(read_content(path, _MOST_BYTES), path)


def state_of(content: Content, path: Path) -> StateFile:
    """What a file holds, as a state dict.

    Raises:
        CheckpointError: It is something else, or larger than any of disentangling-vae.
    """
    _check_size(path, content.size, _MOST_BYTES)
    table = content.value
    # The methods of dict, since a pickle may hide those of an OrderedDict behind attributes.
    if not isinstance(table, dict):
        raise _unreadable(path, "it holds no state dict, a table of tensors by name")
    tensors: dict[str, NDArray[Any]] = {}
    for name, value in dict.items(table):
        if type(name) is not str or not isinstance(value, np.ndarray):
            raise _unreadable(
                path, "it holds more than a state dict: every entry must be a tensor with a name"
            )
        tensors[name] = value
    return StateFile(tensors, content.serialisation, content.sha256, content.size)


def read_content(path: Path, most: int = _MOST_CONTENT, *, settings: bool = False) -> Content:
    """Read what `torch.save` has written: tables of tensors within tables, numbers and texts.

    Nothing that the file names is run, and no more memory is used than a few times its size.

    Args:
        path: The file.
        most: Bytes that it may have.
        settings: Whether it may hold an `argparse.Namespace` instead.

    Raises:
        CheckpointError: The file is missing, too large, damaged, or something else.
    """
    data = _read(path, most)
    try:
        if data.startswith(_LEGACY):
            serialisation: Serialisation = "legacy"
            value = _read_legacy(data, settings=settings)
        elif data.startswith(_ZIP):
            serialisation, value = "zip", _read_zip(data, settings=settings)
        else:
            raise CheckpointError("it does not begin as a file that torch.save has written")
    except CheckpointError as error:
        raise _unreadable(path, str(error)) from error
    return Content(value, serialisation, hashlib.sha256(data).hexdigest(), len(data))


def read_settings(path: Path) -> Settings | None:
    """What a program was called with, from `args.pt`; None where there is no such file.

    Raises:
        CheckpointError: The file is damaged, or holds something else.
    """
    if not path.exists():
        return None
    value = read_content(path, _MOST_BYTES, settings=True).value
    if not isinstance(value, Settings):
        raise _unreadable(path, "it holds no arguments of a program")
    return value


def _unreadable(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{path} is not a checkpoint that can be read: {reason}.")


def _check_size(path: Path, size: int, most: int) -> None:
    if size > most:
        usual = (
            ", and a checkpoint of disentangling-vae has about two million"
            if most == _MOST_BYTES
            else ""
        )
        raise CheckpointError(f"{path} has more than {most:,} bytes{usual}.")


def _read(path: Path, most: int) -> bytes:
    try:
        if not path.exists():
            raise CheckpointError(f"{path} does not exist. Name a file such as model.pt.")
        if not path.is_file():
            raise CheckpointError(f"{path} is not a file. Name a file such as model.pt.")
        size = path.stat().st_size
        _check_size(path, size, most)
        with path.open("rb") as handle:
            return handle.read(size)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error


def _read_legacy(data: bytes, *, settings: bool) -> Any:
    """Five pickles (magic number, protocol, machine, table, keys), then the storages."""
    _, at = load_pickle(data)
    protocol, at = load_pickle(data, at)
    machine, at = load_pickle(data, at)
    value, at = load_pickle(data, at, settings=settings)
    keys, at = load_pickle(data, at)
    if type(protocol) is not int or protocol != _PROTOCOL:
        raise CheckpointError("it is of an unknown version of the format")
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise CheckpointError("its numbers are not in little-endian order")
    wanted = _storages(value, len(data))
    if type(keys) is not list or any(type(key) is not str for key in keys):
        raise CheckpointError("its list of storages is damaged")
    if sorted(keys) != sorted(wanted):
        raise CheckpointError("its list of storages does not agree with its table of tensors")
    found: dict[str, NDArray[Any]] = {}
    for key in keys:
        ref = wanted[key]
        count = struct.unpack("<q", data[at : at + 8])[0] if at + 8 <= len(data) else -1
        at += 8
        if count != ref.length or at + ref.nbytes > len(data):
            raise CheckpointError("it is cut off, or its storages have another size than it says")
        found[key] = np.frombuffer(data, ref.dtype, ref.length, at)
        at += ref.nbytes
    return _resolved(value, found)


def _read_zip(data: bytes, *, settings: bool) -> Any:
    """An archive with `data.pkl` and one file `data/<key>` a storage, none of them compressed."""
    _check_list(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            tables = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if len(tables) != 1:
                raise CheckpointError("it is an archive without a table of tensors")
            root = tables[0].removesuffix("data.pkl")
            if f"{root}byteorder" in archive.namelist():
                order = _member(archive, f"{root}byteorder", len(data))
                if order != b"little":
                    raise CheckpointError("its numbers are not in little-endian order")
            pickled = _member(archive, tables[0], len(data))
            value, _ = load_pickle(pickled, settings=settings)
            found = {}
            for key, ref in _storages(value, len(data)).items():
                content = _member(archive, f"{root}data/{key}", ref.nbytes)
                if len(content) != ref.nbytes:
                    raise CheckpointError("its storages have another size than it says")
                found[key] = np.frombuffer(content, ref.dtype)
    except CheckpointError:
        raise
    except Exception as error:
        # A damaged archive makes zipfile raise many things.
        raise CheckpointError(f"its archive is damaged ({type(error).__name__})") from error
    return _resolved(value, found)


def _check_list(data: bytes) -> None:
    """Refuse an archive whose list of files would take much memory.

    PyTorch writes no comment behind the list, so that its size stands at a fixed place: in the
    last 22 bytes, and in the 56 that come before a locator of 20 where there is a larger form.
    """
    end = data[-22:]
    if len(end) < 22 or end[:4] != _END:
        raise CheckpointError("its archive is damaged or cut off")
    size = int.from_bytes(end[12:16], "little")
    locator = data[-42:-22]
    if locator[:4] == _LOCATOR_64:
        large = data[-98:-42]
        if large[:4] != _END_64:
            raise CheckpointError("its archive is damaged")
        size = int.from_bytes(large[40:48], "little")
    if size > _MOST_LIST:
        raise CheckpointError("its archive has a list of more files than a checkpoint needs")


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of the archive, as it lies there: PyTorch does not compress."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise CheckpointError("its archive is compressed, which torch.save does not do")
    if info.file_size > most:
        raise CheckpointError("its archive has files of another size than it says")
    return archive.read(info)


def _parts(value: Any) -> Iterator[Any]:
    """Everything within tables, lists and tuples, themselves left out."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if type(part) is TensorRef or not isinstance(part, dict | list | tuple):
            yield part
        else:
            waiting += dict.values(part) if isinstance(part, dict) else part


def _resolved(value: Any, storages: Storages, depth: int = 0) -> Any:
    """The same with arrays in the place of tensors."""
    if type(value) is TensorRef:
        return _view(value, storages)
    if not isinstance(value, dict | list | tuple):
        return value
    if depth > _MOST_DEPTH:
        raise CheckpointError("its tables lie in one another without end")
    if isinstance(value, dict):
        whole = {key: _resolved(part, storages, depth + 1) for key, part in dict.items(value)}
        return Settings(whole) if type(value) is Settings else whole
    return [_resolved(part, storages, depth + 1) for part in value]


def _storages(value: Any, most: int) -> dict[str, StorageRef]:
    """Every storage by its key; together they are no larger than the file."""
    found: dict[str, StorageRef] = {}
    for ref in _parts(value):
        if type(ref) is not TensorRef:
            continue
        storage = ref.storage
        if type(storage) is not StorageRef:
            raise CheckpointError("a tensor has no storage")
        if found.setdefault(storage.key, storage) != storage:
            raise CheckpointError("two tensors see one storage in different ways")
    if sum(storage.nbytes for storage in found.values()) > most:
        raise CheckpointError("it is cut off, or its storages have another size than it says")
    return found


def _view(ref: TensorRef, storages: Storages) -> NDArray[Any]:
    """A tensor as a view of its storage, inside of it."""
    storage = storages[ref.storage.key]
    size, stride, offset = ref.size, ref.stride, ref.offset
    whole = all(type(x) is tuple and all(type(n) is int for n in x) for x in (size, stride))
    if not whole or type(offset) is not int or len(size) != len(stride) or len(size) > _MOST_AXES:
        raise CheckpointError("the shape of a tensor is damaged")
    if offset < 0 or any(n < 1 for n in size) or any(n < 0 for n in stride):
        raise CheckpointError("a tensor has an impossible shape, step or place")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    # The second: by steps of 0 a tensor of any size can be seen in a single number.
    if last >= len(storage) or math.prod(size) > len(storage):
        raise CheckpointError("a tensor reaches beyond its storage")
    width = storage.itemsize
    steps = [0 if n == 1 else step * width for n, step in zip(size, stride, strict=True)]
    return np.lib.stride_tricks.as_strided(storage[offset:], size, steps, writeable=False)
