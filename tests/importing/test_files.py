"""Both file formats of PyTorch, and everything that is not one of them."""

from __future__ import annotations

import io
import os
import pickle
import tracemalloc
import zipfile
from typing import ClassVar

import numpy as np
import pytest
import torch

from reference.disvae_checkpoint import legacy_file, table, text, whole
from unweave.errors import CheckpointError
from unweave.importing.files import read_state
from unweave.importing.unpickle import load_pickle

rng = np.random.default_rng(3)
SMALL = {
    "a.weight": rng.normal(size=(3, 4)).astype(np.float32),
    "a.bias": rng.normal(size=3).astype(np.float32),
    "b.weight": rng.normal(size=(2, 3, 1, 5)).astype(np.float32),
}


def saved(state, *, modern: bool) -> bytes:
    buffer = io.BytesIO()
    tensors = {name: torch.from_numpy(value) for name, value in state.items()}
    torch.save(tensors, buffer, _use_new_zipfile_serialization=modern)
    return buffer.getvalue()


def read(tmp_path, data: bytes):
    path = tmp_path / "model.pt"
    path.write_bytes(data)
    return read_state(path)


FILES = {
    "by hand": legacy_file(SMALL),
    "legacy": saved(SMALL, modern=False),
    "zip": saved(SMALL, modern=True),
}


@pytest.mark.parametrize("kind", FILES)
def test_every_tensor_is_read(tmp_path, kind):
    found = read(tmp_path, FILES[kind])
    assert found.serialisation == ("zip" if kind == "zip" else "legacy")
    assert list(found.tensors) == list(SMALL)
    for name, value in SMALL.items():
        assert found.tensors[name].dtype == np.float32
        np.testing.assert_array_equal(found.tensors[name], value)
        assert not found.tensors[name].flags.writeable


def test_the_file_by_hand_is_one_of_pytorch():
    found = torch.load(io.BytesIO(FILES["by hand"]), weights_only=True)
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in SMALL.items()
    }


@pytest.mark.parametrize("modern", [False, True])
def test_a_module_with_metadata_shared_storages_and_other_types(tmp_path, modern):
    module = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 2), torch.nn.BatchNorm2d(3))
    state = module.state_dict()
    both = torch.arange(12.0).reshape(3, 4)
    state["turned"], state["part"] = both.T, both[1:, ::2]
    state["double"], state["half"] = torch.rand(3, dtype=torch.float64), torch.rand(3).half()
    buffer = io.BytesIO()
    torch.save(state, buffer, _use_new_zipfile_serialization=modern)
    found = read(tmp_path, buffer.getvalue()).tensors
    assert found.keys() == state.keys()
    for name, value in state.items():
        np.testing.assert_array_equal(found[name], value.numpy())
        assert found[name].dtype == value.numpy().dtype
        assert found[name].shape == tuple(value.shape)


NOT_CHECKPOINTS = {
    "empty": b"",
    "text": b"this is no checkpoint\n",
    "random": np.random.default_rng(0).bytes(5000),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "another pickle": pickle.dumps({"a": 1}),
    "an archive": b"PK\x03\x04" + bytes(100),
    "magic number alone": FILES["legacy"][:14],
    "a list": legacy_file(SMALL, table_bytes=pickle.dumps([1, 2], 2)),
    "numbers by name": legacy_file(SMALL, table_bytes=pickle.dumps({"a": 1}, 2)),
    "tensors by number": legacy_file(
        {"": SMALL["a.bias"]}, table_bytes=table({"": SMALL["a.bias"]}).replace(text(""), b"K\x00")
    ),
    "too few storages": legacy_file(SMALL, keys=["900", "901"]),
    "a storage twice": legacy_file(SMALL, keys=["900", "901", "901"]),
    "other storages": legacy_file(SMALL, keys=["900", "901", "x"]),
    "big endian": FILES["by hand"].replace(text("little_endian")[1:] + b"q\x02\x88",
                                           text("little_endian")[1:] + b"q\x02\x89"),
    "a model as a whole": pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", NOT_CHECKPOINTS)
def test_what_is_no_checkpoint(tmp_path, kind):
    with pytest.raises(CheckpointError, match=r"model\.pt is not a checkpoint") as caught:
        read(tmp_path, NOT_CHECKPOINTS[kind])
    assert "\n" not in str(caught.value)


def test_the_change_of_endianness_is_one():
    assert NOT_CHECKPOINTS["big endian"] != FILES["by hand"]


def test_what_is_no_file(tmp_path):
    with pytest.raises(CheckpointError, match="does not exist"):
        read_state(tmp_path / "nothing.pt")
    with pytest.raises(CheckpointError, match="not a file"):
        read_state(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CheckpointError, match="not a file"):
        read_state(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as handle:
        handle.truncate(2**24 + 1)
    with pytest.raises(CheckpointError, match="more than 16,777,216 bytes"):
        read_state(tmp_path / "large")


@pytest.mark.parametrize("kind", ["by hand", "legacy"])
def test_every_cut_is_noticed(tmp_path, kind):
    data = FILES[kind]
    for end in range(0, len(data), 7):
        with pytest.raises(CheckpointError):
            read(tmp_path, data[:end])


def test_every_cut_of_an_archive_is_noticed(tmp_path):
    data = FILES["zip"]
    for end in range(0, len(data), 31):
        with pytest.raises(CheckpointError):
            read(tmp_path, data[:end])


# Of pickletools, about names that are no names.
@pytest.mark.filterwarnings("ignore:invalid escape")
@pytest.mark.parametrize("kind", FILES)
def test_changed_bytes_are_noticed_or_harmless(tmp_path, kind):
    data = FILES[kind]
    draw = np.random.default_rng(11)
    refused = []
    for _ in range(250):
        changed = bytearray(data)
        for place in draw.integers(0, len(data), draw.integers(1, 4)):
            changed[place] = draw.integers(256)
        try:
            read(tmp_path, bytes(changed))
        except CheckpointError as error:
            refused.append(str(error))
    assert len(refused) > 60
    assert "\n" not in "".join(refused)


IMPOSSIBLE = {
    "offset beyond": {"offset": 13},
    "offset before": {"offset": -1},
    "size too large": {"size": (3, 5)},
    "size negative": {"size": (-3, -4)},
    "size empty": {"size": (0, 4)},
    "stride beyond": {"stride": (5, 1)},
    "stride negative": {"stride": (-4, 1)},
    "a stride for each axis": {"stride": (1,)},
    "one number seen a million times": {"size": (10**6,), "stride": (0,)},
    "endless": {"size": (2**70,), "stride": (1,)},
    "far": {"offset": 2**70},
    "many axes": {"size": (1,) * 9, "stride": (1,) * 9},
    "storage too long": {"length": 13},
    "storage endless": {"length": 2**62},
    "storage beyond all": {"length": 2**900},
    "storage negative": {"length": -12},
    "storage empty": {"length": 0},
    "storage of doubles": {"kind": b"DoubleStorage"},
    "storage of no kind": {"kind": b"FloatTensor"},
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_a_tensor_stays_inside_of_its_storage(tmp_path, kind):
    state = {"a": SMALL["a.weight"]}
    with pytest.raises(CheckpointError):
        read(tmp_path, legacy_file(state, table_bytes=table(state, **IMPOSSIBLE[kind])))


def test_a_tensor_may_be_a_part_of_its_storage(tmp_path):
    state = {"a": SMALL["a.weight"]}
    changes = {"size": (2, 1, 2), "stride": (4, 2**80, 3), "offset": 4}
    found = read(tmp_path, legacy_file(state, table_bytes=table(state, **changes))).tensors["a"]
    np.testing.assert_array_equal(found, state["a"][1:, None, ::3])


def test_an_archive_may_not_be_compressed(tmp_path):
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(10**7))
    with pytest.raises(CheckpointError, match="compressed"):
        read(tmp_path, small.getvalue())


def test_two_tables_in_an_archive(tmp_path):
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        archive.writestr("x/data.pkl", b"")
        archive.writestr("y/data.pkl", b"")
    with pytest.raises(CheckpointError, match="without a table"):
        read(tmp_path, small.getvalue())


class TestPayloads:
    """Pickles that would run code, were they obeyed."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    @pytest.fixture(params=["legacy", "zip"])
    def file(self, request):
        """From the pickle of a table to a file of either format."""

        def make(pickled: bytes) -> bytes:
            if request.param == "legacy":
                return legacy_file(SMALL, table_bytes=pickled)
            changed = io.BytesIO()
            with zipfile.ZipFile(io.BytesIO(FILES["zip"])) as old, \
                    zipfile.ZipFile(changed, "w") as new:  # fmt: skip
                for name in old.namelist():
                    new.writestr(name, pickled if name.endswith(".pkl") else old.read(name))
            return changed.getvalue()

        return make

    CALLS: ClassVar[dict] = {
        "os.system": b"cos\nsystem\n" + text("touch ran") + b"\x85R",
        "posix.system": b"cposix\nsystem\n" + text("touch ran") + b"\x85R",
        "eval": b"cbuiltins\neval\n" + text("open('ran', 'w').close()") + b"\x85R",
        "eval of Python 2": b"c__builtin__\neval\n" + text("open('ran')") + b"\x85R",
        "exec": b"cbuiltins\nexec\n" + text("open('ran', 'w').close()") + b"\x85R",
        "getattr": b"cbuiltins\ngetattr\nccollections\nOrderedDict\n" + text("x") + b"\x86R",
        "a dotted name": b"ccollections\nOrderedDict.fromkeys\n)R",
        "another of torch": b"ctorch\nload\n" + text("ran") + b"\x85R",
        "another rebuilder": b"ctorch._utils\n_rebuild_parameter\n)R",
        "an object": b"cos\nPathLike\n)\x81",
    }

    @pytest.mark.parametrize("place", ["hooks", "metadata"])
    @pytest.mark.parametrize("name", CALLS)
    def test_nothing_runs(self, tmp_path, file, place, name):
        call = self.CALLS[name]
        metadata = b"}" + text("_metadata") + call + b"sb"
        pickled = table(SMALL, **{place: call if place == "hooks" else metadata})
        with pytest.raises(CheckpointError, match=r"was not run|not allowed"):
            read(tmp_path, file(pickled))
        assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]

    def test_the_payloads_would_run(self, tmp_path):
        for name in ("os.system", "eval", "exec"):
            pickle.loads(b"\x80\x02" + self.CALLS[name] + b".")
            (tmp_path / "ran").unlink()

    def test_a_payload_before_the_table(self, tmp_path):
        for number in range(3):
            data = FILES["by hand"]
            at = 0
            for _ in range(number):
                _, at = load_pickle(data, at)
            payload = b"\x80\x02" + self.CALLS["os.system"] + b"."
            with pytest.raises(CheckpointError):
                read(tmp_path, data[:at] + payload + data[at:])
        assert not (tmp_path / "ran").exists()

    def test_the_methods_of_the_table_cannot_be_replaced(self, tmp_path, file):
        hidden = b"}" + text("items") + b"NsN\x86b"
        plain = b"}" + text("items") + b"Nsb"
        for metadata in (hidden, plain):
            try:
                found = read(tmp_path, file(table(SMALL, metadata=metadata))).tensors
            except CheckpointError:
                continue
            assert list(found) == list(SMALL)

    def test_what_the_unpickler_gives_cannot_be_changed_for_later(self, tmp_path):
        for target in (b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nFloatStorage\n",
                       b"ccollections\nOrderedDict\n"):  # fmt: skip
            state = b"N}" + text("__doc__") + text("bad") + b"s" + text("key") + b"K\x01s\x86b."
            with pytest.raises(CheckpointError):
                read(tmp_path, legacy_file(SMALL, table_bytes=b"\x80\x02" + target + state))
        assert list(read(tmp_path, FILES["by hand"]).tensors) == list(SMALL)

    BOMBS: ClassVar[dict] = {
        "a large entry number": b"\x80\x02)r\xff\xff\xff\xff.",
        "a text longer than the file": b"\x80\x02X\xff\xff\xff\xffabc.",
        "bytes longer than memory": b"\x80\x04\x8e" + b"\xff" * 7 + b"\x0fabc.",
        "a tuple in a tuple and so on": b"\x80\x02)q\x00"
        + b"".join(b"h" + bytes([i]) * 1 + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1])
                   for i in range(60)) + b"K\x01s.",
        "a deep tuple as a name": b"\x80\x02})" + b"\x85" * 200_000 + b"K\x01s.",
        "many entries": b"\x80\x02]" + b"]a" * 10_000 + b".",
        "twice the same object": b"\x80\x02)2\x86.",
    }  # fmt: skip

    @pytest.mark.parametrize("name", BOMBS)
    def test_neither_time_nor_memory_without_end(self, tmp_path, file, name):
        tracemalloc.start()
        try:
            with pytest.raises(CheckpointError):
                read(tmp_path, file(self.BOMBS[name]))
            assert tracemalloc.get_traced_memory()[1] < 20e6
        finally:
            tracemalloc.stop()

    def test_storages_may_not_overlap_into_more_than_the_file(self, tmp_path):
        state = {f"t{i}": SMALL["a.weight"] for i in range(20)}
        pickled = table(state, length=1000, size=(3, 4), stride=(4, 1))
        with pytest.raises(CheckpointError, match="cut off"):
            read(tmp_path, legacy_file(state, table_bytes=pickled))


def test_numbers_are_as_pickle_reads_them():
    for value in (0, 1, -1, 255, 256, 2**70, -(2**70)):
        assert load_pickle(b"\x80\x02" + whole(value) + b".") == (value, len(whole(value)) + 3)
