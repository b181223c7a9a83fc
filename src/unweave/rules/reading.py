"""From the syntax tree of a rule to tests of the factors of a space."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import final

import numpy as np

from unweave.errors import SpecError, nearest
from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import (
    NEAR,
    Applied,
    Column,
    Columns,
    Comparison,
    Constant,
    Joined,
    Not,
    Number,
    Numbers,
    Test,
    step_of,
    values_of,
)
from unweave.rules.syntax import ARITHMETIC, COMPARISONS, refuse

__all__ = ["Reader"]

_CONSTANTS = {"pi": float(np.pi)}
# For numbers that depend on no factor.
_NOTHING = Columns(lambda position, index: np.zeros(()))


@final
class Reader:
    """From a syntax tree to tests and numbers, for one rule and one space."""

    def __init__(self, text: str, space: FactorSpace) -> None:
        self._text = text
        self._space = space

    def truth(self, node: ast.expr) -> Test:
        """An expression that is true or false."""
        if isinstance(node, ast.BoolOp):
            function = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return Joined(function, tuple(self.truth(each) for each in node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self.truth(node.operand))
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
            parts = tuple(
                self._pair(operands[place], COMPARISONS[type(sign)], operands[place + 1])
                for place, sign in enumerate(node.ops)
            )
            return parts[0] if len(parts) == 1 else Joined(np.logical_and, parts)
        raise refuse(self._text, f"{ast.unparse(node)!r} compares nothing")

    def number(self, node: ast.expr) -> Number:
        """An expression that is a number."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                raise self._no(f"nothing can be computed with the name {node.value!r}")
            return self._constant(float(node.value))  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            if node.id in _CONSTANTS and node.id not in self._space.names:
                return Constant(_CONSTANTS[node.id])
            return Column(self._position(node.id), index=False)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "index":
                if not isinstance(node.args[0], ast.Name):
                    raise self._no(f"{ast.unparse(node)!r} must be the index of a factor")
                return Column(self._position(node.args[0].id), index=True)
            return self._applied(np.absolute, (self.number(node.args[0]),))
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, ast.Not):
            inner = self.number(node.operand)
            return self._applied(np.negative, (inner,)) if _is_minus(node) else inner
        if isinstance(node, ast.BinOp):
            operands = (self.number(node.left), self.number(node.right))
            divides = isinstance(node.op, ast.Div | ast.Mod)
            if divides and not (isinstance(operands[1], Constant) and operands[1].value):
                raise self._no(f"{ast.unparse(node)!r} must divide by a number other than 0")
            return self._applied(ARITHMETIC[type(node.op)], operands)
        raise self._no(f"{ast.unparse(node)!r} stands where a number or factor is expected")

    def _pair(self, left: ast.expr, sign: str, right: ast.expr) -> Test:
        """One comparison of a chain."""
        text = f"{ast.unparse(left)} {sign} {ast.unparse(right)}"
        if sign in ("in", "not in"):
            if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
                raise self._no(f"{text!r} needs values in parentheses after in, such as (1, 2)")
            parts = tuple(self._pair(left, "==", each) for each in right.elts)
            found = Joined(np.logical_or, parts)
            return found if sign == "in" else Not(found)
        for name, other in ((left, right), (right, left)):
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                return self._labelled(text, sign, other, name.value)
        first, second = self.number(left), self.number(right)
        if not first.factors() | second.factors():
            raise refuse(self._text, f"{text!r} compares no factor")
        near = None
        for one, other_number in ((first, second), (second, first)):
            if isinstance(one, Column) and isinstance(other_number, Constant):
                factor = self._space.factors[one.position]
                near = NEAR * step_of(factor, one.index)
                if sign in ("==", "!="):
                    self._check_value(factor, one.index, other_number.value, near)
        return Comparison(text, sign, first, second, near)

    def _labelled(self, text: str, sign: str, node: ast.expr, label: str) -> Test:
        """A factor compared with the name of one of its values."""
        if not isinstance(node, ast.Name) or sign not in ("==", "!="):
            raise self._no(
                f"{text!r} must compare a factor by ==, != or in, since {label!r} is a name"
            )
        position = self._position(node.id)
        factor = self._space.factors[position]
        if factor.labels is None:
            raise self._no(
                f"the values of {factor.name} have no names: they are {_listed(factor)}, so "
                f"compare it with a number"
            )
        if label not in factor.labels:
            raise self._no(
                f"{factor.name} has no value named {label!r}; it has "
                f"{', '.join(map(repr, factor.labels))}"
            )
        place = Constant(float(factor.labels.index(label)))
        return Comparison(text, sign, Column(position, index=True), place, NEAR)

    def _check_value(self, factor: Factor, index: bool, value: float, near: float) -> None:
        """Refuse equality with what the factor never is."""
        table = values_of(factor, index)
        gaps = np.abs(table - value)
        if gaps.min() <= near:
            return
        if index:
            raise self._no(
                f"{factor.name} has no index {value:g}; it has the indices 0 to {factor.size - 1}"
            )
        below = [place for place in np.argsort(table) if table[place] < value][-1:]
        above = [place for place in np.argsort(table) if table[place] > value][:1]
        around = " and ".join(f"{table[place]:.6g} (index {place})" for place in (*below, *above))
        verb = "is" if len(below) + len(above) == 1 else "are"
        raise self._no(f"{factor.name} has no value {value:.6g}; next to it {verb} {around}")

    def _applied(self, function: Callable[..., Numbers], operands: tuple[Number, ...]) -> Number:
        result = Applied(function, operands)
        if result.factors():
            return result
        with np.errstate(all="ignore"):
            return self._constant(float(result.of(_NOTHING)))

    def _constant(self, value: float) -> Constant:
        if not np.isfinite(value):
            raise self._no("a number in it is too large")
        return Constant(value)

    def _position(self, name: str) -> int:
        if name not in self._space.names:
            hint = nearest(name, self._space.names)
            for factor in self._space.factors:
                if name in (factor.labels or ()):
                    hint = f"Write {factor.name} == {name!r}, with quotes, for the value."
            raise SpecError(f"In the rule {self._text!r:.200}, {name!r} is no factor. {hint}")
        return self._space.names.index(name)

    def _no(self, reason: str) -> SpecError:
        return SpecError(f"In the rule {self._text!r:.200}, {reason}.")


def _listed(factor: Factor) -> str:
    """The values of a factor in one line."""
    table = [f"{value:.6g}" for value in values_of(factor, index=False)]
    return ", ".join(table if len(table) <= 6 else [*table[:3], "...", table[-1]])


def _is_minus(node: ast.UnaryOp) -> bool:
    return isinstance(node.op, ast.USub)
