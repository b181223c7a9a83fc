"""Train, measure and compare disentangled representations."""

from __future__ import annotations

__all__ = [
    "Run",
    "__version__",
    "cite",
    "compare_runs",
    "evaluate_encoder",
    "from_arrays",
    "from_function",
    "from_torch",
    "import_run",
    "load_dataset",
    "load_run",
    "own_architecture",
    "plot_runs",
    "pull",
    "rank",
    "train",
]

from typing import TYPE_CHECKING

from unweave._lazy import lazy_names
from unweave._version import __version__

if TYPE_CHECKING:
    from unweave.citing import cite
    from unweave.comparison import compare_runs
    from unweave.data import from_arrays, from_function, from_torch, load_dataset
    from unweave.encoders import evaluate_encoder
    from unweave.importing import import_run
    from unweave.nn import own_architecture
    from unweave.ranking import rank
    from unweave.run import Run, load_run, plot_runs, pull, train

_HOMES = {
    "Run": "unweave.run",
    "cite": "unweave.citing",
    "compare_runs": "unweave.comparison",
    "evaluate_encoder": "unweave.encoders",
    "from_arrays": "unweave.data",
    "from_function": "unweave.data",
    "from_torch": "unweave.data",
    "import_run": "unweave.importing",
    "load_dataset": "unweave.data",
    "load_run": "unweave.run",
    "own_architecture": "unweave.nn",
    "plot_runs": "unweave.run",
    "pull": "unweave.run",
    "rank": "unweave.ranking",
    "train": "unweave.run",
}

if not TYPE_CHECKING:
    # `import unweave` loads no torch.
    __getattr__, __dir__ = lazy_names(__name__, __all__, _HOMES)
