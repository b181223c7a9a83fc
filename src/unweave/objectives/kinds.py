"""What kind of model an objective trains: what can be asked of it goes by that."""

from __future__ import annotations

__all__ = ["Kind", "kind_of"]

from typing import Literal, TypeAlias

from unweave.objectives.base import Method
from unweave.objectives.composer import Composer
from unweave.objectives.plan import Plan

Kind: TypeAlias = Literal["autoencoder", "conditional", "decoder", "composer"]
"""What is trained: with an encoder, with one and told labels, of true factors alone, or to make
one image of two."""


def kind_of(plan: Plan) -> Kind:
    """What kind of model an objective trains."""
    if not plan.encodes:
        return "decoder"
    if isinstance(plan.method, Composer):
        return "composer"
    told = type(plan.method).conditions is not Method.conditions
    return "conditional" if told else "autoencoder"
