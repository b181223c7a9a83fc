"""Figures of runs that were trained without some combinations."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.analysis import Attribution
from unweave.analysis.placing import place
from unweave.conditions import HELD_OUT_DATA
from unweave.conditions.split import HELD_OUT, NEITHER
from unweave.data import Dataset
from unweave.data.numbering import numbered_as
from unweave.data.samplers.composition_regimes import REGIMES, CompositionRegimes, Regime
from unweave.errors import UnweaveError
from unweave.generalise.asking import DCI, own_part
from unweave.generalise.reading import Found
from unweave.generalise.wording import region_words
from unweave.metrics.protocols import protocol
from unweave.objectives import Composer
from unweave.pictures import probe_indices, reconstruct
from unweave.run import Run, load_run
from unweave.run.asked import asked_dataset, asked_spec, check_told
from unweave.run.subjects import subject_of
from unweave.scores import load_scores
from unweave.splits import keyed_generator

log = logging.getLogger("unweave")

__all__ = ["compared_reconstructions", "composed_images", "draw_run", "importances"]

_EACH: Final = 8
_WORDS: Final[dict[Regime, str]] = {
    "id_id": "all known",
    "id_ood": "known inputs, new output",
    "ood_ood": "all new",
}


def draw_run(run: Run, found: Found) -> list[Path]:
    """Draw what there is to see of one run into its `figures/`.

    Args:
        run: The run.
        found: How it generalises.

    Returns:
        Paths of the PNG files.
    """
    made: dict[str, Any] = {}
    try:
        if found.kind == "composer":
            made["composed"] = composed_images(run, found)
        else:
            figure, lost = compared_reconstructions([found], ["reconstruction"])
            made |= {} if figure is None else {"held_out": figure}
            for sentence in lost:
                log.warning("There is no figure of what was held out: %s", sentence)
    except UnweaveError as error:
        log.warning("%s: there is no figure of what was held out: %s", run.folder, error)
    if found.kind == "autoencoder":
        made |= _positions(run)
    matrix = importances(found)
    if matrix is not None:
        values, factors, _ = matrix
        title = "" if found.disentanglement is None else f"DCI {found.disentanglement:.3f}"
        made["hinton"] = plots.hinton_diagrams(
            [values], [title], factors, value_label="weight of a latent for a factor"
        )
    return [
        plots.save(figure, run.folder / "figures" / f"{name}.png") for name, figure in made.items()
    ]


def _positions(run: Run) -> dict[str, Any]:
    """Where held-out images lie on the latents of two compared factors, if that can be told."""
    data = asked_dataset(run.config, HELD_OUT_DATA, None)
    subject = subject_of(run, data)
    analysis = Attribution()
    try:
        rows = analysis.rows(subject)
        placed = place(subject, rows, analysis.train_images, analysis.assignment)
    except UnweaveError as error:
        log.info("There is no figure of positions: %s", error)
        return {}
    shown = placed.shown()
    if shown is None:
        return {}
    title = "Held-out images among latents, and where they are expected"
    return {"positions": plots.latent_positions(**shown, title=title)}


def importances(found: Found) -> tuple[NDArray[np.float64], list[str], list[str]] | None:
    """Weights of latents for factors, (L, K), with the names of factors and latents.

    They are those of the newest DCI with lasso; None where there is none.
    """
    label = protocol(DCI[0]).label
    rows = [
        row
        for row in load_scores(found.folder)
        if (row["metric"], row["protocol"]) == (DCI[1], label)
        and (row["data"], row["part"]) == (str(found.config.dataset), own_part(found.config))
        and row.get("matrix")
    ]
    if not rows:
        return None
    matrix = rows[-1]["matrix"]
    return np.asarray(matrix["values"], np.float64), matrix["columns"], matrix["rows"]


def compared_reconstructions(
    found: Sequence[Found], names: Sequence[str]
) -> tuple[Any | None, list[str]]:
    """What several models make of the same images, like those trained on and held out.

    Args:
        found: Runs of one condition of one dataset, with their weights.
        names: What each is called.

    Returns:
        The figure, None where no run can be shown; and a sentence on each run that cannot.
    """
    first = found[0]
    inside, outside = region_words([first]).values()
    groups = {
        inside: _apart(first),
        outside: first.split.held_out[
            probe_indices(_EACH, len(first.split.held_out), first.config.seed)
        ],
    }
    flat = np.concatenate(list(groups.values()))
    try:
        whole = first.recovered.data.open()
        originals = whole.images(flat)
    except UnweaveError as error:
        return None, [f"There are no reconstructions: {error}"]
    shown: list[NDArray[np.uint8]] = []
    called: list[str] = []
    lost: list[str] = []
    for run, name in zip(found, names, strict=True):
        try:
            shown.append(_reconstructed(load_run(run.folder), whole, flat))
        except UnweaveError as error:
            lost.append(f"{run.folder} has no reconstructions here: {error}")
        else:
            called.append(name)
    if not shown:
        return None, lost
    figure = plots.held_out_reconstructions(
        originals,
        shown,
        called,
        {first.condition: {name: len(rows) for name, rows in groups.items()}},
    )
    return figure, lost


def _reconstructed(run: Run, whole: Dataset, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
    """What a model makes of images of a whole dataset, told their labels as it was in training."""
    if run.model.conditions is not None:
        check_told(run.config, asked_spec(run.config, HELD_OUT_DATA), ("method",))
        whole = numbered_as(whole, run.config.dataset.factor_space)
    return reconstruct(run.model, whole, flat)[1]


def _apart(found: Found) -> NDArray[np.int64]:
    """A few images that the training kept apart, or else was on, as flat indices of the whole."""
    rows = found.split.train
    if found.config.holdout:
        rows = found.split.in_distribution(found.config.holdout, found.config.seed)[1]
    return rows[probe_indices(_EACH, len(rows), found.config.seed)]


def composed_images(run: Run, found: Found) -> Any:
    """What a composer makes of two images, in each regime that has triplets."""
    method = found.config.objective.expand().method
    assert isinstance(method, Composer)
    part = np.flatnonzero(found.split.states != NEITHER)
    whole = found.recovered.data.open().select(part)
    held = found.split.states[part] == HELD_OUT
    regimes = CompositionRegimes(whole, held, method.sampler.factors)
    # Only what the composer was trained to take.
    regimes = CompositionRegimes(whole, held, regimes.factors("id_id"))
    rows: dict[str, NDArray[np.int64]] = {}
    for regime in REGIMES:
        if regimes.factors(regime):
            rng = keyed_generator(found.config.seed, f"{regime} images that are shown")
            rows[_WORDS[regime]] = regimes.draw(regime, _EACH, rng)
    drawn = np.concatenate(list(rows.values()))
    references, transforms, targets = (whole.images(column) for column in drawn.T)
    names = np.array(whole.factor_space.names)
    factors = names[regimes.actions(whole, drawn)]
    composed = run.compose(references, transforms, factors)
    return plots.held_out_reconstructions(
        references,
        [transforms, targets, _to_uint8(composed)],
        ["transform", "target", "composed"],
        {found.condition: {name: len(triplets) for name, triplets in rows.items()}},
        original_name="reference",
    )


def _to_uint8(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.floor(255 * np.clip(images, 0, 1) + 0.5).astype(np.uint8)
    return rounded
