"""What a population would cost, said before anything is trained or written."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, final

from unweave.data import listing
from unweave.errors import SpecError
from unweave.estimate import estimate
from unweave.inventory import size_of
from unweave.population.evolve import first_round
from unweave.population.spec import Population
from unweave.population.table import Hyper
from unweave.population.tuned import Tuned
from unweave.population.views import Overview
from unweave.progress import Progress
from unweave.studies.costs import free_bytes, makespan

__all__ = ["Forecast", "Measured", "forecast", "measure", "rounds_of_budget"]

T = TypeVar("T")

# What a run's logs and descriptions take about, and an event of the log, in bytes.
_TEXTS: Final = 12_000
_EVENT: Final = 1_500
# No population has more rounds.
_MOST_ROUNDS: Final = 100_000


@final
@dataclass(frozen=True)
class Measured:
    """How long steps take here.

    Attributes:
        steps: Seconds of a step of one model by batch size, in ascending order; one for all where
            the batch size is not tuned.
        weights_bytes: What the checkpoint of one model takes.
        step_bytes: What the curves of one model take for each step, on average.
    """

    steps: dict[int, float]
    weights_bytes: int
    step_bytes: float

    def seconds(self, batch_size: int) -> float:
        """Seconds of a step: on the straight line between the nearest sizes that were measured."""
        sizes = list(self.steps)
        place = bisect.bisect_left(sizes, batch_size)
        if place in (0, len(sizes)):
            return self.steps[sizes[min(place, len(sizes) - 1)]]
        low, high = sizes[place - 1], sizes[place]
        share = (batch_size - low) / (high - low)
        return (1 - share) * self.steps[low] + share * self.steps[high]


@final
@dataclass(frozen=True)
class Forecast:
    """What a population would cost, or what is left of it.

    Attributes:
        fitness: What members are ranked by.
        tuned: Rows of path, prior (its text), the bounds of later values, low and high, None where
            there is none, and within, whether these are the ends of the prior.
        members: How many members the first round has.
        later_members: How many the later ones have.
        models: How many models a member has.
        rounds: How many rounds there are at most.
        done: How many of them are over.
        why: Why there is no further one; empty where there is.
        judging: Whether the best member is still to be scored in the end.
        steps: Optimiser steps of all models that are left, with the batch sizes of the first
            round, or of the one under way.
        images: Images that these steps encode.
        steps_measured: Rows of batch_size and seconds (of a step of one model).
        workers: How many members are trained at once.
        seconds_serial: What the trainings take one after the other, without scores.
        seconds: What they take with so many workers; members wait for each other after each
            round, unless the population is asynchronous.
        keep: Which runs stay: best or all.
        disk_bytes: What is kept in the end, of all rounds.
        disk_peak_bytes: What it takes at most while it is worked on.
        disk_taken_bytes: What of this is there already.
        free_bytes: What is free where it lies, or would.
        datasets: Those that must be prepared first: text, bytes (that this takes on disk).
    """

    fitness: str
    tuned: tuple[dict[str, Any], ...]
    members: int
    later_members: int
    models: int
    rounds: int
    done: int
    why: str
    judging: bool
    steps: int
    images: int
    steps_measured: tuple[dict[str, Any], ...]
    workers: int
    seconds_serial: float
    seconds: float
    keep: str
    disk_bytes: int
    disk_peak_bytes: int
    disk_taken_bytes: int
    free_bytes: int
    datasets: tuple[dict[str, Any], ...]

    @property
    def fits(self) -> bool:
        """Whether the disk has room for what is not there yet."""
        return self.disk_peak_bytes - self.disk_taken_bytes <= self.free_bytes

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return asdict(self)


@final
@dataclass(frozen=True)
class _Left:
    """What a member has before it: a part of the round under way, and how many after that."""

    hyper: Hyper
    share: float
    further: int


def measure(population: Population, progress: Progress | None = None) -> Measured:
    """Measure steps here and now, on random images.

    Where the batch size is tuned, its smallest, its typical and its largest first value are
    measured; rules without bounds may lead beyond these.

    Args:
        population: What it is.
        progress: Told how many sizes are measured.
    """
    sizes = _sizes(population)
    steps: dict[int, float] = {}
    weights, a_step = 0, 0.0
    for done, size in enumerate(sizes, 1):
        whole = population.steps_of({"batch_size": size}) * population.rounds
        found = estimate(population.config.changed([("batch_size", size), ("steps", whole)]))
        steps[size] = found["seconds_per_step"]
        weights = max(weights, found["weights_bytes"])
        a_step = max(a_step, (found["disk_bytes"] - found["weights_bytes"]) / whole)
        if progress is not None:
            progress("measuring", done, len(sizes))
    return Measured(steps=steps, weights_bytes=weights, step_bytes=a_step)


def forecast(
    population: Population,
    workers: int,
    progress: Progress | None = None,
    *,
    measured: Measured | None = None,
    folder: Path | None = None,
    begun: Overview | None = None,
) -> Forecast:
    """What a population costs, with the tuned fields that its first round draws.

    Args:
        population: What it is.
        workers: How many members are trained at once.
        progress: Told how many batch sizes are measured.
        measured: How long steps take, where that is known already.
        folder: Where it lies, or would; None for the working directory.
        begun: How far it has come, so that only what is left is counted; None for not at all.
    """
    done = 0 if begun is None else begun.done
    taken = 0 if begun is None else size_of(Path(begun.folder)).bytes
    left = _left(population, begun)
    paces: Sequence[tuple[int, float]] = ()
    steps = images = serial = seconds = 0.0
    kept = peak = taken
    if left:
        measured = measured or measure(population, progress)
        paces = list(measured.steps.items())
        each = [_member_seconds(population, measured, one.hyper) for one in left]
        later = sorted(range(len(left)), key=each.__getitem__)
        later = later if done else _later(population, later)
        work = [_work(population, one.hyper) for one in left]
        steps, images = (
            population.models * _one_by_one(left, later, [w[k] for w in work]) for k in (0, 1)
        )
        serial = _one_by_one(left, later, each)
        seconds = _side_by_side(population, left, later, each, workers)
        kept, peak = _disk(population, measured, workers)
    facts = [listing.describe(spec) for spec in [population.config.dataset] if not spec.ready()]
    return Forecast(
        fitness=str(population.fitness),
        tuned=tuple(_told(tuned) for tuned in population.tuned),
        members=population.members,
        later_members=population.members // population.shrink,
        models=population.models,
        rounds=population.rounds,
        done=done,
        why="" if begun is None else begun.why,
        judging=population.judged and (begun is None or begun.judged is None),
        steps=round(steps),
        images=round(images),
        steps_measured=tuple({"batch_size": size, "seconds": pace} for size, pace in paces),
        workers=workers,
        seconds_serial=serial,
        seconds=seconds,
        keep=population.keep,
        disk_bytes=kept,
        disk_peak_bytes=peak,
        disk_taken_bytes=taken,
        free_bytes=free_bytes(folder or Path()),
        datasets=tuple({"text": f["text"], "bytes": f["stored_bytes"]} for f in facts),
    )


def rounds_of_budget(
    population: Population, hours: float, workers: int, *, measured: Measured | None = None
) -> int:
    """How many rounds fit into some hours here, trainings without their scores.

    Args:
        population: What it is; its own number of rounds has no say.
        hours: How long it may take.
        workers: How many members are trained at once.
        measured: How long steps take, where that is known already.

    Returns:
        At least 1.

    Raises:
        SpecError: Not even one round fits, or the budget is no time at all.
    """
    if not 0 < hours < float("inf"):
        raise SpecError(f"A budget is a number of hours above 0, not {hours:g}.")
    pace = measured or measure(population)
    first = [_member_seconds(population, pace, hyper) for hyper in _hypers(population)]
    later = _later(population, sorted(first))
    budget, begin = 3600 * hours, _round(population, first, workers)
    if begin > budget:
        raise SpecError(
            f"The first round of {len(first)} members takes about {begin / 3600:.3g} hours with "
            f"{_count(workers, 'worker')}, and the budget is {hours:g}. Give a larger "
            "budget, fewer members (--population), fewer steps or images of a round "
            "(--steps-per-round, --images-per-round), or more workers."
        )
    rounds = 1 + int((budget - begin) / _round(population, later, workers))
    return min(rounds, _MOST_ROUNDS)


def _hypers(population: Population) -> list[Hyper]:
    """The tuned fields of the first round, which are known beforehand."""
    tasks = first_round(population.tuned, members=population.members, seed=population.seed)
    return [task.hyper for task in tasks]


def _sizes(population: Population) -> list[int]:
    """The batch sizes that are measured."""
    prior = next((t.prior for t in population.tuned if t.path == "batch_size"), None)
    if prior is None or prior.ends is None:
        return [population.config.batch_size]
    drawn = sorted(population.batch_size_of(hyper) for hyper in _hypers(population))
    low, high = prior.ends
    return sorted({int(low), drawn[len(drawn) // 2], int(high)})


def _work(population: Population, hyper: Hyper) -> tuple[int, int]:
    """Steps of a round of one model, and images that they encode."""
    steps = population.steps_of(hyper)
    needs = population.config.objective.expand().needs
    return steps, steps * needs.encoded(population.batch_size_of(hyper))


def _member_seconds(population: Population, measured: Measured, hyper: Hyper) -> float:
    """What the models of a member train in a round."""
    pace = measured.seconds(population.batch_size_of(hyper))
    return population.models * population.steps_of(hyper) * pace


def _left(population: Population, begun: Overview | None) -> list[_Left]:
    """What the members have before them; none where there is no further round."""
    if begun is None:
        return [_Left(hyper, 1.0, population.rounds - 1) for hyper in _hypers(population)]
    return [
        _Left(member.hyper, 1 - member.done, population.rounds - member.round)
        for member in begun.under_way
    ]


def _one_by_one(left: Sequence[_Left], later: Sequence[int], each: Sequence[float]) -> float:
    """Of all that is left, the sum of what a round of each member takes.

    Args:
        left: What the members have before them.
        later: Which of them stand for those of later rounds.
        each: What a whole round of each takes.
    """
    now = sum(one.share * whole for one, whole in zip(left, each, strict=True))
    return now + sum(left[k].further * each[k] for k in later)


def _side_by_side(
    population: Population,
    left: Sequence[_Left],
    later: Sequence[int],
    each: Sequence[float],
    workers: int,
) -> float:
    """How long all that is left takes; the arguments are those of `_one_by_one`."""
    if population.asynchronous:
        # Workers that are free go on with the next round.
        rest = [(one.share + one.further) * whole for one, whole in zip(left, each, strict=True)]
        return max(sum(rest) / workers, *rest)
    now = [one.share * whole for one, whole in zip(left, each, strict=True)]
    return makespan(now, workers) + left[0].further * makespan([each[k] for k in later], workers)


def _round(population: Population, each: Sequence[float], workers: int) -> float:
    """What a round takes in which each member trains so long."""
    if population.asynchronous:
        return max(sum(each) / workers, *each)
    return makespan(each, workers)


def _later(population: Population, members: Sequence[T]) -> list[T]:
    """What stands for the members of later rounds: as many as stay, spread over the first ones.

    Args:
        population: What it is.
        members: Something of each member of the first round, in the order of how long they take.
    """
    return list(members[population.shrink - 1 :: population.shrink])


def _told(tuned: Tuned) -> dict[str, Any]:
    """A tuned field in words and numbers."""
    low, high = (end if math.isfinite(end) else None for end in tuned.limits)
    bounds = {"low": low, "high": high, "within": tuned.prior.ends in (None, tuned.limits)}
    return {"path": tuned.path, "prior": str(tuned.prior), **bounds}


def _disk(population: Population, measured: Measured, workers: int) -> tuple[int, int]:
    """Bytes that are kept in the end, and those that it takes at most."""
    work = [population.steps_of(hyper) for hyper in _hypers(population)]
    rounds, first, later = population.rounds, len(work), len(_later(population, work))
    trained = first + (rounds - 1) * later
    # Its last round, and the best member where that is of an earlier one.
    kept = trained if population.keep == "all" else (first if rounds == 1 else later + 1)
    most = trained
    if population.keep == "best" and rounds > 1:
        # Members go on from those of the round before, which stay until it is over; of members
        # that wait for nobody, some more.
        most = max(first + later, 2 * later + 1 if rounds > 2 else 0)
        most = min(trained, 3 * first) if population.asynchronous else most
    # Each has the curves of all its rounds so far.
    past = (rounds + 1) / 2 if population.keep == "all" else rounds
    steps = past * sum(work) / first
    each = population.models * (measured.weights_bytes + measured.step_bytes * steps + _TEXTS)
    log = 2 * _EVENT * trained
    # A checkpoint is written beside the one that it replaces.
    meanwhile = min(workers, first) * measured.weights_bytes
    return round(kept * each) + log, round(most * each) + log + meanwhile


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number} {what}s"
