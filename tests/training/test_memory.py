"""What the C libraries under PyTorch are told."""

from __future__ import annotations

import sys

import pytest
import torch

from unweave.settings import make_config
from unweave.training.memory import keep_freed_memory, restart_workers
from unweave.training.precision import resolve, training_process

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks glibc and libgomp")


def flushed() -> float:
    """Share of products that are subnormal and were taken as zero, over all worker threads."""
    return float((torch.full((1_000_000,), 1e-38) * 1e-3 == 0).double().mean())


@linux
def test_the_allocator_takes_the_setting():
    assert keep_freed_memory()


@linux
def test_workers_that_ran_before_treat_subnormal_numbers_as_the_training_does(mini):
    config = resolve(make_config(mini, "vae", steps=1, threads=2))
    torch.set_num_threads(2)
    torch.ones(1_000_000).exp().sum()
    assert flushed() == 0
    assert restart_workers()
    with training_process(config):
        assert flushed() == 1
    assert flushed() == 0


def test_a_block_leaves_the_process_as_it_was(mini):
    torch.set_num_threads(2)
    config = resolve(make_config(mini, "vae", steps=1, threads=1))
    with training_process(config):
        assert torch.get_num_threads() == 1
        assert torch.backends.cudnn.deterministic
    assert torch.get_num_threads() == 2
    assert not torch.backends.cudnn.deterministic
