"""The page of several runs: what it says of each part, in words."""

from __future__ import annotations

__all__ = ["write_page"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from unweave import plots
from unweave.comparison.figures import (
    curves_figure,
    images_figure,
    scores_figure,
    walk_figures,
)
from unweave.comparison.matching import CLEAR
from unweave.comparison.opening import named
from unweave.comparison.wording import (
    apart_rows,
    group_names,
    pair_words,
    run_words,
    score_notes,
    seed_sentences,
    setting_rows,
    shared_words,
    table_words,
)
from unweave.report.comparison import write_comparison
from unweave.report.page import MAILABLE
from unweave.report.pictures import Picture, picture
from unweave.report.words import flatten, sentence_list

if TYPE_CHECKING:
    from unweave.comparison.compared import Comparison

# Latents and values of walks: the first that leaves the page small enough to be mailed.
_WALKS: Final = ((10, 9), (10, 7), (8, 7), (6, 5), (4, 5), (3, 3), (1, 3))
# Bytes of a page beside its pictures.
_WORDS: Final = 400_000
_LONG: Final = 80


def write_page(comparison: Comparison, out: Path) -> Path:
    """Write the page of a comparison.

    Args:
        comparison: The runs.
        out: The file to write.

    Returns:
        The file that was written.

    Raises:
        UnweaveError: The disk is full or the folder cannot be written.
    """
    runs, groups = comparison.runs, comparison.groups
    several = [(place, group) for place, group in enumerate(groups) if len(group) > 1]
    names = group_names(comparison)
    tables = []
    for table in comparison.scored.tables:
        found, beyond = scores_figure(table, runs, [(names[place], place) for place, _ in several])
        words = table_words(comparison, table, [place for place, _ in several])
        caption = "Each score has a scale of its own; an arrow says which way is better."
        if beyond:
            caption += f" {beyond} more stand in the table alone."
        alt = "A panel for each score, with a dot for each run. The table below has the numbers."
        tables.append({**words, "picture": _picture(found, "Scores by run", caption, alt)})
    shown, image_notes = _images(comparison)
    curves, doubt = curves_figure(runs, comparison.files)
    pairs = [pair_words(match) for match in comparison.matches]
    pages = [run_words(comparison, place) for place in range(len(runs))]
    training = _picture(
        curves,
        "Curves of training",
        f"As they were logged, without smoothing. {doubt}".strip(),
        f"Line charts of loss, reconstruction and KL against the step, a line for each run: "
        f"{sentence_list([f'{each.letter} {each.name}' for each in runs])}.",
    )
    fixed = [shown, training, *(table["picture"] for table in tables)]
    fixed += [pair["picture"] for pair in pairs]
    walks = _walks(comparison, MAILABLE - _WORDS - sum(len(p.source) for p in fixed if p))
    datasets = {page["dataset"] for page in pages}
    apart = apart_rows(comparison)
    settings = setting_rows(comparison)
    index = [
        ("runs", "Runs", True),
        ("scores", "Scores", bool(tables or apart)),
        ("images", "The same images", shown is not None),
        ("latents", "Latents matched", bool(pairs)),
        ("training", "Training", training is not None),
        ("again", "How to reproduce", True),
    ]
    content = {
        "title": _title([each.name for each in runs]),
        "lead": _lead(comparison, datasets),
        "left_out": [(sentence_list(names), reason) for names, reason in comparison.reasons()],
        "index": [(anchor, name) for anchor, name, there in index if there],
        "runs": pages,
        "datasets_differ": len(datasets) > 1,
        "seeds": seed_sentences(comparison),
        "settings": settings,
        "aside": any(row["aside"] for row in settings),
        "shared": shared_words(comparison),
        "environment": _environment(comparison),
        "score_notes": score_notes(comparison),
        "tables": tables,
        "apart": apart,
        "images": shown,
        "image_notes": image_notes,
        "first": {} if not pairs else _first(comparison),
        "matching_words": _matching_words(comparison) if pairs else "",
        "pairs": pairs,
        "walks": walks,
        "curves": training,
    }
    return write_comparison(out, content)


def _title(names: Sequence[str]) -> str:
    both = " and ".join(names)
    return both if len(names) == 2 and len(both) <= _LONG else f"{len(names)} runs compared"


def _lead(comparison: Comparison, datasets: set[str]) -> str:
    listed = sentence_list([f"{each.letter} {each.name}" for each in comparison.runs])
    on = f", trained on {next(iter(datasets))}" if len(datasets) == 1 else ""
    return f"{listed}{on}."


def _environment(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """Versions and machines, as far as they differ."""
    tables = [
        dict(flatten({k: v for k, v in of.environment.items() if k != "format"}))
        for of in comparison.files
    ]
    keys = dict.fromkeys(key for table in tables for key in table)
    rows = [(key, [table.get(key, "") for table in tables]) for key in keys]
    return [(key, cells) for key, cells in rows if len(set(cells)) > 1]


def _images(comparison: Comparison) -> tuple[Picture | None, list[str]]:
    """Reconstructions of all runs, and what must be said of them."""
    dataset = comparison.dataset
    if dataset is None:
        return None, []
    figure, shown = images_figure(comparison.runs, dataset, comparison.left_out)
    others = [each for each in shown if each.run.config.dataset != dataset.spec]
    notes = []
    if apart := [
        each
        for each in comparison.runs
        if each.run.config.dataset.image_shape != dataset.image_shape
    ]:
        verb, rest = ("was", "is") if len(apart) == 1 else ("were", "are")
        shape = "x".join(map(str, dataset.image_shape))
        most = "Most runs were" if 2 * len(apart) < len(comparison.runs) else "Other runs were"
        notes.append(f"{most} trained on images of {shape}, so images of that shape are shown. "
                     f"{named(apart)} {verb} not, and {rest} left out here.")  # fmt: skip
    if others:
        verb = "was" if len(others) == 1 else "were"
        notes.append(f"The images are those of {dataset.spec}. {named(others)} {verb} trained on "
                     "other data.")  # fmt: skip
    blind = [each for each in shown if not each.run.model.encodes]
    if blind:
        verb = "renders" if len(blind) == 1 else "render"
        rest = "; the others see it" if len(blind) < len(shown) else ""
        notes.append(f"{named(blind)} {verb} the true factors of each image{rest}.")
    rows = sentence_list([f"{each.letter} {each.name}" for each in shown])
    return _picture(
        figure,
        "Reconstructions",
        "Images in the top row, and what each run makes of them by way of its latents.",
        f"Rows of images: the originals, and under them their reconstructions by {rows}.",
    ), notes


def _first(comparison: Comparison) -> dict[str, str]:
    first = comparison.matches[0].first.run
    return {"letter": first.letter, "name": first.name}


def _matching_words(comparison: Comparison) -> str:
    match = comparison.matches[0]
    first, count = match.first.run.letter, len(match.first.mean)
    kind = match.matching.correlation.capitalize()
    return (
        f"Latents of {first} are matched one to one with those of each other run, so that the sum "
        f"of absolute {kind} correlations over {count:,} images, the same for all runs, is as "
        "large as can be. A latent that was learnt upside down is the same latent: its "
        "correlation is below 0. Latents that carry nothing, by their KL, are left out. What is "
        f"matched below {CLEAR} is grey: no latent clearly corresponds."
    )


def _walks(comparison: Comparison, room: int) -> list[Picture]:
    """Walks of matched latents, as many as there is room for."""
    dataset = comparison.dataset
    if dataset is None or not comparison.matches:
        return []
    found: list[Picture] = []
    for rows, columns in _WALKS:
        figures = walk_figures(comparison.matches, dataset, rows, columns)
        found = []
        for number, figure in enumerate(figures, 1):
            title = "Traversals of matched latents"
            title += f", {number} of {len(figures)}" if len(figures) > 1 else ""
            made = _picture(
                figure, title, _walk_caption(comparison, number), _walk_alt(comparison)
            )
            found += [made] if made is not None else []
        if sum(len(each.source) for each in found) <= room:
            break
    return found


def _walk_caption(comparison: Comparison, number: int) -> str:
    if number > 1:
        return "Further latents, as above."
    first = comparison.matches[0].first.run.letter
    return (
        f"Each group of rows is a latent of {first}, highest KL first, and under it the latents "
        "of other runs that match it. All start from the code of the same image, and go through "
        "the quantiles of their codes that stand above. A minus before a latent: its correlation "
        f"is below 0, and it goes the other way. Grey: below {CLEAR}, no latent clearly "
        "corresponds."
    )


def _walk_alt(comparison: Comparison) -> str:
    first, *others = [match.first.run.letter for match in comparison.matches[:1]] + [
        match.second.run.letter for match in comparison.matches
    ]
    return (
        f"Grid of decoded images in groups of rows: a latent of {first}, and those of "
        f"{sentence_list(others)} that match it, a column for each quantile of their codes."
    )


def _picture(figure: Any | None, title: str, caption: str, alt: str) -> Picture | None:
    return None if figure is None else picture(title, plots.png(figure), title, caption, alt)
