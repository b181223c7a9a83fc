"""Programs of an explorer, carried out one image at a time by sums that can be read."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.special

__all__ = ["pixels"]

FUNCTIONS = {
    "relu": lambda x, slope: np.where(x > 0, x, 0),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, slope * x),
    "elu": lambda x, slope: np.where(x > 0, x, slope * (np.exp(np.minimum(x, 0)) - 1)),
    "tanh": lambda x, slope: np.tanh(x),
    "sigmoid": lambda x, slope: scipy.special.expit(x),
    "softplus": lambda x, slope: np.logaddexp(0, x),
    "silu": lambda x, slope: x * scipy.special.expit(x),
    "gelu": lambda x, slope: x * scipy.special.ndtr(x),
}


def pixels(program, given):
    """Pixels (C, H, W) of what a decoder is given, (N,), in double precision."""
    values = [np.asarray(given, np.float64)]
    for step in program.steps:
        inputs = [values[each] for each in step.inputs]
        weights = {name: array.astype(np.float64) for name, array in step.weights.items()}
        result = one(step, inputs, weights)
        assert result.shape == step.shape
        values.append(result)
    return values[-1]


def one(step, inputs, weights):
    """What a step gives."""
    settings = step.settings
    match step.kind:
        case "dense":
            return weights["weight"] @ inputs[0] + weights["bias"]
        case "convolution":
            return convolution(inputs[0], weights, settings, step.shape)
        case "transposed":
            return transposed(inputs[0], weights, settings, step.shape)
        case "affine":
            wide = (-1, *[1] * (inputs[0].ndim - 1))
            return inputs[0] * weights["scale"].reshape(wide) + weights["shift"].reshape(wide)
        case "activation":
            return FUNCTIONS[settings["function"]](inputs[0], settings.get("slope"))
        case "reshape":
            return inputs[0].reshape(step.shape)
        case "enlarge":
            return enlarged(inputs[0], settings["mode"], step.shape)
        case "slice":
            return inputs[0][settings["start"] : settings["stop"]]
        case "join":
            return np.concatenate(inputs)
        case "exponential":
            side = settings["side"]
            return scipy.linalg.expm(inputs[0].reshape(side, side)).ravel()
        case "turn":
            return turned(*inputs)
        case "constant":
            return weights["value"]
        case "add":
            return inputs[0] + inputs[1]
        case "multiply":
            return inputs[0] * inputs[1]
    raise AssertionError(step.kind)


def convolution(x, weights, settings, shape):
    """Each output pixel is the sum over the taps of its window."""
    (kh, kw), (sh, sw), (ph, pw) = settings["kernel"], settings["stride"], settings["padding"]
    padded = np.pad(x, ((0, 0), (ph, ph), (pw, pw)))
    result = np.empty(shape)
    for i in range(shape[1]):
        for j in range(shape[2]):
            window = padded[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
            result[:, i, j] = np.tensordot(weights["weight"], window, 3) + weights["bias"]
    return result


def transposed(x, weights, settings, shape):
    """Each input pixel adds its kernel to the output, of which a margin is cut away."""
    (kh, kw), (sh, sw), (ph, pw) = settings["kernel"], settings["stride"], settings["padding"]
    whole = np.zeros((shape[0], shape[1] + 2 * ph + sh + kh, shape[2] + 2 * pw + sw + kw))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            whole[:, i * sh : i * sh + kh, j * sw : j * sw + kw] += np.tensordot(
                x[:, i, j], weights["weight"], 1
            )
    cut = whole[:, ph : ph + shape[1], pw : pw + shape[2]]
    return cut + weights["bias"][:, None, None]


def enlarged(x, mode, shape):
    """Each output pixel is the nearest one, or lies between two rows and two columns."""
    down, across = (
        shares(old, new, mode) for old, new in zip(x.shape[1:], shape[1:], strict=True)
    )
    return np.einsum("ih,chw,jw->cij", down, x, across)


def shares(old, new, mode):
    """How much of each input pixel an output pixel has, along one axis, (new, old)."""
    if mode == "nearest":
        return np.eye(old)[[int(i * old / new) for i in range(new)]]
    places = ((np.arange(new) + 0.5) * old / new - 0.5).clip(0, old - 1)
    return np.maximum(0, 1 - abs(places[:, None] - np.arange(old)))


def turned(growth, angle):
    """Blocks of a commuting group: real parts, single numbers, then what turns."""
    blocks = np.exp(growth[: len(angle)] + 1j * angle)
    return np.concatenate([blocks.real, np.exp(growth[len(angle) :]), blocks.imag])
