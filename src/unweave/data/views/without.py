"""A dataset with a hole: combinations of factors that are left out."""

from __future__ import annotations

from typing import ClassVar, final

from unweave.data.views.part import Part, occurring
from unweave.data.views.ruled import RuledSpec
from unweave.data.views.table import Table
from unweave.errors import SpecError

__all__ = ["Without"]


@final
class Without(RuledSpec):
    """A dataset without the images that a rule on their factors takes.

    With a rule on two factors or more it has a hole: every value is still there, but never in
    these combinations, as in the recombinations of Montero et al. (2021), "The role of
    disentanglement in generalisation". The images of the hole itself are `only` with the same
    rule. Factors have the values that are still there, as with `only`.

    Example:
        `without(data=dsprites, where="shape == 'square' and pos_x > 0.5")`
    """

    name: ClassVar[str] = "without"

    def choose(self, table: Table) -> Part:
        """Those that the rule does not take.

        Raises:
            SpecError: The rule does not fit the factors, or takes all images or none.
        """
        rule, taken = self.taken(table)
        if taken.all() or not taken.any():
            what, left = ("all", "none is left") if taken.all() else ("none", "all are left")
            raise SpecError(
                f"{self.name}: {what} of the {table.count:,} images of {self.data} are as where "
                f"says, so {left}. {rule.describe()}"
            )
        return occurring(table, ~taken)
