"""State dicts in both file formats of PyTorch, read without PyTorch's own reader."""

from __future__ import annotations

__all__ = ["StateFile", "read_state"]

import hashlib
import io
import math
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import CheckpointError
from unweave.importing.unpickle import StorageRef, TensorRef, load_pickle

Serialisation = Literal["legacy", "zip"]

# Eight published models; an archive's list of files alone can take ten times its bytes in memory.
_MOST_BYTES = 2**24
_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_ZIP = b"PK\x03\x04"
_PROTOCOL = 1001
_MOST_AXES = 8

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


def read_state(path: Path) -> StateFile:
    """Read a state dict that `torch.save` has written.

    Nothing that the file names is run, and no more memory is used than a few times its size.

    Raises:
        CheckpointError: The file is missing, too large, damaged, or something else.
    """
    data = _read(path)
    try:
        if data.startswith(_LEGACY):
            serialisation: Serialisation = "legacy"
            tensors = _read_legacy(data)
        elif data.startswith(_ZIP):
            serialisation, tensors = "zip", _read_zip(data)
        else:
            raise CheckpointError("it does not begin as a file that torch.save has written")
    except CheckpointError as error:
        raise CheckpointError(f"{path} is not a checkpoint that can be read: {error}.") from error
    return StateFile(tensors, serialisation, hashlib.sha256(data).hexdigest(), len(data))


def _read(path: Path) -> bytes:
    try:
        if not path.exists():
            raise CheckpointError(f"{path} does not exist. Name a file such as model.pt.")
        if not path.is_file():
            raise CheckpointError(f"{path} is not a file. Name a file such as model.pt.")
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise CheckpointError(
                f"{path} has more than {_MOST_BYTES:,} bytes, and a checkpoint of "
                "disentangling-vae has about two million."
            )
        with path.open("rb") as handle:
            return handle.read(size)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}.") from error


def _read_legacy(data: bytes) -> dict[str, NDArray[Any]]:
    """Five pickles (magic number, protocol, machine, table, keys), then the storages."""
    _, at = load_pickle(data)
    protocol, at = load_pickle(data, at)
    machine, at = load_pickle(data, at)
    table, at = load_pickle(data, at)
    keys, at = load_pickle(data, at)
    if type(protocol) is not int or protocol != _PROTOCOL:
        raise CheckpointError("it is of an unknown version of the format")
    if type(machine) is not dict or machine.get("little_endian") is not True:
        raise CheckpointError("its numbers are not in little-endian order")
    refs = _references(table)
    wanted = _storages(refs, len(data))
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
    return {name: _view(ref, found) for name, ref in refs.items()}


def _read_zip(data: bytes) -> dict[str, NDArray[Any]]:
    """An archive with `data.pkl` and one file `data/<key>` a storage, none of them compressed."""
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
            table, _ = load_pickle(_member(archive, tables[0], len(data)))
            refs = _references(table)
            found = {}
            for key, ref in _storages(refs, len(data)).items():
                content = _member(archive, f"{root}data/{key}", ref.nbytes)
                if len(content) != ref.nbytes:
                    raise CheckpointError("its storages have another size than it says")
                found[key] = np.frombuffer(content, ref.dtype)
    except CheckpointError:
        raise
    except Exception as error:
        # A damaged archive makes zipfile raise many things.
        raise CheckpointError(f"its archive is damaged ({type(error).__name__})") from error
    return {name: _view(ref, found) for name, ref in refs.items()}


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A file of the archive, as it lies there: PyTorch does not compress."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        raise CheckpointError("its archive is compressed, which torch.save does not do")
    if info.file_size > most:
        raise CheckpointError("its archive has files of another size than it says")
    return archive.read(info)


def _references(table: Any) -> dict[str, TensorRef]:
    # The methods of dict, since a pickle may hide those of an OrderedDict behind attributes.
    if not isinstance(table, dict):
        raise CheckpointError("it holds no state dict, a table of tensors by name")
    refs: dict[str, TensorRef] = {}
    for name, value in dict.items(table):
        if type(name) is not str or type(value) is not TensorRef:
            raise CheckpointError(
                "it holds more than a state dict: every entry must be a tensor with a name"
            )
        refs[name] = value
    return refs


def _storages(refs: Mapping[str, TensorRef], most: int) -> dict[str, StorageRef]:
    """Every storage by its key; together they are no larger than the file."""
    found: dict[str, StorageRef] = {}
    for ref in refs.values():
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
