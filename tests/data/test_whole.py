"""The whole of which datasets are parts."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from unweave.data import Listed, parse_dataset
from unweave.data.views import whole_of

BASE = "dsprites(grid=(3, 2, 4, 4, 4))"
PART = f"only(data={BASE}, where=\"shape == 'heart'\")"


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("dsprites", "dsprites"),
        (BASE, BASE),
        (PART, BASE),
        (f"without(data={PART}, where='pos_x > 0.5')", BASE),
        (f"subset(data=without(data={BASE}, where='pos_x > 0.5'), images=9)", BASE),
        (f"correlated(data={PART}, pairs=((pos_x, pos_y),))", BASE),
        (f"color_dsprites(data={PART}, seed=3)", f"color_dsprites(data={BASE}, seed=3)"),
        (
            f"only(data=noisy_dsprites(data=subset(data={BASE}, images=50)), where='pos_x > 0.5')",
            f"noisy_dsprites(data={BASE})",
        ),
        ("dsprites_noshape(data=dsprites(grid=(3, 6, 40, 8, 8)), seed=2)",) * 2,
        ("only(data=circles, where='pos_x > 0.5')", "circles"),
    ],
)
def test_parts_and_odds_are_left_out(text, whole):
    spec = parse_dataset(text)
    found = whole_of(spec)
    assert found == parse_dataset(whole)
    assert found.factor_space == spec.whole_space
    assert found.image_shape == spec.image_shape
    assert whole_of(found) == found


def test_listed_images(tmp_path):
    base = parse_dataset(BASE)
    spec = Listed.write(base, tmp_path / "rows.npy", np.arange(3))
    assert whole_of(spec) == base
    assert whole_of(dataclasses.replace(spec, file="gone.npy")) == base
