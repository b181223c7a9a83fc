"""The optimiser that a component makes, against Adam's own definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from unweave.errors import SpecError
from unweave.spec import parse
from unweave.training import Adam, Optimizer


def test_adam_follows_its_definition():
    start = np.array([1.0, -2.0, 0.5])
    parameter = nn.Parameter(torch.tensor(start))
    optimizer = Adam(lr=0.1, beta1=0.8, beta2=0.95).make([parameter])
    theta, m, v = start.copy(), np.zeros(3), np.zeros(3)
    rng = np.random.default_rng(0)
    for t in range(1, 8):
        gradient = rng.normal(size=3)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        m = 0.8 * m + 0.2 * gradient
        v = 0.95 * v + 0.05 * gradient**2
        theta -= 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
        np.testing.assert_allclose(parameter.detach(), theta, rtol=1e-9)


def test_the_defaults_are_those_of_the_disentangling_vae_code():
    assert (Adam().lr, Adam().beta1, Adam().beta2) == (5e-4, 0.9, 0.999)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("adam(lr=0)", "adam: lr must be more than 0, but is 0"),
        ("adam(beta1=1)", "adam: beta1 must be less than 1, but is 1"),
        ("adam(beta2=-0.1)", "adam: beta2 must be at least 0, but is -0.1"),
        ("adm", "Unknown optimiser 'adm'. Did you mean adam|Unknown optimizer 'adm'"),
        ("sgd", "Choose one of: adam"),
    ],
)
def test_settings_that_are_refused(text, reason):
    with pytest.raises(SpecError) as caught:
        parse(text, Optimizer)
    assert any(part in str(caught.value) for part in reason.split("|"))
