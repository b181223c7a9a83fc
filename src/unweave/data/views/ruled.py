"""Parts that are chosen by a rule on the factors."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.labels import taken_by
from unweave.data.views.part import PartSpec
from unweave.data.views.table import Table, factors_before, is_known, need_factors
from unweave.rules import Rule, check_rule
from unweave.spec import option

__all__ = ["RuledSpec"]


class RuledSpec(PartSpec):
    """Family of parts that a rule on the factors of the images says."""

    keeps_factors: ClassVar[bool] = False

    where: str = option(help="A rule on factors, such as \"shape == 'heart'\".")

    def validate(self) -> None:
        """Read the rule, and ask it of the images as far as their factors are known already."""
        check_rule(self.where)
        need_factors(self)
        if is_known(self.data):
            self.part()
            return
        space = factors_before(self.data)
        if space is not None:
            Rule(self.where, space)

    def taken(self, table: Table) -> tuple[Rule, NDArray[np.bool_]]:
        """The rule, and whether it takes each image, (N,); exact values are asked where known.

        Raises:
            SpecError: The rule does not fit the factors.
        """
        assert table.space is not None
        rule = Rule(self.where, table.space)
        return rule, taken_by(rule, table.labels)
