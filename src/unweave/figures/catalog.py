"""The kinds of figures of a run, and how one is drawn by its name."""

from __future__ import annotations

__all__ = ["FIGURES", "Kind", "check_figure", "draw", "wants_images"]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, final

from unweave.data import Dataset
from unweave.figures import decoded, logged, tables
from unweave.figures.look import Look
from unweave.figures.source import Source
from unweave.objectives import Plan
from unweave.training import TrainConfig
from unweave.vae import VAE

Need: TypeAlias = Literal["images", "codes", "told"]
"""Images of the dataset; codes of images; a decoder that is told labels, or is given factors."""


@final
@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of figure.

    Attributes:
        about: What it shows, in a sentence.
        draw: From a run to what is drawn: a figure; or None where the run has nothing to draw it
            from.
        needs: What a run must have for it.
        heeds: Fields of `Look` that make a difference to it.
    """

    about: str
    draw: Callable[[Source], Any | None]
    needs: frozenset[Need] = frozenset()
    heeds: tuple[str, ...] = ()


FIGURES: dict[str, Kind] = {
    "reconstructions": Kind(
        about="Images of the dataset, and what the model makes of them.",
        draw=decoded.reconstructions,
        needs=frozenset({"images"}),
        heeds=("seed",),
    ),
    "traversals": Kind(
        about="The image while one latent after the other takes each value and the others rest.",
        draw=decoded.traversals,
        needs=frozenset({"codes"}),
    ),
    "conditions": Kind(
        about="Images under each value of each label that the decoder is told.",
        draw=decoded.conditions,
        needs=frozenset({"images", "told"}),
        heeds=("seed",),
    ),
    "loss_curves": Kind(
        about="The loss and each of its terms during training.", draw=logged.loss_curves
    ),
    "kl": Kind(
        about="The KL of each latent during training.",
        draw=logged.kl,
        needs=frozenset({"codes"}),
    ),
    "mig": Kind(
        about="Mutual information of latents and factors, of the newest MIG.",
        draw=tables.mig,
        needs=frozenset({"codes"}),
    ),
}
"""Each kind by its name, in the order of a page."""


def draw(
    kind: str,
    folder: Path,
    config: TrainConfig,
    model: VAE,
    dataset: Dataset | None,
    step: int | None = None,
    look: Look | None = None,
) -> Any | None:
    """A figure by name, or None when the run has nothing to draw it from.

    Args:
        kind: One of `FIGURES`.
        folder: The run folder.
        config: The run's configuration.
        model: The run's model.
        dataset: The run's dataset; None will do where `wants_images` says so.
        step: Steps of the model's weights, whose scores on the run's own dataset are drawn; None
            for the newest scores.
        look: What is asked for of the picture.
    """
    source = Source(folder, config, model, dataset, step, look or Look())
    return FIGURES[kind].draw(source)


def wants_images(kind: str, model: VAE) -> bool:
    """Whether a figure of this model needs the images of the dataset."""
    needs = FIGURES[kind].needs
    return "images" in needs and ("told" not in needs or decoded.tells(model))


def check_figure(kind: str, plan: Plan) -> None:
    """Refuse a figure of codes, of a model without an encoder.

    Raises:
        SpecError: It is one; the message says what can be drawn instead.
    """
    if "codes" in FIGURES[kind].needs:
        plan.check_encodes(f"The figure {kind}")
