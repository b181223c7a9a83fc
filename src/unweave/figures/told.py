"""What becomes of images when labels that the decoder is told, or factors, are others."""

from __future__ import annotations

__all__ = ["attribute_traversals", "conditions", "gif_attribute_traversals", "tells"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.data import Dataset
from unweave.factors import Factor
from unweave.figures.chosen import beginning, images, latent_rows
from unweave.figures.frames import frame
from unweave.figures.source import Source
from unweave.figures.walks import Beginning, walk
from unweave.pictures import encode, reconstruct, traverse, vary_factors, vary_labels
from unweave.vae import VAE

# Labels have as many columns together; a label as many as there is room for, within limits.
SHOWN_ROWS = 8
SHOWN_CONDITIONS = 24
SHOWN_VALUES = 8
WALKED_ROWS = 10
WALKED_VALUES = 9
# Images of a moving picture, its frames from one end to the other, and milliseconds of each.
MOVING_IMAGES = 4
MOVING_LATENTS = 4
FRAMES = 15
MILLISECONDS = 80


def conditions(source: Source) -> Any | None:
    """Images under each value of each label that the decoder is told."""
    model, dataset, times = source.model, source.dataset, source.look.upsample
    told = _told_factors(model, dataset)
    if dataset is None or told is None:
        return None
    factors = told[: SHOWN_CONDITIONS // 2]
    room = max(2, min(SHOWN_VALUES, SHOWN_CONDITIONS // len(factors)))
    most = source.look.cols or room
    shown = [factor.evenly_spaced(min(most, factor.size)).tolist() for factor in factors]
    changes = [(place, index) for place, indices in enumerate(shown) for index in indices]
    flat = images(source, source.look.rows or SHOWN_ROWS)
    originals, reconstructed = reconstruct(model, dataset, flat)
    groups = [
        (factor.name, [_value_name(factor, index) for index in indices])
        for factor, indices in zip(factors, shown, strict=True)
    ]
    changed = (vary_labels if model.encodes else vary_factors)(model, dataset, flat, changes)
    pair = plots.enlarge(originals, times), plots.enlarge(reconstructed, times)
    return plots.conditions(*pair, plots.enlarge(changed, times), groups)


def attribute_traversals(source: Source) -> Any | None:
    """One image, while one label after the other takes each value, and then one latent."""
    model, dataset, look = source.model, source.dataset, source.look
    told = _told_factors(model, dataset)
    if dataset is None or told is None:
        return None
    rows, cols = look.rows or WALKED_ROWS, look.cols or WALKED_VALUES
    flat = images(source, max(1, len(look.indices)))[:1]
    pair = np.concatenate(reconstruct(model, dataset, flat))
    blocks = [plots.Block(images=pair[None], names=("image",), heads=("original", "reconstr."))]
    vary = vary_labels if model.encodes else vary_factors
    for place, factor in enumerate(told):
        shown = factor.evenly_spaced(min(cols, factor.size)).tolist()
        blocks.append(
            plots.Block(
                images=vary(model, dataset, flat, [(place, index) for index in shown]),
                names=(factor.name,),
                heads=[_value_name(factor, index) for index in shown],
            )
        )
    if model.encodes:
        start = beginning(source, "posterior")
        going = walk(look, cols, start)
        latents = latent_rows(source, rows)
        numbers = [row.latent for row in latents]
        blocks.append(
            plots.Block(
                images=traverse(
                    model, start.mean, going.values[numbers], numbers, told=start.told
                ),
                names=[row.name for row in latents],
                notes=[row.factor for row in latents],
                faint=[row.faint for row in latents],
                heads=going.heads,
            )
        )
    large = [_enlarged(block, look.upsample) for block in blocks]
    return plots.image_blocks(large) if look.labelled else plots.joined_blocks(large)


def gif_attribute_traversals(source: Source) -> plots.Animation | None:
    """A column for each image, a row for each label and each latent, which all change at once."""
    model, dataset, look = source.model, source.dataset, source.look
    told = _told_factors(model, dataset)
    if dataset is None or told is None:
        return None
    flat = images(source, look.cols or MOVING_IMAGES)
    seen = encode(model, dataset, flat)
    vary = vary_labels if model.encodes else vary_factors
    # (frames, images, ...) of each row, first those of labels.
    rows: list[NDArray[np.uint8]] = []
    names = []
    for place, factor in enumerate(told):
        shown = factor.evenly_spaced(min(FRAMES, factor.size))
        made = vary(model, dataset, flat, [(place, int(index)) for index in shown])
        # Each value for as long as any other.
        at = ((np.arange(FRAMES) + 0.5) / FRAMES * len(shown)).astype(np.int64)
        rows.append(made[:, at].swapaxes(0, 1))
        names.append(factor.name)
    if model.encodes:
        latents = latent_rows(source, look.rows or MOVING_LATENTS)
        numbers = [row.latent for row in latents]
        films = []
        for place, mean in enumerate(seen.mean):
            tags = None if seen.told is None else seen.told[place : place + 1]
            std = None if seen.std is None else seen.std[place]
            going = walk(look, FRAMES, Beginning("posterior", mean, std, tags))
            films.append(traverse(model, mean, going.values[numbers], numbers, told=tags))
        # (images, latents, frames, ...)
        rows += list(np.stack(films).transpose(1, 2, 0, 3, 4, 5))
        names += [row.name + (f"\n{row.factor}" if row.factor else "") for row in latents]
    grids = plots.enlarge(np.stack(rows, axis=1), look.upsample)
    # There and back.
    grids = np.concatenate([grids, grids[-2:0:-1]])
    above = plots.enlarge(seen.images, look.upsample)
    frames = [frame(above, grid, names if look.labelled else None) for grid in grids]
    return plots.Animation(frames=np.stack(frames), milliseconds=MILLISECONDS)


def tells(model: VAE) -> bool:
    """Whether the decoder is told labels, or is given factors."""
    return model.conditions is not None or model.given is not None


def _told_factors(model: VAE, dataset: Dataset | None) -> tuple[Factor, ...] | None:
    """The factors whose values a decoder is told beside latents, or in their place."""
    if model.given is not None:
        return model.given.space.factors
    if model.conditions is None or dataset is None:
        return None
    return tuple(dataset.factor_space.factors[column] for column in model.conditions.columns)


def _value_name(factor: Factor, index: int) -> str:
    if factor.labels is not None:
        return factor.labels[index]
    return str(index) if factor.values is None else f"{factor.values[index]:.3g}"


def _enlarged(block: plots.Block, times: int) -> plots.Block:
    return plots.Block(
        images=plots.enlarge(block.images, times),
        names=block.names,
        notes=block.notes,
        faint=block.faint,
        heads=block.heads,
    )
