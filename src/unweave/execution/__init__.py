"""Work done in parallel, here or on a cluster, with every step in a log that can be replayed."""

from unweave.execution.driver import execute
from unweave.execution.engine import Engine
from unweave.execution.events import EventLog, Progressed, replay
from unweave.execution.processes import Processes
from unweave.execution.ray_cluster import RayCluster
from unweave.execution.serial import Serial
from unweave.execution.work import Beat, Item, Limits, Report, Task
from unweave.execution.worker import OutOfTimeError

__all__ = [
    "Beat",
    "Engine",
    "EventLog",
    "Item",
    "Limits",
    "OutOfTimeError",
    "Processes",
    "Progressed",
    "RayCluster",
    "Report",
    "Serial",
    "Task",
    "execute",
    "replay",
]
