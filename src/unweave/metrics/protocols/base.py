"""What a protocol is."""

from __future__ import annotations

__all__ = ["Protocol", "metrics_of", "names_of"]

from dataclasses import dataclass
from typing import Literal, final

from unweave.errors import SpecError, nearest
from unweave.metrics.base import Metric
from unweave.spec import members


@final
@dataclass(frozen=True)
class Protocol:
    """Exact settings for a set of metrics, under a name and a version.

    Attributes:
        name: Name given to `--protocol`.
        version: Raised whenever a setting changes.
        about: One sentence.
        metrics: Settings of each metric.
        encode: Precision in which images are encoded: `float32`, or `auto`, which is bfloat16 on
            processors that have instructions for it.
        images: How many images at most are encoded, drawn at random; None for all.
    """

    name: str
    version: int
    about: str
    metrics: tuple[Metric, ...]
    encode: Literal["float32", "auto"] = "float32"
    images: int | None = None

    @property
    def label(self) -> str:
        """Name and version, as stored with scores."""
        return f"{self.name}/{self.version}"


def names_of(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names with each alias of a metric replaced by its own; others stay as they are."""
    known = members(Metric).items()
    aliases = {alias: name for name, metric in known for alias in metric.aliases}
    return tuple(aliases.get(name, name) for name in names)


def metrics_of(chosen: Protocol, names: tuple[str, ...] | None) -> tuple[Metric, ...]:
    """The metrics of a protocol that are not opt-in, or those of the given names or aliases.

    Raises:
        SpecError: A name is unknown, given twice, or not defined by the protocol.
    """
    if names is None:
        return tuple(metric for metric in chosen.metrics if not metric.opt_in)
    table = {metric.name: metric for metric in chosen.metrics}
    names, known = names_of(names), members(Metric)
    for name in names:
        if name.partition("(")[0].strip() in known and name not in known:
            raise SpecError(
                f"Metrics are named without settings, which are those of the protocol, so give "
                f"{name.partition('(')[0].strip()}, not {name!r}."
            )
        if name not in known:
            raise SpecError(f"Unknown metric {name!r}. {nearest(name, known)}")
        if name not in table:
            raise SpecError(
                f"Protocol {chosen.label} does not define {name}; it defines {', '.join(table)}."
            )
    if len(set(names)) < len(names):
        raise SpecError(f"A metric is named twice in {', '.join(names)}.")
    return tuple(table[name] for name in names)
