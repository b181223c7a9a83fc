"""Current reconstructions of a run: the newest picture of the training, or one drawn here."""

from __future__ import annotations

__all__ = ["Pictures"]

import re
import threading
import time
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import UnweaveError

_NAME: Final = re.compile(r"step-(\d+)\.png")
_CHECKPOINT: Final = Path("checkpoint") / "state.safetensors"
# A checkpoint is drawn once, and not sooner than so many seconds after the last one.
_SECONDS: Final = 10.0
_IMAGES: Final = 10


@final
class Pictures:
    """Pictures of one run, whose training must not wait for them.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stamp = 0
        self._tried = -_SECONDS
        self._opened: tuple[Any, Any, Any] | None = None
        self._drawn: tuple[int, bytes] | None = None
        self._reason = ""

    def newest(self) -> dict[str, Any]:
        """Which picture there is to show.

        Returns:
            `kind`: `training` with the file's `name` and `step`, where the training draws some;
            else `drawn` with the `step` of the weights, or `none` with the `reason`.
        """
        found = [
            (int(match[1]), path.name)
            for path in self._folder.glob("figures/training/step-*.png")
            if (match := _NAME.fullmatch(path.name))
        ]
        if found:
            step, name = max(found)
            return {"kind": "training", "step": step, "name": name}
        self._draw()
        if self._drawn is not None:
            return {"kind": "drawn", "step": self._drawn[0], "name": ""}
        return {"kind": "none", "reason": self._reason}

    def of_training(self, name: str) -> bytes | None:
        """A picture that the training has drawn, by its file's name; None where there is none."""
        if not _NAME.fullmatch(name):
            return None
        try:
            return (self._folder / "figures" / "training" / name).read_bytes()
        except OSError:
            return None

    def drawn(self) -> bytes | None:
        """The picture that was drawn here; None where there is none."""
        return None if self._drawn is None else self._drawn[1]

    def _draw(self) -> None:
        """Draw the checkpoint, if it is a new one and the last one is not of just now."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            stamp = self._written()
            now = time.monotonic()
            if stamp is None:
                self._reason = "There is no checkpoint yet."
            elif stamp != self._stamp and now - self._tried >= _SECONDS:
                self._tried = now
                try:
                    self._drawn = self._reconstructions()
                    self._stamp = stamp
                except (UnweaveError, OSError) as error:
                    self._reason = str(error)
                except Exception as error:
                    self._reason = f"They cannot be drawn: {type(error).__name__}: {error}"
        finally:
            self._lock.release()

    def _written(self) -> int | None:
        try:
            return (self._folder / _CHECKPOINT).stat().st_mtime_ns
        except OSError:
            return None

    def _reconstructions(self) -> tuple[int, bytes]:
        # Here: the page itself needs none of this.
        import io

        import torch

        from unweave import plots
        from unweave.pictures import probe_indices, reconstruct
        from unweave.splits import holdout
        from unweave.trained import load_model
        from unweave.training.checkpoint import load_tensors

        # The training has the processor.
        torch.set_num_threads(1)
        if self._opened is None:
            config = self._config()
            dataset = config.dataset.open(None)
            rows = (
                None
                if config.holdout == 0
                else holdout(len(dataset), config.holdout, config.seed)[0]
            )
            chosen = probe_indices(
                _IMAGES, len(dataset) if rows is None else len(rows), config.seed
            )
            self._opened = config, dataset, chosen if rows is None else rows[chosen]
        config, dataset, probe = self._opened
        checkpoint = load_tensors(self._folder / _CHECKPOINT)
        model = load_model(config.last, checkpoint, self._folder).to("cpu")
        originals, decoded = reconstruct(model, dataset, probe)
        figure = plots.reconstructions(originals, decoded)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png")
        return checkpoint.step, buffer.getvalue()

    def _config(self) -> Any:
        from unweave.rundir import BESIDE, read_json
        from unweave.training import TrainConfig

        form = read_json(self._folder / "config.json")
        return TrainConfig.from_dict({k: v for k, v in form.items() if k not in BESIDE})
