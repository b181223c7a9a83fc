"""From a trained model to files: refused before work, compared before anything is written."""

from __future__ import annotations

__all__ = ["FORMATS", "HALVES", "Exported", "check_export", "export_model"]

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import torch

from unweave._version import __version__
from unweave.errors import RunError, SpecError, nearest
from unweave.exporting.formats import Array, Signature, has_runtime, run, to_bytes
from unweave.exporting.halves import halves
from unweave.nn.conditions import Conditions
from unweave.rundir import FORMAT, atomic_write
from unweave.splits import keyed_generator
from unweave.training import TrainConfig
from unweave.vae import VAE

FORMATS: Final = ("onnx", "torchscript", "torch-export", "challenge")
"""ONNX; traced TorchScript; a program of `torch.export`; the folder of the challenge of 2019."""

HALVES: Final = ("encoder", "decoder", "both")
"""What can be exported: one network, or both."""

TOLERANCE: Final = 1e-4
"""Largest difference of a file from the model, as a part of the largest number that it gives."""

_NEEDED: Final = ("onnx", "onnxscript")
# Numbers of images that files are run with: none is the number that they were traced with.
_COUNTS: Final = (1, 2, 5)
_TRACED: Final = 3
_CHALLENGE: Final = ("representation", "pytorch_model.pt")
_RESULTS: Final = "results"
_SIDE: Final = 64


@final
@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: Where it lies.
        what: `encoder` or `decoder`.
        format: One of `FORMATS`.
        difference: Largest difference of what the file gives from what the model gives, on random
            inputs; None where it was not run.
        bytes: Size of the file.
        inputs: Names of the inputs, each with its shape; N is any number of images.
        output: Name of the output, with its shape.
    """

    path: Path
    what: str
    format: str
    difference: float | None
    bytes: int
    inputs: dict[str, str]
    output: dict[str, str]


def check_export(
    config: TrainConfig, format: str, out: Path, what: str, *, labels: bool, overwrite: bool
) -> dict[str, Path]:
    """Refuse what cannot be exported; where the files that are asked for will lie.

    Args:
        config: Of the run.
        format: A name from `FORMATS`.
        out: Where the files shall lie; the folder of an entry, of the format `challenge`.
        what: `encoder`, `decoder` or `both`.
        labels: Whether the decoder shall take labels.
        overwrite: Whether files that are there may be replaced.

    Raises:
        SpecError: An unknown format or half, or a model that does not fit it; the packages of the
            format are missing.
        RunError: A file is in the way.
    """
    if format not in FORMATS:
        raise SpecError(f"Unknown format {format!r:.60}. {nearest(format, FORMATS)}")
    if what not in HALVES:
        raise SpecError(f"Unknown half {what!r:.60}. {nearest(what, HALVES)}")
    if labels and _conditions(config) is None:
        raise SpecError(f"{config.objective} is told no labels, so its model takes none.")
    if not config.objective.expand().encodes and what != "decoder":
        raise SpecError(f"{config.objective} has no encoder. Export its decoder: --what decoder.")
    if format == "challenge":
        _check_challenge(config, what, labels=labels)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if format == "onnx" and missing:
        raise SpecError(
            f"The format onnx needs {' and '.join(missing)}, which this Python does not have. "
            'Install it: pip install "unweave[onnx]".'
        )
    if format == "challenge":
        _check_entry(out)
    paths = _paths(format, out, what)
    for path in paths.values():
        _check_place(path, overwrite=overwrite)
    return paths


def export_model(
    model: VAE,
    config: TrainConfig,
    step: int,
    paths: dict[str, Path],
    format: str,
    *,
    labels: bool = False,
    check: bool = True,
) -> list[Exported]:
    """Write encoder, decoder or both as files with any number of images.

    Each file is run on random inputs, where there is something that runs it, and compared with the
    model before any is written.

    Args:
        model: What is exported.
        config: What was trained.
        step: Optimiser steps of the weights.
        paths: Where encoder and decoder will lie, as `check_export` gives them.
        format: One of `FORMATS`.
        labels: Whether a conditional model takes labels as a second input; else all are unknown.
        check: Whether the files are run and compared.

    Raises:
        RunError: A file gives something else than the model; none is written.
    """
    kind = "torchscript" if format == "challenge" else format
    conditions = model.conditions if labels else None
    networks = halves(model, told=labels)
    made: list[tuple[Exported, bytes]] = []
    for what, path in paths.items():
        signature = _signature(what, config, conditions)
        note = _note(config, step, what, signature, conditions, labels=labels)
        if model.given is not None:
            coding = model.given.coding
            note["codes"] = {
                "inputs": coding.inputs,
                "by_size": coding.by_size,
                "names": list(model.given.names),
                "factors": model.given.space.to_list(),
            }
        traced = 1 if format == "challenge" else _TRACED
        content = to_bytes(kind, networks[what], signature, note, traced)
        difference = None
        if check and has_runtime(kind):
            difference = _compare(model, what, kind, content, signature, path)
        shapes = {name: _shape(shape) for name, shape in signature.inputs.items()}
        given = {signature.output: _shape(signature.shape)}
        made.append(
            (Exported(path, what, format, difference, len(content), shapes, given), content)
        )
    for exported, content in made:
        with atomic_write(exported.path) as handle:
            handle.write(content)
        if format == "challenge":
            results = exported.path.parent.parent / _RESULTS
            try:
                results.mkdir(exist_ok=True)
            except OSError as error:
                raise RunError(f"{results} cannot be made: {error}.") from error
    return [exported for exported, _ in made]


def _conditions(config: TrainConfig) -> Conditions | None:
    return config.objective.expand().method.conditions(config.setup)


def _check_challenge(config: TrainConfig, what: str, *, labels: bool) -> None:
    height, width, _ = config.dataset.image_shape
    if (height, width) != (_SIDE, _SIDE):
        raise SpecError(
            f"The challenge takes images of {_SIDE}x{_SIDE} pixels, and those of "
            f"{config.dataset} have {height}x{width}. Export them as torchscript."
        )
    if what != "encoder" or labels:
        raise SpecError(
            "The challenge takes an encoder of images alone. Leave out --what and --labels, or "
            "export as torchscript."
        )


def _paths(format: str, out: Path, what: str) -> dict[str, Path]:
    if format == "challenge":
        return {"encoder": out.joinpath(*_CHALLENGE)}
    if what == "both":
        if not out.name or out.name == ".." or _is_folder(out):
            raise _a_folder(out)
        return {
            half: out.with_name(f"{out.stem}-{half}{out.suffix}")
            for half in ("encoder", "decoder")
        }
    return {what: out}


def _check_place(path: Path, *, overwrite: bool) -> None:
    """Refuse a path that cannot be written, or has something that would be lost."""
    if "\0" in str(path):
        raise RunError(f"{str(path)!r} cannot be written: a null character is in its name.")
    try:
        if path.is_dir():
            raise _a_folder(path)
        taken = path.exists() or path.is_symlink()
        above = next((place for place in path.parents if place.exists()), None)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be written: {error}.") from error
    if above is not None and not above.is_dir():
        raise RunError(f"{path} cannot be written: {above} is no folder.")
    if taken and not overwrite:
        raise RunError(f"{path} exists. Choose another name with --out, or give --overwrite.")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # It cannot be written either, which is said with the reason.
        return False


def _a_folder(path: Path) -> RunError:
    return RunError(f"{path} is a folder. Name a file with --out, such as {path / 'model'}.")


def _check_entry(out: Path) -> None:
    """Refuse a folder of the challenge in which the one of its results cannot be made."""
    results = out / _RESULTS
    try:
        taken = (results.exists() or results.is_symlink()) and not results.is_dir()
    except (OSError, ValueError) as error:
        raise RunError(f"{out} cannot be written: {error}.") from error
    if taken:
        raise RunError(
            f"{results} is no folder, and the challenge keeps its results there. Move it away, or "
            "choose another folder with --out."
        )


def _signature(what: str, config: TrainConfig, conditions: Conditions | None) -> Signature:
    height, width, channels = config.dataset.image_shape
    images, latents = (channels, height, width), (config.latents,)
    told = {} if conditions is None else {"labels": (conditions.width,)}
    if what == "encoder":
        return Signature({"images": images, **told}, "means", latents)
    return Signature({"latents": latents, **told}, "images", images)


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['N', *map(str, shape)])})"


def _note(
    config: TrainConfig,
    step: int,
    what: str,
    signature: Signature,
    conditions: Conditions | None,
    *,
    labels: bool,
) -> dict[str, Any]:
    """What is kept within the file."""
    note: dict[str, Any] = {
        "format": FORMAT,
        "unweave": __version__,
        "what": what,
        "objective": str(config.objective),
        "dataset": str(config.dataset),
        "architecture": str(config.architecture),
        "likelihood": str(config.likelihood),
        "image_shape": list(config.dataset.image_shape),
        "latents": config.latents,
        "step": step,
        "seed": config.seed,
        "inputs": {name: _shape(shape) for name, shape in signature.inputs.items()},
        "output": {signature.output: _shape(signature.shape)},
    }
    if labels and conditions is not None:
        factors = [config.dataset.factor_space.factors[column] for column in conditions.columns]
        note["labels"] = {
            "encoding": conditions.encoding,
            "factors": [
                {"name": factor.name, "size": factor.size, "columns": [span.start, span.stop]}
                for factor, span in zip(factors, conditions.spans, strict=True)
            ],
        }
    return note


def _compare(
    model: VAE, what: str, kind: str, content: bytes, signature: Signature, path: Path
) -> float:
    """Largest difference of a file from the model, on random inputs.

    Raises:
        RunError: It is too large.
    """
    batches = list(_batches(what, signature))
    found = run(kind, content, batches)
    expected = [_given(model, what, batch) for batch in batches]
    largest, scale = 0.0, 1.0
    for ours, theirs in zip(expected, found, strict=True):
        if ours.shape != theirs.shape:
            raise RunError(
                f"The {what} was not exported: for inputs where the model gives {ours.shape}, the "
                f"file gives {theirs.shape}. {path} was not written; choose another --format."
            )
        both = np.isnan(ours) & np.isnan(theirs)
        difference = np.where(both, 0, np.abs(ours.astype(float) - theirs))
        largest = (
            max(largest, float(difference.max())) if np.isfinite(difference).all() else math.inf
        )
        scale = max(scale, float(np.nanmax(np.abs(ours), initial=0.0)))
    if not largest <= TOLERANCE * scale:
        raise RunError(
            f"The {what} was not exported: what the file gives differs from the model by up to "
            f"{largest:.3g}, and allowed are {TOLERANCE * scale:.3g}. {path} was not written; "
            "choose another --format."
        )
    return largest


def _batches(what: str, signature: Signature) -> Iterator[dict[str, Array]]:
    generator = keyed_generator(0, "inputs of an exported model")
    for count in _COUNTS:
        batch = {}
        for name, shape in signature.inputs.items():
            size = (count, *shape)
            drawn = (
                generator.standard_normal(size) if name == "latents" else generator.random(size)
            )
            batch[name] = drawn.astype(np.float32)
        yield batch


@torch.inference_mode()
def _given(model: VAE, what: str, batch: dict[str, Array]) -> Array:
    """What the model gives for inputs of a file."""
    values = {name: torch.from_numpy(value).to(model.device) for name, value in batch.items()}
    told = values.get("labels")
    if what == "encoder":
        given = model.encode(values["images"], told).mean
    else:
        given = model.likelihood.mean(model.decode(values["latents"], told))
    result: Array = given.cpu().numpy()
    return result
