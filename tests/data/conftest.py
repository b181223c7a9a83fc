"""A cache folder of its own for each test, and what all stored datasets promise."""

import numpy as np
import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    monkeypatch.setenv("UNWEAVE_HOME", str(folder))
    return folder


@pytest.fixture
def begins_anywhere():
    """A check that images are the same from whichever of them their making begins."""

    def check(spec):
        def rows(first):
            blocks = spec.encoded_blocks(first, dict(spec.origin(None)), None)
            return [row for block in blocks for row in block]

        whole = rows(0)
        assert len(whole) == spec.stored[0]
        for first in (1, len(whole) // 2, len(whole) - 1, len(whole)):
            np.testing.assert_array_equal(rows(first), whole[first:])

    return check
