"""From checkpoints of other projects than disentangling-vae to what a run folder holds."""

from __future__ import annotations

__all__ = ["Other", "read_other"]

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data import DatasetSpec
from unweave.errors import CheckpointError, SpecError
from unweave.importing.arguments import Arguments
from unweave.importing.convert import Converted
from unweave.importing.files import Content, read_settings
from unweave.importing.lie import convert_lie, is_generator
from unweave.importing.networks import fit
from unweave.importing.projects import CHECKPOINTS, PROJECTS, candidates
from unweave.likelihoods import Bernoulli, Likelihood
from unweave.nn import Architecture, LieGroup
from unweave.objectives import Objective
from unweave.spec import build
from unweave.training import Adam, TrainConfig
from unweave.training.precision import resolve
from unweave.vae import VAE

_MODEL: Final = "G"
_BATCH: Final = 64
_LR: Final = 1e-4
_DPT_SEED: Final = 123


@final
@dataclass(frozen=True)
class Other:
    """A model of another project, in our words.

    Attributes:
        weights: In our places.
        config: What was trained.
        steps: Optimiser steps of the weights, None where nothing says.
        epochs: The same in epochs.
        assumed: Settings that no file says, and what was taken for granted of the weights.
        said: The settings beside the weights that were read, or None.
    """

    weights: Converted
    config: TrainConfig
    steps: int | None
    epochs: int | None
    assumed: list[str]
    said: dict[str, Any] | None


@dataclass
class _Settings:
    """What is known of a training before flags are looked at."""

    likelihood: Likelihood
    batch_size: int
    seed: int
    optimizer: dict[str, float]
    assumed: list[str]
    steps: int | None = None
    epochs: int | None = None
    dataset: DatasetSpec | None = None
    objective: Objective | None = None
    said: dict[str, Any] | None = None


def read_other(
    project: str,
    content: Content,
    path: Path,
    *,
    dataset: DatasetSpec | None,
    objective: Objective | None,
    architecture: Architecture | None,
) -> Other:
    """A checkpoint's model and settings.

    Args:
        project: `clg`, `dpt` or `dag`.
        content: Of the checkpoint.
        path: Of the file; what lies beside it is read, too.
        dataset: What it was trained on, instead of what the files say.
        objective: What was minimised, instead of what the files say.
        architecture: Whose layers they are, instead of what their shapes say.

    Raises:
        CheckpointError: A file is damaged, or of another model.
    """
    try:
        tensors = _tensors(project, content.value)
        weights = _weights(project, tensors, architecture)
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be imported: {error}") from error
    settings = _read_settings(project, content.value, path, weights)
    spec = dataset or settings.dataset
    chosen = objective or settings.objective
    if spec is None or chosen is None:
        raise _unnamed(path, weights, project, spec, chosen)
    if spec.image_shape != weights.image_shape:
        ours, theirs = ("x".join(map(str, s)) for s in (spec.image_shape, weights.image_shape))
        raise CheckpointError(
            f"{path} is a model of images of {theirs}, and those of {spec} have {ours}; name "
            "another with --dataset."
        )
    _count(settings, spec, project, path)
    config = _config(spec, chosen, settings, weights, path)
    _check_model(config, weights, path)
    given = {"dataset": dataset, "objective": objective}
    assumed = [name for name in settings.assumed if given.get(name) is None]
    return Other(
        weights,
        config,
        settings.steps,
        settings.epochs,
        [*assumed, *weights.assumed],
        settings.said,
    )


def _tensors(project: str, value: Any) -> dict[str, NDArray[Any]]:
    """The weights of the model within a checkpoint."""
    table = value
    if project == "dpt" and isinstance(value, Mapping) and CHECKPOINTS in value:
        states = value[CHECKPOINTS]
        table = states.get(_MODEL) if isinstance(states, dict) else None
        if table is None:
            raise CheckpointError(f"its {CHECKPOINTS} have no model {_MODEL!r}.")
    if not isinstance(table, dict) or not table:
        raise CheckpointError("it holds no state dict, a table of tensors by name.")
    if not all(type(k) is str and isinstance(v, np.ndarray) for k, v in table.items()):
        raise CheckpointError(
            "it holds more than a state dict: every entry must be a tensor with a name. With "
            "--from dpt, tables of tensors within tables are read."
        )
    return dict(table)


def _weights(
    project: str, tensors: dict[str, NDArray[Any]], architecture: Architecture | None
) -> Converted:
    if project == "clg" and any(is_generator(array) for array in tensors.values()):
        weights = convert_lie(tensors)
        if architecture is not None and architecture != weights.architecture:
            raise CheckpointError(
                f"its layers are those of {weights.architecture}, not of {architecture}."
            )
        return weights
    known = candidates(project, architecture)
    return fit(tensors, known, PROJECTS[project])


def _read_settings(project: str, value: Any, path: Path, weights: Converted) -> _Settings:
    if project == "clg":
        beside = path.parent / "args.pt"
        arguments = Arguments.of(beside, read_settings(beside))
        lie = any(name.startswith("decoder.pixels.") for name in weights.state)
        arguments.check(weights.latents, lie=lie)
        settings = _Settings(
            arguments.likelihood(), arguments.batch_size(), 0, {"lr": arguments.lr()}, []
        )
        network = weights.architecture
        group = not isinstance(network, LieGroup) or network.exponential
        settings.dataset = arguments.dataset()
        settings.objective = arguments.objective(exponential=group)
        # The program has no seed.
        settings.assumed = [*arguments.assumed, "seed"]
        settings.said = arguments.values or None
        return settings
    assumed = ["dataset", "objective", "batch_size", "seed"]
    if project == "dpt":
        steps, optimizer = _step_of(value), _adam_of(value)
        settings = _Settings(Bernoulli(), _BATCH, _DPT_SEED, optimizer, assumed, steps)
    else:
        settings = _Settings(Bernoulli(), _BATCH, 0, {}, [*assumed, "likelihood"])
    if not settings.optimizer:
        settings.optimizer = {"lr": _LR}
        settings.assumed.append("optimizer")
    if settings.steps is None:
        settings.assumed.append("steps")
    return settings


def _step_of(value: Any) -> int | None:
    steps = value.get("iter") if isinstance(value, dict) else None
    return steps if type(steps) is int and 0 < steps < 2**53 else None


def _adam_of(value: Any) -> dict[str, float]:
    """Learning rate and decays of the model's Adam, where the checkpoint has its state."""
    states = value.get("optim_states") if isinstance(value, dict) else None
    state = states.get("optim_G") if isinstance(states, dict) else None
    groups = state.get("param_groups") if isinstance(state, dict) else None
    group = groups[0] if isinstance(groups, list) and len(groups) == 1 else None
    if not isinstance(group, dict):
        return {}
    betas = group.get("betas")
    numbers = [group.get("lr"), *(betas if isinstance(betas, list) else [])]
    if len(numbers) != 3 or not all(type(n) is float and 0 <= n < 1 for n in numbers):
        return {}
    return dict(zip(("lr", "beta1", "beta2"), numbers, strict=True))


def _count(settings: _Settings, spec: DatasetSpec, project: str, path: Path) -> None:
    """How long was trained: of clg that is said in epochs of its dataset."""
    if project != "clg":
        per_epoch = math.ceil(spec.count / settings.batch_size)
        if settings.steps is not None and settings.steps % per_epoch == 0:
            settings.epochs = settings.steps // per_epoch
        return
    arguments = Arguments(path.parent / "args.pt", settings.said or {})
    settings.epochs, settings.steps = arguments.length((settings.dataset or spec).count)
    if settings.steps is None:
        settings.assumed.append("steps")


def _unnamed(
    path: Path,
    weights: Converted,
    project: str,
    spec: DatasetSpec | None,
    objective: Objective | None,
) -> CheckpointError:
    wanted = []
    if spec is None:
        shape = "x".join(map(str, weights.image_shape))
        wanted.append(f"--dataset (with images of {shape})")
    if objective is None:
        example = "cvae(labels=(shape,))" if weights.told else "beta_vae(beta=4)"
        example = "lie_group_vae" if "lie_group" in str(weights.architecture) else example
        wanted.append(f'--objective (such as "{example}")')
    beside = ", or put the args.pt of its training beside it" if project == "clg" else ""
    return CheckpointError(
        f"Nothing says what {path} was trained on and how: give {' and '.join(wanted)}{beside}."
    )


def _config(
    spec: DatasetSpec, objective: Objective, settings: _Settings, weights: Converted, path: Path
) -> TrainConfig:
    try:
        fields: dict[str, Any] = {
            "dataset": spec,
            "objective": objective,
            "steps": settings.steps or 1,
            "architecture": weights.architecture,
            "likelihood": settings.likelihood,
            "latents": weights.latents,
            "optimizer": build(Adam, settings.optimizer),
            "batch_size": settings.batch_size,
            "seed": settings.seed,
            "precision": "float32",
        }
        return resolve(build(TrainConfig, fields))
    except SpecError as error:
        raise CheckpointError(
            f"What {path}, the flags and the defaults say together cannot be trained: {error}"
        ) from error


def _check_model(config: TrainConfig, weights: Converted, path: Path) -> None:
    """Refuse an objective whose model has other weights."""
    plan = config.objective.expand()
    conditions = plan.method.conditions(config.setup)
    width = 0 if conditions is None else conditions.width
    if width != weights.told:
        raise CheckpointError(
            f"{path} is a model that is told {weights.told or 'no'} numbers of labels, and that "
            f"of {config.objective} is told {width or 'none'}. Name another with --objective, "
            "such as cvae with labels."
        )
    if plan.latent == "given" or (plan.latent == "codes") != weights.deterministic:
        has = "no noise" if weights.deterministic else "a posterior"
        raise CheckpointError(
            f"{path} has an encoder with {has}, and that of {config.objective} is another. Name "
            "another with --objective."
        )
    with torch.device("meta"):
        model = VAE(
            config.architecture,
            config.dataset.image_shape,
            config.latents,
            config.likelihood,
            conditions=conditions,
            deterministic=weights.deterministic,
        )
    ours = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if ours != {name: tuple(value.shape) for name, value in weights.state.items()}:
        raise CheckpointError(
            f"{path} has not all weights of a model of {config.objective}, or others. Name "
            "another with --objective."
        )
