"""Weights that the disentangling-vae project published, as a model of ours.

The published weights are a state dict in PyTorch's older file format. The rows of its head are
interleaved: mean, log variance, mean, ...; ours has all means first.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.vae import VAE

__all__ = ["published_losses", "published_model"]

# Published name -> ours, in the order in which a batch passes.
_LAYERS_64 = {
    "encoder.conv1": "trunk.0", "encoder.conv2": "trunk.2", "encoder.conv3": "trunk.4",
    "encoder.conv_64": "trunk.6", "encoder.lin1": "trunk.9", "encoder.lin2": "trunk.11",
    "decoder.lin1": "decoder.0", "decoder.lin2": "decoder.2", "decoder.lin3": "decoder.4",
    "decoder.convT_64": "decoder.7", "decoder.convT1": "decoder.9",
    "decoder.convT2": "decoder.11", "decoder.convT3": "decoder.13",
}  # fmt: skip
_LAYERS_32 = {
    "encoder.conv1": "trunk.0", "encoder.conv2": "trunk.2", "encoder.conv3": "trunk.4",
    "encoder.lin1": "trunk.7", "encoder.lin2": "trunk.9",
    "decoder.lin1": "decoder.0", "decoder.lin2": "decoder.2", "decoder.lin3": "decoder.4",
    "decoder.convT1": "decoder.7", "decoder.convT2": "decoder.9", "decoder.convT3": "decoder.11",
}  # fmt: skip


def published_model(folder: Path, image_shape: tuple[int, int, int]) -> VAE:
    """The model of a folder `model.pt`, every tensor of which must find its place."""
    given = torch.load(folder / "model.pt", map_location="cpu", weights_only=True)
    layers = _LAYERS_64 if image_shape[0] == 64 else _LAYERS_32
    state = {}
    for theirs, ours in layers.items():
        for kind in ("weight", "bias"):
            state[f"{ours}.{kind}"] = given.pop(f"{theirs}.{kind}")
    for kind in ("weight", "bias"):
        rows = given.pop(f"encoder.mu_logvar_gen.{kind}")
        state[f"head.{kind}"] = torch.cat([rows[0::2], rows[1::2]])
    assert not given, f"unused: {list(given)}"
    model = VAE(Burgess(), image_shape, len(state["head.bias"]) // 2, Bernoulli())
    model.load_state_dict(state)
    return model.eval()


def published_losses(folder: Path) -> dict[str, float]:
    """Its test losses: sums over the images of one batch of 1,000, divided by 738 batches."""
    logged: dict[str, float] = json.loads((folder / "test_losses.log").read_text())
    return {name: 738 * value for name, value in logged.items()}
