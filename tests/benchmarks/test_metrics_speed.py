"""The baseline of the metrics' benchmark encodes as often as the study of 2019 did."""

from __future__ import annotations

import numpy as np
import torch
from _metrics.reference import CALLS, Call, time_call

# Two predictors on training sets of 10, 100, 1,000 and 10,000 rows and test sets of 5,000.
DOWNSTREAM_CALLS = 2 * sum(-(-n // 16) + -(-5_000 // 16) for n in (10, 100, 1_000, 10_000))


def test_calls_are_those_of_the_study():
    counts = {name: count for call in CALLS for name, count in call.metrics.items()}
    # The study has no IRS, and the downstream tasks are not timed here.
    assert sum(counts.values()) - counts["irs"] + DOWNSTREAM_CALLS == 53_117
    assert counts["beta_vae"] * 64 == 1_920_000
    assert (counts["factor_vae"] - 157) * 64 + 10_000 == 970_000


def test_a_call_encodes_images_of_which_one_factor_is_fixed():
    sizes = (2, 3, 5)
    images = np.arange(30, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    seen = []

    def encode(batch: torch.Tensor) -> torch.Tensor:
        seen.append(np.stack(np.unravel_index(batch[:, 0, 0, 0].numpy().astype(int), sizes), 1))
        return batch.flatten(1)[:, :2]

    assert time_call(Call(64, {}), encode, images, sizes, repeats=20) > 0
    assert len(seen) == 23
    for factors in seen:
        assert factors.shape == (64, 3)
        assert any((factors[:, k] == factors[0, k]).all() for k in range(3))
