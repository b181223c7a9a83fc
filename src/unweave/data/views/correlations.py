"""Pairs of factors that published studies correlate, by name."""

from __future__ import annotations

from typing import Final, TypeAlias

__all__ = ["CORRELATIONS", "STRENGTHS", "Pairs"]

Pairs: TypeAlias = tuple[tuple[str, str], ...]

STRENGTHS: Final = {"weak": 0.4, "strong": 0.1, "very_strong": 0.04}
"""Widths that have a name."""

CONFOUNDER_WIDTH: Final = 0.2
"""The width of a factor that goes with all others."""

CORRELATIONS: Final[dict[str, dict[str, Pairs | str]]] = {
    "dsprites": {
        "single_1": (("shape", "scale"),),
        "single_2": (("pos_x", "pos_y"),),
        "single_3": (("shape", "pos_y"),),
        "double_1": (("shape", "pos_x"), ("scale", "pos_y")),
        "double_2": (("shape", "scale"), ("pos_x", "pos_y")),
        "confounder_1": "shape",
        "confounder_2": "pos_x",
    },
    "shapes3d": {
        "single_1": (("floor_hue", "wall_hue"),),
        "single_2": (("shape", "scale"),),
        "single_3": (("shape", "wall_hue"),),
        "single_4": (("shape", "object_hue"),),
        "double_1": (("scale", "floor_hue"), ("shape", "wall_hue")),
        "double_2": (("scale", "shape"), ("floor_hue", "wall_hue")),
        "double_3": (("shape", "object_hue"), ("shape", "scale")),
        "triple_1": (
            ("scale", "orientation"),
            ("shape", "wall_hue"),
            ("object_hue", "floor_hue"),
        ),
        "triple_2": (
            ("object_hue", "orientation"),
            ("shape", "scale"),
            ("floor_hue", "wall_hue"),
        ),
        "confounder_1": "shape",
        "confounder_2": "wall_hue",
    },
    "mpi3d": {
        "single_1": (("camera_height", "background_color"),),
        "single_2": (("object_color", "object_size"),),
        "single_3": (("horizontal_axis", "vertical_axis"),),
        "double_1": (("object_color", "object_shape"), ("horizontal_axis", "vertical_axis")),
        "double_2": (("object_color", "horizontal_axis"), ("object_shape", "vertical_axis")),
        "triple_1": (
            ("object_color", "background_color"),
            ("camera_height", "horizontal_axis"),
            ("object_shape", "vertical_axis"),
        ),
        "triple_2": (
            ("object_color", "object_shape"),
            ("horizontal_axis", "vertical_axis"),
            ("background_color", "camera_height"),
        ),
        "confounder_1": "object_shape",
        "confounder_2": "horizontal_axis",
    },
    "cars3d": {
        "single_1": (("elevation", "azimuth"),),
        "single_2": (("elevation", "object_type"),),
        "single_3": (("azimuth", "object_type"),),
        "confounder_1": "elevation",
        "confounder_2": "azimuth",
        "confounder_3": "object_type",
    },
}
"""Of each dataset, pairs by name, or the factor that goes with all others.

Source: the settings beside the code of Roth et al. (2023), "Disentanglement of correlated factors
via Hausdorff factorized support", arXiv 2210.07347, with the names that factors have here. There
each is a file of its own for each width; here the width is a field.
"""
