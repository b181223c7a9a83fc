"""Labels as numbers, planes of them, and what networks say of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from reference import labels_reference
from unweave.likelihoods import Bernoulli
from unweave.nn import (
    Burgess,
    Conditions,
    LabelPlanes,
    LabelPredictor,
    LatentDiscriminator,
    SimpleConv64,
)
from unweave.nn.initialise import construct
from unweave.vae import VAE

SIZES = (3, 2, 5)
CONDITIONS = Conditions(columns=(2, 0, 3), sizes=SIZES)
CONTINUOUS = Conditions(columns=(2, 0, 3), sizes=SIZES, encoding="continuous")


def indices(count=7, seed=0):
    """Indices of the three labels, (count, 3)."""
    return np.random.default_rng(seed).integers(0, SIZES, (count, 3))


def factors(labels):
    """A table of four factors with the labels in their columns."""
    table = np.full((len(labels), 4), 9)
    table[:, [2, 0, 3]] = labels
    return torch.from_numpy(table)


def scores(count=7, width=10, seed=1):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


class TestEncoding:
    def test_one_hot(self):
        found = CONDITIONS.encode(factors(indices()))
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found, labels_reference.one_hot(indices(), SIZES))
        assert CONDITIONS.width == found.shape[1] == 10

    def test_continuous(self):
        found = CONTINUOUS.encode(factors(indices()))
        assert found.dtype == torch.float32
        expected = labels_reference.continuous(indices(), SIZES)
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert CONTINUOUS.width == found.shape[1] == 3

    def test_each_label_has_its_numbers(self):
        assert CONDITIONS.spans == (slice(0, 3), slice(3, 5), slice(5, 10))
        assert CONTINUOUS.spans == (slice(0, 1), slice(1, 2), slice(2, 3))

    def test_unknown_labels_have_equal_shares(self):
        expected = [1 / 3] * 3 + [1 / 2] * 2 + [1 / 5] * 5
        np.testing.assert_allclose(CONDITIONS.neutral(), expected, rtol=1e-6)
        np.testing.assert_array_equal(CONTINUOUS.neutral(), [0.5] * 3)

    @pytest.mark.parametrize("conditions", [CONDITIONS, CONTINUOUS])
    def test_they_are_made_where_they_are_needed_and_not_copied_there(
        self, conditions, monkeypatch
    ):
        with torch.device("meta"):
            model = VAE(
                Burgess(), (32, 32, 1), 3, Bernoulli(),
                conditions=dataclasses.replace(conditions, planes=True),
            )  # fmt: skip
        z, images = (torch.empty(shape, device="meta") for shape in ((2, 3), (2, 1, 32, 32)))
        made = []
        of_conditions = Conditions.neutral

        def neutral(self, *where):
            made.append(of_conditions(self, *where))
            return made[-1]

        monkeypatch.setattr(Conditions, "neutral", neutral)
        model.decode(z)
        model.encode(images)
        conditions.encode_known(torch.empty((2, 3), dtype=torch.int64, device="meta"))
        assert [value.device.type for value in made] == ["meta"] * 3

    @pytest.mark.parametrize("conditions", [CONDITIONS, CONTINUOUS])
    def test_some_labels_may_be_unknown(self, conditions):
        labels = torch.from_numpy(indices())
        every = conditions.encode(factors(indices()))
        np.testing.assert_array_equal(conditions.encode_known(labels), every)
        labels[1, 0] = labels[4, 2] = -1
        found, neutral = conditions.encode_known(labels), conditions.neutral()
        expected = every.clone()
        expected[1, conditions.spans[0]] = neutral[conditions.spans[0]]
        expected[4, conditions.spans[2]] = neutral[conditions.spans[2]]
        np.testing.assert_array_equal(found, expected)


class TestPredictions:
    def test_each_label_has_a_softmax_of_its_own(self):
        found = CONDITIONS.predicted(scores())
        np.testing.assert_allclose(found, labels_reference.soft(scores(), SIZES), rtol=1e-5)
        for span in CONDITIONS.spans:
            np.testing.assert_allclose(found[:, span].sum(1), 1, rtol=1e-6)

    def test_a_continuous_label_lies_between_0_and_1(self):
        given = scores(width=3)
        expected = 1 / (1 + np.exp(-given.double().numpy()))
        np.testing.assert_allclose(CONTINUOUS.predicted(given), expected, rtol=1e-5)

    def test_the_error_of_certain_labels_is_the_cross_entropy(self):
        told = CONDITIONS.encode(factors(indices()))
        found = CONDITIONS.error(scores(), told)
        expected = labels_reference.distance(scores(), told, SIZES)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        entropies = [
            torch.nn.functional.cross_entropy(
                scores()[:, span], torch.from_numpy(indices()[:, label]), reduction="none"
            )
            for label, span in enumerate(CONDITIONS.spans)
        ]
        torch.testing.assert_close(found, sum(entropies))

    def test_the_error_of_shares_is_zero_where_they_are_predicted(self):
        shares = CONDITIONS.predicted(scores(seed=2))
        found = CONDITIONS.error(scores(), shares)
        expected = labels_reference.distance(scores(), shares, SIZES)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        assert found.min() > 0
        none = CONDITIONS.error(scores(seed=2), shares)
        np.testing.assert_allclose(none, np.zeros(7), atol=1e-6)

    def test_the_error_of_continuous_labels_is_squared(self):
        told, given = CONTINUOUS.encode(factors(indices())), scores(width=3)
        prediction = 1 / (1 + np.exp(-given.double().numpy()))
        expected = ((prediction - told.double().numpy()) ** 2).sum(1)
        np.testing.assert_allclose(CONTINUOUS.error(given, told), expected, rtol=1e-5)


class TestPlanes:
    def test_each_number_goes_through_layers_of_its_own(self):
        planes = construct(lambda: LabelPlanes(3, (8, 4)), torch.Generator().manual_seed(0))
        given = torch.tensor([[0.0, 1.0, 0.3], [1.0, 0.0, -2.0]])
        with torch.no_grad():
            found = planes(given)
        assert found.shape == (2, 3, 8, 4)
        for channel in range(3):
            layers = [
                (weight[channel].detach(), bias[channel, 0].detach())
                for weight, bias in zip(planes.weights, planes.biases, strict=True)
            ]
            for row in range(2):
                expected = labels_reference.plane(given[row, channel].item(), layers, (8, 4))
                np.testing.assert_allclose(found[row, channel], expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("width", [1, 3])
    def test_the_number_of_parameters(self, width):
        with torch.device("meta"):
            planes = LabelPlanes(width, (64, 64))
        assert sum(p.numel() for p in planes.parameters()) == 1_069_440 * width

    def test_first_weights(self):
        planes = construct(lambda: LabelPlanes(4, (64, 64)), torch.Generator().manual_seed(0))
        for weight, bias, inputs in zip(planes.weights, planes.biases, (1, 64, 256), strict=True):
            assert weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.1)
            assert bias.abs().max() <= inputs**-0.5


class TestModel:
    def test_the_first_layers_are_as_published(self):
        shape = Conditions(columns=(0,), sizes=(3,), planes=True)
        with torch.device("meta"):
            model = VAE(SimpleConv64(), (64, 64, 1), 8, Bernoulli(), conditions=shape)
        assert next(model.trunk.parameters()).shape == (32, 4, 4, 4)
        assert next(model.decoder.parameters()).shape == (256, 11, 1, 1)
        assert model.head.weight.shape == (16, 256)

    @pytest.fixture(params=["one_hot", "continuous"])
    def model(self, request):
        conditions = Conditions((1, 0), (3, 4), request.param, planes=True)
        generator = torch.Generator().manual_seed(0)
        return VAE.create(Burgess(), (32, 32, 1), 5, Bernoulli(), generator, conditions=conditions)

    @torch.no_grad()
    def test_labels_are_told_to_encoder_and_decoder(self, model):
        images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
        told = model.condition(torch.tensor([[0, 2], [3, 1]]))
        planes = torch.cat([images, model.label_planes(told)], 1)
        expected = model.head(model.trunk(planes))
        mean = model.encode(images, told).mean
        torch.testing.assert_close(mean, expected[:, :5])
        logits = model.decode(mean, told)
        torch.testing.assert_close(logits, model.decoder(torch.cat([mean, told], 1)))
        other = model.condition(torch.tensor([[0, 1], [3, 0]]))
        assert not torch.allclose(model.encode(images, other).mean, mean)
        assert not torch.allclose(model.decode(mean, other), logits)

    @torch.no_grad()
    def test_without_labels_they_are_unknown(self, model):
        images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(1))
        neutral = model.conditions.neutral().expand(2, -1)
        mean = model.encode(images, neutral).mean
        torch.testing.assert_close(model.encode(images).mean, mean, rtol=0, atol=0)
        torch.testing.assert_close(model.decode(mean), model.decode(mean, neutral), rtol=0, atol=0)

    @torch.no_grad()
    def test_an_encoder_without_planes_sees_no_labels(self):
        conditions = Conditions((0,), (3,))
        generator = torch.Generator().manual_seed(0)
        model = VAE.create(
            Burgess(), (32, 32, 1), 5, Bernoulli(), generator, conditions=conditions
        )
        assert model.label_planes is None
        images = torch.rand(2, 1, 32, 32)
        told = model.condition(torch.tensor([[0], [2]]))
        torch.testing.assert_close(model.encode(images, told).mean, model.encode(images).mean)


def test_a_predictor_draws_its_first_weights_by_the_rule_that_it_is_made_with():
    def fill(network, generator):
        for number, parameter in enumerate(network.parameters()):
            parameter.fill_(number)

    def make():
        return LabelPredictor(LatentDiscriminator(4, 8, 3, classes=10), CONDITIONS, fill)

    with torch.no_grad():
        network = construct(make, torch.Generator())
    values = [parameter.unique().tolist() for parameter in network.parameters()]
    assert values == [[float(number)] for number in range(6)]
    assert network(torch.ones(2, 4)).shape == (2, 10)


def test_the_auxiliary_classifier_has_as_many_parameters_as_published():
    with torch.device("meta"):
        network = LatentDiscriminator(8, classes=2)
    assert sum(p.numel() for p in network.parameters()) == 4_015_002
