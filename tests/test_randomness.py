"""Keyed random streams: pure functions of seed, purpose and step."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unweave.randomness import Streams, derive

CPU = torch.device("cpu")


@given(st.integers(0, 2**63), st.text(max_size=20), st.integers(0, 2**40))
def test_derived_seeds_are_whole_numbers_of_63_bits(seed, purpose, step):
    derived = derive(seed, purpose, step)
    assert 0 <= derived < 2**63
    assert derive(seed, purpose, step) == derived


def test_derived_seeds_are_fixed_for_good():
    # Runs are resumed across versions: these numbers must never change.
    assert derive(0, "model weights") == 8250135494567013232
    assert derive(7, "posterior", 12_345) == 4814861840764743322


def test_every_part_of_the_key_counts():
    keys = itertools.product((0, 1, 10), ("a", "b", "1/a"), (0, 1, 10))
    derived = [derive(*key) for key in keys]
    assert len(set(derived)) == len(derived)


def test_a_purpose_gives_the_same_numbers_however_often_it_is_asked():
    streams = Streams(3, 8, CPU)
    one = streams.normal("noise", 4, 5)
    streams.normal("other", 100)
    assert torch.equal(streams.normal("noise", 4, 5), one)
    assert torch.equal(Streams(3, 8, CPU).normal("noise", 4, 5), one)
    for other in (Streams(4, 8, CPU), Streams(3, 9, CPU)):
        assert not torch.equal(other.normal("noise", 4, 5), one)
    assert not torch.equal(streams.normal("other", 4, 5), one)


def test_without_noise_normal_draws_are_zero_and_others_are_as_before():
    noisy, quiet = Streams(3, 8, CPU), Streams(3, 8, CPU, noiseless=True)
    assert torch.equal(quiet.normal("noise", 4, 5), torch.zeros(4, 5))
    assert torch.equal(quiet.permutations("order", 9, 2), noisy.permutations("order", 9, 2))


def test_normal_draws_are_standard_normal():
    draws = Streams(0, 1, CPU).normal("noise", 1000, 100)
    assert draws.dtype == torch.float32
    assert draws.shape == (1000, 100)
    assert draws.mean().item() == pytest.approx(0, abs=0.02)
    assert draws.var().item() == pytest.approx(1, rel=0.03)
    assert (draws.abs() > 1.96).float().mean().item() == pytest.approx(0.05, abs=0.005)


def test_noise_of_successive_steps_is_uncorrelated():
    steps = torch.stack([Streams(0, step, CPU).normal("noise", 5000) for step in range(1, 9)])
    correlation = torch.corrcoef(steps) - torch.eye(8)
    assert correlation.abs().max() < 0.07


def test_permutations_are_one_for_each_column_and_independent():
    order = Streams(0, 1, CPU).permutations("latents", 40, 12)
    assert order.shape == (40, 12)
    assert order.dtype == torch.int64
    assert (order.sort(dim=0).values == torch.arange(40)[:, None]).all()
    columns = {tuple(column.tolist()) for column in order.T}
    assert len(columns) == 12
    # Each place gets each row equally often over many draws.
    counts = torch.zeros(5, 5)
    for step in range(1, 101):
        drawn = Streams(0, step, CPU).permutations("latents", 5, 20)
        for place in range(5):
            counts[place] += torch.bincount(drawn[place], minlength=5)
    expected = 100 * 20 / 5
    assert ((counts - expected).square() / expected).sum() < 45  # chi square, 16 degrees


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = Streams(0, 1, CPU).normal("noise", 3)
    order = Streams(0, 1, CPU).permutations("latents", 6, 2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(1)
    assert torch.equal(Streams(0, 1, CPU).normal("noise", 3), one)
    assert torch.equal(Streams(0, 1, CPU).permutations("latents", 6, 2), order)
