"""The random numbers of one metric: keyed by seed and purpose, or the frozen stream of a seed."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import SpecError
from unweave.metrics.draws import Draws


def numbers(draws, count=5):
    return draws.generator().integers(2**40, size=count).tolist()


def test_asking_twice_begins_anew():
    draws = Draws(3, "mig")
    assert numbers(draws) == numbers(draws)
    one, other = draws.legacy(), draws.legacy()
    assert one.randint(2**30) == other.randint(2**30)


def test_another_seed_or_purpose_gives_other_numbers():
    streams = [numbers(Draws(seed, purpose)) for seed in (0, 1, 2**40) for purpose in ("a", "b")]
    assert len({tuple(stream) for stream in streams}) == len(streams)


def test_the_frozen_stream_depends_on_the_seed_alone():
    # The first numbers of RandomState(0), which NumPy has promised not to change.
    assert Draws(0, "mig").legacy().randint(100, size=5).tolist() == [44, 47, 64, 67, 67]
    assert Draws(0, "sap").legacy().randint(100, size=5).tolist() == [44, 47, 64, 67, 67]
    assert Draws(1, "sap").legacy().randint(100, size=5).tolist() == [37, 12, 72, 9, 75]


def test_numpy_s_own_generator_is_left_alone():
    np.random.seed(5)  # noqa: NPY002 - to show that it is not read
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    Draws(0, "mig").legacy().randint(100, size=1000)
    Draws(0, "mig").generator().random(1000)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_seeds_that_the_frozen_stream_cannot_take_are_refused():
    Draws(2**32 - 1, "mig").legacy()
    with pytest.raises(SpecError, match=r"below 2\*\*32, not 4294967296"):
        Draws(2**32, "mig").legacy()
