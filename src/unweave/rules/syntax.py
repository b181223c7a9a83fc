"""The syntax trees that rules have; anything else is refused before it is looked into."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable
from typing import Final

import numpy as np

from unweave.errors import SpecError
from unweave.rules.nodes import Numbers, remainder

__all__ = ["ARITHMETIC", "COMPARISONS", "read_tree", "refuse"]

_HOW = (
    "A rule joins comparisons of factors with and, or and not: by value, as pos_x > 0.5, by name, "
    "as shape in ('square', 'heart'), or by index, as index(pos_x) >= 16."
)
_MAX_TEXT = 10_000
_NODES = (
    ast.BoolOp,
    ast.boolop,
    ast.UnaryOp,
    ast.unaryop,
    ast.Compare,
    ast.cmpop,
    ast.BinOp,
    ast.operator,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Set,
)
_FUNCTIONS = ("index", "abs")
ARITHMETIC: Final[dict[type[ast.operator], Callable[..., Numbers]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: remainder,
}
COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}


def read_tree(text: str) -> ast.expr:
    """The syntax tree of a rule, of parts that rules may have.

    Raises:
        SpecError: The text is empty or too long, or has parts that rules do not have.
    """
    if not text.strip():
        raise SpecError(f"A rule is expected, but the text is empty. {_HOW}")
    if len(text) > _MAX_TEXT:
        raise SpecError(f"The rule has {len(text)} characters; at most {_MAX_TEXT} are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
        for node in ast.walk(tree):
            _check_node(node, text)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        if isinstance(error, SpecError):
            raise
        raise refuse(text, "it cannot be read") from None
    return tree


def _check_node(node: ast.AST, text: str) -> None:
    """Refuse whatever no rule has."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
            raise refuse(text, f"{node.value!r} is neither a number nor a name in quotes")
        if not isinstance(node.value, str):
            float(node.value)
        return
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name not in _FUNCTIONS or len(node.args) != 1 or node.keywords:
            raise refuse(
                text, f"of calls it may have index(factor) and abs(number), not {name}(...)"
            )
        return
    known = isinstance(node, _NODES)
    if isinstance(node, ast.operator):
        known = type(node) in ARITHMETIC
    elif isinstance(node, ast.unaryop):
        known = not isinstance(node, ast.Invert)
    elif isinstance(node, ast.cmpop):
        known = type(node) in COMPARISONS
    if not known:
        part = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        raise refuse(text, f"{part!r:.100} has no place in a rule")


def refuse(text: str, reason: str) -> SpecError:
    """The error for a text that is no rule, with what a rule is."""
    return SpecError(f"The rule {text!r:.200} is not understood: {reason}. {_HOW}")
