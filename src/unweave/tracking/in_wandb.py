"""Weights & Biases: a run there, or an offline one that `wandb sync` sends later."""

from __future__ import annotations

__all__ = ["WandB"]

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from unweave.spec import option
from unweave.tracking.base import Backend, Memory, TrackedRun, TrackerSpec


@final
class WandB(TrackerSpec):
    """Weights & Biases.

    A run that goes on has the same id there. Steps that an earlier piece has logged, and which are
    done again since the last checkpoint, are passed over by the server; their values are the same.
    """

    name: ClassVar[str] = "wandb"
    extra: ClassVar[str] = "wandb"
    modules: ClassVar[tuple[str, ...]] = ("wandb",)

    project: str = option(default="unweave", help="Project.")
    entity: str = option(default="", help="User or team; empty for your default.")
    group: str = option(default="", help="Group; empty for the study or population, if any.")
    tags: tuple[str, ...] = option(default=(), help="Tags of the run.")
    mode: Literal["auto", "online", "offline"] = option(
        default="auto",
        help="auto: WANDB_MODE, or else online where wandb is logged in, and offline elsewhere.",
    )
    folder: str = option(
        default="", help="Where its files lie: WANDB_DIR, or else the run folder, when empty."
    )
    stats: bool = option(
        default=False, help="Whether it samples processor, memory and GPU of the machine."
    )

    def open(self, run: TrackedRun, memory: Memory) -> Backend:
        """Begin a run, or go on with the one whose id is remembered."""
        return _Run(self, run, memory)


@final
class _Run(Backend):
    def __init__(self, spec: WandB, run: TrackedRun, memory: Memory) -> None:
        import wandb

        mode: str = spec.mode

        identifier = memory.setdefault("id", secrets.token_hex(4))
        self._wandb = wandb
        if mode == "auto":
            # Never a question on the terminal of the training.
            given = os.environ.get("WANDB_MODE")
            mode = given or ("online" if wandb.login(prompt=False) else "offline")
        if mode == "offline":
            # Nothing is sent, not even what went wrong in wandb.
            os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        folder = spec.folder or os.environ.get("WANDB_DIR") or str(run.place("wandb"))
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(
            id=identifier,
            resume="allow",
            project=spec.project,
            entity=spec.entity or None,
            group=spec.group or run.group or None,
            name=run.name,
            tags=list(spec.tags) or None,
            dir=folder,
            config=dict(run.settings),
            notes=run.notes.get("command"),
            allow_val_change=True,
            settings=wandb.Settings(
                mode=mode,
                console="off",
                silent=True,
                disable_code=True,
                disable_git=True,
                x_disable_stats=not spec.stats,
            ),
        )
        self._run.config.update({"run": dict(run.notes)}, allow_val_change=True)

    def scalars(self, step: int, time: float, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def picture(self, step: int, time: float, name: str, path: Path) -> None:
        self._run.log({name: self._wandb.Image(str(path))}, step=step)

    def close(self, state: str) -> None:
        self._run.summary["state"] = state
        self._run.finish(exit_code=0 if state in ("finished", "stopped") else 1)
