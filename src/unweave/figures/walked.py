"""Images while latents walk: traversals, still and moving."""

from __future__ import annotations

__all__ = ["gif_traversals", "reconstruct_traverse", "traversals"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.chosen import Row, beginning, images, latent_rows, shade, size, truncates
from unweave.figures.frames import frame
from unweave.figures.source import Source
from unweave.figures.walks import Beginning, cycle_values, walk
from unweave.pictures import Encoded, decode, encode, probe_indices, traverse

# A picture of 300 rows takes half a minute and more than 4 GB.
SHOWN_LATENTS = 32
SHOWN_VALUES = 9
SHOWN_WALKS = 10
MOVING_IMAGES = 6
# Frames of a walk from one end to the other, and of a cycle; and milliseconds of each.
FRAMES = 15
CYCLE_FRAMES = 20
MILLISECONDS = 80
CYCLE_MILLISECONDS = 100
# Images whose codes say how far latents spread.
_FITTED = 64


def traversals(source: Source) -> Any | None:
    """The decoded image while one latent after the other walks along a line."""
    model, look = source.model, source.look
    if not model.encodes:
        return None
    most, cols = size(source, SHOWN_LATENTS, SHOWN_VALUES)
    start = beginning(source, "prior")
    going = walk(look, cols, start)
    plain = look.layout == "disvae" or not look.labelled
    rows = latent_rows(source, most, ordered=plain)
    shown = plots.enlarge(_walked(source, start, going.values, rows), look.upsample)
    if plain:
        return plots.tile(shown, 2, shade(source, shown))
    latents = [row.latent for row in rows]
    kl = source.last_kl()
    return plots.traversals(
        shown,
        going.values[0],
        kl=None if kl is None else kl[latents],
        latents=latents,
        labels=[row.factor for row in rows],
        heads=going.heads,
    )


def reconstruct_traverse(source: Source) -> Any | None:
    """Images, their reconstructions, and traversals under them."""
    model, look, dataset = source.model, source.look, source.dataset
    if dataset is None or not model.encodes:
        return None
    published = look.layout == "disvae"
    most, cols = size(source, SHOWN_WALKS, SHOWN_VALUES)
    seen = encode(model, dataset, images(source, cols))
    # The published code rounds here, and nowhere else.
    decoded = decode(model, seen.mean, seen.told)
    start = beginning(source, "prior" if published else "posterior")
    going = walk(look, cols, start)
    rows = latent_rows(source, most)
    originals, reconstructed, walks = (
        plots.enlarge(part, look.upsample)
        for part in (seen.images, decoded, _walked(source, start, going.values, rows, round_=True))
    )
    if published:
        kl = [row.kl for row in rows if row.kl is not None] if look.labelled else []
        between = shade(source, originals)
        return plots.disvae_reconstruct_traverse(originals, reconstructed, walks, between, kl)
    blocks = [
        plots.Block(
            images=np.stack([originals, reconstructed]), names=("original", "reconstructed")
        ),
        _block(rows, walks, going.heads),
    ]
    return plots.image_blocks(blocks) if look.labelled else plots.joined_blocks(blocks)


def gif_traversals(source: Source) -> plots.Animation | None:
    """A column for each image, a row for each latent that walks, all at once."""
    model, look, dataset = source.model, source.look, source.dataset
    if dataset is None or not model.encodes:
        return None
    published = look.layout == "disvae"
    most, cols = size(source, SHOWN_WALKS, MOVING_IMAGES)
    seen = encode(model, dataset, images(source, cols))
    rows = latent_rows(source, most)
    fitted = None
    if look.cycle:
        flat = probe_indices(_FITTED, len(dataset), source.seed)
        fitted = encode(model, dataset, flat)
    films, heads = [], [""]
    for place in range(len(seen.mean)):
        start = _at(seen, place)
        if look.cycle and fitted is not None:
            values = cycle_values(look.cycle, CYCLE_FRAMES, start.mean, fitted)
            heads = [""] * CYCLE_FRAMES
        else:
            going = walk(look, FRAMES, start)
            values, heads = going.values, going.heads
        films.append(_walked(source, start, values, rows, round_=True))
    # (frames, rows, columns, ...)
    shown = plots.enlarge(np.stack(films).transpose(2, 1, 0, 3, 4, 5), look.upsample)
    between = shade(source, shown)
    if published and not look.cycle:
        return plots.disvae_animation(shown, between)
    time = CYCLE_MILLISECONDS
    if not look.cycle:
        # There and back.
        shown = np.concatenate([shown, shown[-2:0:-1]])
        heads = [*heads, *heads[-2:0:-1]]
        time = MILLISECONDS
    above = plots.enlarge(seen.images, look.upsample)
    names = [row.name + (f"\n{row.factor}" if row.factor else "") for row in rows]
    frames = [
        frame(above, grid, names if look.labelled else None, f"z = {head}" if head else "")
        for grid, head in zip(shown, heads, strict=True)
    ]
    return plots.Animation(frames=np.stack(frames), milliseconds=time)


def _walked(
    source: Source,
    start: Beginning,
    values: NDArray[np.float64],
    rows: list[Row],
    *,
    round_: bool = False,
) -> NDArray[np.uint8]:
    """Images of each latent of the rows at each of its values, (rows, S, H, W, C)."""
    latents = [row.latent for row in rows]
    truncate = truncates(source) and not round_
    return traverse(
        source.model, start.mean, values[latents], latents, told=start.told, truncate=truncate
    )


def _at(seen: Encoded, place: int) -> Beginning:
    """One of several images, as where a walk begins."""
    told = None if seen.told is None else seen.told[place : place + 1]
    std = None if seen.std is None else seen.std[place]
    return Beginning("posterior", seen.mean[place], std, told, seen.images[place])


def _block(rows: list[Row], walks: NDArray[np.uint8], heads: list[str]) -> plots.Block:
    return plots.Block(
        images=walks,
        names=[row.name for row in rows],
        notes=[row.factor for row in rows],
        faint=[row.faint for row in rows],
        heads=heads,
    )
