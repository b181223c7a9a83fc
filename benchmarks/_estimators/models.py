"""The weights that are measured: a run, a snapshot, published weights, or a short training."""

from __future__ import annotations

__all__ = ["Weights", "load", "train_early"]

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import final

import torch

import unweave
from unweave.errors import RunError
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.session import read_config
from unweave.training.checkpoint import load_tensors
from unweave.vae import VAE

# Published name -> ours, of the encoder for images of 64x64.
_TRUNK = {"conv1": 0, "conv2": 2, "conv3": 4, "conv_64": 6, "lin1": 9, "lin2": 11}


@final
@dataclass(frozen=True)
class Weights:
    """A model to measure.

    Attributes:
        name: Its name in the table.
        about: Where it comes from, for people.
        model: The VAE; only its encoder is used.
    """

    name: str
    about: str
    model: VAE

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that differ between different encoders."""
        state = hashlib.sha256()
        for network in (self.model.trunk, self.model.head):
            for value in network.state_dict().values():
                state.update(value.contiguous().numpy().tobytes())
        return state.hexdigest()[:12]


def load(name: str, path: Path) -> Weights:
    """Weights of a run folder, of a file in its `snapshots/`, or of a published `model.pt`.

    Raises:
        RunError: There is no such file, or it cannot be read.
    """
    if not path.exists():
        raise RunError(f"{path} does not exist. Name a run folder, a snapshot or a model.pt.")
    if path.suffix == ".pt":
        return Weights(name, f"published weights {path.parent.name}", _published(path))
    folder = path if path.is_dir() else path.parent.parent
    file = folder / "checkpoint" / "state.safetensors" if path.is_dir() else path
    config, checkpoint = read_config(folder), load_tensors(file)
    model = VAE.create(
        config.architecture,
        config.dataset.image_shape,
        config.latents,
        config.likelihood,
        torch.Generator(),
    )
    tensors = checkpoint.tensors.items()
    state = {k.removeprefix("model/"): v for k, v in tensors if k.startswith("model/")}
    model.load_state_dict(state)
    return Weights(name, f"{config.objective}, step {checkpoint.step:,}", model.eval())


def train_early(folder: Path, dataset: str, objective: str, steps: int) -> Path:
    """A short training, gone on with if it was interrupted; returns its folder."""
    run = unweave.train(dataset, objective, steps=steps, lr=5e-4, seed=0, out=folder, resume=True)
    return run.folder


def _published(path: Path) -> VAE:
    """The encoder of a state dict of disentangling-vae; its head has means and logvars in turn."""
    given = torch.load(path, map_location="cpu", weights_only=True)
    head = given["encoder.mu_logvar_gen.weight"]
    model = VAE(Burgess(), (64, 64, 1), len(head) // 2, Bernoulli())
    with torch.no_grad():
        for kind in ("weight", "bias"):
            for theirs, place in _TRUNK.items():
                model.trunk.get_parameter(f"{place}.{kind}").copy_(
                    given[f"encoder.{theirs}.{kind}"]
                )
            rows = given[f"encoder.mu_logvar_gen.{kind}"]
            model.head.get_parameter(kind).copy_(torch.cat([rows[0::2], rows[1::2]]))
    return model.eval()
