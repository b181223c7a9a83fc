"""Networks with a `forward` of their own, by following what it does with its layers."""

from __future__ import annotations

__all__ = ["emit_traced"]

import operator
from collections.abc import Mapping
from typing import Any, Final, final

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from unweave.explorer.layers import emit, enlarge
from unweave.explorer.program import Builder, NotKnownError

# Shapes are followed with a batch of as many, which no side of an image is.
_BATCH: Final = 11

_FUNCTIONS: Final[dict[Any, str]] = {
    **dict.fromkeys((torch.relu, F.relu, "relu", "relu_"), "relu"),
    **dict.fromkeys((torch.tanh, F.tanh, "tanh"), "tanh"),
    **dict.fromkeys((torch.sigmoid, F.sigmoid, "sigmoid"), "sigmoid"),
    **dict.fromkeys((F.silu,), "silu"),
}
_RESHAPES: Final = (
    torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.unflatten,
    "flatten", "reshape", "view", "squeeze", "unsqueeze", "unflatten", "contiguous",
)  # fmt: skip
_PAIRS: Final[dict[Any, str]] = {
    **dict.fromkeys((operator.add, torch.add, "add"), "add"),
    **dict.fromkeys((operator.mul, torch.mul, "mul"), "multiply"),
}
_SPREADS: Final = ("expand", "repeat", torch.broadcast_to)


@final
class _Tracer(fx.Tracer):
    """Follows `forward` down to layers, whatever their class, and to tensors that are kept."""

    proxy_buffer_attributes = True

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def emit_traced(builder: Builder, module: nn.Module, value: int) -> int:
    """Add the steps of a module by following its method `forward`.

    Args:
        builder: Where they are added.
        module: In evaluation mode; its layers may have a `forward` of their own, too.
        value: What it takes.

    Returns:
        What it gives.

    Raises:
        NotKnownError: It cannot be followed, such as where it looks at values, or it does
            something that no step stands for.
    """
    if type(module).__module__.startswith("torch.nn."):
        raise NotKnownError(type(module).__name__)
    try:
        graph = _Tracer().trace(module)
        traced = fx.GraphModule(module, graph)
        with torch.no_grad():
            ShapeProp(traced).propagate(torch.zeros(_BATCH, *builder.shape(value)))
    except Exception as error:
        raise NotKnownError(f"{type(module).__name__}: {error}") from error
    values: dict[fx.Node, int] = {}
    for node in graph.nodes:
        if node.op == "placeholder":
            if values:
                raise NotKnownError("a second input")
            values[node] = value
        elif node.op == "output":
            (result,) = node.args
            return _value(values, result)
        elif node.op == "get_attr":
            tensor = _attribute(module, str(node.target))
            if isinstance(tensor, Tensor) and tensor.ndim in (2, 4) and len(tensor) == 1:
                shape = tuple(tensor.shape[1:])
                values[node] = builder.add("constant", (), shape, {"value": tensor[0]})
        elif node.op == "call_module":
            child = module.get_submodule(str(node.target))
            values[node] = emit(builder, child, _value(values, node.args[0]))
        elif _shape(node) is not None:
            values[node] = _emit_call(builder, node, values)
    raise NotKnownError("a network that gives nothing")


def _emit_call(builder: Builder, node: fx.Node, values: Mapping[fx.Node, int]) -> int:
    """Add what a function or method does with tensors."""
    target, arguments, named = node.target, node.args, node.kwargs
    shape = _shape(node)
    assert shape is not None
    if target in _FUNCTIONS:
        return builder.add(
            "activation", _value(values, arguments[0]), shape, None, function=_FUNCTIONS[target]
        )
    if target in (F.leaky_relu, F.elu):
        name, default = ("leaky_relu", 0.01) if target is F.leaky_relu else ("elu", 1.0)
        word = "negative_slope" if target is F.leaky_relu else "alpha"
        slope = arguments[1] if len(arguments) > 1 else named.get(word, default)
        value = _value(values, arguments[0])
        return builder.add("activation", value, shape, None, function=name, slope=slope)
    if target in _RESHAPES:
        return builder.reshape(_value(values, arguments[0]), shape)
    if target in _PAIRS:
        pair = [_value(values, each) for each in arguments[:2]]
        if any(builder.shape(each) != shape for each in pair):
            raise NotKnownError("a sum or product of values of different shapes")
        return builder.add(_PAIRS[target], pair, shape)
    if target in (torch.cat, torch.concat):
        dim = arguments[1] if len(arguments) > 1 else named.get("dim", 0)
        parts = arguments[0]
        if dim not in (1, -len(shape)) or not isinstance(parts, list | tuple):
            raise NotKnownError("parts that are joined, but not their channels")
        return builder.add("join", [_value(values, each) for each in parts], shape)
    if target in _SPREADS:
        return _spread(builder, _value(values, arguments[0]), shape)
    if target is F.interpolate:
        if named.get("align_corners") or len(shape) != 3:
            raise NotKnownError("an enlargement by corners")
        value = _value(values, arguments[0])
        return enlarge(builder, value, str(named.get("mode", "nearest")), shape[1:])
    raise NotKnownError(f"{target}")


def _spread(builder: Builder, value: int, shape: tuple[int, ...]) -> int:
    """Images of one pixel over a whole image, or the same once more."""
    before = builder.shape(value)
    if before == shape:
        return value
    if before != (shape[0], 1, 1):
        raise NotKnownError("values that are repeated otherwise")
    return enlarge(builder, value, "nearest", shape[1:])


def _shape(node: fx.Node) -> tuple[int, ...] | None:
    """Shape of a tensor without its batch; None of what is no tensor.

    Raises:
        NotKnownError: Its first axis is not the batch.
    """
    meta = node.meta.get("tensor_meta")
    shape = getattr(meta, "shape", None)
    if shape is None:
        return None
    if not shape or shape[0] not in (1, _BATCH):
        raise NotKnownError("a tensor without a batch")
    return tuple(shape[1:])


def _value(values: Mapping[fx.Node, int], node: Any) -> int:
    if not isinstance(node, fx.Node) or node not in values:
        raise NotKnownError("a number or tensor that is no value")
    return values[node]


def _attribute(module: nn.Module, name: str) -> Any:
    thing: Any = module
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing
