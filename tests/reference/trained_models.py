"""Tiny runs on which fitness is tested, and copies of them with other weights."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable
from pathlib import Path

import safetensors
import safetensors.torch
import torch

import unweave
from session.runs import TINY, folder_for_runs
from unweave.run import Run

DATA = "dsprites(grid=(3, 2, 4, 4, 4))"
IMAGES = 384
LATENTS = 4


@functools.cache
def run(
    seed: int = 0,
    objective: str = "beta_vae(beta=4)",
    dataset: str = DATA,
    latents: int = LATENTS,
) -> Run:
    """A finished training of a few steps, which every test leaves as it is."""
    settings = {**TINY, "steps": 4, "latents": latents, "seed": seed, "device": "cpu"}
    return unweave.train(dataset, objective, out=folder_for_runs() / "run", **settings)


def changed(source: Run, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Run:
    """A copy of a run whose weights are others."""
    folder = Path(shutil.copytree(source.folder, folder_for_runs() / "run"))
    path = folder / "checkpoint" / "state.safetensors"
    with safetensors.safe_open(path, framework="pt") as handle:
        header = handle.metadata()
    state = safetensors.torch.load_file(path)
    for name, tensor in state.items():
        if name.startswith("model/"):
            state[name] = change(name, tensor).to(tensor.dtype).contiguous()
    safetensors.torch.save_file(state, path, header)
    return unweave.load_run(folder)


@functools.cache
def broken() -> Run:
    """A run whose codes are no numbers."""
    return changed(run(), lambda name, tensor: tensor * float("nan"))
