"""Images while each generator of a Lie group moves their group element."""

from __future__ import annotations

__all__ = ["lie_walks"]

from typing import Any, Final

import numpy as np

from unweave import plots
from unweave.errors import SpecError
from unweave.figures.chosen import beginning, latent_rows, size
from unweave.figures.source import Source
from unweave.figures.walks import walk
from unweave.nn.lie_group_networks import GroupDecoder
from unweave.pictures import decode, walk_generators

SHOWN_GENERATORS: Final = 32
SHOWN_VALUES: Final = 9
# Of the published walks.
_RANGE: Final = 4.0


def lie_walks(source: Source) -> Any | None:
    """The image of expm(t A) g for each generator A, where g is the element of an image.

    Raises:
        SpecError: The range is too small.
    """
    model, look = source.model, source.look
    decoder = model.decoder
    if not isinstance(decoder, GroupDecoder) or not decoder.generators():
        return None
    if look.range is not None and look.range < 0.5:
        raise SpecError(
            f"The figure lie_walks moves group elements, which have no quantiles; range must be "
            f"at least 0.5, not {look.range:g}."
        )
    most, cols = size(source, SHOWN_GENERATORS, SHOWN_VALUES)
    start = beginning(source, "posterior")
    going = walk(look, cols, start, _RANGE)
    rows = latent_rows(source, most)
    walks = walk_generators(model, start.mean, going.values[0], start.told)
    norms = [float(matrix.detach().norm()) for block in decoder.generators() for matrix in block]
    bars = "\N{DOUBLE VERTICAL LINE}"
    block = plots.Block(
        images=plots.enlarge(walks[[row.latent for row in rows]], look.upsample),
        names=[f"A{row.latent}  {bars}A{bars} {norms[row.latent]:.2g}" for row in rows],
        notes=[row.factor for row in rows],
        faint=[row.faint for row in rows],
        heads=[head if head != "0" else "t = 0" for head in going.heads],
    )
    blocks = [block]
    if start.image is not None:
        decoded = decode(model, start.mean[None], start.told)
        pair = plots.enlarge(np.stack([start.image, decoded[0]])[None], look.upsample)
        heads = ("original", "reconstr.")
        blocks = [plots.Block(images=pair, names=("image",), heads=heads), block]
    return plots.image_blocks(blocks) if look.labelled else plots.joined_blocks(blocks)
