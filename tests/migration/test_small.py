"""Shortened commands neither see settings that were read before, nor leave theirs."""

from __future__ import annotations

from migration.small import BATCH, small
from unweave.reproduction import find_row
from unweave.reproduction.matching import row_of
from unweave.reproduction.published import config_of

ROW = "disvae/VAE_dsprites"


def read() -> tuple[int, int]:
    """Batch size of the row, and of what its preset would be trained with; it is of the row."""
    row = find_row(ROW)
    config = config_of(row.preset)
    assert row_of(config) is row
    return row.config.batch_size, config.batch_size


def test_settings_are_shortened_inside_alone(tmp_path):
    assert read() == (64, 64)
    with small(tmp_path):
        assert read() == (BATCH, BATCH)
    assert read() == (64, 64)
