"""All that a page needs to decode by hand, within so many bytes."""

from __future__ import annotations

__all__ = ["DECODERS", "ROOM", "Explored", "Source", "build", "check_decoder", "check_starts"]

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data import Dataset, DatasetSpec
from unweave.encoding import encode_rows, full_precision, pixels_to_images
from unweave.errors import DataError, SpecError, nearest
from unweave.explorer.controls import controls
from unweave.explorer.layers import program_of
from unweave.explorer.onnx_web import OnnxRuntime, compressed
from unweave.explorer.packing import HALF_LEVEL, ROUNDINGS, pack, rounded, size_of
from unweave.explorer.program import Program
from unweave.explorer.running import run
from unweave.explorer.starts import Start, starts, without_images
from unweave.explorer.strips import positions, sheet
from unweave.exporting import export_model
from unweave.figures import latent_names
from unweave.jsonlines import read_rows
from unweave.pictures import probe_indices
from unweave.splits import keyed_generator, keyed_permutation
from unweave.training import TrainConfig
from unweave.vae import VAE

DECODERS: Final = ("auto", "javascript", "onnx", "strips")
"""Ways to decode in a page; `auto` takes the first that can be had."""

ROOM: Final = 9_000_000
"""Bytes of an explorer that stands alone, so that its page can be mailed."""

_IMAGES: Final = 24
_ENCODED: Final = 512
_PROBES: Final = 48
_MOST_ROWS: Final = 32
_STRIP_STARTS: Final = 4
_BATCH: Final = 64
# What a page holds beside weights and images: the scripts and the controls.
_REST: Final = 150_000


@final
@dataclass(frozen=True)
class Source:
    """A run as an explorer sees it.

    Attributes:
        folder: The run folder.
        config: Its configuration.
        model: Its model.
        dataset: Its dataset; None where the images cannot be had.
        step: Steps of the weights.
    """

    folder: Path
    config: TrainConfig
    model: VAE
    dataset: Dataset | None
    step: int


@final
@dataclass(frozen=True)
class Explored:
    """What a page gets.

    Attributes:
        decoder: `javascript`, `onnx` or `strips`.
        content: JSON: the shape of images, controls, starts, and what the decoder needs.
    """

    decoder: str
    content: dict[str, Any]


def check_decoder(decoder: str, runtime: object) -> None:
    """Refuse an unknown way to decode, or ONNX Runtime Web without its package.

    Raises:
        SpecError: The message says what to give.
    """
    if decoder not in DECODERS:
        raise SpecError(f"Unknown decoder {decoder!r:.60}. {nearest(decoder, DECODERS)}")
    if decoder == "onnx" and runtime is None:
        raise SpecError(
            "The decoder onnx needs the package onnxruntime-web. Give its folder or file with "
            "--onnxruntime-web; the documentation says how it is fetched."
        )


def check_starts(spec: DatasetSpec, images: Sequence[int]) -> None:
    """Refuse to start from images that a dataset does not have.

    Raises:
        DataError: It does not have one of them, or they cannot be counted.
    """
    if len(images) and not 0 <= min(images) <= max(images) < spec.count:
        raise DataError(f"{spec} has images 0 to {spec.count - 1:,}. Start from these.")


def build(
    source: Source,
    *,
    decoder: str = "auto",
    runtime: OnnxRuntime | None = None,
    images: Sequence[int] = (),
    room: int = ROOM,
) -> Explored:
    """Choose how a page decodes, and gather what it needs.

    Args:
        source: The run.
        decoder: One of `DECODERS`.
        runtime: ONNX Runtime Web, which `onnx` needs; `auto` takes it where a decoder has layers
            that our own runtime does not know.
        images: Flat indices of the images that a page starts from; those that the figure of
            reconstructions shows first where there are none.
        room: How many bytes it may take.

    Raises:
        SpecError: The way that is asked for cannot be had.
        DataError: The dataset does not have one of the images.
    """
    check_decoder(decoder, runtime)
    model = source.model
    begins = [] if source.dataset is None else _starts(source, source.dataset, images)
    codes = _codes(source)
    known = None if source.dataset is None else source.dataset.factor_space.factors
    z = np.array([start.given[: model.latents] for start in begins], np.float32)
    names = latent_names(source.folder, model.latents, source.step, str(source.config.dataset))
    moved = controls(model, known, codes, z.reshape(-1, model.latents), _kl(source, codes), names)
    centre = None
    if model.deterministic and codes is not None:
        centre = np.asarray(codes[0], np.float64).mean(axis=0)
    begins.append(without_images(model, centre))
    content: dict[str, Any] = {"shape": list(model.image_shape), "controls": moved}
    written = [start.to_json() for start in begins]
    room -= _REST + sum(len(start["image"] or "") for start in written)
    reasons: list[str] = []
    ways: dict[str, Callable[[], dict[str, Any] | str]] = {
        "javascript": lambda: _javascript(source, begins, moved, room),
        "onnx": lambda: _onnx(source, runtime, room),
        "strips": lambda: _strips(source, begins, moved, room),
    }
    for name in ways if decoder == "auto" else (decoder,):
        if name == "onnx" and runtime is None:
            continue
        made = ways[name]()
        if isinstance(made, str):
            reasons.append(made)
            continue
        content |= made
        content.setdefault("starts", written)
        return Explored(name, content | {"reasons": reasons})
    raise SpecError(f"This run has no explorer by the decoder {decoder}. {' '.join(reasons)}")


def _starts(source: Source, dataset: Dataset, images: Sequence[int]) -> list[Start]:
    check_starts(source.config.dataset, images)
    flat = np.array(images, np.int64)
    if not len(flat):
        flat = probe_indices(_IMAGES, len(dataset), source.config.seed)
    return starts(source.model, dataset, flat)


def _codes(
    source: Source,
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None] | None:
    """Posteriors of some hundred images, drawn at random."""
    model, dataset = source.model, source.dataset
    if dataset is None or not model.encodes:
        return None
    chosen = keyed_permutation(len(dataset), source.config.seed, "images of an explorer")
    flat = np.sort(chosen[:_ENCODED]).astype(np.int64)
    mean = np.empty((len(flat), model.latents), np.float32)
    logvar = None if model.deterministic else np.empty_like(mean)
    encode_rows(model, dataset, flat, mean, logvar)
    return mean, logvar


def _kl(
    source: Source, codes: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None
) -> NDArray[np.float64] | None:
    """KL of each latent, nats: the last that was logged, as in the figures, or of images."""
    logged = [row for row in read_rows(source.folder / "metrics.jsonl") if row.get("kl")]
    if logged:
        return np.array(logged[-1]["kl"], np.float64)
    if codes is None or codes[1] is None:
        return None
    mean, logvar = (np.asarray(each, np.float64) for each in codes if each is not None)
    kl: NDArray[np.float64] = (0.5 * (mean**2 + np.exp(logvar) - 1 - logvar)).mean(axis=0)
    return kl


def _javascript(
    source: Source, begins: Sequence[Start], moved: Sequence[dict[str, Any]], room: int
) -> dict[str, Any] | str:
    """The decoder as a program, with the smallest weights that show the same pictures."""
    program = program_of(source.model)
    if program is None:
        return "The decoder has layers that the page's own runtime does not know."
    given = torch.from_numpy(_probes(begins, moved))
    expected = _pixels(source.model, given)
    if not _difference(program, given, expected) <= HALF_LEVEL / 100:
        return "The page's own runtime does not give what the decoder gives."
    for rounding in ROUNDINGS:
        if size_of(program, rounding) > room:
            continue
        error = _difference(rounded(program, rounding), given, expected)
        if error <= HALF_LEVEL:
            packed = pack(program, rounding)
            return {
                "program": {"inputs": program.inputs, "steps": packed.steps},
                "weights": packed.text,
                "rounding": rounding,
            }
    return f"The decoder has {program.numbers:,} weights, too many for a page that can be mailed."


def _probes(begins: Sequence[Start], moved: Sequence[dict[str, Any]]) -> NDArray[np.float32]:
    """What the decoder may be given: starts, ends of sliders, and random draws."""
    rng = keyed_generator(0, "probes of an explorer")
    rows = [start.given for start in begins]
    for control in moved:
        if control["kind"] == "latent":
            for end in ("low", "high"):
                rows.append(rows[0].copy())
                rows[-1][control["at"]] = control[end]
    for index in range(_PROBES):
        row = begins[index % len(begins)].given.copy()
        for control in moved:
            if control["kind"] == "latent":
                drawn = control["centre"] + control["spread"] * rng.standard_normal()
                row[control["at"]] = np.clip(drawn, control["low"], control["high"])
            elif control["kind"] == "choice":
                code = control["options"][rng.integers(len(control["options"]))]["code"]
                row[control["at"] : control["at"] + len(code)] = code
        rows.append(row)
    return np.stack(rows)


def _difference(program: Program, given: torch.Tensor, expected: torch.Tensor) -> float:
    """Largest difference of a pixel, infinite where the program gives none that the model has."""
    largest = 0.0
    for one, other in zip(torch.split(given, _BATCH), torch.split(expected, _BATCH), strict=True):
        apart = (run(program, one) - other).abs()[~other.isnan()]
        largest = max(largest, float(apart.nan_to_num(nan=torch.inf).max()))
    return largest


@torch.inference_mode()
def _pixels(model: VAE, given: torch.Tensor) -> torch.Tensor:
    """Expected pixels (B, C, H, W), of latents with labels behind them."""
    with full_precision(model):
        parts = []
        for part in torch.split(given.to(model.device), _BATCH):
            z, told = part[:, : model.latents], part[:, model.latents :]
            logits = model.decode(z, told if model.conditions is not None else None)
            parts.append(model.likelihood.mean(logits).cpu())
    return torch.cat(parts)


def _onnx(source: Source, runtime: OnnxRuntime | None, room: int) -> dict[str, Any] | str:
    """The decoder as ONNX, beside the runtime."""
    assert runtime is not None
    told = source.model.conditions is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decoder.onnx"
        export_model(
            source.model, source.config, source.step, {"decoder": path}, "onnx", labels=told
        )
        text = compressed(path.read_bytes())
    if len(text) + runtime.bytes > room:
        return "ONNX Runtime Web and the decoder are too large for a page that can be mailed."
    return {
        "onnx": text,
        "runtime": {
            "version": runtime.version,
            "script": runtime.script,
            "module": runtime.module,
        },
        "latents": source.model.latents,
    }


def _strips(
    source: Source, begins: Sequence[Start], moved: Sequence[dict[str, Any]], room: int
) -> dict[str, Any] | str:
    """Pictures decoded ahead: of the first starts and of the mean, as many as there is room."""

    def decode(codes: NDArray[np.float32]) -> NDArray[np.uint8]:
        images = pixels_to_images(_pixels(source.model, torch.from_numpy(codes)))
        levels: NDArray[np.uint8] = np.floor(255 * images.clip(0, 1) + 0.5).astype(np.uint8)
        return levels

    shown = positions(moved[:_MOST_ROWS])
    order = [*begins[: min(_STRIP_STARTS - 1, len(begins) - 1)], begins[-1]]
    made, sheets = [], []
    for start in order:
        strip = sheet(start, shown, decode)
        if strip.bytes <= room:
            room -= strip.bytes
            made.append(start)
            sheets.append(strip.source)
    if not sheets:
        return "Pictures that are decoded ahead are too large for a page that can be mailed."
    return {
        "controls": shown,
        "starts": [start.to_json() for start in made],
        "sheets": sheets,
    }
