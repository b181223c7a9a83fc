"""Images of a Lie group VAE by both ways through its decoder: over the latents, and past them."""

from __future__ import annotations

__all__ = ["group_reconstructions"]

from typing import Any, Final

import numpy as np

from unweave import plots
from unweave.figures.chosen import images
from unweave.figures.source import Source
from unweave.nn.lie_group_networks import GroupDecoder
from unweave.pictures import reconstruct, reconstruct_features

SHOWN_COLUMNS: Final = 10
_NAMES: Final = ("original", "group element", "group features")


def group_reconstructions(source: Source) -> Any | None:
    """Images, what becomes of the group elements of their latents, and of the encoder's features.

    Where the last two rows are alike the group can express what the encoder has found.
    """
    model, look, dataset = source.model, source.look, source.dataset
    if dataset is None or not isinstance(model.decoder, GroupDecoder):
        return None
    rows, cols = look.rows or 1, look.cols or SHOWN_COLUMNS
    flat = images(source, rows * cols)
    originals, by_element = reconstruct(model, dataset, flat)
    three = np.stack([originals, by_element, reconstruct_features(model, dataset, flat)])
    three = plots.enlarge(three, look.upsample)
    blocks = [
        plots.Block(images=three[:, start : start + cols], names=_NAMES)
        for start in range(0, len(flat), cols)
    ]
    return plots.image_blocks(blocks) if look.labelled else plots.joined_blocks(blocks)
