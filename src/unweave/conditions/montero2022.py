"""The conditions and modifiers that Montero et al. (2022) add."""

from __future__ import annotations

from typing import Final

from unweave.conditions.condition import Condition, Modifier
from unweave.conditions.montero2021 import MONTERO_2022

__all__ = ["conditions_2022", "modifiers_2022"]

_REAL: Final = "mpi3d(subset=real)"
_WHICH_MPI3D: Final = "Which subset of MPI3D is meant is not known; here it is the photographs."
_OUR_GRID: Final = (
    "The file of the source is not published, and the grid is ours: so are the numbers of images."
)
_OUR_SHAPE: Final = (
    "The source says index 1 of the shapes; that it is the square is our choice, since its file "
    "is not published."
)


def conditions_2022() -> tuple[Condition, ...]:
    """Those that are not among the conditions of 2021, whose other names stand there.

    Bounds are known as indices; where they mean the same, rules here are by value, so that they
    also fit a smaller `grid` of the dataset.

    Source: the public code lost-in-latent-space, and Montero, Bowers, Ponte Costa, Ludwig and
    Malhotra (2022), arXiv 2204.02283.
    """
    return (*_dsprites(), *_shapes3d(), *_mpi3d(), *_placed())


def _dsprites() -> tuple[Condition, ...]:
    def ranged(name: str, held_out: str, *doubts: str) -> Condition:
        return Condition(
            name=name,
            dataset="dsprites",
            kind="recombination_to_range",
            held_out=held_out,
            source=MONTERO_2022,
            doubts=doubts,
        )

    return (
        ranged("ell2tx", "shape == 'ellipse' and pos_x > 0.5"),
        ranged("sqr2scl", "shape == 'square' and scale >= 0.8"),
        ranged("sqr2tx_cent", "shape == 'square' and 0.25 < pos_x < 0.75"),
        ranged(
            "sqr2tx_flnk",
            "shape == 'square' and 0.25 < pos_x < 0.75",
            "The name misleads: it holds out the same images as sqr2tx_cent, the middle and not "
            "the flanks.",
        ),
        ranged("sqr2tx_rs", "shape == 'square' and 0.4 < pos_x < 0.9"),
        ranged(
            "sqr2tx_ls",
            "shape == 'ellipse' and not 0.1 < pos_x < 0.6",
            "The name misleads: it holds out ellipses, no square, and both ends, not the left.",
        ),
    )


def _shapes3d() -> tuple[Condition, ...]:
    def made(name: str, word: str, held_out: str, *doubts: str) -> Condition:
        return Condition(
            name=name,
            dataset="shapes3d",
            kind="interpolation" if word == "interp" else "recombination_to_range",
            held_out=held_out,
            source=MONTERO_2022,
            doubts=doubts,
        )

    return (
        made("odd_ohue", "interp", "index(object_hue) % 2 == 1"),
        made(
            "odd_wnf_hue",
            "interp",
            "not (index(wall_hue) % 2 == 0 and index(floor_hue) % 2 == 0)",
        ),
        Condition(
            name="recomb2element/shape2ohue",
            dataset="shapes3d",
            kind="recombination_to_element",
            held_out="shape == 'pill' and object_hue == 0.2",
            source=MONTERO_2022,
            doubts=(
                "The source has the name shape2ohue twice; alone it stands for the range.",
                "Shape and hue are never seen together in training, so that it is a range by the "
                "definition of 2021, though a narrow one.",
            ),
        ),
        made("ohue2whue", "range", "object_hue >= 0.8 and wall_hue <= 0.5"),
        made("fhue2whue", "range", "floor_hue >= 0.8 and wall_hue <= 0.5"),
        made("shape2ohueq", "range", "shape == 'pill' and object_hue <= 0.2"),
        made("shape2orient", "range", "shape == 'pill' and orientation >= 0"),
        made("shape2ohue_flnk", "range", "shape == 'pill' and 0.3 <= object_hue <= 0.7"),
    )


def _mpi3d() -> tuple[Condition, ...]:
    def ranged(name: str, held_out: str, *doubts: str) -> Condition:
        return Condition(
            name=name,
            dataset=_REAL,
            kind="recombination_to_range",
            held_out=held_out,
            source=MONTERO_2022,
            doubts=(*doubts, _WHICH_MPI3D),
        )

    return (
        ranged("cyl2vx", "vertical_axis < 20 and object_shape == 'cylinder'"),
        ranged(
            "bkg2cyl",
            "object_shape in ('pyramid', 'sphere') and background_color == 'salmon'",
            "The name misleads: it holds out pyramids and spheres, no cylinder.",
        ),
    )


def _placed() -> tuple[Condition, ...]:
    def ranged(name: str, dataset: str, held_out: str, *doubts: str) -> Condition:
        return Condition(
            name=name,
            dataset=dataset,
            kind="recombination_to_range",
            held_out=held_out,
            source=MONTERO_2022,
            doubts=(*doubts, _OUR_GRID),
        )

    middle = "0.35 <= pos_x <= 0.65 and 0.35 <= pos_y <= 0.65"
    corner = "pos_x > 0.5 and pos_y > 0.5"
    few = (
        "These are all the factors there are, and every value of each is trained on, so that it "
        "is an element by the definition of 2021."
    )
    return (
        ranged("midpos", "circles", middle, few),
        ranged(
            "shape2px", "circles", corner, "The name misleads: there is one shape, a circle.", few
        ),
        ranged("midpos", "simple", f"{middle} and shape == 'square'", _OUR_SHAPE, few),
        ranged("shape2px", "simple", f"{corner} and shape == 'square'", _OUR_SHAPE, few),
        ranged(
            "huecomb",
            "two_shapes",
            "index(hue_1) < 2 and index(hue_2) > 2",
            "That 2 is an index of the hues is our reading; the number of hues is ours.",
        ),
    )


def modifiers_2022() -> tuple[Modifier, ...]:
    """The modifiers, each with the dataset that it is meant for.

    Source: as of `conditions_2022`.
    """

    def made(name: str, dataset: str, rule: str, *doubts: str) -> Modifier:
        return Modifier(name=name, dataset=dataset, rule=rule, source=MONTERO_2022, doubts=doubts)

    return (
        made("sparse_posX", "dsprites", "index(pos_x) in (0, 7, 15, 23, 31)"),
        made("even_ohues", "shapes3d", "index(object_hue) % 2 == 0"),
        made("half_ohues", "shapes3d", "object_hue < 0.5"),
        made(
            "even_wnf_hues",
            "shapes3d",
            "index(wall_hue) % 2 == 0 and index(floor_hue) % 2 == 0",
            "Its rule is taken from what odd_wnf_hue leaves in training.",
        ),
        made("four_shapes", _REAL, "object_shape not in ('cone', 'hexagonal')", _WHICH_MPI3D),
        made("fix_hx", _REAL, "horizontal_axis == 0", _WHICH_MPI3D),
        made("lhalf_hx", _REAL, "horizontal_axis < 20", _WHICH_MPI3D),
        made(
            "even_vx",
            _REAL,
            "vertical_axis % 2 == 1",
            "The name misleads: it keeps the odd values.",
            _WHICH_MPI3D,
        ),
        made(
            "noverlap",
            "two_shapes",
            "abs(pos_x_1 - pos_x_2) > 0.2 and abs(pos_y_1 - pos_y_2) > 0.2",
            _OUR_GRID,
        ),
    )
