"""TensorBoard: event files, written without TensorFlow and without torch."""

from __future__ import annotations

__all__ = ["TensorBoard"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, final

from unweave.spec import option
from unweave.tracking.base import Backend, Memory, TrackedRun, TrackerSpec

_METRICS = ("loss/model", "scores/mig")


@final
class TensorBoard(TrackerSpec):
    """Event files of TensorBoard: scalars, pictures, hyper-parameters.

    A run that goes on writes a further file, which takes the place of what an earlier piece wrote
    behind its last checkpoint.
    """

    name: ClassVar[str] = "tensorboard"
    extra: ClassVar[str] = "tensorboard"
    modules: ClassVar[tuple[str, ...]] = ("tensorboard",)

    folder: str = option(
        default="",
        help="Where to: a folder of the run's name in this one; empty for the run folder.",
    )

    def open(self, run: TrackedRun, memory: Memory) -> Backend:
        """Begin a file of events."""
        place = (
            Path(self.folder) / run.group / run.name if self.folder else run.place("tensorboard")
        )
        return _Events(place, run)


@final
class _Events(Backend):
    def __init__(self, folder: Path, run: TrackedRun) -> None:
        from tensorboard.compat.proto.event_pb2 import SessionLog
        from tensorboard.plugins.hparams import api_pb2
        from tensorboard.plugins.hparams.summary_v2 import (
            HParam,
            Metric,
            hparams_config_pb,
            hparams_pb,
        )
        from tensorboard.plugins.text.summary_v2 import text_pb
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder))
        self._api = api_pb2
        if run.done:
            # Readers pass over what stands before it with this step or a later one.
            self._add(run.done + 1, None, session_log=SessionLog(status=SessionLog.START))
        settings = dict(run.settings)
        params = [HParam(name) for name in settings]
        metrics = [Metric(name) for name in _METRICS]
        self._add(run.done, None, summary=hparams_config_pb(params, metrics))
        self._add(run.done, None, summary=hparams_pb(settings, trial_id=run.name))
        # Two spaces end a line in Markdown.
        text = "  \n".join(f"**{name}**: `{value}`" for name, value in run.notes.items())
        self._add(run.done, None, summary=text_pb("run", text))
        self._writer.flush()

    def scalars(self, step: int, time: float, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        rows = [Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        self._add(step, time, summary=Summary(value=rows))

    def picture(self, step: int, time: float, name: str, path: Path) -> None:
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        with Image.open(path) as image:
            width, height, channels = image.width, image.height, len(image.getbands())
        encoded = Summary.Image(
            width=width,
            height=height,
            colorspace=channels,
            encoded_image_string=path.read_bytes(),
        )
        self._add(step, time, summary=Summary(value=[Summary.Value(tag=name, image=encoded)]))

    def flush(self) -> None:
        self._writer.flush()

    def close(self, state: str) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
        from tensorboard.plugins.hparams import metadata, plugin_data_pb2

        success = state in ("finished", "stopped")
        end = plugin_data_pb2.SessionEndInfo(
            status=self._api.STATUS_SUCCESS if success else self._api.STATUS_FAILURE
        )
        data = metadata.create_summary_metadata(
            plugin_data_pb2.HParamsPluginData(session_end_info=end)
        )
        value = Summary.Value(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=SummaryMetadata(plugin_data=data.plugin_data),
            tensor=metadata.NULL_TENSOR,
        )
        self._add(0, None, summary=Summary(value=[value]))
        self._writer.close()

    def _add(self, step: int, time: float | None, **what: Any) -> None:
        from time import time as now

        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(step=step, wall_time=now() if time is None else time, **what))
