"""Runs that are shared: pushed to a folder, object storage or the Hugging Face Hub, and pulled."""

from unweave.sharing.pull import Pulled, pull_run
from unweave.sharing.push import Pushed, push_run

__all__ = ["Pulled", "Pushed", "pull_run", "push_run"]
