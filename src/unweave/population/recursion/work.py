"""What a worker does for a recursion: a member's round, the scores at the end, or labels."""

from __future__ import annotations

__all__ = ["TASK", "run_item"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from unweave import spec
from unweave.data import DatasetSpec
from unweave.execution import Beat
from unweave.nn.own import allow_own
from unweave.population.recursion.labelling import label
from unweave.population.recursion.reduction import Reduction
from unweave.population.task import run_item as run_member
from unweave.run import load_run
from unweave.session import log_file, read_config
from unweave.studies.task import check_seen, quiet, scoring_threads

TASK: Final = "unweave.population.recursion.work:run_item"
"""The reference by which workers find `run_item`."""


def run_item(payload: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do one item of a recursion; what of it is there already is not done again.

    Args:
        payload: As `plan.recurse` makes it.
        beat: Called after each step of a training, and while codes are computed.

    Returns:
        What `population.task.run_item` returns, or `labelling.label`.

    Raises:
        UnweaveError: It cannot be done, or the folder is not here.
        KeyboardInterrupt: Whoever stops the recursion asked for it.
    """
    if payload["do"] != "label":
        return run_member(payload, beat)
    if payload.get("marker"):
        check_seen(Path(payload["root"]) / "any" / "any", payload["marker"])
    run, folder = Path(payload["run"]), Path(payload["folder"])
    config = read_config(run)
    # Who began the recursion gave it.
    allow_own(config.architecture)
    rows = None if payload["rows"] is None else np.load(payload["rows"], allow_pickle=False)
    folder.mkdir(parents=True, exist_ok=True)
    with scoring_threads(config.threads), log_file(folder / "log.txt"):
        return label(
            load_run(run),
            cast(DatasetSpec, spec.from_dict(payload["dataset"], DatasetSpec)),
            rows,
            cast(Reduction, spec.from_dict(payload["reduction"], Reduction)),
            folder,
            level=payload["level"],
            rank=payload["rank"],
            siblings=[load_run(Path(path)) for path in payload["siblings"]],
            progress=quiet(beat),
        )
