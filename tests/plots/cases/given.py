"""What cases share: names, and images."""

from __future__ import annotations

import numpy as np

RNG = np.random.default_rng(0)
FACTORS = ["shape", "scale", "orientation", "position_x", "position_y"]
LONG = [f"a_factor_with_a_long_name_{k}" for k in range(3)]
TEN = [*FACTORS, "floor_hue", "wall_hue", "object_hue", "camera_height", "background_colour"]
SHAPES = ["square", "ellipse", "heart"]
TITLE = "Scores of beta_tcvae(beta=4) on dsprites, 10,000 images"


def images(*shape, size=64, colours=1):
    """Bright squares on black, each elsewhere, (*shape, size, size, colours) uint8."""
    made = np.zeros((int(np.prod(shape)), size, size, colours), np.uint8)
    for place, image in enumerate(made):
        top, left = (place * 5) % (size // 2), (place * 11) % (size // 2)
        image[top : top + size // 3, left : left + size // 3] = 255 - 40 * np.arange(colours)
    return made.reshape(*shape, size, size, colours)


def light(*shape):
    """Colour images with light grounds, as those of 3D chairs."""
    return 255 - images(*shape, colours=3)


def conditions_of(count):
    names = [
        "recombination to element: leave1out",
        "recombination to range: shape2tx",
        "extrapolation: blank_side",
        "a further condition of one's own",
    ]
    return names[:count]


def models_of(count):
    return ["vae", "beta_vae(beta=8)", "factor_vae(gamma=20)", "ground_truth_decoder",
            "beta_tcvae(beta=4)", "dip_vae_ii(lambda_od=10)"][:count]  # fmt: skip
