"""The encoder of one architecture with the decoder of another."""

from __future__ import annotations

import pytest
import torch

from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture, Higgins, Kim, Locatello, Pair, PbtVae, SimpleConv64
from unweave.nn.pbt_vae import LogStdHead
from unweave.spec import parse
from unweave.vae import VAE


def make(architecture: Architecture, latents: int = 4, **more) -> VAE:
    generator = torch.Generator().manual_seed(0)
    return VAE.create(architecture, (64, 64, 2), latents, Bernoulli(), generator, **more)


def test_it_has_the_layers_of_both():
    pair = parse("pair(encode=pbt_vae, decode=locatello(kernel=4))", Architecture)
    assert pair == Pair(encode=PbtVae(), decode=Locatello(kernel=4))
    model = make(pair)
    assert str(model.trunk) == str(make(PbtVae()).trunk)
    assert isinstance(model.head, LogStdHead)
    assert str(model.decoder) == str(make(Locatello()).decoder)
    images = torch.rand(3, 2, 64, 64, generator=torch.Generator().manual_seed(0))
    assert model.decode(model.encode(images).mean).shape == images.shape


def test_each_half_has_the_first_weights_of_its_architecture():
    model = make(Pair(encode=Kim(), decode=Locatello()))
    assert all(parameter.any() for parameter in (model.trunk[0].bias, model.head.bias))
    biases = [p for name, p in model.decoder.named_parameters() if name.endswith("bias")]
    assert len(biases) == 6
    assert not any(bias.any() for bias in biases)
    model = make(Pair(encode=Locatello(), decode=Kim()))
    assert not model.trunk[0].bias.any()
    assert not model.head.bias.any()
    assert model.decoder[0].bias.any()
    # The same as without a pair, as far as the draws go.
    alone = make(Locatello())
    assert torch.equal(alone.trunk[0].weight, model.trunk[0].weight)
    assert torch.equal(alone.head.weight, model.head.weight)


def test_what_either_does_not_take_is_refused():
    with pytest.raises(SpecError, match="simple_conv64 takes images of 64x64, not 32x32"):
        Pair(encode=Kim(), decode=SimpleConv64()).check((32, 32, 1), 10)
    with pytest.raises(SpecError, match="kim takes images of"):
        Pair(encode=Kim(), decode=Higgins()).check((28, 28, 1), 10)
    Pair(encode=Kim(), decode=Higgins()).check((32, 32, 1), 10)
    with pytest.raises(SpecError, match=r"pair\(encode=kim, decode=kim\) has two halves"):
        Pair(encode=Pair(encode=Kim(), decode=Kim()), decode=Kim())
    with pytest.raises(SpecError, match="pair needs decode"):
        parse("pair(encode=kim)", Architecture)
    with pytest.raises(SpecError, match="Did you mean kim"):
        parse("pair(encode=kimm, decode=kim)", Architecture)
