"""A run is a row's by its settings."""

from __future__ import annotations

import dataclasses

import pytest

from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.reproduction import ROWS, row_of
from unweave.reproduction.matching import base_text, on_images, scored_data, without_path
from unweave.settings import make_config

ROW = ROWS["dag/beta8_dsprites_shape2tx"]


def changed(**changes):
    return dataclasses.replace(ROW.config, **changes)


def test_what_may_differ_and_what_may_not():
    told = {
        "steps": 10, "seed": 3, "threads": 1, "device": "cpu", "precision": "float32",
        "snapshot_every": 5, "log_every": 1,
    }  # fmt: skip
    assert row_of(changed(**told)) is ROW
    for other in ({"latents": 9}, {"batch_size": 32}, {"holdout": 0.1}, {"ema": 0.9}):
        assert row_of(changed(**other)) is None
    again = make_config(
        str(ROW.config.dataset), "beta_vae(beta=8)", steps=5, lr=1e-4, architecture="burgess_v2"
    )
    assert row_of(again) is ROW
    assert row_of(changed(init_from="somewhere")) is None
    chained = ROWS["dpt/table1_real"]
    assert row_of(dataclasses.replace(chained.config, init_from="somewhere")) is chained


def test_other_images_of_the_same_dataset():
    config = on_images(ROW, "dsprites(source=archive, path='/a/b.npz')")
    assert row_of(config) is ROW
    assert config.steps == ROW.config.steps
    assert config.dataset.source == "archive"
    assert "path='/a/b.npz'" in str(config.dataset)
    told = str(without_path(config.dataset))
    assert "/a" not in told
    assert base_text(told) == "dsprites(source=archive)"
    small = on_images(ROW, "dsprites(grid=(3, 2, 4, 8, 8))")
    assert row_of(small) is ROW
    assert small.num_train < ROW.config.num_train
    held_out = parse_dataset(scored_data(small, "held_out"))
    assert held_out.count == 2 * 4 * 4 * 8
    assert scored_data(small, None) == str(small.dataset)
    for wrong in ("shapes3d", "color_dsprites", "only(data=dsprites, where='pos_x > 0.5')"):
        with pytest.raises(SpecError, match="no form of dsprites"):
            on_images(ROW, wrong)
