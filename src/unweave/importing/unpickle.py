"""A restricted unpickler: it rebuilds tables of tensors and settings, and calls nothing else."""

from __future__ import annotations

__all__ = ["Settings", "StorageRef", "TensorRef", "load_pickle"]

import io
import pickle
import pickletools
from collections import OrderedDict
from types import MappingProxyType
from typing import Any, NamedTuple, final

import numpy as np

from unweave.errors import CheckpointError

# What PyTorch writes for state dicts of models and optimisers, in the pickle protocol that it
# takes: 2.
_OPCODES = frozenset({
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2",
    "LONG1", "BINFLOAT", "BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS", "BUILD", "GLOBAL",
    "REDUCE", "BINPERSID", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
})  # fmt: skip
_PUT, _GET = ("BINPUT", "LONG_BINPUT"), ("BINGET", "LONG_BINGET")
# An object whose class is named before, as the settings of a program are.
_OBJECT = "NEWOBJ"
# A state dict of 28 tensors takes about a thousand; a checkpoint with all states of optimisers,
# many times that.
_MOST_OPCODES = 60_000
# A tuple within a tuple and so on is hashed, and that recursion must end.
_TUPLES = ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3")
_MOST_TUPLES = 10_000

_STORAGES = MappingProxyType({
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1",
    "BoolStorage": "?",
})  # fmt: skip


class _StorageType(NamedTuple):
    """Stands for a storage class of PyTorch."""

    dtype: str


@final
class Settings(dict[str, Any]):
    """What a program was called with: the attributes of an `argparse.Namespace`, by name."""


class StorageRef(NamedTuple):
    """A storage as the pickle names it; nothing is checked but the types.

    Attributes:
        key: Its name in the file.
        dtype: NumPy's text of its numbers.
        length: How many numbers it has.
    """

    key: str
    dtype: str
    length: int

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.length * np.dtype(self.dtype).itemsize


class TensorRef(NamedTuple):
    """A tensor as the pickle names it; nothing is checked.

    Attributes:
        storage: Where its numbers lie.
        offset: Position of its first number.
        size: Its shape.
        stride: Distance of neighbours along each axis, in numbers.
    """

    storage: Any
    offset: Any
    size: Any
    stride: Any


def load_pickle(data: bytes, start: int = 0, *, settings: bool = False) -> tuple[Any, int]:
    """One pickle of a checkpoint, without running anything that it names.

    Its instructions are looked through before the first is obeyed: only those that PyTorch writes
    for state dicts are allowed, and no more of them than such tables can need. Then it may ask for
    `OrderedDict`, for a tensor and for the storage types, and gets stand-ins for the last two.

    Args:
        data: The file.
        start: Where the pickle begins.
        settings: Whether it may be an `argparse.Namespace`, for which it gets a stand-in.

    Returns:
        What it holds, made of plain objects, `TensorRef`, `StorageRef` and `Settings`; and where
        it ends.

    Raises:
        CheckpointError: It asks for anything else, or is damaged.
    """
    try:
        end = _scan(data, start, settings=settings)
        reader = _Unpickler(io.BytesIO(data[start:end]), settings=settings)
        value = reader.load()
        if type(value) is reader.namespace:
            value = Settings(vars(value))
        return value, end
    except CheckpointError:
        raise
    except Exception as error:
        # A damaged pickle makes the unpickler raise almost anything.
        raise CheckpointError(f"its table of tensors is damaged ({_first_line(error)})") from error


def _scan(data: bytes, start: int, *, settings: bool) -> int:
    """Refuse instructions that no checkpoint needs; the position after the pickle.

    Only texts and globals may be used twice: a tuple that holds another twice, and so on, would
    take time without end to be hashed.
    """
    stream = io.BytesIO(data)
    stream.seek(start)
    reusable: set[Any] = set()
    before = ""
    tuples = 0
    allowed = _OPCODES | {_OBJECT} if settings else _OPCODES
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        name = opcode.name
        if name not in allowed:
            raise CheckpointError(f"its pickle has the instruction {name}, which is not allowed")
        if number >= _MOST_OPCODES:
            raise CheckpointError(f"its pickle has more than {_MOST_OPCODES:,} instructions")
        tuples += name in _TUPLES
        if tuples > _MOST_TUPLES:
            raise CheckpointError(f"its pickle has more than {_MOST_TUPLES:,} tuples")
        if name in _PUT:
            # The unpickler makes room for as many entries as the highest number.
            if not isinstance(argument, int) or argument >= _MOST_OPCODES:
                raise CheckpointError(f"its pickle has an entry number {argument}")
            reusable.discard(argument)
            if before in ("BINUNICODE", "GLOBAL"):
                reusable.add(argument)
        elif name in _GET and argument not in reusable:
            raise CheckpointError("its pickle uses an entry twice that is not a text")
        before = name
    return stream.tell()


class _Unpickler(pickle.Unpickler):
    """Gives the few names that a checkpoint needs, and no other.

    What it gives cannot be changed by the pickle for later ones: tuples, a class that is closed,
    and a function and a class that are made anew.
    """

    def __init__(self, file: io.BytesIO, *, settings: bool) -> None:
        super().__init__(file)
        self._settings = settings
        self.namespace = type("Namespace", (), {})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, requires_grad, hooks: TensorRef(
                storage, offset, size, stride
            )
        if self._settings and (module, name) == ("argparse", "Namespace"):
            return self.namespace
        if module == "torch" and name in _STORAGES:
            return _StorageType(_STORAGES[name])
        raise CheckpointError(
            f"its pickle asks for {f'{module}.{name}'!r:.100}, which no checkpoint needs "
            "and which could be code; it was not run"
        )

    def persistent_load(self, pid: Any) -> StorageRef:
        # Older files have a sixth entry, for a part of another storage.
        if type(pid) is tuple and len(pid) in (5, 6) and pid[0] == "storage":
            _, kind, key, _, count = pid[:5]
            typed = type(kind) is _StorageType and type(key) is str and type(count) is int
            if typed and count > 0 and pid[5:] in ((), (None,)):
                return StorageRef(key, kind.dtype, count)
        raise CheckpointError("its pickle names a storage that is empty or in an unknown way")


def _first_line(error: Exception) -> str:
    text = str(error).split("\n")[0]
    return f"{type(error).__name__}: {text!r:.80}" if text else type(error).__name__
