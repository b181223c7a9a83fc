"""What carrying out a study, a population or a recursion takes on the command line."""

from __future__ import annotations

__all__ = ["Driving", "StoppedBy"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from unweave.cli.common import Common, Flag, Float, Int, Text, minutes_of, to_number
from unweave.cli.interruptible import interruptible

StoppedBy: TypeAlias = Literal["signal", "time"] | None
"""What has ended a driver before its work was done."""


@dataclass(kw_only=True)
class Driving(Common):
    """Flags of whatever has a driver, and how it is stopped."""

    unit: ClassVar[str] = "run"
    """What a worker does at a time."""

    executor: Literal["serial", "processes", "ray"] = "processes"
    """One after the other in this process, in several processes, or on a Ray cluster."""

    workers: Int = None
    """Trainings at once (default: as many as there are cores or the cluster has room for)."""

    max_minutes: Float = None
    """Stop after this many minutes, trainings at a checkpoint; `resume` goes on."""

    address: Text = None
    """Address of the Ray cluster (default: RAY_ADDRESS, or a cluster of this machine alone)."""

    cpus: Float = None
    """Cores that each run takes on the Ray cluster (default: one a thread)."""

    gpus: Float = None
    """GPUs that each run takes on the Ray cluster (default: none); 0.25 lets four share one."""

    storage: Text = None
    """Where workers without a common folder keep runs, such as s3://BUCKET/FOLDER."""

    dry_run: Flag = False
    """Only say what would be done, and what it takes: time and disk."""

    def where(self) -> dict[str, Any]:
        """What says where the work is done, as `run_study` and its like take it.

        Raises:
            SpecError: A number is none or out of range, that of minutes too, or there is a worker
                too many or too few, or a flag of a Ray cluster without one.
        """
        minutes_of(self.max_minutes)
        given = {
            "executor": self.executor,
            "workers": self.workers_asked(),
            "storage": self.storage,
            "address": self.address,
            "cpus": to_number("--cpus", self.cpus, float),
            "gpus": to_number("--gpus", self.gpus, float),
        }
        self._check_cluster()
        return {name: value for name, value in given.items() if value is not None}

    def _check_cluster(self) -> None:
        """Refuse flags that say something of a Ray cluster where there is none."""
        from unweave.errors import SpecError

        if self.executor == "ray":
            return
        flags = ("address", "cpus", "gpus")
        given = [f"--{name}" for name in flags if getattr(self, name) is not None]
        if given:
            raise SpecError(
                f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} of a Ray cluster: "
                f"give --executor ray as well, or leave {'it' if len(given) == 1 else 'them'} out."
            )

    def workers_asked(self) -> int | None:
        """What --workers gives, or None.

        Raises:
            SpecError: It is no whole number of at least 1, or more than the executor has.
        """
        from unweave.errors import SpecError

        workers: int | None = to_number("--workers", self.workers, int)
        if workers is not None and workers < 1:
            raise SpecError(f"--workers must be at least 1, but is {workers}.")
        if workers not in (None, 1) and self.executor == "serial":
            raise SpecError("--executor serial has one worker; leave --workers out.")
        return workers

    def workers_for(self, threads: int) -> int:
        """How many there will be, each with so many threads; of a cluster that is not known."""
        from unweave.metrics.threads import cores

        usual = max(1, cores() // threads) if self.executor == "processes" else 1
        return self.workers_asked() or usual

    def carry_out(self, work: Callable[[], object], begun: Callable[[], bool]) -> StoppedBy:
        """Do the work, until it is done, somebody stops it, or its time is over.

        Args:
            work: What is done.
            begun: Whether there is something to go on with.

        Raises:
            SpecError: The time was over before there was, or is no time at all.
            KeyboardInterrupt: It was stopped before there was.
        """
        from unweave.errors import SpecError

        with interruptible(minutes_of(self.max_minutes)) as clock:
            try:
                work()
            except KeyboardInterrupt:
                if begun():
                    return "time" if clock.is_over else "signal"
                if clock.is_over:
                    raise SpecError(
                        f"The time of --max-minutes was over before the first {self.unit} began."
                    ) from None
                raise
        return None
