"""From the text of a fitness to the fitness, where the name of a metric stands for its score."""

from __future__ import annotations

__all__ = ["parse_fitness"]

import ast
import contextlib
import warnings
from typing import cast

from unweave.errors import SpecError, nearest
from unweave.metrics import Metric
from unweave.metrics.protocols import names_of
from unweave.population.fitness.base import Fitness
from unweave.spec import field_hints, members, parse


def parse_fitness(text: str) -> Fitness:
    """Read the text of a fitness, such as `udr`, or of a metric as one, such as `mig(labels=100)`.

    The name or an alias of a metric stands for `scored(by=...)`, and what is given with it are
    fields of that.

    Raises:
        SpecError: The text does not follow the grammar, or names something unknown.

    Example:
        >>> str(parse_fitness("mig(labels=1000)"))
        'scored(by=mig, labels=1000)'
    """
    node = _tree(text)
    if isinstance(node, ast.BinOp):
        raise SpecError(f"{text.strip()!r:.200} is a sum; one fitness is expected.")
    head = node.func if isinstance(node, ast.Call) else node
    if not isinstance(head, ast.Name) or head.id in members(Fitness):
        return cast(Fitness, parse(text, Fitness))
    (name,) = names_of((head.id,))
    known = members(Metric)
    if name not in known:
        raise SpecError(
            f"Unknown fitness {head.id!r:.100}. Give one of {', '.join(members(Fitness))}, or the "
            f"name of a metric. {nearest(head.id, [*members(Fitness), *known])}"
        )
    fields = node.keywords if isinstance(node, ast.Call) else []
    scored, own = field_hints(members(Fitness)["scored"]), field_hints(known[name])
    for field in fields:
        if field.arg in own and field.arg not in scored:
            raise SpecError(
                f"{name}: {field.arg} is a setting of the metric, and its settings are those of a "
                f"protocol, such as {name}(protocol=unweave). What can be given is "
                f"{', '.join(key for key in scored if key != 'by')}."
            )
    if isinstance(node, ast.Call) and node.args:
        raise SpecError(
            f"{name}: fields are given by name, such as {name}(labels=1000), not "
            f"{ast.unparse(node)!r:.200}."
        )
    by = ast.keyword("by", ast.Constant(name))
    call = ast.Call(ast.Name("scored"), [], [by, *fields])
    return cast(Fitness, parse(ast.unparse(call), Fitness))


def _tree(text: str) -> ast.expr | None:
    """The syntax tree of a text, None where it has none."""
    failures = (SyntaxError, ValueError, RecursionError, MemoryError)
    with contextlib.suppress(*failures), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.strip(), mode="eval").body
    return None
