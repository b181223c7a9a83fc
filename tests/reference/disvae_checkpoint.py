"""A disentangling-vae model in plain words: its tensors, its networks, and its file format.

Written from the description of the published files alone: the older serialisation of PyTorch is
put together byte by byte, and the networks are function calls on the published tensors.
"""

from __future__ import annotations

import pickle
import struct

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["decode", "encode", "legacy_file", "shapes", "table", "weights"]


def shapes(side: int = 32, channels: int = 1, latents: int = 3) -> dict[str, tuple[int, ...]]:
    """Every tensor of a model, as published."""
    found: dict[str, tuple[int, ...]] = {}

    def layer(name: str, *shape: int, bias: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = shape, (bias,)

    layer("encoder.conv1", 32, channels, 4, 4, bias=32)
    layer("encoder.conv2", 32, 32, 4, 4, bias=32)
    layer("encoder.conv3", 32, 32, 4, 4, bias=32)
    if side == 64:
        layer("encoder.conv_64", 32, 32, 4, 4, bias=32)
    layer("encoder.lin1", 256, 512, bias=256)
    layer("encoder.lin2", 256, 256, bias=256)
    layer("encoder.mu_logvar_gen", 2 * latents, 256, bias=2 * latents)
    layer("decoder.lin1", 256, latents, bias=256)
    layer("decoder.lin2", 256, 256, bias=256)
    layer("decoder.lin3", 512, 256, bias=512)
    if side == 64:
        layer("decoder.convT_64", 32, 32, 4, 4, bias=32)
    layer("decoder.convT1", 32, 32, 4, 4, bias=32)
    layer("decoder.convT2", 32, 32, 4, 4, bias=32)
    layer("decoder.convT3", 32, channels, 4, 4, bias=channels)
    return found


def weights(side: int = 32, channels: int = 1, latents: int = 3, seed: int = 0):
    """A model with random weights: name -> float32 array."""
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.08, shape).astype(np.float32)
        for name, shape in shapes(side, channels, latents).items()
    }


def encode(state, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and log variances of images (n, C, H, W)."""
    p = {name: torch.from_numpy(value) for name, value in state.items()}
    x = torch.from_numpy(images)
    names = ["conv1", "conv2", "conv3", *(["conv_64"] if "encoder.conv_64.bias" in p else [])]
    for name in names:
        x = F.conv2d(x, p[f"encoder.{name}.weight"], p[f"encoder.{name}.bias"], 2, 1).relu()
    x = x.reshape(len(x), -1)
    for name in ("lin1", "lin2"):
        x = (x @ p[f"encoder.{name}.weight"].T + p[f"encoder.{name}.bias"]).relu()
    x = x @ p["encoder.mu_logvar_gen.weight"].T + p["encoder.mu_logvar_gen.bias"]
    pairs = x.reshape(len(x), -1, 2).numpy()
    return pairs[..., 0], pairs[..., 1]


def decode(state, z: np.ndarray) -> np.ndarray:
    """Pixels (n, C, H, W) of latents (n, L)."""
    p = {name: torch.from_numpy(value) for name, value in state.items()}
    x = torch.from_numpy(z)
    for name in ("lin1", "lin2", "lin3"):
        x = (x @ p[f"decoder.{name}.weight"].T + p[f"decoder.{name}.bias"]).relu()
    x = x.reshape(-1, 32, 4, 4)
    names = [*(["convT_64"] if "decoder.convT_64.bias" in p else []), "convT1", "convT2"]
    for name in names:
        weight, bias = p[f"decoder.{name}.weight"], p[f"decoder.{name}.bias"]
        x = F.conv_transpose2d(x, weight, bias, 2, 1).relu()
    x = F.conv_transpose2d(x, p["decoder.convT3.weight"], p["decoder.convT3.bias"], 2, 1)
    return (1 / (1 + torch.exp(-x))).numpy()


def legacy_file(
    state, *, table_bytes: bytes | None = None, keys: list[str] | None = None
) -> bytes:
    """The file of a state dict: five pickles, then the storages."""
    names = [str(900 + i) for i in range(len(state))]
    head = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True,
            "type_sizes": {"short": 2, "int": 4, "long": 4}}]  # fmt: skip
    data = b"".join(pickle.dumps(value, 2) for value in head)
    data += table(state) if table_bytes is None else table_bytes
    data += pickle.dumps(names if keys is None else keys, 2)
    for value in state.values():
        data += struct.pack("<q", value.size) + value.astype("<f4").tobytes()
    return data


def table(state, *, hooks: bytes = b"", metadata: bytes = b"", **changes) -> bytes:
    """The pickle of the state dict, instruction by instruction.

    Args:
        state: Name -> array, each in a storage of its own.
        hooks: Stands for the empty dictionary of hooks of each tensor.
        metadata: Comes after the tensors.
        changes: Other values of `offset`, `size`, `stride`, `length` or `kind` of every tensor.
    """
    empty = b"ccollections\nOrderedDict\n)R"
    body = b"\x80\x02" + empty + b"("
    for number, (name, value) in enumerate(state.items()):
        stride = tuple(s // 4 for s in np.ascontiguousarray(value).strides)
        body += text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(("
        body += text("storage") + b"ctorch\n" + changes.get("kind", b"FloatStorage") + b"\n"
        body += text(str(900 + number)) + text("cpu")
        body += whole(changes.get("length", value.size)) + b"NtQ"
        body += whole(changes.get("offset", 0))
        body += wholes(changes.get("size", value.shape)) + wholes(changes.get("stride", stride))
        body += b"\x89" + (hooks or empty) + b"tR"
    return body + b"u" + metadata + b"."


def text(value: str) -> bytes:
    """A text."""
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def whole(value: int) -> bytes:
    """A whole number."""
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def wholes(values) -> bytes:
    """A tuple of whole numbers."""
    return b"(" + b"".join(whole(value) for value in values) + b"t"
