"""Files are whole, the same for the same picture, and nothing else is touched."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from plots.rendered import pixels
from unweave.plots import kl_bars, png, save


def test_an_array_is_written_pixel_by_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    path = save(image, tmp_path / "deep" / "image.png")
    read = np.round(imread(path)[..., :3] * 255).astype(np.uint8)
    np.testing.assert_array_equal(read, image)
    grey = save(image[..., :1], tmp_path / "grey.png")
    read = np.round(imread(grey)[..., :3] * 255).astype(np.uint8)
    np.testing.assert_array_equal(read, np.repeat(image[..., :1], 3, axis=-1))


def test_a_figure_is_written_at_its_own_size(tmp_path):
    figure = kl_bars([1.0, 2.0])
    read = imread(save(figure, tmp_path / "kl.png"))
    assert read.shape[:2] == pixels(figure).shape[:2] == (416, 1280)


def test_equal_figures_are_equal_bytes_whatever_the_users_settings(tmp_path):
    first = save(kl_bars([1.0, 2.0]), tmp_path / "first.png").read_bytes()
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 17}):
        before = dict(mpl.rcParams)
        second = save(kl_bars([1.0, 2.0]), tmp_path / "second.png").read_bytes()
        assert dict(mpl.rcParams) == before
    assert first == second
    assert png(kl_bars([1.0, 2.0])) == first
    assert b"Software" not in first


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = save(kl_bars([1.0]), tmp_path / "kl.png")
    before = path.read_bytes()
    figure = kl_bars([2.0])

    def fail(handle, **_):
        handle.write(b"half")
        raise RuntimeError("the power went off")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(RuntimeError, match="power"):
        save(figure, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_other_endings_and_other_arrays_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.png"):
        save(kl_bars([1.0]), tmp_path / "kl.jpg")
    with pytest.raises(ValueError, match="picture must be a uint8 array"):
        save(np.zeros((4, 4)), tmp_path / "image.png")
    assert not list(tmp_path.iterdir())


def test_neither_pyplot_nor_torch_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from unweave.plots import kl_bars, png, save\n"
        f"save(kl_bars([1.0]), {str(tmp_path / 'kl.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
