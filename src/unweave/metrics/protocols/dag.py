"""The protocol of disent-and-gen."""

from __future__ import annotations

__all__ = ["DAG"]

from unweave.metrics.dci.lasso import DCILasso
from unweave.metrics.protocols.base import Protocol

DAG = Protocol(
    "dag",
    1,
    "As the disent-and-gen code scores models (Montero et al., 2021): DCI by a linear model with "
    "a penalty of 0.02, on all rows.",
    (DCILasso(alpha=0.02, compat="dag"),),
)
