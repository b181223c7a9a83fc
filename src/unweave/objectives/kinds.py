"""What kind of model an objective trains: what can be asked of it goes by that."""

from __future__ import annotations

__all__ = ["Kind", "kind_of"]

from typing import Literal, TypeAlias

from unweave.objectives.composer import Composer
from unweave.objectives.plan import Plan

Kind: TypeAlias = Literal["autoencoder", "decoder", "composer"]
"""What is trained: with an encoder, of true factors alone, or to make one image of two."""


def kind_of(plan: Plan) -> Kind:
    """What kind of model an objective trains."""
    if not plan.encodes:
        return "decoder"
    return "composer" if isinstance(plan.method, Composer) else "autoencoder"
