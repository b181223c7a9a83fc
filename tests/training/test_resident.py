"""Images on the device are those of the store, for both encodings and for parts of a store."""

import types

import numpy as np
import pytest
import torch

from unweave.data import Selected, load_dataset
from unweave.data.pixels.build import build_store
from unweave.data.pixels.manifest import encode_images
from unweave.training import resident as module
from unweave.training.resident import resident, upload
from unweave.training.source import to_images

CPU = torch.device("cpu")


@pytest.fixture(params=["bits", "bytes"])
def store(request, tmp_path):
    most = 2 if request.param == "bits" else 256
    # 45 pixels: five bytes and a part of one.
    pixels = np.random.default_rng(0).integers(0, most, (50, 3, 5, 3), dtype=np.uint8)
    return build_store(
        tmp_path / "toy",
        text="toy",
        form={"type": "toy"},
        source="rendered",
        image_shape=(3, 5, 3),
        count=50,
        encoding=request.param,
        blocks=[encode_images(pixels, request.param)],
    )


@pytest.mark.parametrize("chunk", [1, 100, 2**28])
def test_they_are_those_of_the_store(store, monkeypatch, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    flat = np.random.default_rng(1).integers(0, 50, 20)
    found = upload(store, None, CPU).images(flat)
    expected = to_images(store.gather(flat), store.scale, CPU)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert found.stride() == expected.stride()
    assert found.dtype == torch.float32


def test_of_a_part_the_chosen_ones_come(store):
    rows = np.array([40, 3, 7, 3])
    found = upload(store, rows, CPU).images(np.array([3, 0]))
    torch.testing.assert_close(found, to_images(store.gather(rows[[3, 0]]), store.scale, CPU))


def device_with(monkeypatch, free):
    """A device that says it is CUDA with so much free memory; what is uploaded is noted."""
    uploaded = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2 * free))
    monkeypatch.setattr(module, "upload", lambda *given: uploaded.append(given) or "there")
    return types.SimpleNamespace(type="cuda"), uploaded


def test_they_move_when_half_of_the_free_memory_holds_them(store, monkeypatch):
    device, uploaded = device_with(monkeypatch, 2 * store.rows.nbytes)
    assert resident(store, device) == "there"
    assert uploaded[0][:2] == (store, None)
    device, uploaded = device_with(monkeypatch, 2 * store.rows.nbytes - 1)
    assert resident(store, device) is None
    assert not uploaded


def test_parts_of_parts_go_back_to_their_store(store, monkeypatch):
    device, uploaded = device_with(monkeypatch, 10**9)
    part = Selected(store, np.arange(10, 30), "some")
    resident(Selected(part, np.array([5, 0]), "fewer"), device)
    assert uploaded[0][0] is store
    assert uploaded[0][1].tolist() == [15, 10]


def test_on_a_processor_and_for_composed_images_nothing_moves(store, monkeypatch):
    assert resident(store, CPU) is None
    device, _ = device_with(monkeypatch, 10**9)
    assert resident(types.SimpleNamespace(count=3), device) is None


def test_the_dsprites_store_can_move():
    data = load_dataset("dsprites(grid=(3, 2, 2, 4, 4))")
    flat = np.arange(len(data))[::7]
    found = upload(data.store, None, CPU).images(flat)
    np.testing.assert_array_equal(
        found.permute(0, 2, 3, 1).numpy() * 255, data.images(flat).astype(np.float32)
    )
