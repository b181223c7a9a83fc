"""Operators of the composition task, against their formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unweave.data import load_dataset
from unweave.data.samplers import Composition
from unweave.errors import SpecError
from unweave.nn.composition import Operator, make_operator
from unweave.nn.initialise import construct

LATENTS, FACTORS, ROWS = 7, 4, 6
NAMES = ("linear", "interp", "mlp", "fixint")


def operator(name, latents=LATENTS, factors=FACTORS) -> Operator:
    generator = torch.Generator().manual_seed(3)
    return construct(lambda: make_operator(name, latents, factors), generator)


@pytest.fixture
def given():
    """Codes of references and transforms, and actions, as arrays."""
    rng = np.random.default_rng(0)
    codes = rng.normal(0, 2, (2, ROWS, LATENTS)).astype(np.float32)
    actions = np.eye(FACTORS, dtype=np.float32)[rng.integers(0, FACTORS, ROWS)]
    return codes[0], codes[1], actions


def composed(network, given):
    with torch.no_grad():
        return network(*map(torch.from_numpy, given)).numpy()


def weights(network):
    return {name: value.double().numpy().copy() for name, value in network.state_dict().items()}


def dense(state, name, *inputs):
    values = np.concatenate(inputs, axis=1).astype(np.float64)
    return values @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def test_the_linear_one_is_a_sum_of_two_dense_layers(given):
    network = operator("linear")
    reference, transform, action = given
    state = weights(network)
    assert state["of_reference.weight"].shape == (LATENTS, LATENTS + FACTORS)
    expected = dense(state, "of_reference", reference, action)
    expected += dense(state, "of_transform", transform, action)
    np.testing.assert_allclose(composed(network, given), expected, rtol=1e-4, atol=1e-5)


def test_the_interpolation_weighs_each_latent(given):
    network = operator("interp")
    reference, transform, action = given
    state = weights(network)
    weight = 1 / (1 + np.exp(-dense(state, "weight", reference, transform, action)))
    found = composed(network, given)
    expected = weight * reference + (1 - weight) * transform
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    low, high = np.minimum(reference, transform), np.maximum(reference, transform)
    assert ((low - 1e-6 <= found) & (found <= high + 1e-6)).all()


def test_the_hidden_layer_is_normalised_over_the_batch_and_later_by_what_it_has_seen(given):
    network = operator("mlp")
    before = weights(network)
    hidden = np.maximum(dense(before, "layers.0", *given), 0)
    mean, variance = hidden.mean(axis=0), hidden.var(axis=0)

    def out(mean, variance):
        normal = (hidden - mean) / np.sqrt(variance + 1e-5)
        normal = normal * before["layers.2.weight"] + before["layers.2.bias"]
        return dense(before, "layers.3", normal)

    found = composed(network, given)
    assert hidden.shape == (ROWS, 128)
    np.testing.assert_allclose(found, out(mean, variance), rtol=1e-3, atol=1e-4)
    after = weights(network.eval())
    # A tenth of what the batch has, whose variance is that of a population it was drawn from.
    seen = 0.1 * mean, 0.9 + 0.1 * variance * ROWS / (ROWS - 1)
    np.testing.assert_allclose(after["layers.2.running_mean"], seen[0], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(after["layers.2.running_var"], seen[1], rtol=1e-5)
    found = composed(network, given)
    np.testing.assert_allclose(found, out(*seen), rtol=1e-4, atol=1e-5)
    # One image alone is composed as it is beside others.
    alone = composed(network, [each[:1] for each in given])
    np.testing.assert_allclose(alone, found[:1], rtol=1e-4, atol=1e-5)


def test_the_fixed_one_exchanges_one_latent(given):
    network = operator("fixint")
    assert not network.state_dict()
    reference, transform, action = given
    expected = reference.copy()
    for row, factor in enumerate(action.argmax(axis=1)):
        expected[row, factor] = transform[row, factor]
    np.testing.assert_array_equal(composed(network, given), expected)


def test_on_a_perfect_code_the_fixed_one_reaches_the_target_exactly():
    """Latent k holds factor k alone, in any order of its values; the others hold nothing."""
    data = load_dataset("dsprites(grid=(3, 2, 4, 4, 4))")
    sampler = Composition()
    drawn = sampler.draw(data, 500, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    tables = [rng.permutation(size) - 1.7 for size in data.factor_space.sizes]

    def code(flat):
        factors = data.factors(flat)
        held = [table[factors[:, k]] for k, table in enumerate(tables)]
        return np.stack([*held, np.zeros(len(flat)), np.ones(len(flat))], 1).astype(np.float32)

    action = np.eye(5, dtype=np.float32)[sampler.actions(data, drawn)]
    reference, transform, target = map(code, drawn.T)
    found = composed(operator("fixint", 7, 5), (reference, transform, action))
    np.testing.assert_array_equal(found, target)
    assert (found != reference).sum(axis=1).tolist() == [1] * 500


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_composed_one_by_one(given, name):
    network = operator(name).eval()
    whole = composed(network, given)
    assert whole.shape == (ROWS, LATENTS)
    assert whole.dtype == np.float32
    rows = [composed(network, [each[row : row + 1] for each in given]) for row in range(ROWS)]
    np.testing.assert_allclose(np.concatenate(rows), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_first_weights_are_pytorchs(name):
    """Uniform within 1 / sqrt(fan_in), weights and biases, from the given generator alone."""
    before = torch.get_rng_state()
    network, again = operator(name, 40, 8), operator(name, 40, 8)
    assert torch.equal(torch.get_rng_state(), before)
    for layer in network.modules():
        if isinstance(layer, torch.nn.Linear):
            bound = layer.in_features**-0.5
            for values in (layer.weight, layer.bias):
                assert values.abs().max() <= bound * (1 + 1e-6)
                assert values.abs().max() >= 0.8 * bound
            deviation = layer.weight.std().item()
            assert deviation == pytest.approx(bound / 3**0.5, rel=0.05)
    for key, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[key])
        assert value.isfinite().all()


def test_too_few_latents_for_a_latent_each():
    with pytest.raises(SpecError, match=r"each of 4 factors, but latents is 3: give at least 4"):
        operator("fixint", 3, 4)
    assert operator("fixint", 4, 4).latents == 4
