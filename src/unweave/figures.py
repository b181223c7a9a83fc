"""The figures of a run: what is drawn from its folder, its model and its data."""

from __future__ import annotations

__all__ = [
    "FIGURES",
    "IMAGE_FIGURES",
    "check_figure",
    "draw",
    "followed_factors",
    "latent_names",
    "wants_images",
]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.data import Dataset
from unweave.factors import Factor
from unweave.objectives import Plan
from unweave.pictures import probe_indices, reconstruct, traverse, vary_factors, vary_labels
from unweave.rundir import read_rows
from unweave.scores import CLEAR_GAP, ScoreRecord, load_scores
from unweave.training import TrainConfig
from unweave.vae import VAE

SHOWN_IMAGES = 20
# A picture of 300 rows takes half a minute and more than 4 GB.
SHOWN_LATENTS = 32
# Labels have as many columns together; a label as many as there is room for, within limits.
SHOWN_ROWS = 8
SHOWN_CONDITIONS = 24
SHOWN_VALUES = 8
TRAVERSAL = np.linspace(-2, 2, 9)


@final
@dataclass(frozen=True)
class _Source:
    folder: Path
    config: TrainConfig
    model: VAE
    dataset: Dataset | None
    step: int | None


def draw(
    kind: str,
    folder: Path,
    config: TrainConfig,
    model: VAE,
    dataset: Dataset | None,
    step: int | None = None,
) -> Any | None:
    """A figure by name, or None when the run has nothing to draw it from.

    Args:
        kind: One of `FIGURES`.
        folder: The run folder.
        config: The run's configuration.
        model: The run's model.
        dataset: The run's dataset; None will do for all but `IMAGE_FIGURES`.
        step: Steps of the model's weights, whose scores on the run's own dataset are drawn; None
            for the newest scores.
    """
    return FIGURES[kind](_Source(folder, config, model, dataset, step))


def latent_names(
    folder: Path, latents: int, step: int | None = None, data: str | None = None
) -> list[str | None]:
    """The factor that each latent follows most closely, by the newest MIG, where it is clear.

    A latent is named after a factor when of all latents it knows most of it, by a gap of at least
    `CLEAR_GAP`.

    Args:
        folder: The run folder.
        latents: Number of latents.
        step: Only scores of the weights after this step; None for the newest of any.
        data: Only scores of the dataset of this text; None for any.
    """
    names: list[str | None] = [None] * latents
    rows = _tables(folder, step, data)
    if rows:
        matrix = rows[-1]["matrix"]
        values = np.asarray(matrix["values"])
        for k, factor in enumerate(matrix["columns"]):
            best = int(values[:, k].argmax())
            if rows[-1]["parts"].get(factor, 0.0) >= CLEAR_GAP:
                names[best] = factor if names[best] is None else f"{names[best]}, {factor}"
    return names


def _tables(folder: Path, step: int | None, data: str | None) -> list[dict[str, Any]]:
    """MIG scores with their tables, oldest first, of some weights and dataset or of any."""
    return [
        row
        for row in load_scores(folder)
        if row["metric"] == "mig"
        and row.get("matrix")
        and step in (None, row.get("step"))
        and data in (None, row.get("data"))
    ]


def _reconstructions(source: _Source) -> Any | None:
    if source.dataset is None:
        return None
    flat = probe_indices(SHOWN_IMAGES, len(source.dataset), source.config.seed)
    return plots.reconstructions(*reconstruct(source.model, source.dataset, flat))


def _conditions(source: _Source) -> Any | None:
    model, dataset = source.model, source.dataset
    told = _told_factors(model, dataset)
    if dataset is None or told is None:
        return None
    factors = told[: SHOWN_CONDITIONS // 2]
    most = max(2, min(SHOWN_VALUES, SHOWN_CONDITIONS // len(factors)))
    shown = [factor.evenly_spaced(min(most, factor.size)).tolist() for factor in factors]
    changes = [(place, index) for place, indices in enumerate(shown) for index in indices]
    flat = probe_indices(SHOWN_ROWS, len(dataset), source.config.seed)
    originals, reconstructed = reconstruct(model, dataset, flat)
    groups = [
        (factor.name, [_value_name(factor, index) for index in indices])
        for factor, indices in zip(factors, shown, strict=True)
    ]
    changed = (vary_labels if model.encodes else vary_factors)(model, dataset, flat, changes)
    return plots.conditions(originals, reconstructed, changed, groups)


def _told_factors(model: VAE, dataset: Dataset | None) -> tuple[Factor, ...] | None:
    """The factors whose values a decoder is told beside latents, or in their place."""
    if model.given is not None:
        return model.given.space.factors
    if model.conditions is None or dataset is None:
        return None
    return tuple(dataset.factor_space.factors[column] for column in model.conditions.columns)


def _value_name(factor: Factor, index: int) -> str:
    if factor.labels is not None:
        return factor.labels[index]
    return str(index) if factor.values is None else f"{factor.values[index]:.3g}"


def _traversals(source: _Source) -> Any | None:
    if not source.model.encodes:
        return None
    count, kl = source.model.latents, _last_kl(source)
    order = range(count) if kl is None else plots.order_by_kl(kl)
    latents = sorted(order[:SHOWN_LATENTS])
    names = latent_names(source.folder, count, source.step, str(source.config.dataset))
    conditions = source.model.conditions
    # A label in the middle, since the start is no image that has labels.
    labels = None if conditions is None else [size // 2 for size in conditions.sizes]
    return plots.traversals(
        traverse(source.model, np.zeros(count, np.float32), TRAVERSAL, latents, labels),
        TRAVERSAL,
        kl=None if kl is None else kl[latents],
        latents=latents,
        labels=[names[j] for j in latents],
    )


def _loss_curves(source: _Source) -> Any | None:
    rows = _train_rows(source.folder)
    if not rows:
        return None
    steps = np.array([row["step"] for row in rows])
    plan = source.config.objective.expand()
    # A name may be that of a term and of a player, so they are told apart by their group.
    known = {("raw", name): term.unit for name, term in plan.terms.items()}
    known |= {("loss", player.name): player.unit for player in plan.players}
    history: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}
    units: dict[str, str] = {}
    for group in ("loss", "raw", "watched"):
        for name in rows[0].get(group, {}):
            title = f"{name} loss" if group == "loss" else name
            history[title] = (steps, np.array([row[group][name] for row in rows]))
            unit = "" if group == "watched" else "nats an image"
            units[title] = known.get((group, name), unit)
    return plots.loss_curves(history, units)


def _kl(source: _Source) -> Any | None:
    rows = _train_rows(source.folder)
    # Latents without noise have none.
    if not rows or not rows[-1]["kl"]:
        return None
    return plots.kl_curves([row["step"] for row in rows], [row["kl"] for row in rows])


def _mig(source: _Source) -> Any | None:
    # A run can be scored on other datasets, too, whose factors are not those of its figures.
    rows = _tables(source.folder, source.step, str(source.config.dataset))
    if not rows:
        return None
    row, matrix = rows[-1], rows[-1]["matrix"]
    title = (
        f"MIG {row['value']:.3f} ({row['protocol']}, {row['samples']:,} {row['source']} images)"
    )
    return plots.latent_factor_matrix(
        matrix["values"], matrix["columns"], matrix["rows"], title, matrix["label"]
    )


FIGURES: dict[str, Callable[[_Source], Any | None]] = {
    "reconstructions": _reconstructions,
    "traversals": _traversals,
    "conditions": _conditions,
    "loss_curves": _loss_curves,
    "kl": _kl,
    "mig": _mig,
}
IMAGE_FIGURES = frozenset({"reconstructions", "conditions"})
"""The figures that show images of the dataset; the others are drawn without it."""
_CODE_FIGURES = frozenset({"traversals", "kl", "mig"})


def wants_images(kind: str, model: VAE) -> bool:
    """Whether a figure of this model needs the images of the dataset."""
    told = model.conditions is not None or model.given is not None
    return kind in IMAGE_FIGURES and (kind != "conditions" or told)


def check_figure(kind: str, plan: Plan) -> None:
    """Refuse a figure of codes, of a model without an encoder.

    Raises:
        SpecError: It is one; the message says what can be drawn instead.
    """
    if kind in _CODE_FIGURES:
        plan.check_encodes(f"The figure {kind}")


def _train_rows(folder: Path) -> list[dict[str, Any]]:
    return [row for row in read_rows(folder / "metrics.jsonl") if row["event"] == "train"]


def _last_kl(source: _Source) -> NDArray[np.float64] | None:
    rows = _train_rows(source.folder)
    return np.array(rows[-1]["kl"]) if rows and rows[-1]["kl"] else None


def followed_factors(record: ScoreRecord) -> str:
    """Which latent follows which factor, in words, from a score with a latent-by-factor table."""
    matrix = record.matrix
    if matrix is None:
        return ""
    lines = []
    for k, factor in enumerate(matrix.columns):
        order = np.argsort(-matrix.values[:, k], kind="stable")
        first, second = (f"{matrix.rows[j]} {matrix.values[j, k]:.2f}" for j in order[:2])
        gap = record.parts.get(factor)
        if gap is None:
            lines.append(f"{factor} does not vary.")
        elif gap >= CLEAR_GAP:
            lines.append(f"{factor} is followed by {matrix.rows[order[0]]} (gap {gap:.2f}).")
        else:
            lines.append(
                f"{factor} is followed by no latent alone (gap {gap:.2f}: {first}, {second} nats)."
            )
    return "\n".join(lines)
