"""What a study would cost, said before anything is trained or written."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.conditions import HELD_OUT_DATA, named_data
from unweave.data import listing
from unweave.estimate import estimate
from unweave.inventory import last_step
from unweave.metrics.protocols import protocol
from unweave.progress import Progress
from unweave.rundir import ENDED
from unweave.session import read_state
from unweave.studies.folder import StudyFolder
from unweave.studies.planning import PlannedRun
from unweave.studies.spec import Study
from unweave.training import TrainConfig

__all__ = ["Forecast", "forecast", "free_bytes", "makespan"]

# What a run's scores, logs and descriptions take about, and each figure, in bytes.
_TEXTS: Final = 60_000
_FIGURE: Final = 150_000


@final
@dataclass(frozen=True)
class Forecast:
    """What a study would cost.

    Attributes:
        runs: How many runs it has.
        finished: How many of them have ended in its folder already.
        shared: How many more have ended in other studies, and would be taken from there.
        begun: How many have begun, and would be gone on with.
        kinds: Runs whose steps take equally long: runs (how many), seconds (that each takes to
            train), bytes (that each keeps), and of the first of them objective, dataset,
            architecture, latents, batch_size.
        workers: How many runs at once.
        seconds_serial: What the runs that are left take one after the other, trainings alone.
        seconds: What they take with so many workers.
        disk_bytes: What they will keep.
        disk_peak_bytes: What they take while they are worked on, with what is kept.
        free_bytes: What is free where the study lies.
        datasets: Those that must be prepared first: text, bytes (that this takes on disk).
    """

    runs: int
    finished: int
    shared: int
    begun: int
    kinds: tuple[dict[str, Any], ...]
    workers: int
    seconds_serial: float
    seconds: float
    disk_bytes: int
    disk_peak_bytes: int
    free_bytes: int
    datasets: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return asdict(self)


def forecast(
    study: Study,
    runs: Sequence[PlannedRun],
    folder: StudyFolder,
    *,
    workers: int,
    progress: Progress | None = None,
) -> Forecast:
    """What is left of a study costs; steps of each kind of run are measured here and now.

    Args:
        study: The study.
        runs: Its runs.
        folder: Where it lies, or would.
        workers: How many runs at once.
        progress: Told how many kinds of runs are measured.
    """
    states = {run.key: read_state(folder.run_folder(run.key)) for run in runs}
    finished = {key for key, state in states.items() if state in ENDED}
    shared = {
        run.key
        for run in runs
        if states[run.key] is None and folder.elsewhere(run.key) is not None
    }
    left = [run for run in runs if run.key not in finished | shared]
    groups: dict[Hashable, list[TrainConfig]] = {}
    for run in left:
        groups.setdefault(_kind(run.config), []).append(run.config)
    kinds: list[dict[str, Any]] = []
    seconds: dict[str, float] = {}
    done_before = {run.config.address: last_step(folder.run_folder(run.key)) for run in left}
    kept = peak = 0
    for done, configs in enumerate(groups.values(), 1):
        costs = estimate(configs[0])
        for config in configs:
            steps = max(config.steps - done_before[config.address], 0)
            seconds[config.address] = costs["seconds_per_step"] * steps
        stays, meanwhile = _disk(study, configs[0], costs)
        kept += stays * len(configs)
        peak = max(peak, meanwhile)
        kinds.append(
            {
                "runs": len(configs),
                "seconds": sum(seconds[c.address] for c in configs) / len(configs),
                "bytes": stays,
                "objective": str(configs[0].objective),
                "dataset": str(configs[0].dataset),
                "architecture": str(configs[0].architecture),
                "latents": configs[0].latents,
                "batch_size": configs[0].batch_size,
            }
        )
        if progress is not None:
            progress("measuring", done, len(groups))
    each = [seconds[run.config.address] for run in left]
    datasets = {str(run.config.dataset): run.config.dataset for run in left}
    # Runs whose steps take equally long are asked for the same.
    asked = {r: configs[0] for configs in groups.values() for r in study.asked_of(configs[0])}
    for request, config in asked.items():
        # What is held out of a dataset is prepared with it.
        if request.data not in (None, HELD_OUT_DATA):
            spec = named_data(request.data, config.dataset)
            datasets[str(spec)] = spec
    facts = [listing.describe(spec) for spec in datasets.values() if not spec.ready()]
    return Forecast(
        runs=len(runs),
        finished=len(finished),
        shared=len(shared),
        begun=sum(states[run.key] is not None for run in left),
        kinds=tuple(kinds),
        workers=workers,
        seconds_serial=sum(each),
        seconds=makespan(each, workers),
        disk_bytes=kept,
        disk_peak_bytes=kept + peak * min(workers, len(left)),
        free_bytes=free_bytes(folder.path),
        datasets=tuple({"text": f["text"], "bytes": f["stored_bytes"]} for f in facts),
    )


def _kind(config: TrainConfig) -> Hashable:
    """What the time of a step depends on: networks and terms, not the numbers in them."""
    return (
        config.dataset.image_shape,
        tuple(item.name for item in config.objective.items),
        str(config.architecture),
        config.likelihood.name,
        config.optimizer.name,
        config.latents,
        config.batch_size,
        config.threads,
        config.device,
        config.precision,
    )


def _disk(study: Study, config: TrainConfig, costs: dict[str, Any]) -> tuple[int, int]:
    """Bytes that a run keeps, and those that it takes besides while it is worked on."""
    weights = costs["weights_bytes"]
    tables: dict[Hashable, int] = {}
    for request in study.asked_of(config):
        chosen = protocol(request.protocol)
        own = config.dataset
        count = (own if request.data is None else named_data(request.data, own)).count
        rows = {
            "all": count,
            "train": config.num_train,
            "holdout": count - config.num_train,
        }[request.part]
        rows = rows if chosen.images is None else min(rows, chosen.images)
        # Means and logvars, in float32; those of other data take the place of the first ones.
        key = request.part, chosen.images, chosen.encode
        tables[key] = max(tables.get(key, 0), rows * config.latents * 8)
    codes = sum(tables.values())
    texts = costs["disk_bytes"] - weights + _TEXTS + _FIGURE * len(study.plots)
    stays = {"scores": texts, "codes": texts + codes, "all": texts + codes + weights}[study.keep]
    # A checkpoint is written beside the one that it replaces.
    return stays, texts + codes + 2 * weights - stays


def makespan(each: Sequence[float], workers: int) -> float:
    """When the last of some runs ends, each begun as soon as one of the workers is free."""
    free = [0.0] * max(workers, 1)
    for seconds in each:
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def free_bytes(path: Path) -> int:
    """What is free on the disk where something lies, or would."""
    place = next(p for p in (path, *path.absolute().parents) if p.exists())
    return shutil.disk_usage(place).free
