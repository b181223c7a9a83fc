"""Device, number of threads and precision, resolved once for the machine at hand."""

from __future__ import annotations

__all__ = ["autocast_dtype", "automatic", "resolve", "training_process"]

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch

from unweave.errors import SpecError
from unweave.training.affinity import own_cores
from unweave.training.config import TrainConfig
from unweave.training.memory import keep_freed_memory, restart_workers


def resolve(config: TrainConfig) -> TrainConfig:
    """The configuration with `threads`, `device` and `precision` fixed.

    An objective with a `compat` setting repeats published numbers and is float32 unless bfloat16
    is asked for.

    Raises:
        SpecError: The device does not exist here.
    """
    device = _device(config.device)
    precision = config.precision
    if precision == "auto":
        exact = config.objective.expand().needs_float32
        precision = "float32" if exact else automatic(device)
    return dataclasses.replace(
        config,
        device=str(device),
        precision=precision,
        threads=config.threads or torch.get_num_threads(),
    )


def automatic(device: torch.device) -> Literal["float32", "bfloat16"]:
    """The faster precision of a device: bfloat16 where it has instructions for it."""
    return "bfloat16" if _has_bfloat16(device) else "float32"


@contextmanager
def training_process(config: TrainConfig) -> Iterator[None]:
    """Set threads, memory and arithmetic of this process as training wants them, for a block.

    Subnormal numbers are taken as zero: units that die leave their Adam moments there, and a
    processor adds such numbers many times slower. Worker threads take the setting over when they
    are started, so they are started afresh, each on a core of its own. On a GPU, convolutions are
    deterministic ones.
    """
    keep_freed_memory()
    threads = torch.get_num_threads()
    flushed = bool((torch.tensor(1e-40) * 1.0 == 0).item())
    torch.set_flush_denormal(True)
    restart_workers()
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    if config.threads is not None and threads != config.threads:
        torch.set_num_threads(config.threads)
    try:
        with own_cores(torch.get_num_threads()):
            yield
    finally:
        torch.set_flush_denormal(flushed)
        restart_workers()
        cudnn.deterministic, cudnn.benchmark = before
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)


def autocast_dtype(precision: str) -> torch.dtype | None:
    """The dtype under which networks run, or None for plain float32."""
    return torch.bfloat16 if precision == "bfloat16" else None


def _device(text: str) -> torch.device:
    if text == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(text)
    except RuntimeError:
        raise SpecError(
            f"train: device {text!r} is unknown. Use auto, cpu, cuda or cuda:N."
        ) from None
    if device.type == "cuda":
        count = torch.cuda.device_count()
        # The index is held in so few bits that a large one becomes negative.
        if not 0 <= (device.index or 0) < count:
            raise SpecError(f"train: device {text!r} is not there; this machine has {count} GPUs.")
    elif device.type != "cpu":
        raise SpecError(f"train: device {text!r} is not supported. Use auto, cpu, cuda or cuda:N.")
    return device


def _has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    probes = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, probe, lambda: False)()) for probe in probes)
