"""From layers of PyTorch and of unweave to steps of a program."""

from __future__ import annotations

__all__ = ["emit", "enlarge", "program_of"]

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unweave.explorer.program import Builder, NotKnownError, Program
from unweave.likelihoods import Likelihood
from unweave.nn.convolutions import UpConvolution
from unweave.nn.lie_group_maps import CommutingGroup, DirectProduct, ExponentialGroup
from unweave.nn.lie_group_networks import ExactLinear, GroupDecoder
from unweave.nn.own_network import OwnNetwork
from unweave.vae import VAE


def program_of(model: VAE) -> Program | None:
    """The decoder of a model, with the mean of its likelihood; None where a layer is not known.

    What it is given are latents, and behind them the labels that the model is told.
    """
    if type(model.likelihood).mean is not Likelihood.mean:
        return None
    told = 0 if model.conditions is None else model.conditions.width
    height, width, channels = model.image_shape
    builder = Builder(model.latents + told)
    plain = copy.deepcopy(model.decoder).cpu().float().eval().requires_grad_(False)
    try:
        value = emit(builder, plain, 0)
        value = builder.reshape(value, (channels, height, width))
        builder.add("activation", value, builder.shape(value), function="sigmoid")
    except NotKnownError:
        return None
    return builder.program()


def emit(builder: Builder, module: nn.Module, value: int) -> int:
    """Add the steps of a module in evaluation mode.

    Args:
        builder: Where they are added.
        module: Any; it is told by its method `forward`, so that a subclass with another one is
            not taken for what it derives from.
        value: What it takes.

    Returns:
        What it gives.

    Raises:
        NotKnownError: It has a layer that no step stands for.
    """
    if module._forward_hooks or module._forward_pre_hooks:
        raise NotKnownError("a hook")
    forward = type(module).forward
    if forward is nn.Sequential.forward:
        for child in module.children():
            value = emit(builder, child, value)
        return value
    if forward in _LAYERS:
        return _LAYERS[forward](builder, module, value)
    from unweave.explorer.tracing import emit_traced

    return emit_traced(builder, module, value)


def _dense(builder: Builder, layer: Any, value: int) -> int:
    shape = builder.shape(value)
    if len(shape) != 1:
        raise NotKnownError("a dense layer of images")
    return builder.add(
        "dense",
        value,
        (layer.out_features,),
        {"weight": layer.weight, "bias": _bias(layer.bias, layer.out_features)},
    )


def _bias(bias: Tensor | None, count: int) -> Tensor:
    return torch.zeros(count) if bias is None else bias


def _convolution(builder: Builder, layer: Any, value: int) -> int:
    transposed = isinstance(layer, nn.ConvTranspose2d)
    shape = builder.shape(value)
    known = (
        len(shape) == 3
        and layer.groups == 1
        and layer.padding_mode == "zeros"
        and tuple(layer.dilation) == (1, 1)
        and not isinstance(layer.padding, str)
    )
    if not known:
        raise NotKnownError(f"{layer}")
    sides = []
    for axis, size in enumerate(shape[1:]):
        kernel, stride, padding = (
            each[axis] for each in (layer.kernel_size, layer.stride, layer.padding)
        )
        if transposed:
            sides.append((size - 1) * stride - 2 * padding + kernel + layer.output_padding[axis])
        else:
            sides.append((size + 2 * padding - kernel) // stride + 1)
    return builder.add(
        "transposed" if transposed else "convolution",
        value,
        (layer.out_channels, *sides),
        {"weight": layer.weight, "bias": _bias(layer.bias, layer.out_channels)},
        kernel=list(layer.kernel_size),
        stride=list(layer.stride),
        padding=list(layer.padding),
    )


def _normalisation(builder: Builder, layer: Any, value: int) -> int:
    if layer.running_mean is None or layer.running_var is None:
        raise NotKnownError("a normalisation over the batch at hand")
    scale = torch.rsqrt(layer.running_var.double() + layer.eps)
    if layer.weight is not None:
        scale = scale * layer.weight.double()
    shift = -layer.running_mean.double() * scale
    if layer.bias is not None:
        shift = shift + layer.bias.double()
    return builder.affine(value, scale, shift)


def _function(
    name: str, slope: Callable[[Any], float] | None = None
) -> Callable[[Builder, Any, int], int]:
    """What adds an elementwise function."""

    def add(builder: Builder, layer: Any, value: int) -> int:
        settings: dict[str, Any] = {} if slope is None else {"slope": slope(layer)}
        return builder.add(
            "activation", value, builder.shape(value), None, function=name, **settings
        )

    return add


def _softplus(builder: Builder, layer: Any, value: int) -> int:
    if layer.beta != 1:
        raise NotKnownError("a softplus with a beta")
    return _function("softplus")(builder, layer, value)


def _gelu(builder: Builder, layer: Any, value: int) -> int:
    if layer.approximate != "none":
        raise NotKnownError("an approximate GELU")
    return _function("gelu")(builder, layer, value)


def _same(builder: Builder, layer: Any, value: int) -> int:
    return value


def _flatten(builder: Builder, layer: Any, value: int) -> int:
    if layer.start_dim != 1 or layer.end_dim != -1:
        raise NotKnownError("a layer that flattens in part")
    return builder.reshape(value, (_numbers(builder.shape(value)),))


def _unflatten(builder: Builder, layer: Any, value: int) -> int:
    sizes = layer.unflattened_size
    if layer.dim != 1 or len(builder.shape(value)) != 1 or isinstance(sizes[0], tuple):
        raise NotKnownError("a layer that unflattens otherwise")
    shape = torch.empty(builder.shape(value), device="meta").reshape(tuple(sizes)).shape
    return builder.reshape(value, tuple(shape))


def _numbers(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _upsample(builder: Builder, layer: Any, value: int) -> int:
    shape = builder.shape(value)
    if len(shape) != 3 or layer.align_corners or layer.recompute_scale_factor:
        raise NotKnownError("an enlargement by corners")
    with torch.device("meta"):
        sides = layer(torch.empty(1, *shape)).shape[2:]
    return enlarge(builder, value, layer.mode, sides)


def enlarge(builder: Builder, value: int, mode: str, sides: Sequence[int]) -> int:
    """Add a step to images of another size, (H, W), whose corners are no pixels' centres."""
    if mode not in ("nearest", "bilinear"):
        raise NotKnownError(f"an enlargement by {mode}")
    return builder.add("enlarge", value, (builder.shape(value)[0], *sides), mode=mode)


def _own(builder: Builder, network: Any, value: int) -> int:
    return emit(builder, network.network, value)


def _group_decoder(builder: Builder, decoder: Any, value: int) -> int:
    (inputs,) = builder.shape(value)
    latents = _part(builder, value, 0, decoder.latents)
    features = emit(builder, decoder.groups, latents)
    if inputs > decoder.latents:
        told = _part(builder, value, decoder.latents, inputs)
        count = builder.shape(features)[0] + inputs - decoder.latents
        features = builder.add("join", (features, told), (count,))
    return emit(builder, decoder.pixels, features)


def _part(builder: Builder, value: int, start: int, stop: int) -> int:
    if (start, stop) == (0, builder.shape(value)[0]):
        return value
    return builder.add("slice", value, (stop - start,), start=start, stop=stop)


def _direct_product(builder: Builder, product: Any, value: int) -> int:
    elements, start = [], 0
    for group, latents in zip(product.groups, product.latents, strict=True):
        elements.append(emit(builder, group, _part(builder, value, start, start + latents)))
        start += latents
    if len(elements) == 1:
        return elements[0]
    return builder.add("join", elements, (sum(builder.shape(each)[0] for each in elements),))


def _exponential_group(builder: Builder, group: Any, value: int) -> int:
    generators = group.generators().detach()
    side = generators.shape[-1]
    weights = {"weight": generators.flatten(1).T, "bias": torch.zeros(side * side)}
    algebra = builder.add("dense", value, (side * side,), weights)
    return builder.add("exponential", algebra, (side * side,), None, side=side)


def _commuting_group(builder: Builder, group: Any, value: int) -> int:
    growth, turning = group.growth.detach(), group.turning.detach()
    blocks, pairs = growth.shape[1], turning.shape[1]
    if not pairs:
        raise NotKnownError("a group of matrices of one row")
    with torch.no_grad():
        on = group._in_place(torch.eye(blocks), torch.zeros(blocks, pairs))
        off = group._in_place(torch.zeros(pairs, blocks), torch.eye(pairs))
    rates = []
    for matrix in (growth, turning):
        count = matrix.shape[1]
        weights = {"weight": matrix.T, "bias": torch.zeros(count)}
        rates.append(builder.add("dense", value, (count,), weights))
    both = builder.add("turn", rates, (blocks + pairs,))
    weights = {"weight": torch.cat([on, off]).T, "bias": torch.zeros(on.shape[1])}
    return builder.add("dense", both, (on.shape[1],), weights)


_LAYERS: dict[Any, Callable[[Builder, Any, int], int]] = {
    nn.Linear.forward: _dense,
    ExactLinear.forward: _dense,
    nn.Conv2d.forward: _convolution,
    nn.ConvTranspose2d.forward: _convolution,
    UpConvolution.forward: _convolution,
    nn.BatchNorm1d.forward: _normalisation,
    nn.ReLU.forward: _function("relu"),
    nn.LeakyReLU.forward: _function("leaky_relu", lambda layer: layer.negative_slope),
    nn.ELU.forward: _function("elu", lambda layer: layer.alpha),
    nn.Tanh.forward: _function("tanh"),
    nn.Sigmoid.forward: _function("sigmoid"),
    nn.SiLU.forward: _function("silu"),
    nn.Softplus.forward: _softplus,
    nn.GELU.forward: _gelu,
    nn.Identity.forward: _same,
    nn.Dropout.forward: _same,
    nn.Dropout2d.forward: _same,
    nn.Flatten.forward: _flatten,
    nn.Unflatten.forward: _unflatten,
    nn.Upsample.forward: _upsample,
    OwnNetwork.forward: _own,
    GroupDecoder.forward: _group_decoder,
    DirectProduct.forward: _direct_product,
    ExponentialGroup.forward: _exponential_group,
    CommutingGroup.forward: _commuting_group,
}
