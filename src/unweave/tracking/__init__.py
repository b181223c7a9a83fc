"""Trackers: what a training logs, in TensorBoard, Weights & Biases or MLflow as well."""

from unweave.tracking.base import Backend, TrackedRun, TrackerSpec
from unweave.tracking.in_mlflow import MLflow
from unweave.tracking.in_tensorboard import TensorBoard
from unweave.tracking.in_wandb import WandB
from unweave.tracking.settings import TRACK, flat_settings, read_trackers
from unweave.tracking.tracking import FOLDER, Tracking, group_of

__all__ = [
    "FOLDER",
    "TRACK",
    "Backend",
    "MLflow",
    "TensorBoard",
    "TrackedRun",
    "TrackerSpec",
    "Tracking",
    "WandB",
    "flat_settings",
    "group_of",
    "read_trackers",
]
