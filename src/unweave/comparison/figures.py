"""Figures of several runs: the same images, walks of matched latents, curves, scores."""

from __future__ import annotations

__all__ = [
    "by_kl",
    "curves_figure",
    "heat_map",
    "images_figure",
    "scores_figure",
    "walk_figures",
]

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.comparison.latents import Coded, RunMatch, images_for
from unweave.comparison.matching import LatentMatch
from unweave.comparison.opening import Compared
from unweave.comparison.scores import ScoreTable
from unweave.data import Dataset
from unweave.errors import DataError
from unweave.figures.chosen import SHOWN_IMAGES
from unweave.pictures import Encoded, decode, encode, probe_indices, traverse
from unweave.plots.names import shortened
from unweave.report.files import RunFiles

IMAGES: Final = 10
"""Images that all runs reconstruct."""

ENDS: Final = (0.025, 0.975)
"""Quantiles of its codes between which a latent walks."""

MINUS: Final = "\N{MINUS SIGN}"

# Rows of images in one figure, beyond which walks go on in a next one.
_MOST_ROWS: Final = 24
_MOST_PANELS: Final = 24
# More latents in a heat map are specks.
_MOST_LATENTS: Final = 40


def images_figure(
    runs: Sequence[Compared], dataset: Dataset, left_out: dict[str, str]
) -> tuple[Any | None, list[Compared]]:
    """Images in the top row, and a row of reconstructions for each run.

    Args:
        runs: The runs.
        dataset: Where the images come from.
        left_out: Where it is said which run cannot be shown them, and why.

    Returns:
        The figure, None where no run can be shown them; and the runs in it.
    """
    flat = shown_images(runs[0], dataset)[:IMAGES]
    rows, names, shown = [dataset.images(flat)], ["original"], []
    for each in runs:
        try:
            seen = encode(each.run.model, images_for(each.run, dataset), flat)
        except DataError as error:
            left_out[f"reconstructions of {each.letter}"] = str(error)
            continue
        rows.append(decode(each.run.model, seen.mean, seen.told))
        names.append(_short(each))
        shown.append(each)
    if not shown:
        return None, []
    figure = plots.image_blocks([plots.Block(images=np.stack(rows), names=names)])
    return figure, shown


def shown_images(first: Compared, dataset: Dataset) -> NDArray[np.int64]:
    """Flat indices of images to show: those that figures of the first run show, too."""
    return probe_indices(SHOWN_IMAGES, len(dataset), first.run.config.seed)


def heat_map(match: RunMatch) -> Any | None:
    """Correlations of latents in use, those of matched ones on the diagonal, highest KL first."""
    first, second = (np.flatnonzero(used).tolist() for used in match.matching.used)
    if not first or not second:
        return None
    pairs = by_kl(match)
    rows = [pair.first for pair in pairs]
    columns = [pair.second for pair in pairs]
    rows += [j for j in first if j not in rows]
    columns += [j for j in second if j not in columns]
    rows, columns = rows[:_MOST_LATENTS], columns[:_MOST_LATENTS]
    return plots.matched_latents(
        match.matching.correlations[np.ix_(rows, columns)],
        [f"z{j}" for j in rows],
        [f"z{j}" for j in columns],
        row_label=f"latents of {match.first.run.letter}",
        column_label=f"latents of {match.second.run.letter}",
        value_label=f"{match.matching.correlation.capitalize()} correlation",
    )


def by_kl(match: RunMatch) -> list[LatentMatch]:
    """Pairs in the order of the KL of the first run's latents, highest first."""
    kl = match.first.kl
    if kl is None:
        return sorted(match.matching.pairs, key=lambda pair: -abs(pair.correlation))
    return sorted(match.matching.pairs, key=lambda pair: -float(kl[pair.first]))


def walk_figures(
    matches: Sequence[RunMatch], dataset: Dataset, rows: int, columns: int
) -> list[Any]:
    """Walks of each latent of the first run, and below it of those that match it.

    All runs start from the code of the same image. A latent walks between quantiles of its codes,
    from the upper one to the lower where its correlation is below 0.

    Args:
        matches: Of the first run with each other one.
        dataset: Where the image comes from.
        rows: Latents of the first run at most, those of the highest KL.
        columns: Values of a latent.

    Returns:
        Figures, each of some latents; none where no latents match.
    """
    if not matches:
        return []
    first = matches[0].first
    partners = [{pair.first: pair for pair in match.matching.pairs} for match in matches]
    latents = [j for j in _in_order(first) if any(j in of for of in partners)][:rows]
    if not latents:
        return []
    flat = shown_images(first.run, dataset)[:1]
    coded = [first, *(match.second for match in matches)]
    starts = [encode(c.run.run.model, images_for(c.run.run, dataset), flat) for c in coded]
    shares = np.linspace(*ENDS, columns)
    heads = [f"{100 * share:.3g} %" for share in shares]
    own = _walks(first, starts[0], {j: (j, 1.0) for j in latents}, shares)
    theirs = [
        _walks(
            match.second,
            start,
            {j: (of[j].second, of[j].correlation) for j in latents if j in of},
            shares,
        )
        for match, start, of in zip(matches, starts[1:], partners, strict=True)
    ]
    blocks = []
    for latent in latents:
        images = [own[latent]]
        names = [_row_name(first, latent, 1.0)]
        notes = [first.factors[latent]]
        faint = [False]
        for match, of, walked in zip(matches, partners, theirs, strict=True):
            if latent in of:
                pair = of[latent]
                images.append(walked[latent])
                names.append(_row_name(match.second, pair.second, pair.correlation))
                notes.append(match.second.factors[pair.second])
                faint.append(not pair.clear)
        blocks.append((images, names, notes, faint))
    return [_blocks(some, heads) for some in _parted(blocks)]


def _blocks(gathered: Sequence[tuple[Any, ...]], heads: Sequence[str]) -> Any:
    return plots.image_blocks(
        [
            plots.Block(
                images=np.stack(images), names=names, notes=notes, faint=faint,
                heads=heads if place == 0 else (),
            )
            for place, (images, names, notes, faint) in enumerate(gathered)
        ]
    )  # fmt: skip


def _parted(blocks: Sequence[tuple[Any, ...]]) -> list[list[tuple[Any, ...]]]:
    """Blocks in as many figures as keep each of a moderate height."""
    parts: list[list[tuple[Any, ...]]] = []
    rows = 0
    for block in blocks:
        if not parts or rows + len(block[0]) > _MOST_ROWS:
            parts.append([])
            rows = 0
        parts[-1].append(block)
        rows += len(block[0])
    return parts


def _in_order(coded: Coded) -> list[int]:
    """All latents, highest KL first; by their numbers where codes have no noise."""
    return list(range(coded.mean.shape[1])) if coded.kl is None else plots.order_by_kl(coded.kl)


def _walks(
    coded: Coded,
    start: Encoded,
    latents: Mapping[int, tuple[int, float]],
    shares: NDArray[np.float64],
) -> dict[int, NDArray[np.uint8]]:
    """Images of some latents, each at quantiles of its codes, each (S, H, W, C).

    Args:
        coded: Codes of the run.
        start: The image that all walks start from.
        latents: By a key the number of a latent, and a number whose sign says which way it goes.
        shares: The quantiles, (S,).
    """
    if not latents:
        return {}
    values = np.stack(
        [
            np.quantile(coded.mean[:, j].astype(np.float64), shares if sign >= 0 else 1 - shares)
            for j, sign in latents.values()
        ]
    )
    numbers = [j for j, _ in latents.values()]
    walked = traverse(coded.run.run.model, start.mean[0], values, numbers, told=start.told)
    return dict(zip(latents, walked, strict=True))


def _row_name(coded: Coded, latent: int, correlation: float) -> str:
    sign = MINUS if correlation < 0 else ""
    kl = "" if coded.kl is None else f"  KL {coded.kl[latent]:.2f}"
    return f"{coded.run.letter}  {sign}z{latent}{kl}"


def curves_figure(runs: Sequence[Compared], files: Sequence[RunFiles]) -> tuple[Any | None, str]:
    """Loss, reconstruction and KL of all runs over one another.

    Returns:
        The figure, None where nothing was logged; and a note on what cannot be compared in it.
    """
    panels: dict[str, dict[str, tuple[list[float], list[float]]]] = {}
    for each, of in zip(runs, files, strict=True):
        units = of.config.get("units")
        unit = units.get("reconstruction", "") if isinstance(units, Mapping) else ""
        name = f"reconstruction ({unit})" if unit else "reconstruction"
        for title, take in (
            ("loss of the model", lambda row: _entry(row, "loss", "model")),
            (name, lambda row: _entry(row, "raw", "reconstruction")),
            ("KL of all latents (nats)", _total_kl),
        ):
            points = [(row.get("step"), take(row)) for row in of.train]
            known = [(step, value) for step, value in points if _real(step) and _real(value)]
            if known:
                steps, values = zip(*known, strict=True)
                line = ([float(s) for s in steps], [float(v) for v in values])
                panels.setdefault(title, {})[each.label] = line
    if not panels:
        return None, ""
    configs = [each.run.config for each in runs]
    differ = []
    if len({str(config.objective) for config in configs}) > 1:
        differ.append("losses of different objectives are sums of different terms")
    if len({str(config.likelihood) for config in configs}) > 1:
        differ.append("reconstructions under different likelihoods have no common scale")
    if len({str(config.dataset) for config in configs}) > 1:
        differ.append("images of different datasets differ in what there is to reconstruct")
    note = "; ".join(differ)
    figure = plots.run_curves(panels, [each.label for each in runs])
    return figure, f"{note[:1].upper()}{note[1:]}." if note else ""


def _entry(row: Mapping[str, Any], table: str, name: str) -> Any:
    found = row.get(table)
    return found.get(name) if isinstance(found, Mapping) else None


def _total_kl(row: Mapping[str, Any]) -> float | None:
    kl = row.get("kl")
    return sum(kl) if isinstance(kl, list) and kl and all(map(_real, kl)) else None


def _real(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def scores_figure(
    table: ScoreTable, runs: Sequence[Compared], groups: Sequence[tuple[str, int]]
) -> tuple[Any | None, int]:
    """A dot for each run and, for groups of several, their mean.

    Args:
        table: Scores under the same circumstances.
        runs: All runs, of which those are shown that have a score in the table.
        groups: Name and place of each group of several runs.

    Returns:
        The figure, and how many scores there was no room for.
    """
    labels = [each.label for each in runs]
    panels: dict[str, dict[str, Any]] = {}
    for row in table.rows:
        arrow = "\N{UPWARDS ARROW}" if row.higher_is_better else "\N{DOWNWARDS ARROW}"
        unit = f", {row.unit}" if row.unit else ""
        title = f"{row.metric}{unit} {arrow}"
        title = title if title not in panels else f"{row.text} ({len(panels) + 1}) {arrow}"
        values = {
            label: (cell.value, cell.low, cell.high)
            for label, cell in zip(labels, row.cells, strict=True)
            if cell is not None
        }
        for name, place in groups:
            mean = row.means[place]
            if mean is not None and mean.runs > 1:
                values[name] = (mean.mean, mean.low, mean.high)
        panels[title] = values
    left = max(0, len(panels) - _MOST_PANELS)
    panels = dict(list(panels.items())[:_MOST_PANELS])
    present = {name for values in panels.values() for name in values}
    return plots.run_scores(panels, labels, [name for name, _ in groups if name in present]), left


def _short(run: Compared) -> str:
    """Letter and as much of the name as there is room for beside images."""
    return shortened([run.label], 26)[0]
