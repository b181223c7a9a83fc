"""Latents moved by hand in a page: how it decodes, and all that it needs for that."""

from unweave.explorer.building import (
    DECODERS,
    ROOM,
    Explored,
    Source,
    build,
    check_decoder,
    check_starts,
)
from unweave.explorer.onnx_web import PINNED, OnnxRuntime, read_package

__all__ = [
    "DECODERS",
    "PINNED",
    "ROOM",
    "Explored",
    "OnnxRuntime",
    "Source",
    "build",
    "check_decoder",
    "check_starts",
    "read_package",
]
