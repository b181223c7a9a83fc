"""A batch of noise in the form of a real one, to measure and to try steps without a dataset."""

from __future__ import annotations

__all__ = ["random_batch"]

import numpy as np
import torch
from torch import Tensor

from unweave.factors import FactorSpace
from unweave.objectives import Batch, LabelledImages, Needs, Setup


def random_batch(
    setup: Setup, needs: Needs, generator: torch.Generator, device: torch.device | str = "cpu"
) -> Batch:
    """Uniform pixels and factors, drawn on the CPU and moved to the device.

    Args:
        setup: Gives shapes, batch size and factors.
        needs: What the batch holds.
        generator: A generator on the CPU.
        device: Where the batch goes.
    """
    height, width, channels = setup.image_shape

    def images(count: int) -> Tensor:
        drawn = torch.rand(count, channels, height, width, generator=generator)
        return drawn.to(device, memory_format=torch.channels_last)

    def factors(count: int, space: FactorSpace | None = None) -> Tensor:
        known = setup.labels("The objective") if space is None else space
        sizes = torch.tensor(known.sizes)
        draws = torch.rand(count, len(sizes), generator=generator)
        return (draws * sizes).long()

    count = needs.draws(setup.batch_size) * needs.per_draw
    first = images(count)
    second = images(setup.batch_size) if needs.second else None
    told = factors(count).to(device) if needs.factors else None
    second_told = None
    if needs.factors and second is not None:
        second_told = factors(len(second)).to(device)
    labelled = None
    if needs.labelled is not None:
        table = needs.labelled.label(
            factors(setup.batch_size).numpy(), setup.labels("The objective")
        )
        labels = torch.from_numpy(np.ascontiguousarray(table.labels)).to(device)
        labelled = LabelledImages(images(setup.batch_size), labels)
    codes = None
    if needs.codes is not None:
        whole = setup.whole_space("The objective")
        drawn = needs.codes.on(whole).encode(factors(count, whole).numpy())
        codes = torch.from_numpy(drawn).to(device)
    return Batch(first, second, told, second_told, labelled, codes)
