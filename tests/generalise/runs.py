"""Runs without some combinations, made by hand or trained for a few steps."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from unweave.analysis import protocols
from unweave.analysis.composition import ComposedImages
from unweave.conditions import split_of
from unweave.conditions.recovering import recover
from unweave.generalise import Found
from unweave.settings import make_config

SMALL = "dsprites(grid=(3, 2, 2, 8, 8))"
"""384 images; of `shape2tx` 64 are held out."""


def found_of(
    objective="vae",
    condition="shape2tx",
    *,
    seed=0,
    disentanglement=0.5,
    inside=None,
    outside=None,
    composition=None,
    data=SMALL,
    holdout=0.05,
    maps=None,
    **settings,
):
    """A run that was never trained, with numbers of one's own."""
    split = split_of(condition, data)
    config = make_config(
        split.train_text, objective, steps=10, seed=seed, holdout=holdout, **settings
    )
    return Found(
        folder=Path(f"runs/{objective}-{condition}-{seed}"),
        config=config,
        recovered=recover(config.dataset),
        split=split,
        state="finished",
        disentanglement=disentanglement,
        metrics={},
        scores={"in_distribution": inside or {}, "held_out": outside or {}},
        composition=composition or {},
        maps=maps or {},
    )


def nll(excess, floor=0.0):
    """Scores of reconstructions."""
    return {
        "reconstruction_nll": {
            "value": excess,
            "nll": excess + floor,
            "floor": floor,
            "excess": excess,
        }
    }


@contextmanager
def few_triplets() -> Iterator[None]:
    """Composed images are scored on 200 triplets of each regime instead of 2,000."""
    scored = protocols.ANALYSES["unweave"]
    fewer = tuple(
        ComposedImages(triplets=200) if isinstance(each, ComposedImages) else each
        for each in scored
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(protocols.ANALYSES, "unweave", fewer)
        yield


@functools.cache
def trained(kind):
    """Folder of a run of a few steps, scored and drawn; made once, and not to be changed."""
    from unweave.cli.app import main

    folder = Path(tempfile.mkdtemp(prefix="unweave-generalise-")) / kind
    command = [
        "generalise", kind, "--data", SMALL, "--condition", "shape2tx", "--steps", "3",
        "--batch-size", "8", "--threads", "1", "--out", str(folder), "--without-probe",
        "--log-level", "error", "--json",
    ]  # fmt: skip
    if kind != "decode":
        command += ["--latents", "6"]
    with few_triplets():
        assert main(command) == 0
    return folder
