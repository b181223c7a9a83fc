"""Put runs in order."""

from __future__ import annotations

__all__ = ["rank"]

import json
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import numpy as np

from unweave import spec
from unweave.analysis import Analysis, choose
from unweave.data import Progress
from unweave.errors import DataError, RunError, SpecError, nearest
from unweave.inventory import describe, resume_command
from unweave.metrics import Metric
from unweave.metrics.interval import over_runs
from unweave.metrics.label_free.udr import UDRCompat, udr
from unweave.metrics.protocols import DEFAULT, PROTOCOLS, Protocol, names_of
from unweave.metrics.protocols import protocol as protocol_of
from unweave.ranking.codes import encode, mean_kl, shared_rows
from unweave.ranking.result import Compare, GroupScore, Ranked, Ranking
from unweave.run import Run, load_run
from unweave.rundir import ASIDE
from unweave.scores import load_scores
from unweave.spec import members
from unweave.training import TrainConfig

# What a protocol makes of UDR; the others do not define it.
_COMPAT: dict[str, UDRCompat] = {
    "unweave": "none", "full": "none", "fast": "none", "dlib": "dlib", "dlib2019": "dlib",
    "rpu": "rpu",
}  # fmt: skip
# How many images are encoded unless another number is given.
_IMAGES = 1000


def rank(
    runs: Sequence[Run | str | Path],
    by: str = "udr",
    *,
    compare: Compare = "all",
    protocol: str = DEFAULT,
    images: int = _IMAGES,
    seed: int = 0,
    progress: Progress | None = None,
) -> Ranking:
    """Put finished runs of one dataset in order, the best first.

    UDR needs no labels: it asks how far the latents of a run are those of others. A run that is
    ranked by a metric is scored now if its `scores.json` has no score of these weights under the
    protocol with the seed.

    Args:
        runs: At least two runs, or their folders.
        by: `udr`, or the name of a metric or an analysis.
        compare: For UDR: every run with `all` others, or with those of its `config`, which differ
            in nothing but the seed.
        protocol: Which settings to use; UDR is that of disentanglement_lib under `dlib`.
        images: For UDR: how many images are encoded, the same for all runs; 1,000, or all if there
            are fewer, when it is left out.
        seed: Which images those are; or the seed of the metric's draws.
        progress: Shows encoding and scoring.

    Raises:
        RunError: Fewer than two runs, one of them twice or not finished; or no other run of a
            configuration to compare with.
        DataError: The runs were trained on different data.
        SpecError: An unknown name, a protocol that does not define it, or more images than there
            are.
    """
    if compare not in get_args(Compare):
        raise SpecError(f"compare must be all or config, not {compare!r}.")
    for what, number, least in (("seed", seed, 0), ("images", images, 2)):
        if number < least:
            raise SpecError(f"{what} must be at least {least}, not {number}.")
    chosen = protocol_of(protocol)
    scorer = None if by == "udr" else _scorer(chosen, by)
    if scorer is None and protocol not in _COMPAT:
        defining = ", ".join(name for name in _COMPAT if name in PROTOCOLS)
        raise SpecError(f"Protocol {chosen.label} does not define udr; these do: {defining}.")
    opened = _open(runs)
    if scorer is None:
        _check_images(images, opened[0].config)
        _check_noise(opened)
    labels = _labels([run.config for run in opened])
    if scorer is None:
        higher = True
        entries = _by_udr(opened, labels, compare, _COMPAT[protocol], images, seed, progress)
    else:
        by, higher = scorer.name, scorer.higher_is_better
        values = [_value(run, scorer, chosen, seed, progress) for run in opened]
        entries = [
            Ranked(run=str(run.folder), score=value, seed=run.config.seed, group=label)
            for run, value, label in zip(opened, values, labels, strict=True)
        ]
    sign = -1 if higher else 1
    return Ranking(
        by=by,
        protocol=chosen.label,
        higher_is_better=higher,
        data=str(opened[0].config.dataset),
        compared=compare if scorer is None else None,
        runs=tuple(sorted(entries, key=lambda entry: sign * entry.score)),
        groups=tuple(sorted(_groups(entries, seed), key=lambda group: sign * group.mean)),
    )


def _check_images(images: int, config: TrainConfig) -> None:
    """Refuse more images than there are, which some protocols draw with replacement."""
    count = config.dataset.count
    if images > max(count, _IMAGES):
        raise SpecError(
            f"images must be at most {count}, as many as {config.dataset} has, not {images}."
        )


def _check_noise(runs: Sequence[Run]) -> None:
    """Refuse runs whose codes have no KL, which tells UDR the latents that are in use."""
    for run in runs:
        plan = run.config.objective.expand()
        plan.check_encodes("UDR")
        if plan.latent == "codes":
            raise DataError(
                f"UDR tells by their KL which latents are in use, and codes of {run.folder} have "
                f"none: {run.config.objective} has an encoder without noise."
            )


def _scorer(chosen: Protocol, by: str) -> Metric | Analysis:
    """The metric or analysis of that name, or with that alias."""
    known = ("udr", *members(Metric), *members(Analysis))
    (name,) = names_of((by,))
    if name not in known:
        raise SpecError(
            f"Runs are ranked by udr, a metric or an analysis, and {by!r} is none of "
            f"them. {nearest(by, known)}"
        )
    metrics, analyses = choose(chosen, (name,))
    return metrics[0] if metrics else analyses[0]


def _open(runs: Sequence[Run | str | Path]) -> list[Run]:
    """The runs, finished and of one dataset."""
    if isinstance(runs, str | Path | Run):
        runs = [runs]
    opened = [run if isinstance(run, Run) else load_run(run) for run in runs]
    if len(opened) < 2:
        raise RunError(f"A ranking takes at least 2 runs, not {len(opened)}.")
    places = [run.folder.resolve() for run in opened]
    for run, place in zip(opened, places, strict=True):
        if places.count(place) > 1:
            raise RunError(f"{run.folder} is given twice.")
        state = run.status.get("state")
        if state != "finished":
            facts = describe(run.folder)
            resume = resume_command(run.folder, facts["state"])
            then = "Leave it out." if resume is None else f"Leave it out, or go on with: {resume}"
            raise RunError(
                f"{run.folder} is not finished but {facts['state']}, at step {facts['step']} of "
                f"{run.config.steps}. {then}"
            )
    first = opened[0]
    for run in opened:
        if run.config.dataset != first.config.dataset:
            raise DataError(
                f"Runs of one dataset can be compared, but {first.folder} was trained on "
                f"{first.config.dataset} and {run.folder} on {run.config.dataset}."
            )
    return opened


def _labels(configs: Sequence[TrainConfig]) -> list[str]:
    """For each configuration the fields in which they differ; the objective in any case."""
    forms = [
        {key: value for key, value in spec.to_dict(config).items() if key not in ASIDE}
        for config in configs
    ]
    texts = [{key: json.dumps(value, sort_keys=True) for key, value in f.items()} for f in forms]
    differing = [
        key for key in texts[0] if key not in ("type", "objective")
        and len({text[key] for text in texts}) > 1
    ]  # fmt: skip
    return [
        ", ".join([str(config.objective), *(f"{key}={getattr(config, key)}" for key in differing)])
        for config in configs
    ]


def _value(
    run: Run, scorer: Metric | Analysis, chosen: Protocol, seed: int, progress: Progress | None
) -> float:
    """The score of a run's weights, from its scores.json or computed now."""
    wanted = {
        "metric": scorer.name,
        "text": str(scorer),
        "protocol": chosen.label,
        "data": str(run.config.dataset),
        "part": "all",
        "codes": "mean",
        "seed": seed,
        "step": run.step,
    }
    for row in reversed(load_scores(run.folder)):
        if (
            all(row.get(key) == value for key, value in wanted.items())
            and row["value"] is not None
        ):
            return float(row["value"])
    scores = run.evaluate((scorer.name,), protocol_name=chosen.name, seed=seed, progress=progress)
    return scores[scorer.name].value


def _by_udr(
    runs: Sequence[Run],
    labels: Sequence[str],
    compare: Compare,
    compat: UDRCompat,
    images: int,
    seed: int,
    progress: Progress | None,
) -> list[Ranked]:
    """Each run with its UDR among all, or among those of its configuration."""
    groups = [list(range(len(runs)))]
    if compare == "config":
        groups = [
            [i for i, label in enumerate(labels) if label == g] for g in dict.fromkeys(labels)
        ]
        for group in groups:
            if len(group) < 2:
                raise RunError(
                    f"{runs[group[0]].folder} has no other run that differs in nothing but the "
                    f"seed, so that UDR has nothing to compare it with. Compare all runs instead."
                )
    dataset = runs[0].dataset
    flat = shared_rows(dataset, images, seed, compat)
    codes, kls = [], []
    for run in runs:
        mean, logvar = encode(run, dataset, flat, progress)
        codes.append(mean)
        kls.append(mean_kl(mean, logvar, compat))
    entries: dict[int, Ranked] = {}
    for group in groups:
        found = udr([codes[i] for i in group], [kls[i] for i in group], compat=compat)
        for j, i in enumerate(group):
            others = np.delete(found.pairs[:, j], j)
            interval = over_runs(others, np.median, seed)
            entries[i] = Ranked(
                run=str(runs[i].folder),
                score=float(found.scores[j]),
                seed=runs[i].config.seed,
                group=labels[i],
                low=None if interval is None else interval.low,
                high=None if interval is None else interval.high,
                informative=int(found.informative[j].sum()),
            )
    return [entries[i] for i in range(len(runs))]


def _groups(entries: Sequence[Ranked], seed: int) -> list[GroupScore]:
    """Runs of one configuration together."""
    groups = []
    for label in dict.fromkeys(entry.group for entry in entries):
        scores = np.array([entry.score for entry in entries if entry.group == label])
        interval = over_runs(scores, np.mean, seed)
        groups.append(
            GroupScore(
                group=label,
                runs=len(scores),
                mean=float(scores.mean()),
                low=None if interval is None else interval.low,
                high=None if interval is None else interval.high,
            )
        )
    return groups
