"""Work done in parallel, here or on a cluster, with every step in a log that can be replayed."""

from unweave.execution.clock import WorkClock
from unweave.execution.driver import Feed, drive, execute
from unweave.execution.engine import Engine
from unweave.execution.events import EventLog, Progressed, replay
from unweave.execution.folder import DrivenFolder
from unweave.execution.processes import Processes
from unweave.execution.ray_cluster import RayCluster
from unweave.execution.rounds import Plan, Rounds, together
from unweave.execution.serial import Serial
from unweave.execution.work import Beat, Item, Limits, Report, Task
from unweave.execution.worker import OutOfTimeError

__all__ = [
    "Beat",
    "DrivenFolder",
    "Engine",
    "EventLog",
    "Feed",
    "Item",
    "Limits",
    "OutOfTimeError",
    "Plan",
    "Processes",
    "Progressed",
    "RayCluster",
    "Report",
    "Rounds",
    "Serial",
    "Task",
    "WorkClock",
    "drive",
    "execute",
    "replay",
    "together",
]
