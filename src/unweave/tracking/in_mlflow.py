"""MLflow: a run in local files, in a database, or on a server."""

from __future__ import annotations

__all__ = ["MLflow"]

import os
import re
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Final, final

from unweave.errors import SpecError
from unweave.spec import option
from unweave.tracking.base import Backend, Memory, TrackedRun, TrackerSpec, is_there

_STATES: Final = {"finished": "FINISHED", "stopped": "KILLED"}
# What a name may hold, and how long a value of a parameter may be, in MLflow.
_NOT_ALLOWED: Final = re.compile(r"[^\w\-. :/]")
_MAX_VALUE: Final = 6000
# So many values are sent at once at most, and so many seconds after the last time.
_MAX_BATCH: Final = 1000
_SECONDS: Final = 5.0


@final
class MLflow(TrackerSpec):
    """MLflow, by its light client.

    A run that goes on is the same run there; steps that are logged already are not logged twice.
    """

    name: ClassVar[str] = "mlflow"
    extra: ClassVar[str] = "mlflow"
    modules: ClassVar[tuple[str, ...]] = ("mlflow",)

    experiment: str = option(default="unweave", help="Experiment.")
    uri: str = option(
        default="",
        help="Server, database or folder, such as 'sqlite:///mlflow.db'; empty for "
        "MLFLOW_TRACKING_URI, or else files in the run folder.",
    )

    def check(self) -> None:
        """Refuse a tracker, or a database, that is not installed.

        Raises:
            SpecError: It says what to install.
        """
        super().check()
        if self.uri.startswith("sqlite:") and not (is_there("sqlalchemy") and is_there("alembic")):
            raise SpecError(
                f"mlflow: a database, as in uri={self.uri!r:.200}, needs more than its light "
                "client: pip install mlflow."
            )

    def open(self, run: TrackedRun, memory: Memory) -> Backend:
        """Begin a run, or go on with the one whose id is remembered."""
        return _Run(self, run, memory)


@final
class _Run(Backend):
    def __init__(self, spec: MLflow, run: TrackedRun, memory: Memory) -> None:
        # It would tell its makers which of its functions are called.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Files are made in a moment; a database of MLflow takes seconds of a processor.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param, RunTag

        self._metric: Any = Metric
        uri = spec.uri or os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            uri = run.place("mlflow").as_uri()
        self._client = MlflowClient(tracking_uri=uri)
        self._logged = -1
        known = self._known(memory) if memory.get("uri") == uri else None
        if known is None:
            found = self._client.get_experiment_by_name(spec.experiment)
            experiment = (
                self._client.create_experiment(spec.experiment)
                if found is None
                else found.experiment_id
            )
            grouped = {"unweave.group": run.group} if run.group else {}
            known = self._client.create_run(experiment, run_name=run.name, tags=grouped)
        else:
            self._client.update_run(known.info.run_id, status="RUNNING")
            history = self._client.get_metric_history(known.info.run_id, "loss/model")
            self._logged = max((metric.step for metric in history), default=-1)
        self._id = known.info.run_id
        memory.update(uri=uri, run_id=self._id)
        # Parameters cannot be changed: those of the first piece stay.
        there = known.data.params
        params = [
            Param(_allowed(name), str(value)[:_MAX_VALUE])
            for name, value in run.settings.items()
            if _allowed(name) not in there
        ]
        tags = [RunTag(f"unweave.{name}", value) for name, value in run.notes.items()]
        self._client.log_batch(self._id, params=params[:100], tags=tags)
        for start in range(100, len(params), 100):
            self._client.log_batch(self._id, params=params[start : start + 100])
        self._held: list[Any] = []
        self._sent = monotonic()

    def _known(self, memory: Memory) -> Any:
        """The run of an earlier piece, if it is still there."""
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_run(memory["run_id"])
        except MlflowException:
            return None

    def scalars(self, step: int, time: float, values: Mapping[str, float]) -> None:
        if step <= self._logged:
            return
        stamp = int(1000 * time)
        rows = [self._metric(_allowed(name), value, stamp, step) for name, value in values.items()]
        if len(self._held) + len(rows) > _MAX_BATCH:
            self.flush()
        self._held += rows
        if monotonic() - self._sent > _SECONDS:
            self.flush()

    def picture(self, step: int, time: float, name: str, path: Path) -> None:
        self._client.log_artifact(self._id, str(path), artifact_path=_allowed(name))

    def flush(self) -> None:
        for start in range(0, len(self._held), _MAX_BATCH):
            batch = self._held[start : start + _MAX_BATCH]
            self._client.log_batch(self._id, metrics=batch, synchronous=True)
        self._held.clear()
        self._sent = monotonic()

    def close(self, state: str) -> None:
        self.flush()
        self._client.set_terminated(self._id, status=_STATES.get(state, "FAILED"))


def _allowed(name: str) -> str:
    return _NOT_ALLOWED.sub("_", name)
