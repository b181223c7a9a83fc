"""What a condition is: a rule that says which combinations of factors are held out of training."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from unweave.errors import SpecError
from unweave.rules import check_rule

__all__ = ["KINDS", "Condition", "Kind", "Modifier", "is_name"]

Kind: TypeAlias = Literal[
    "interpolation", "recombination_to_element", "recombination_to_range", "extrapolation"
]
"""How hard a split is: which combinations of factors it holds out of training."""

KINDS: Final[dict[str, Kind]] = {
    "interp": "interpolation",
    "recomb2element": "recombination_to_element",
    "recomb2range": "recombination_to_range",
    "extrp": "extrapolation",
}
"""Kinds of conditions, from what seems easiest to what seems hardest, by their short names."""


@final
@dataclass(frozen=True, kw_only=True)
class Condition:
    """Which combinations of factors are held out of training, and which are trained on.

    Rules are those of `unweave.rules.Rule`. What a condition leaves of a dataset's images says
    `split_of`.

    Attributes:
        name: What the source calls it; the rule itself where it has no name.
        dataset: Text of the dataset that it is meant for.
        held_out: Rule of the images that are held out, to be tested on.
        trained: Rule of the images that are trained on; None for all that are not held out.
        kind: What the source says it is; None where nobody has said.
        source: Whose it is.
        also: Other names for the same two rules.
        doubts: What is doubtful, or not as the name says; a sentence each.

    Raises:
        SpecError: A rule has not the form of one.
    """

    name: str
    dataset: str
    held_out: str
    trained: str | None = None
    kind: Kind | None = None
    source: str = ""
    also: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the form of the rules; names and values need factors, as a split has."""
        check_rule(self.held_out)
        if self.trained is not None:
            check_rule(self.trained)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that it is called; `recomb2range/NAME` and the like name its kind, too."""
        plain = [name.rpartition("/")[2] for name in (self.name, *self.also)]
        words = [word for word, kind in KINDS.items() if kind == self.kind]
        long = [] if self.kind is None else [self.kind]
        found = [self.name, *self.also]
        found += [f"{word}/{name}" for word in (*words, *long) for name in plain]
        return tuple(dict.fromkeys(found))

    def train_text(self, data: str | None = None, modifier: str | None = None) -> str:
        """Text of the dataset of the images that are trained on; nothing is checked or opened.

        Args:
            data: Text of the whole dataset; None for the condition's own.
            modifier: Rule of the images that take part at all; None for all of them.
        """
        whole = self.dataset if data is None else data
        if modifier is not None:
            rest = f"not ({self.held_out})" if self.trained is None else self.trained
            return f"only(data={whole}, where={_all_of(modifier, rest)!r})"
        left_out = self.held_out if self.trained is None else _denied(self.trained)
        if left_out is not None:
            return f"without(data={whole}, where={left_out!r})"
        return f"only(data={whole}, where={self.trained!r})"

    def test_text(self, data: str | None = None, modifier: str | None = None) -> str:
        """Text of the dataset of the images that are held out; as `train_text`."""
        whole = self.dataset if data is None else data
        rule = self.held_out if modifier is None else _all_of(modifier, self.held_out)
        return f"only(data={whole}, where={rule!r})"


@final
@dataclass(frozen=True, kw_only=True)
class Modifier:
    """A rule of the images that take part in a condition at all, in training or held out.

    Attributes:
        name: What the source calls it.
        dataset: Text of the dataset that it is meant for.
        rule: The images that take part.
        source: Whose it is.
        doubts: What is doubtful, or not as the name says; a sentence each.

    Raises:
        SpecError: The rule has not the form of one.
    """

    name: str
    dataset: str
    rule: str
    source: str = ""
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the form of the rule."""
        check_rule(self.rule)


def is_name(text: str) -> bool:
    """Whether a text can be the name of a condition or modifier, and not a rule.

    Raises:
        SpecError: It is empty.
    """
    if not text.strip():
        raise SpecError(
            "The condition is empty: give a name, such as shape2tx, or a rule, such as "
            "\"shape == 'square' and pos_x > 0.5\"."
        )
    return re.fullmatch(r"[\w+/.-]+", text.strip()) is not None


def _all_of(*rules: str) -> str:
    """A rule that takes what all of some rules take."""
    return " and ".join(
        f"({rule.strip()})" if isinstance(_tree(rule), ast.BoolOp) else rule.strip()
        for rule in rules
    )


def _denied(rule: str) -> str | None:
    """What a rule denies, `pos_x > 0.5` of `not pos_x > 0.5`; None where it is no denial."""
    tree = _tree(rule)
    if not (isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)):
        return None
    return ast.get_source_segment(rule.strip(), tree.operand)


def _tree(rule: str) -> ast.expr:
    return ast.parse(rule.strip(), mode="eval").body
