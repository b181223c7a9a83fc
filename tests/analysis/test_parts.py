"""Networks beside the model come back from a checkpoint, or are said to be missing."""

from __future__ import annotations

import pytest
import torch

from unweave.analysis import load_parts
from unweave.errors import RunError
from unweave.nn import Burgess, LatentDiscriminator
from unweave.nn.initialise import construct
from unweave.objectives import Setup, parse_objective

CPU = torch.device("cpu")
FACTOR = parse_objective("factor_vae")


def setup(latents):
    return Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=latents)


def tensors(latents):
    made = construct(lambda: LatentDiscriminator(latents), torch.Generator().manual_seed(1))
    return {f"part/discriminator/{name}": value for name, value in made.state_dict().items()}


def test_weights_come_back():
    saved = tensors(4) | {"model/head.bias": torch.zeros(8)}
    found = load_parts(FACTOR, setup(4), saved, CPU)
    assert list(found) == ["discriminator"]
    assert not found["discriminator"].training
    for name, value in found["discriminator"].state_dict().items():
        assert torch.equal(value, saved[f"part/discriminator/{name}"])


def test_what_has_no_weights_is_left_out():
    assert load_parts(FACTOR, setup(4), {"model/head.bias": torch.zeros(8)}, CPU) == {}
    assert load_parts(parse_objective("vae"), setup(4), tensors(4), CPU) == {}


def test_weights_that_do_not_fit():
    with pytest.raises(RunError, match="discriminator in the checkpoint do not fit factor_vae"):
        load_parts(FACTOR, setup(5), tensors(4), CPU)
    fewer = tensors(4)
    del fewer["part/discriminator/layers.0.bias"]
    with pytest.raises(RunError, match=r"layers\.0\.bias"):
        load_parts(FACTOR, setup(4), fewer, CPU)
