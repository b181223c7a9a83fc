"""Scores of a run by metrics, which read a table of codes, and by analyses, which need a model."""

from __future__ import annotations

__all__ = ["check", "check_codes", "score"]

from collections.abc import Callable, Sequence

from unweave import metrics
from unweave._version import __version__
from unweave.analysis import Analysis, Subject
from unweave.encoding import Codes, Part, Precision
from unweave.errors import SpecError
from unweave.metrics import Metric, Score
from unweave.metrics.evaluate import check_rows, passed
from unweave.metrics.protocols import Protocol, names_of
from unweave.objectives import Plan
from unweave.representation import Representation
from unweave.scores import ScoreRecord, Scores
from unweave.spec import Component


def check(
    tabular: tuple[Metric, ...], analyses: tuple[Analysis, ...], part: Part, codes: Codes
) -> None:
    """Refuse a part or a kind of codes that does not go with what is asked for.

    Args:
        tabular: Metrics of tables of codes.
        analyses: Analyses of models and images.
        part: Which images are scored.
        codes: Posterior means, or samples.

    Raises:
        SpecError: The message names the metric or analysis and what it takes.
    """
    for metric in tabular:
        if codes != "mean" and "logvar" in metric.needs:
            raise SpecError(f"{metric.name} draws from the posteriors itself: give codes=mean.")
    for analysis in analyses:
        analysis.check(part, codes)


def check_codes(plan: Plan, tabular: Sequence[Metric]) -> None:
    """Refuse metrics, which read a table of codes, of a model without an encoder.

    Raises:
        SpecError: There are metrics, and no codes.
    """
    names = list(dict.fromkeys(metric.name for metric in tabular))
    if names:
        few = names[0] if len(names) == 1 else f"Each of {', '.join(names)}"
        plan.check_encodes(few if len(names) < 6 else f"Each of the {len(names)} metrics")


def score(
    chosen: Protocol,
    tabular: tuple[Metric, ...],
    analyses: tuple[Analysis, ...],
    subject: Subject,
    table: Callable[[], Representation],
    part: Part,
    names: tuple[str, ...] | None,
    precision: Precision,
    repeats: int = 1,
) -> Scores:
    """Scores with their provenance.

    Args:
        chosen: The protocol.
        tabular: Its metrics that are asked for.
        analyses: Its analyses that are asked for.
        subject: What is scored.
        table: Gives the table of codes; called when there is a metric.
        part: Of which images the subject's rows are.
        names: The order that was asked for, by names or aliases; None for that of the protocol.
        precision: In which the table's images are encoded; analyses are of float32.
        repeats: With how many seeds metrics draw, from the subject's on; analyses draw once.

    Raises:
        DataError: A metric or an analysis that is asked for by name cannot score the subject, or
            none can.
    """
    found: dict[str, tuple[Component, Score, int]] = {}
    # What an analysis refuses is refused before the images are encoded.
    images = {analysis.name: len(analysis.rows(subject)) for analysis in analyses}
    if tabular:
        # What no codes can save is refused before the images are encoded.
        space, factors = subject.dataset.known_factors(subject.flat)
        latents, named = subject.model.latents, names is not None
        passed(tabular, lambda m: check_rows(m, factors, space, latents), named=named)
        rows = table()
        scores = metrics.evaluate(
            rows,
            metrics=None if names is None else tuple(metric.name for metric in tabular),
            protocol=chosen.name,
            seed=subject.seed,
            repeats=repeats,
            progress=subject.progress,
        )
        found = {
            metric.name: (metric, scores[metric.name], len(rows))
            for metric in tabular
            if metric.name in scores
        }
    for analysis in analyses:
        found[analysis.name] = (analysis, analysis.score(subject), images[analysis.name])
    order = tuple(found) if names is None else names_of(names)
    return Scores(
        tuple(
            ScoreRecord(
                metric=component.name,
                score=result,
                text=str(component),
                protocol=chosen.label,
                data=str(subject.dataset.spec),
                source=subject.dataset.source,
                part=part,
                codes=subject.codes,
                precision=precision if isinstance(component, Metric) else "float32",
                samples=samples,
                seed=subject.seed,
                step=subject.step,
                unweave=__version__,
            )
            for component, result, samples in (found[name] for name in order)
        )
    )
