"""What a training would cost: parameters, images, time from a measured step, disk."""

from __future__ import annotations

__all__ = ["estimate"]

import time
from typing import Any

import torch

from unweave.errors import DataError
from unweave.training import Learner, TrainConfig
from unweave.training.precision import resolve, training_process
from unweave.training.random_batch import random_batch

_MEASURED_STEPS = 5


def estimate(config: TrainConfig) -> dict[str, Any]:
    """Cost of a configuration; nothing is written and no dataset is needed.

    Steps are timed on random images of the right shape.

    Returns:
        `address`, `layers` (lines of text), `parameters` by network, `images`, `epochs`,
        `seconds_per_step`, `seconds`, `dataset_ready`, `dataset_missing` (why its images cannot be
        had as things are, and what to do, or None), `disk_bytes`, `threads`, `device`,
        `precision`.
    """
    config = resolve(config)
    with training_process(config):
        shape = config.dataset.image_shape
        learner = Learner(config, shape, config.num_train)
        generator = torch.Generator().manual_seed(config.seed)
        batch = random_batch(learner.setup, learner.plan.needs, generator, learner.device)
        learner.update(batch, 1)
        learner.update(batch, min(2, config.steps))
        learner.tracker.read()
        begun = time.perf_counter()
        for step in range(3, 3 + _MEASURED_STEPS):
            # A learning rate may have no value for steps after the last.
            learner.update(batch, min(step, config.steps))
        learner.tracker.read()
        per_step = (time.perf_counter() - begun) / _MEASURED_STEPS
    networks = {"model": learner.model, **learner.parts}
    parameters = {n: sum(p.numel() for p in net.parameters()) for n, net in networks.items()}
    # Weights and two moments, in float32, and perhaps a mean of the weights.
    alone = 4 * sum(parameters.values())
    kept = config.steps // config.snapshot_every if config.snapshot_every else 0
    weights = (3 if config.ema is None else 4) * alone + kept * alone
    lines = config.steps // config.log_every
    encoded = learner.plan.needs.encoded(config.batch_size)
    return {
        "address": config.address,
        "layers": [line for net in networks.values() for line in str(net).splitlines()],
        "parameters": parameters,
        "images": config.steps * encoded,
        "epochs": config.steps * config.batch_size / config.num_train,
        "seconds_per_step": per_step,
        "seconds": per_step * config.steps,
        "dataset_ready": config.dataset.ready(),
        "dataset_missing": _missing(config),
        "disk_bytes": weights + lines * 1000,
        "weights_bytes": weights,
        "threads": config.threads,
        "device": config.device,
        "precision": config.precision,
    }


def _missing(config: TrainConfig) -> str | None:
    """Why a training would be refused for want of images, as far as can be said without work."""
    try:
        config.dataset.check_loadable()
    except DataError as error:
        return str(error)
    return None
