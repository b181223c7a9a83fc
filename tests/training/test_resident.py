"""Images on the device are those of the store, for both encodings and for parts of a store."""

import types

import numpy as np
import pytest
import torch

from unweave.data import Selected, load_dataset
from unweave.data.pixels.build import build_store
from unweave.data.pixels.manifest import encode_images
from unweave.training import resident as module
from unweave.training.resident import resident
from unweave.training.source import to_images

CPU = torch.device("cpu")
SMALL_DSPRITES = "dsprites(grid=(3, 2, 2, 4, 4))"


def moved(monkeypatch, images, free=10**9):
    """What `resident` gives on a CUDA device of so much free memory, for which this stands in.

    The stand-in is asked for its kind and its memory; the tensors lie on the processor.
    """
    upload = module.upload
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 2 * free))
    with monkeypatch.context() as patch:
        patch.setattr(module, "upload", lambda store, device: upload(store, CPU))
        return resident(images, types.SimpleNamespace(type="cuda"))


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
        blocks=lambda first: [encode_images(pixels, request.param)],
    )


@pytest.mark.parametrize("chunk", [1, 100, 2**28])
def test_they_are_those_of_the_store(store, monkeypatch, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    flat = np.random.default_rng(1).integers(0, 50, 20)
    found = moved(monkeypatch, store).images(flat)
    expected = to_images(store.gather(flat), store.scale, CPU)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert found.stride() == expected.stride()
    assert found.dtype == torch.float32


def test_of_a_part_the_chosen_ones_come(store, monkeypatch):
    rows = np.array([40, 3, 7, 3])
    found = moved(monkeypatch, Selected(store, rows, "some")).images(np.array([3, 0]))
    torch.testing.assert_close(found, to_images(store.gather(rows[[3, 0]]), store.scale, CPU))


def test_they_move_when_half_of_the_free_memory_holds_them(store, monkeypatch):
    assert moved(monkeypatch, store, 2 * store.rows.nbytes) is not None
    assert moved(monkeypatch, store, 2 * store.rows.nbytes - 1) is None


def test_parts_of_parts_go_back_to_their_store(store, monkeypatch):
    part = Selected(store, np.arange(10, 30), "some")
    found = moved(monkeypatch, Selected(part, np.array([5, 0]), "fewer"))
    assert len(found.rows) == 50
    expected = to_images(store.gather(np.array([10, 15])), store.scale, CPU)
    torch.testing.assert_close(found.images(np.array([1, 0])), expected, rtol=0, atol=0)


def test_on_a_processor_and_for_images_drawn_when_read_nothing_moves(store, monkeypatch):
    assert resident(store, CPU) is None
    assert moved(monkeypatch, load_dataset("circles").store) is None
    assert moved(monkeypatch, load_dataset(f"color_dsprites(data={SMALL_DSPRITES})").store) is None


@pytest.mark.parametrize(
    "text",
    [
        SMALL_DSPRITES,
        f"subset(data={SMALL_DSPRITES}, images=40)",
        "shapes3d(grid=(3, 2, 4, 2, 4, 2))",
        "only(data=shapes3d(grid=(3, 2, 4, 2, 4, 2)), where=\"shape != 'cube'\")",
    ],
)
def test_the_images_of_datasets_are_equal_on_a_device(text, monkeypatch):
    data = load_dataset(text)
    flat = np.random.default_rng(2).permutation(len(data))[:30]
    found = moved(monkeypatch, data.store).images(flat)
    expected = to_images(data.store.gather(flat), data.store.scale, CPU)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert found.stride() == expected.stride()
