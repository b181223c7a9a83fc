"""Score arrays, or a table of codes, under a protocol."""

from __future__ import annotations

__all__ = ["check_rows", "evaluate", "names_from", "passed"]

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics.base import Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.interval import over_draws
from unweave.metrics.protocols import DEFAULT, metrics_of
from unweave.metrics.protocols import protocol as protocol_of
from unweave.metrics.table import table_from_arrays, table_without_factors
from unweave.representation import Representation
from unweave.spec import members

if TYPE_CHECKING:
    from unweave.progress import Progress

log = logging.getLogger("unweave")


def evaluate(
    codes: ArrayLike | Representation,
    factors: ArrayLike | None = None,
    *,
    metrics: Sequence[str] | str | None = None,
    protocol: str = DEFAULT,
    seed: int = 0,
    factor_sizes: Sequence[int] | NDArray[np.integer] | None = None,
    factor_names: Sequence[str] | None = None,
    logvar: ArrayLike | None = None,
    repeats: int = 1,
    progress: Progress | None = None,
) -> dict[str, Score]:
    """Scores by the name of the metric.

    Each metric draws from a generator keyed by the seed and its stream, so that a score does not
    depend on which others are asked for. What a long metric costs is logged before any begins.

    With `repeats` each metric is scored with the seeds `seed`, `seed + 1`, ... Its
    value and parts are means over them, its matrix is that of the first, and its `interval` is
    the 95 % interval of the mean over draws of this table, cut at the ends of the metric's range.
    It says nothing of other trainings.

    Args:
        codes: Codes of N rows, (N, L) numbers; or a table with its factors.
        factors: (N, K) whole numbers, texts, or numbers with fractions that take few values; None
            when the rows are the full grid of `factor_sizes`, or when no metric that is named
            needs factors.
        metrics: Names, or None for all of the protocol that are not opt-in; of these, one that
            cannot score the table is left out, and a warning is logged that says why.
        protocol: Which settings to use.
        seed: Seed of the metrics' draws, at least 0.
        factor_sizes: Number of values of each factor, (K,). Without `factors` the rows are the
            full grid in C order, the last factor fastest.
        factor_names: Names of the factors, K identifiers.
        logvar: Logarithms of posterior variances, (N, L), for the metrics that need them.
        repeats: How many seeds to score with.
        progress: Told how many scores are done, how many seeds of which metric, and of the work
            of metrics that take long.

    Raises:
        SpecError: An unknown protocol or metric, or none is named and all are opt-in.
        DataError: The arrays do not fit together, or cannot be scored by a metric that is named,
            or by any.

    Example:
        >>> import numpy as np
        >>> grid = np.indices((4, 5)).reshape(2, -1).T
        >>> evaluate(grid, factor_sizes=(4, 5), metrics="mig")["mig"].value
        1.0
    """
    chosen = metrics_of(protocol_of(protocol), names_from(metrics))
    if metrics is None and not chosen:
        defined = ", ".join(metric.name for metric in protocol_of(protocol).metrics)
        raise SpecError(
            f"Protocol {protocol} scores nothing unless it is asked for by name: {defined}."
        )
    seed, repeats = _whole("seed", seed, 0), _whole("repeats", repeats, 1)
    if isinstance(codes, Representation):
        if any(given is not None for given in (factors, factor_sizes, factor_names, logvar)):
            raise DataError("A table has factors and logvars of its own: give it alone.")
        table = codes
    elif factors is None and factor_sizes is None and metrics is not None and _need_none(chosen):
        table = table_without_factors(codes, logvar=logvar)
    else:
        table = table_from_arrays(
            codes, factors, factor_sizes=factor_sizes, factor_names=factor_names, logvar=logvar
        )

    def check(metric: Metric) -> None:
        if "logvar" in metric.needs and table.logvar is None:
            raise DataError(
                f"{metric.name} draws from posteriors: give their logvar, (N, L), beside codes, "
                f"or leave {metric.name} out."
            )
        check_rows(metric, np.asarray(table.factors), table.factor_space, table.latents)

    named = metrics is not None
    able, refused = passed(chosen, check, named=named)
    _say_costs(table, able)
    scores: dict[str, Score] = {}
    with _counted(progress, "scores", len(able) * repeats) as count:

        def score(metric: Metric) -> None:
            try:
                with _counted(progress, metric.name, repeats) as count_seeds:
                    seeds = range(seed, seed + repeats)
                    scores[metric.name] = _repeated(metric, table, seeds, progress, count_seeds)
            finally:
                count(repeats)

        refused |= passed(able, score, named=named)[1]
    _say_reasons(refused)
    return scores


def check_rows(
    metric: Metric, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int
) -> None:
    """Refuse rows that a metric cannot score whatever their codes are.

    Args:
        metric: The metric.
        factors: Factor indices of the rows, (N, K); (N, 0) where none are known.
        factor_space: Names and sizes of the factors.
        latents: Number of latents L.

    Raises:
        DataError: It needs factors and none are known, or it says itself why not.
    """
    if "factors" in metric.needs and not factor_space.factors:
        free = [name for name, cls in members(Metric).items() if "factors" not in cls.needs]
        raise DataError(
            "No factors of these images are known, so scores that compare codes with factors "
            f"cannot be computed. These metrics need none: {', '.join(free)}, with protocol "
            f"{DEFAULT}."
        )
    metric.check(factors, factor_space, latents)


def passed(
    chosen: Sequence[Metric], step: Callable[[Metric], None], *, named: bool
) -> tuple[tuple[Metric, ...], dict[str, DataError]]:
    """The metrics that pass a step, and why others do not, by name.

    Args:
        chosen: The metrics.
        step: Raises a `DataError` for one that cannot score the rows.
        named: Whether the user asked for each of them.

    Raises:
        DataError: One that is named does not pass, or none does.
    """
    able, refused = [], {}
    for metric in chosen:
        try:
            step(metric)
        except DataError as error:
            if named:
                raise
            refused[metric.name] = error
        else:
            able.append(metric)
    if refused and not able:
        raise next(iter(refused.values()))
    return tuple(able), refused


def names_from(given: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Names of metrics, given one by one or as one text with commas; None as it is.

    Raises:
        SpecError: There is no name, or what is given are no names.
    """
    if given is None:
        return None
    if isinstance(given, str):
        given = tuple(name.strip() for name in given.split(",") if name.strip())
    # Whatever the type says, a component is what many would try.
    names: Any = given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise SpecError(
            "metrics takes names, such as 'mig', whose settings are those of the protocol. A "
            "metric with settings of its own scores by itself: MIG(bins=10).score(table, draws)."
        )
    if not names:
        raise SpecError("metrics is empty; give names such as 'mig', or leave it out.")
    return tuple(names)


def _need_none(chosen: tuple[Metric, ...]) -> bool:
    """Whether no metric needs factors."""
    return all("factors" not in metric.needs for metric in chosen)


def _whole(what: str, given: Any, least: int) -> int:
    """A whole number, NumPy's too."""
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise SpecError(f"{what} must be a whole number of at least {least}, not {given!r}.")
    return int(given)


def _repeated(
    metric: Metric,
    table: Representation,
    seeds: range,
    progress: Progress | None,
    count: Callable[[int], None],
) -> Score:
    """The score with one seed, or the mean over several."""
    found: list[Score] = []
    for seed in seeds:
        draws = Draws(seed, metric.stream or metric.name)
        metric.prepare(table, draws, _told_of(metric.name, progress))
        found.append(metric.score(table, draws))
        count(1)
    if len(found) == 1:
        return found[0]
    names = dict.fromkeys(name for score in found for name in score.parts)
    parts = {
        name: float(np.mean([score.parts[name] for score in found if name in score.parts]))
        for name in names
    }
    interval = over_draws(tuple(score.value for score in found))
    return replace(
        found[0],
        value=(interval.low + interval.high) / 2,
        parts=parts,
        interval=interval.within(metric.bounds),
    )


def _told_of(name: str, progress: Progress | None) -> Progress | None:
    """A progress display of one metric's work, which is named before it."""
    if progress is None:
        return None
    return lambda what, done, total: progress(f"{name}: {what}", done, total)


@contextmanager
def _counted(progress: Progress | None, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Tells the progress display how many there are, how many are done, and at the end all."""
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(what, done, total)

    count(0)
    try:
        yield count
    finally:
        if done < total:
            count(total - done)


def _say_reasons(refused: Mapping[str, DataError]) -> None:
    """Log what is left out, and why; metrics with one reason in one line."""
    names: dict[str, list[str]] = {}
    for name, reason in refused.items():
        names.setdefault(str(reason), []).append(name)
    for text, sharing in names.items():
        verb = "is" if len(sharing) == 1 else "are"
        log.warning("%s %s left out: %s", ", ".join(sharing), verb, text)


def _say_costs(table: Representation, chosen: tuple[Metric, ...]) -> None:
    """Log what takes long; metrics that share their work say so in one line."""
    names: dict[str, list[str]] = {}
    for metric in chosen:
        cost = metric.cost(table)
        if cost is not None:
            names.setdefault(cost, []).append(metric.name)
    for cost, sharing in names.items():
        # A warning, so that people see it who have set up no logging.
        log.warning("%s: %s.", ", ".join(sharing), cost)
