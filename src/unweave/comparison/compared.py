"""Runs compared: their settings, their scores, and the latents that they have in common."""

from __future__ import annotations

__all__ = ["IMAGES", "Comparison", "compare_runs"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.comparison.latents import (
    Coded,
    RunMatch,
    coded_runs,
    match_runs,
    shared_dataset,
)
from unweave.comparison.opening import Compared, open_runs, page_name
from unweave.comparison.scores import Scored, scores_of
from unweave.comparison.settings import Differing, differing_settings, groups_of
from unweave.data import Dataset, Progress
from unweave.errors import SpecError
from unweave.report.files import RunFiles, read_run
from unweave.run import Run
from unweave.run.unscored import score_unscored

IMAGES: Final = 10_000
"""Images whose codes say which latents match."""

_FEWEST: Final = 2


@final
@dataclass(frozen=True, eq=False)
class Comparison:
    """Several runs beside one another.

    Attributes:
        runs: The runs, by letters.
        files: What their folders say.
        differing: The settings in which they differ, and those that they share.
        groups: Places of runs that differ in nothing but their seed, after as many steps; each
            run is in one.
        scored: Their scores.
        coded: Codes of the same images by each run that has any.
        matches: Latents of the first of these matched with those of each other one.
        dataset: Where the images come from; None where they cannot be had.
        left_out: What could not be had, and why.
    """

    runs: tuple[Compared, ...]
    files: tuple[RunFiles, ...]
    differing: Differing
    groups: tuple[tuple[int, ...], ...]
    scored: Scored
    coded: tuple[Coded, ...]
    matches: tuple[RunMatch, ...]
    dataset: Dataset | None
    left_out: dict[str, str]

    def report(self, out: str | Path | None = None) -> Path:
        """Write one HTML file that shows the runs beside one another.

        It holds its pictures and its style: it works offline and can be sent alone. The same runs
        give the same bytes. What cannot be drawn is added to `left_out`, and said on the page.

        Args:
            out: File to write, which ends in `.html`. By default `comparison-` and eight digits
                that stand for these runs, in the working directory.

        Returns:
            The file that was written.

        Raises:
            SpecError: The name has another ending, or a file is there that is no such page.
            UnweaveError: The disk is full or the folder cannot be written.
        """
        from unweave.comparison.page import write_page
        from unweave.report.place import COMPARISON, check_page

        path = Path(page_name(self.runs) if out is None else out)
        check_page(path, COMPARISON)
        return write_page(self, path)

    def reasons(self) -> list[tuple[list[str], str]]:
        """What is left out for the same reason, and the reason, in the order of `left_out`."""
        names: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            names.setdefault(reason, []).append(name)
        return [(group, reason) for reason, group in names.items()]

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        letters = [each.letter for each in self.runs]
        return {
            "runs": [each.to_dict() for each in self.runs],
            "differing": {
                setting.name: dict(zip(letters, setting.values, strict=True))
                for setting in self.differing.settings
            },
            "groups": [[letters[place] for place in group] for group in self.groups],
            "scores": [
                {
                    **table.circumstances,
                    "metric": row.metric,
                    "text": row.text,
                    "unit": row.unit,
                    "samples": row.samples,
                    "precision": row.precision,
                    "values": {
                        letter: None if cell is None else asdict(cell)
                        for letter, cell in zip(letters, row.cells, strict=True)
                    },
                    "means": [None if mean is None else asdict(mean) for mean in row.means],
                }
                for table in self.scored.tables
                for row in table.rows
            ],
            "matches": [match.to_dict() for match in self.matches],
            "left_out": dict(self.left_out),
        }


def compare_runs(
    runs: Sequence[Run | str | Path],
    *,
    images: int = IMAGES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare runs: what differs in their settings, their scores, and which latents match.

    A run of which the default protocol has no score yet is scored now, as by its report. Scores
    are put side by side only where protocol, data, part, kind of codes, seed and repeats are the
    same. Latents are those of the same images, drawn from the dataset of the first run, or of the
    next one where they cannot be had or most runs were trained on images of another shape: those
    of the first run that can be shown them are matched one to one with those of each other one
    (`match_latents`).

    Args:
        runs: Two to twelve runs with weights, or their folders; the first is what others are
            matched with.
        images: How many images are encoded; all of them if there are fewer.
        seed: Which images those are, and seed of the bootstrap over runs.
        progress: Shows encoding and scoring.

    Raises:
        RunError: Fewer than two runs or more than twelve, one of them twice, a folder that is no
            run, or a run without weights.
        SpecError: Fewer than two images, or a seed below 0.

    Example:
        >>> comparison = compare_runs(["runs/a", "runs/b"])  # doctest: +SKIP
        >>> comparison.report("a-and-b.html")  # doctest: +SKIP
    """
    for what, number, least in (("images", images, _FEWEST), ("seed", seed, 0)):
        if number < least:
            raise SpecError(f"{what} must be at least {least}, not {number}.")
    opened = open_runs(runs)
    left_out: dict[str, str] = {}
    for each in opened:
        if reason := score_unscored(each.run, progress):
            left_out[f"scores of {each.letter}"] = reason
    files = tuple(read_run(each.run.folder) for each in opened)
    forms = [of.config for of in files]
    steps = [each.run.step for each in opened]
    groups = groups_of(forms, steps)
    dataset = shared_dataset(opened, left_out, progress)
    coded: list[Coded] = []
    if dataset is not None:
        coded = coded_runs(opened, dataset, images, left_out, seed=seed, progress=progress)
    return Comparison(
        runs=opened,
        files=files,
        differing=differing_settings(forms),
        groups=groups,
        scored=scores_of([of.scores for of in files], steps, groups, seed=seed),
        coded=tuple(coded),
        matches=match_runs(coded),
        dataset=dataset,
        left_out=left_out,
    )
