"""Moving pictures keep their pixels, times and sizes in every format."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image, ImageSequence

from unweave.errors import SpecError, UnweaveError
from unweave.plots import Animation, check_format, run_grid, save


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def read(path):
    """Frames of a file, and milliseconds of each."""
    with Image.open(path) as picture:
        return zip(
            *[
                (np.asarray(frame.convert("RGB")), frame.info["duration"])
                for frame in ImageSequence.Iterator(picture)
            ],
            strict=True,
        )


@pytest.mark.parametrize("ending", ["gif", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_is_kept(tmp_path, ending, channels):
    # Of few colours, so that a palette holds them.
    frames = noise(5, 12, 9, channels) // 64 * 60 if channels == 3 else noise(5, 12, 9, 1)
    path = save(Animation(frames=frames, milliseconds=120), tmp_path / f"a.{ending}")
    found, times = read(path)
    np.testing.assert_array_equal(np.stack(found), np.broadcast_to(frames, (5, 12, 9, 3)))
    assert set(times) == {120}
    with Image.open(path) as picture:
        assert picture.info["loop"] == 0


def test_gifs_of_many_colours_are_near(tmp_path):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    frame = np.stack([*np.meshgrid(ramp, ramp), np.full((64, 64), 90, np.uint8)], -1)
    frames = np.stack([frame, frame[::-1], frame[:, ::-1]])
    found, _ = read(save(Animation(frames=frames), tmp_path / "a.gif"))
    assert len(found) == 3
    assert np.abs(np.stack(found).astype(int) - frames).mean() < 8


def test_equal_pictures_are_equal_bytes(tmp_path):
    one, other = (
        save(Animation(frames=noise(3, 8, 8, 3)), tmp_path / name).read_bytes()
        for name in ("a.gif", "b.gif")
    )
    assert one == other


@pytest.mark.parametrize("wrong", [{"milliseconds": 85}, {"milliseconds": 10}, {"loops": -1}])
def test_times_that_no_gif_has(wrong):
    with pytest.raises(ValueError, match="must be"):
        Animation(frames=noise(2, 4, 4, 1), **wrong)


def test_formats_that_cannot_be_written(tmp_path, monkeypatch):
    with pytest.raises(SpecError, match=r"Unknown format 'avi'.*gif, webp, mp4"):
        save(Animation(frames=noise(2, 4, 4, 1)), tmp_path / "a.avi")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r"unweave\[video\]"):
        check_format("mp4")
    assert not list(tmp_path.iterdir())


def test_an_mp4_that_cannot_be_written_is_an_error_for_the_user(tmp_path, monkeypatch):
    def write_frames(name, size, **given):
        Path(name).write_bytes(b"begun")
        yield
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    library = ModuleType("imageio_ffmpeg")
    library.write_frames = write_frames
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", library)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: library)
    film = Animation(frames=noise(2, 4, 4, 1))
    with pytest.raises(UnweaveError, match="The disk is full"):
        save(film, tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UnweaveError, match=r"a\.mp4 could not be written"):
        save(film, tmp_path / "file" / "a.mp4")
    assert (tmp_path / "file").read_text() == "mine"


# The library leaves pipes to the garbage collector.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_mp4_shows_the_frames(tmp_path):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    ramp = np.linspace(0, 255, 33).astype(np.uint8)
    frames = np.stack([np.tile(ramp, (21, 1)), np.tile(ramp[::-1], (21, 1))] * 6)[..., None]
    path = save(Animation(frames=frames, milliseconds=100), tmp_path / "a.mp4")
    reader = imageio_ffmpeg.read_frames(str(path))
    facts = next(reader)
    # Odd sides get one more pixel.
    assert facts["size"] == (34, 22)
    assert facts["fps"] == 10
    found = [np.frombuffer(frame, np.uint8).reshape(22, 34, 3) for frame in reader]
    assert len(found) == 12
    for frame, expected in zip(found, frames, strict=True):
        assert np.abs(frame[:21, :33].astype(int) - expected).mean() < 8
    assert list(tmp_path.iterdir()) == [path]


class TestRunGrid:
    def test_panels_stand_in_their_places_with_seven_pixels_around(self):
        panels = [noise(10, 12, 3, seed=k) for k in range(3)]
        made = run_grid(panels, [(0, 0), (0, 1), (1, 1)])
        assert made.shape == (2 * 10 + 3 * 7, 2 * 12 + 3 * 7, 3)
        expected = np.full_like(made, 255)
        expected[7:17, 7:19] = panels[0]
        expected[7:17, 26:38] = panels[1]
        expected[24:34, 26:38] = panels[2]
        np.testing.assert_array_equal(made, expected)

    def test_words_leave_the_panels_as_they_are(self):
        panels = [noise(40, 60, 1, seed=k) for k in range(2)]
        made = run_grid(panels, [(0, 0), (1, 0)], ["vae\non dsprites", "beta_vae"], ["dsprites"])
        plain = run_grid(panels, [(0, 0), (1, 0)])
        height, width = plain.shape[:2]
        np.testing.assert_array_equal(made[-height:, -width:], plain)
        assert (made[-height:, :-width] < 128).any()
        assert (made[:-height] < 128).any()

    def test_long_words_stay_over_and_beside_their_panels(self):
        panels = [noise(20, 90, 1, seed=k) for k in range(2)]
        words = ["only(data=dsprites(grid=(3, 2)), where='shape == 1 and scale > 2')", "dsprites"]
        made = run_grid(panels, [(0, 0), (0, 1)], columns=words)
        head = made[: -(20 + 2 * 7)]
        for gap in (0, 7 + 90, 2 * (7 + 90)):
            assert (head[:, gap + 1 : gap + 6] == 255).all()
        assert (head[:, 7:97] < 128).any()
        assert (head[:, 104:194] < 128).any()
        made = run_grid(panels, [(0, 0), (1, 0)], ["H\nH\nH\nH"] * 2)
        column = (made[:, :-104] < 128).any(axis=(1, 2))
        # Eight lines, none over another.
        assert np.diff(np.flatnonzero(np.diff(column.astype(int)) == 1)).min() > 8
        assert (np.diff(column.astype(int)) == 1).sum() == 8

    def test_moving_panels_of_all_lengths_go_on(self):
        long, short = (
            Animation(frames=noise(n, 6, 6, 1, seed=n), milliseconds=80) for n in (4, 3)
        )
        still = noise(6, 6, 3)
        made = run_grid([long, short, still], [(0, 0), (0, 1), (0, 2)], gap=1)
        assert made.frames.shape == (4, 8, 22, 3)
        np.testing.assert_array_equal(made.frames[3, 1:7, 1:7, 0], long.frames[3, ..., 0])
        np.testing.assert_array_equal(made.frames[3, 1:7, 8:14, 0], short.frames[0, ..., 0])
        for frame in made.frames:
            np.testing.assert_array_equal(frame[1:7, 15:21], still)
        assert made.milliseconds == 80

    def test_nothing_and_different_times_are_refused(self):
        with pytest.raises(ValueError, match="at least one"):
            run_grid([], [])
        films = [Animation(frames=noise(2, 4, 4, 1), milliseconds=ms) for ms in (80, 100)]
        with pytest.raises(ValueError, match="same time"):
            run_grid(films, [(0, 0), (0, 1)])
