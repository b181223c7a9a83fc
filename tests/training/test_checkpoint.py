"""Checkpoint files: read back exactly, or refused with a reason."""

from __future__ import annotations

import math

import pytest
import torch

from unweave.errors import RunError
from unweave.training.checkpoint import load_tensors, save_tensors


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"a": torch.arange(1000.0)}, step=7, seconds=0.5)
    return path


def test_a_saved_file_is_read_back(saved):
    checkpoint = load_tensors(saved)
    assert (checkpoint.step, checkpoint.seconds) == (7, 0.5)
    assert torch.equal(checkpoint.tensors["a"], torch.arange(1000.0))
    assert [path.name for path in saved.parent.iterdir()] == ["state.safetensors"]


def test_tensors_of_any_layout_and_type_are_kept(tmp_path):
    tensors = {
        "channels_last": torch.rand(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
        "transposed": torch.rand(3, 5).T,
        "scalar": torch.tensor(3.5),
        "whole": torch.tensor(7),
        "double": torch.rand(2, dtype=torch.float64),
        "odd": torch.tensor([math.nan, math.inf, -0.0]),
    }
    save_tensors(tmp_path / "s", tensors, step=1, seconds=0.0)
    for name, value in load_tensors(tmp_path / "s").tensors.items():
        torch.testing.assert_close(value, tensors[name], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("keep", [0, 4, 8, 50, 500, -1])
def test_a_file_that_was_cut_off_is_refused(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    with pytest.raises(RunError, match="is not a checkpoint that can be read"):
        load_tensors(saved)


def test_files_of_another_kind_are_refused(saved):
    saved.write_bytes(b"this is not a checkpoint" * 100)
    with pytest.raises(RunError, match="is not a checkpoint that can be read"):
        load_tensors(saved)
    with pytest.raises(RunError, match="does not exist: the run has no weights there yet"):
        load_tensors(saved.with_name("other"))
    with pytest.raises(RunError, match="does not exist"):
        load_tensors(saved.parent)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"format":"1"', b'"format":"9"', "has format 9, and this version reads format 1"),
        (b'"step":"7"', b'"step":"x"', "is not a checkpoint that can be read"),
        (b'"seconds":"0.5"', b'"seconds":"NaN"', "is not a checkpoint that can be read"),
        (b'"seconds":"0.5"', b'"seconds":"[2]"', "is not a checkpoint that can be read"),
        (b'"step":"7"', b'"stop":"7"', "is not a checkpoint that can be read"),
    ],
)
def test_headers_of_another_kind_are_refused(saved, old, new, reason):
    content = saved.read_bytes()
    assert old in content
    saved.write_bytes(content.replace(old, new))
    with pytest.raises(RunError, match=reason):
        load_tensors(saved)


def test_a_step_before_the_first_is_refused(saved):
    save_tensors(saved, {"a": torch.zeros(2)}, step=-1, seconds=0.5)
    with pytest.raises(RunError, match="step -1 after"):
        load_tensors(saved)
