"""The header of a model card, as the hub reads it."""

from __future__ import annotations

__all__ = ["header"]

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from unweave.data import HuggingFace, parse_dataset
from unweave.data.listing import made_of
from unweave.errors import UnweaveError
from unweave.report.words import plain
from unweave.training import TrainConfig

_TAGS: Final = ("unweave", "disentanglement", "representation-learning",
                "variational-autoencoder")  # fmt: skip

# What a score says beside its value, of which the hub has no place of its own.
_ARGUMENTS: Final = ("text", "protocol", "codes", "precision", "samples", "seed", "step",
                     "unweave")  # fmt: skip


def header(
    name: str,
    config: TrainConfig,
    scores: Sequence[dict[str, Any]],
    step: int,
    license: str | None,
) -> str:
    """The YAML block between lines of dashes, whose every value is written as JSON has it.

    Args:
        name: Of the model.
        config: What was trained.
        scores: Rows of `scores.json`; those of other weights than these are passed over.
        step: Optimiser steps of the weights.
        license: Of the weights; None where nobody says.
    """
    form: dict[str, Any] = {}
    if license is not None:
        form["license"] = license
    form["library_name"] = "unweave"
    form["tags"] = [*_TAGS, *(item.name for item in config.objective.items), config.dataset.name]
    if isinstance(config.dataset, HuggingFace) and not config.dataset.path.startswith((".", "/")):
        # The hub takes names of its own datasets alone.
        form["datasets"] = [config.dataset.path]
    results = _results(scores, step)
    if results and config.objective.expand().encodes:
        form["model-index"] = [{"name": name, "results": results}]
    return "\n".join(["---", *_lines(form), "---", ""])


def _results(scores: Sequence[dict[str, Any]], step: int) -> list[dict[str, Any]]:
    """Scores as the hub has them: those of one part of one dataset together."""
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for score in scores:
        if score.get("step") == step and isinstance(score.get("value"), int | float):
            data, part, source = (
                plain(score.get(key) or "") for key in ("data", "part", "source")
            )
            groups.setdefault((data, part, source), []).append(score)
    return [
        {
            "task": {
                "type": "image-feature-extraction",
                "name": "Disentangled representations of images",
            },
            "dataset": {"name": f"{data} ({source})", "type": _type(data), "split": part},
            "metrics": [_metric(score) for score in rows],
        }
        for (data, part, source), rows in groups.items()
    ]


def _type(data: str) -> str:
    """Name of the dataset that one is, or is made of."""
    try:
        spec = parse_dataset(data)
    except UnweaveError:
        return data.split("(")[0]
    return (made_of(spec) or [spec])[-1].name


def _metric(score: dict[str, Any]) -> dict[str, Any]:
    metric = plain(score.get("metric", "score"))
    interval = score.get("interval")
    said = {key: score[key] for key in _ARGUMENTS if score.get(key) is not None}
    if isinstance(interval, dict):
        said["interval"] = [interval.get("low"), interval.get("high")]
    return {
        "type": metric,
        "value": score["value"],
        "name": f"{metric} ({plain(score.get('protocol') or '')})",
        "args": said,
    }


def _lines(value: Any, indent: str = "") -> list[str]:
    """YAML of tables and lists; all else is JSON, which YAML reads."""
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict | list) and item:
                deeper = indent if isinstance(item, list) else f"{indent}  "
                lines += [f"{indent}{key}:", *_lines(item, deeper)]
            else:
                lines.append(f"{indent}{key}: {_scalar(item)}")
    else:
        for item in value:
            inner = _lines(item, f"{indent}  ") if isinstance(item, dict) else [_scalar(item)]
            lines.append(f"{indent}- {inner[0].strip()}")
            lines += inner[1:]
    return lines


def _scalar(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    # A number of YAML has a point before its exponent.
    return re.sub(r"^(-?[0-9]+)e", r"\1.0e", text) if isinstance(value, float) else text
