"""All that is said of a split and of its leaks, as JSON and in words."""

from __future__ import annotations

from typing import Any

from unweave.conditions.leaks import Leaks
from unweave.conditions.split import Split
from unweave.conditions.symmetries import Twins

__all__ = ["describe", "describe_leaks", "describe_slice", "lines_of"]


def describe(split: Split) -> dict[str, Any]:
    """What a split is, for JSON.

    `condition` is the kind that it is said to be, `kind` the one that it is found to be by the
    combinations that are trained on; `train` and `test` are texts of datasets.
    """
    condition, modifier = split.condition, split.modifier
    return {
        "name": condition.name,
        "dataset": str(split.data),
        "condition": split.kind,
        "kind": split.finding.kind,
        "reason": split.finding.reason,
        "predicate": condition.held_out,
        "trained_predicate": condition.trained,
        "modifier": None if modifier is None else modifier.name,
        "modifier_predicate": None if modifier is None else modifier.rule,
        "num_train": len(split.train),
        "num_held_out": len(split.held_out),
        "num_discarded": len(split.discarded),
        "train": split.train_text,
        "test": split.test_text,
        "boundaries": split.borders,
        "sha256": split.digests,
        "also": list(condition.also),
        "doubts": [*condition.doubts, *(() if modifier is None else modifier.doubts)],
        "source": condition.source or None,
    }


def lines_of(split: Split, leaks: Leaks) -> list[str]:
    """What a split is, in words, and how much of what is held out is in training all the same."""
    condition, finding = split.condition, split.finding
    count = len(split.states)
    as_said = condition.kind is None or condition.kind == finding.kind
    also = f", also called {', '.join(condition.also)}" if condition.also else ""
    head = "Held out by a rule" if condition.name == condition.held_out else condition.name
    lines = [
        f"{head}: {split.kind} on {split.data}{also}",
        f"  held out: {condition.held_out}",
    ]
    if condition.trained is not None:
        lines.append(f"  trained on: {condition.trained}")
    if split.modifier is not None:
        lines.append(f"  of images with: {split.modifier.rule}")
    counts = [
        f"{len(rows):,} {what} ({100 * len(rows) / count:.3g} %)"
        for what, rows in (
            ("trained on", split.train),
            ("held out", split.held_out),
            ("neither", split.discarded),
        )
        if len(rows)
    ]
    lines.append(f"  {count:,} images: {', '.join(counts)}")
    found = "found to be" if as_said else "but found to be"
    lines.append(f"  {found} {finding.kind}: {finding.reason}")
    lines += [f"  {line}" for line in (*split.borders, *_leak_lines(leaks))]
    lines += [f"  train on: {split.train_text}", f"  test on: {split.test_text}"]
    lines += [
        f"  SHA-256 of {name}: {digest}"
        for name, digest in split.digests.items()
        if len(split.rows()[name])
    ]
    doubts = [*condition.doubts, *(split.modifier.doubts if split.modifier else ())]
    lines += [f"  Note: {doubt}" for doubt in doubts]
    if condition.source:
        lines.append(f"  Source: {condition.source}.")
    return lines


def describe_slice(split: Split, fraction: float, seed: int) -> dict[str, Any]:
    """How many images a training holds out of those to train on, for JSON.

    Raises:
        SpecError: The fraction is out of range.
    """
    train, held = split.in_distribution(fraction, seed)
    return {
        "holdout": fraction,
        "seed": seed,
        "num_train": len(train),
        "num_in_distribution": len(held),
    }


def describe_leaks(leaks: Leaks) -> dict[str, Any]:
    """How much of what is held out is in training all the same, for JSON."""
    return {
        "share": leaks.share,
        "num_copies": None if leaks.copies is None else len(leaks.copies.held_out),
        "share_copies": leaks.share_copies,
        "symmetries": [
            {
                "symmetry": each.symmetry,
                "num_concerned": each.concerned,
                "num_same": each.same,
                "num_near": each.near,
                "factor": each.factor,
                "nearest_steps": None if each.steps is None else list(each.steps),
                "nearest_degrees": None if each.degrees is None else list(each.degrees),
            }
            for each in leaks.twins
        ],
    }


def _leak_lines(leaks: Leaks) -> list[str]:
    """How much of what is held out is in training all the same, in words."""
    total = leaks.num_held_out
    lines = [_twin_line(each) for each in leaks.twins]
    if leaks.copies is not None:
        count = len(leaks.copies.held_out)
        lines.append(f"{count:,} of {total:,} held-out images are in training, pixel by pixel")
        if count:
            one, other = leaks.copies.held_out[0], leaks.copies.trained[0]
            lines[-1] += f": {one:,} as {other:,}"
    if leaks.share is None:
        return ["no symmetry is known by which held-out images look like trained ones"]
    lines.append(
        f"in training all the same, or nearly: {100 * leaks.share:.3g} % of what is held out"
    )
    return lines


def _twin_line(twins: Twins) -> str:
    """What one symmetry tells, in words."""
    text = f"{twins.symmetry}: of {twins.concerned:,} held-out images"
    if twins.factor is None:
        return f"{text} {twins.near:,} have such a twin in training"
    if twins.steps is None or twins.degrees is None:
        return f"{text} none has a trained one that differs in {twins.factor} alone"
    return (
        f"{text} {twins.same:,} have such a twin in training, and {twins.near - twins.same:,} one "
        f"nearer than a step; the nearest {twins.factor} is {_span(twins.steps)} steps "
        f"({_span(twins.degrees)} degrees) away"
    )


def _span(ends: tuple[float, float]) -> str:
    one, other = (f"{end:.3g}" for end in ends)
    return one if one == other else f"{one} to {other}"
