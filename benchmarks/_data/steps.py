"""How much of a training step loading is: steps with the store beside steps with one batch."""

from __future__ import annotations

__all__ = ["step_times"]

import statistics
import time

import unweave
from _data.loading import BATCH
from unweave.settings import make_config
from unweave.training import Learner
from unweave.training.precision import resolve, training_process
from unweave.training.source import ImageSource

OBJECTIVE = "beta_tcvae(beta=6)"


def step_times(data: str, warm: int, steps: int) -> dict[str, float]:
    """Median milliseconds of a step, of both kinds in turns.

    Args:
        data: Text of the dataset.
        warm: Steps that are not timed.
        steps: Steps of each kind that are.

    Returns:
        `loaded`, with a batch loaded at each step; `fixed`, with one batch for all.
    """
    config = resolve(make_config(data, OBJECTIVE, steps=1, batch_size=BATCH, device="cpu"))
    dataset = unweave.load_dataset(data)
    times: dict[str, list[float]] = {"loaded": [], "fixed": []}
    with training_process(config):
        learner = Learner(config, config.dataset.image_shape, len(dataset))
        source = ImageSource(dataset, None, config)
        fixed = source.batch(1)
        for step in range(1, warm + 2 * steps + 1):
            loads = step % 2 == 0
            begun = time.perf_counter()
            learner.update(source.batch(step) if loads else fixed, step)
            passed = 1000 * (time.perf_counter() - begun)
            if step > warm:
                times["loaded" if loads else "fixed"].append(passed)
    return {kind: statistics.median(found) for kind, found in times.items()}
