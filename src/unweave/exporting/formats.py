"""Networks as bytes of each format, and the bytes run again."""

from __future__ import annotations

__all__ = ["Signature", "has_runtime", "run", "to_bytes"]

import contextlib
import importlib.util
import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Array = NDArray[Any]

_NOTE = "unweave.json"
_KEY = "unweave"


@final
@dataclass(frozen=True)
class Signature:
    """Names and shapes of what a network takes and gives, for N images.

    Attributes:
        inputs: Name -> shape of one image's part.
        output: Name of what it gives.
        shape: Its shape for one image.
    """

    inputs: dict[str, tuple[int, ...]]
    output: str
    shape: tuple[int, ...]


def to_bytes(
    kind: str, network: nn.Module, signature: Signature, note: dict[str, Any], example: int
) -> bytes:
    """A network with N as an open size, as the content of a file.

    Args:
        kind: `onnx`, `torchscript` or `torch-export`.
        network: On the processor, in float32 and evaluation mode.
        signature: What it takes and gives.
        note: What is kept within the file; JSON.
        example: Number of images that it is traced with.
    """
    inputs = tuple(torch.zeros(example, *shape) for shape in signature.inputs.values())
    text = json.dumps(note, sort_keys=True)
    buffer = io.BytesIO()
    with _quiet(), torch.no_grad():
        if kind == "torchscript":
            traced = torch.jit.trace(network, inputs, check_trace=False)  # type: ignore[no-untyped-call]
            torch.jit.save(traced, buffer, _extra_files={_NOTE: text})
            return buffer.getvalue()
        batch = torch.export.Dim("N", min=1)
        program = torch.export.export(
            network, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs), strict=False
        )
        if kind == "torch-export":
            torch.export.save(program, buffer, extra_files={_NOTE: text})
            return buffer.getvalue()
        made = torch.onnx.export(
            program,
            dynamo=True,
            input_names=list(signature.inputs),
            output_names=[signature.output],
            external_data=False,
            verbose=False,
        )
    assert made is not None
    model = made.model_proto
    entry = model.metadata_props.add()
    entry.key, entry.value = _KEY, text
    model.producer_name, model.producer_version = "unweave", str(note["unweave"])
    return bytes(model.SerializeToString())


def has_runtime(kind: str) -> bool:
    """Whether this Python can run files of the format."""
    return kind != "onnx" or importlib.util.find_spec("onnxruntime") is not None


def run(kind: str, content: bytes, batches: Sequence[dict[str, Array]]) -> list[Array]:
    """What a file gives for each batch of inputs by name, in the order of its signature."""
    with _quiet(), torch.no_grad():
        if kind == "onnx":
            import onnxruntime

            session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
            return [np.asarray(session.run(None, dict(batch))[0]) for batch in batches]
        if kind == "torchscript":
            network: Any = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]
        else:
            network = torch.export.load(io.BytesIO(content)).module()
        results: list[Array] = []
        for batch in batches:
            given: Tensor = network(*(torch.from_numpy(value) for value in batch.values()))
            results.append(given.numpy())
        return results


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Exporters print what they do on standard output, and warn of their own internals."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
