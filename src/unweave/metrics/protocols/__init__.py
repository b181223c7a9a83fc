"""Protocols: versioned tables from the name of a metric to its full text."""

from __future__ import annotations

from unweave.errors import SpecError, nearest
from unweave.metrics.protocols.base import Protocol, metrics_of, names_of
from unweave.metrics.protocols.clg import CLG
from unweave.metrics.protocols.dag import DAG
from unweave.metrics.protocols.disvae import DISVAE
from unweave.metrics.protocols.dlib import DLIB, DLIB2019, VALIDATION
from unweave.metrics.protocols.fast import FAST
from unweave.metrics.protocols.infomec import QLAE2023, TRIPOD2024
from unweave.metrics.protocols.rpu import RPU
from unweave.metrics.protocols.unweave import FULL, UNWEAVE

__all__ = ["DEFAULT", "PROTOCOLS", "Protocol", "metrics_of", "names_of", "protocol"]

DEFAULT = "unweave"
"""Name of the protocol that is taken where none is named."""

PROTOCOLS: dict[str, Protocol] = {
    each.name: each
    for each in (
        UNWEAVE,
        FULL,
        FAST,
        DLIB,
        DLIB2019,
        VALIDATION,
        DISVAE,
        CLG,
        DAG,
        RPU,
        QLAE2023,
        TRIPOD2024,
    )
}
"""Every protocol by its name."""


def protocol(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        SpecError: There is none.
    """
    if name not in PROTOCOLS:
        raise SpecError(f"Unknown protocol {name!r}. {nearest(name, PROTOCOLS)}")
    return PROTOCOLS[name]
