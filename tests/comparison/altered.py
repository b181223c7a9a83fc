"""Copies of a run whose weights are changed in ways of which the outcome is known."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from session.runs import RICH, document, folder_for_runs, rich
from unweave.rundir import write_json

# Latent k of the turned copy is latent ORDER[k] of the run, upside down where SIGNS[k] is -1.
ORDER = (2, 0, 3, 1)
SIGNS = (1.0, -1.0, -1.0, 1.0)


def altered(run: Path, name: str, change, **settings) -> Path:
    """A copy of a run with changed tensors of its model, and other settings."""
    folder = folder_for_runs() / name
    shutil.copytree(run, folder)
    config = document(folder / "config.json") | settings
    (folder / "config.json").write_text(json.dumps(config))
    path = folder / "checkpoint" / "state.safetensors"
    with safetensors.safe_open(path, framework="pt") as handle:
        header = handle.metadata()
    state = safetensors.torch.load_file(path)
    change(state)
    safetensors.torch.save_file({k: v.contiguous() for k, v in state.items()}, path, header)
    return folder


def turn(state: dict[str, torch.Tensor]) -> None:
    """The same model with its latents in another order, two of them upside down."""
    order, signs = torch.tensor(ORDER), torch.tensor(SIGNS)
    for name in ("model/head.weight", "model/head.bias"):
        mean, logvar = state[name].chunk(2)
        shape = (-1, *[1] * (mean.ndim - 1))
        state[name] = torch.cat([mean[order] * signs.view(shape), logvar[order]])
    state["model/decoder.0.weight"] = state["model/decoder.0.weight"][:, order] * signs


def sharpen(state: dict[str, torch.Tensor]) -> None:
    """Codes that spread more, so that a run of few steps uses all of its latents."""
    weight = state["model/head.weight"]
    half = len(weight) // 2
    weight[:half] *= 20


def shake(state: dict[str, torch.Tensor]) -> None:
    """Weights as another training might have left them."""
    noise = torch.Generator().manual_seed(5)
    for name, tensor in state.items():
        if name.startswith("model/"):
            state[name] = tensor * (1 + 0.3 * torch.randn(tensor.shape, generator=noise))


def switch_off(state: dict[str, torch.Tensor]) -> None:
    """The last latent carries nothing: its posterior is the prior."""
    for name in ("model/head.weight", "model/head.bias"):
        half = len(state[name]) // 2
        state[name][[half - 1, 2 * half - 1]] = 0


@functools.cache
def base() -> Path:
    """A run that uses all of its four latents, with a score; tests leave it as it is."""
    folder = altered(rich(), "base", sharpen)
    give_scores(folder, 0.1)
    return folder


@functools.cache
def turned() -> Path:
    """`base` with its latents in another order, as if of another seed."""
    folder = altered(base(), "turned", turn, seed=4)
    give_scores(folder, 0.3)
    return folder


@functools.cache
def shaken() -> Path:
    """Another model, of other settings, one of whose latents carries nothing."""

    def change(state: dict[str, torch.Tensor]) -> None:
        shake(state)
        switch_off(state)

    folder = altered(base(), "shaken", change, batch_size=8)
    give_scores(folder, 0.6)
    return folder


def give_scores(folder: Path, value: float, **changes) -> None:
    """Scores as if the run had been scored, which would take a second."""
    matrix = {
        "rows": ["z0", "z1", "z2", "z3"],
        "columns": ["scale", "pos_x"],
        "values": [[0.9, 0.0], [0.0, 0.1], [0.0, 0.8], [0.1, 0.0]],
        "label": "mutual information (nats)",
    }
    row = {
        "metric": "mig", "text": "mig", "protocol": "unweave/1", "value": value,
        "parts": {"scale": 0.8, "pos_x": 0.7}, "matrix": matrix, "data": RICH,
        "source": "rendered", "part": "all", "codes": "mean", "precision": "float32",
        "samples": 384, "seed": 0, "step": 24, "unweave": "0.1.0",
    }  # fmt: skip
    write_json(folder / "scores.json", {"format": 1, "scores": [row | changes]})
