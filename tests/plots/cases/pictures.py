"""Figures of images: rows, blocks, traversals, what is held out."""

from __future__ import annotations

import numpy as np

from plots.cases.given import FACTORS, LONG, RNG, SHAPES, conditions_of, images, light, models_of
from unweave import plots


def walks(latents, steps, *, labels=None, kl=True, made=images):
    return plots.traversals(
        made(latents, steps), np.linspace(-2, 2, steps),
        kl=np.linspace(3, 0, latents) if kl else None, labels=labels,
    )  # fmt: skip


def told(groups, rows=6):
    count = sum(len(values) for _, values in groups)
    return plots.conditions(images(rows), images(rows), images(rows, count), groups)


def blocks(cols, latents, *, notes=None):
    return plots.image_blocks(
        [
            plots.Block(images=images(2, cols), names=("original", "reconstructed")),
            plots.Block(
                images=images(latents, cols), names=[f"z{k}  KL 1.23" for k in range(latents)],
                notes=notes or (), heads=plots.signed(np.linspace(-2, 2, cols)),
            ),
        ]
    )  # fmt: skip


def held_out(rows, columns, count=3):
    groups = {name: {"in distribution": 4, "held out": 4} for name in conditions_of(count)}
    total = 8 * count
    return plots.held_out_reconstructions(
        images(total), [images(total) for _ in models_of(rows)], models_of(rows), groups,
        title="What models make of images that they were and were not trained on",
    )  # fmt: skip


def maps(keys):
    names = {"shape": ["square", "ellipse", "heart"],
             "scale": [f"{v:.3g}" for v in np.linspace(0.5, 1, 6)],
             "orientation": [f"{v:.3g}" for v in np.linspace(0, 6.1, 40)],
             "position_x": [f"{v:.3g}" for v in np.linspace(0, 1, 32)]}  # fmt: skip
    counts = {}
    for key in keys:
        shape = tuple(len(names[name]) for name in key)
        held = RNG.uniform(size=shape) > 0.8
        counts[key] = np.stack([(~held) * 32, held * 32, np.zeros(shape)])
    return plots.held_out_maps(
        counts, names, images={"trained on": images(8), "held out": images(8)},
        title="dsprites, recombination to range: shape2tx",
        notes=["Left out are hearts in the right half; 17 % of 737,280 images are held out."],
    )  # fmt: skip


CASES = {
    "conditions": {
        "usual": lambda: told([("shape", SHAPES), ("scale", [f"{v}" for v in range(1, 5)])]),
        "many": lambda: told([("shape", SHAPES), ("orientation", [str(k) for k in range(20)])]),
        "long": lambda: told([(LONG[0], ["a value with a long name", "b"]), (LONG[1], ["c"])], 2),
    },
    "held_out_maps": {
        "one": lambda: maps([("shape", "position_x")]),
        "alone": lambda: maps([("orientation",)]),
        "several": lambda: maps(
            [
                ("shape", "scale"),
                ("shape", "position_x"),
                ("scale", "orientation"),
                ("position_x", "orientation"),
                ("shape", "orientation"),
            ]
        ),
    },
    "held_out_reconstructions": {
        "usual": lambda: held_out(4, 4),
        "one": lambda: held_out(1, 4, 1),
        "six": lambda: held_out(6, 4, 4),
    },
    "image_blocks": {
        "usual": lambda: blocks(7, 6, notes=[*FACTORS, None]),
        "one latent": lambda: blocks(3, 1),
        "32 latents": lambda: blocks(15, 32, notes=[LONG[0], *[None] * 31]),
    },
    "image_rows": {
        "usual": lambda: plots.image_rows(images(5, 9), FACTORS, "dsprites"),
        "colours": lambda: plots.image_rows(light(3, 12), LONG, "chairs3d"),
        "one": lambda: plots.image_rows(
            images(1, 1), ["orientation"], "a dataset with a name that is long"
        ),
    },
    "reconstructions": {
        "usual": lambda: plots.reconstructions(images(20), images(20)),
        "one": lambda: plots.reconstructions(light(1), light(1)),
        "many": lambda: plots.reconstructions(images(50), images(50), columns=25),
    },
    "traversals": {
        "usual": lambda: walks(6, 9, labels=[*FACTORS, None]),
        "one latent": lambda: walks(1, 3),
        "32 latents": lambda: walks(32, 20),
        "colours": lambda: walks(3, 9, labels=[*LONG], made=light),
    },
}
