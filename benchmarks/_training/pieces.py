"""Where the time of a training step goes: each of its pieces timed alone."""

from __future__ import annotations

__all__ = ["pieces"]

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

import unweave
from _training.cells import BATCH, OBJECTIVE
from unweave.objectives import Batch
from unweave.settings import make_config
from unweave.training import Learner
from unweave.training.precision import resolve, training_process
from unweave.training.source import ImageSource


def pieces(data: str, precision: str, repeats: int) -> list[tuple[str, float]]:
    """Median milliseconds of each piece, in the order of a step; the last is the whole step.

    A forward pass with its backward pass is timed together, and the forward pass taken off.
    """
    config = resolve(make_config(data, OBJECTIVE, steps=1, batch_size=BATCH, precision=precision))
    dataset = unweave.load_dataset(data)
    with training_process(config):
        learner = Learner(config, config.dataset.image_shape, len(dataset))
        source = ImageSource(dataset, None, config)
        model = learner.model
        batch = source.batch(1)
        for step in range(1, 20):
            learner.update(source.batch(step), step)
        median = _timer(repeats)
        encoder = [*model.trunk.parameters(), *model.head.parameters()]
        decoder = [*model.decoder.parameters()]
        posterior = model.encode(batch.images)
        z = posterior.mean.detach().requires_grad_()
        logits = model.decode(z).detach().requires_grad_()

        def encode() -> Any:
            return model.encode(batch.images)

        def encode_and_back() -> None:
            found = model.encode(batch.images)
            total = found.mean.sum() + found.logvar.sum()
            torch.autograd.grad(total, encoder)

        def decode() -> Any:
            return model.decode(z)

        def decode_and_back() -> None:
            found = model.decode(z)
            torch.autograd.grad(found, [z, *decoder], torch.ones_like(found))

        def likelihood() -> None:
            value = model.likelihood.negative_log(logits, batch.images).mean()
            torch.autograd.grad(value, logits)

        counter = iter(range(20, 10**9))
        encoding, decoding = median(encode), median(decode)
        found = [
            ("gathering the batch", median(lambda: source.batch(next(counter)))),
            ("encoder, forward", encoding),
            ("decoder, forward", decoding),
            ("likelihood, both ways", median(likelihood)),
            ("decomposed KL, both ways", median(_decomposition(learner, batch))),
            ("decoder, backward", median(decode_and_back) - decoding),
            ("encoder, backward", median(encode_and_back) - encoding),
            ("optimiser", median(learner.sides[0].optimizer.step)),
        ]
        whole = median(lambda: learner.update(source.batch(step := next(counter)), step))
    rest = whole - sum(value for _, value in found)
    return [*found, ("everything else", rest), ("the whole step", whole)]


def _decomposition(learner: Learner, batch: Batch) -> Callable[[], None]:
    """The three terms of the KL with their gradients, from posteriors that stand still."""
    with torch.no_grad():
        first = learner.model.encode(batch.images)
        logits = learner.model.decode(first.mean)
    leaves = [first.mean.clone().requires_grad_(), first.logvar.clone().requires_grad_()]
    noise = torch.randn(first.mean.shape, generator=torch.Generator().manual_seed(0))
    terms = [t for name, t in learner.plan.terms.items() if name != "reconstruction"]

    def run() -> None:
        from unweave.latents import DiagonalGaussian
        from unweave.objectives import Step
        from unweave.randomness import Streams

        posterior = DiagonalGaussian(*leaves)
        step = Step(
            batch=batch,
            posterior=posterior,
            z=posterior.sample(noise),
            logits=logits,
            target=batch.images,
            model=learner.model,
            parts={},
            global_step=1,
            dataset_size=learner.dataset_size,
            streams=Streams(0, 1, learner.device),
        )
        total = sum(term.weigh(term.value(step), 1) for term in terms)
        torch.autograd.grad(total, leaves)

    return run


def _timer(repeats: int) -> Callable[[Callable[[], Any]], float]:
    def median(call: Callable[[], Any]) -> float:
        for _ in range(5):
            call()
        times = []
        for _ in range(repeats):
            begun = time.perf_counter()
            call()
            times.append(time.perf_counter() - begun)
        return 1000 * statistics.median(times)

    return median
