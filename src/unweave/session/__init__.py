"""Training in a run folder: from checked settings to a finished, stopped or diverged run."""

from unweave.session.branching import branch
from unweave.session.folder import CHECKPOINT, State, leftovers, log_file, read_config, read_state
from unweave.session.preparation import check_place, training_rows
from unweave.session.session import Outcome, Watch, begin, continue_run

__all__ = [
    "CHECKPOINT",
    "Outcome",
    "State",
    "Watch",
    "begin",
    "branch",
    "check_place",
    "continue_run",
    "leftovers",
    "log_file",
    "read_config",
    "read_state",
    "training_rows",
]
