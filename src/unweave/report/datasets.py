"""Write the page of one or several datasets."""

from __future__ import annotations

__all__ = ["write_datasets"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unweave import plots
from unweave._version import __version__
from unweave.data import Dataset
from unweave.data.listing import about, describe, made_of, origin
from unweave.factors import Factor
from unweave.gallery import (
    MOST_PAIRS,
    dataset_figure,
    dependent_pairs,
    is_flat,
    pairs_figure,
    shares,
    shares_figure,
    value_names,
)
from unweave.report.page import environment, rendered_note
from unweave.report.pictures import Picture, picture
from unweave.report.place import DATASETS, check_page
from unweave.report.words import sentence_list
from unweave.rundir import atomic_write

_FEW_VALUES = 8


def write_datasets(
    datasets: Sequence[Dataset], out: Path, *, seed: int = 0, notes: Sequence[str] = ()
) -> Path:
    """Write one HTML file that shows datasets: images, one factor at a time, values, source.

    It holds its pictures and its style: it works offline and can be sent alone. The same datasets
    and seed give the same bytes.

    Args:
        datasets: What is shown, in this order.
        out: The file to write.
        seed: Which random images are shown.
        notes: Sentences above all datasets, such as what is smaller than it could be.

    Returns:
        The file that was written.

    Raises:
        SpecError: The name has another ending than .html, or a file is there that is no such page.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    check_page(Path(out), DATASETS)
    texts = [str(dataset.spec) for dataset in datasets]
    page = (
        environment()
        .get_template("datasets.html.j2")
        .render(
            title=texts[0] if len(texts) == 1 else f"{len(texts)} datasets",
            notes=list(notes),
            datasets=[_content(dataset, seed) for dataset in datasets],
            rendered=rendered_note([d.spec for d in datasets if d.source == "rendered"]),
            version=__version__,
            generator=DATASETS.generator,
        )
    )
    with atomic_write(out) as handle:
        handle.write(page.encode("utf-8"))
    return out


def _content(dataset: Dataset, seed: int) -> dict[str, Any]:
    """Everything that the page says of a dataset, in words."""
    facts = describe(dataset.spec)
    return {
        "text": facts["text"],
        "about": facts["about"],
        "origin": facts["origin"],
        "bases": [
            {"text": str(base), "about": about(type(base)), "origin": origin(type(base))}
            for base in made_of(dataset.spec)
        ],
        "source": facts["source"],
        "images": f"{len(dataset):,}",
        "shape": "x".join(map(str, dataset.image_shape)),
        "kind": _kind(dataset),
        "page": facts["get"]["page"],
        "terms": facts["get"]["terms"],
        "command": facts["get"]["command"] if facts["stored_bytes"] else "",
        "factors": _rows(dataset),
        "flat": is_flat(dataset),
        "pictures": _pictures(dataset, seed),
    }


def _kind(dataset: Dataset) -> str:
    """How factors and images belong together, as a sentence."""
    if not dataset.labelled:
        return "The factors of its images are not known."
    odds = "" if dataset.weights is None else " Training draws its images by odds, not all alike."
    if dataset.is_grid:
        return f"Every combination of its factors is there once.{odds}"
    return f"Each image has labels; combinations may be missing or come twice.{odds}"


def _rows(dataset: Dataset) -> list[dict[str, str]]:
    """A row of the table for each factor."""
    if not dataset.labelled:
        return []
    factors = dataset.factor_space.factors
    found = [factor.size for factor in factors]
    if not is_flat(dataset):
        found = [int((share > 0).sum()) for share in shares(dataset)]
    return [
        {
            "name": factor.name,
            "kind": factor.kind,
            "size": f"{factor.size:,}",
            "found": f"{occurring:,}",
            "values": _values(factor),
        }
        for factor, occurring in zip(factors, found, strict=True)
    ]


def _values(factor: Factor) -> str:
    """Names of all values where they are few, else from which to which."""
    names = value_names(factor)
    if len(names) <= _FEW_VALUES:
        return ", ".join(names)
    if factor.labels is not None:
        return f"{', '.join(names[:3])} ... {names[-1]}"
    return f"{names[0]} to {names[-1]}"


def _pictures(dataset: Dataset, seed: int) -> list[Picture]:
    """Images, and how often values occur."""
    if dataset.labelled:
        heading, alt = "Images", "A row of random images, and a row for each factor."
        caption = (
            "At random, and one factor at a time, the others staying as they are; up to ten "
            "values of each."
        )
        if not dataset.is_grid:
            caption += " Where a combination is missing, the closest image stands in its place."
    else:
        heading, alt, caption = "Random images", "A row of random images.", ""
    figures = [(heading, caption, alt, dataset_figure(dataset, seed))]
    if dataset.labelled:
        figures += _counts(dataset)
    made = [
        picture(title, plots.png(figure), title, words, alt)
        for title, words, alt, figure in figures
    ]
    return [each for each in made if each is not None]


def _counts(dataset: Dataset) -> list[tuple[str, str, str, Any]]:
    """Bars of every factor, and tables of those whose values depend on each other."""
    names = dataset.factor_space.names
    of = "images" if dataset.weights is None else "draws in training"
    dashed = "Dashed: if all values occurred equally often"
    found = [
        (
            "How often each value occurs",
            f"Share of the {of}. {dashed}{', as they do here' if is_flat(dataset) else ''}.",
            f"Bar charts of the shares of the values of {sentence_list(names[:4])}.",
            shares_figure(dataset),
        )
    ]
    if pairs := dependent_pairs(dataset):
        told = sentence_list([f"{names[pair.row]} with {names[pair.column]}" for pair in pairs])
        found.append(
            (
                "Which values occur together",
                f"Share of the {of} that have two values: the darker, the more; white is none. "
                f"The factors that tell most of each other, at most {MOST_PAIRS} pairs.",
                f"Heat maps of how often values occur together: {told}.",
                pairs_figure(dataset, pairs),
            )
        )
    return found
