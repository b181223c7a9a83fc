"""Names that papers and published code have for datasets lead to ours, and are not taken."""

from __future__ import annotations

import pytest

from unweave.data import parse_dataset
from unweave.data.other_names import _OTHERS, suggested
from unweave.errors import SpecError


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("3dshapes", "shapes3d"),
        ("3d_shapes", "shapes3d"),
        ("3DShapes(source=archive)", "shapes3d"),
        ("Shapes-3D", "shapes3d"),
        ("small_norb", "smallnorb"),
        ("3dchairs", "chairs3d"),
        ("3d_cars", "cars3d"),
        ("fashionmnist", "fashion_mnist"),
        ("dsprites_full", "dsprites"),
        ("mpi3d_toy", "mpi3d"),
        ("mpi3d_real", "mpi3d(subset=real)"),
        ("only(data=3dshapes, where='scale > 1')", "shapes3d"),
        ("subset(data=only(data=small_norb, where='x'), fraction=0.5)", "smallnorb"),
    ],
)
def test_the_name_here_is_named(text, ours):
    with pytest.raises(SpecError, match=r"^Unknown dataset '[\w-]+'\. Did you mean ") as caught:
        parse_dataset(text)
    assert str(caught.value).endswith(f"Did you mean {ours}?")


def test_what_is_named_can_be_written():
    assert {str(parse_dataset(text)) for text in _OTHERS.values()} == set(_OTHERS.values())


@pytest.mark.parametrize(
    "text",
    ["dsprites(grid=4)", "folder(path='data=3dshapes', size=-1)", "h5(path=cars, size=-1)",
     "mystery", "", "(" * 50],
)  # fmt: skip
def test_other_mistakes_are_told_as_before(text):
    with pytest.raises(SpecError) as caught:
        parse_dataset(text)
    assert "Did you mean" not in str(caught.value)


def test_our_own_names_are_no_other_names():
    assert suggested("dsprites(grid=4)") is None
    assert suggested("only(data=shapes3d, where='x')") is None
