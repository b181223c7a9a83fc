"""The images of a dataset that a rule takes."""

from __future__ import annotations

from typing import ClassVar, final

from unweave.data.views.part import Part, occurring
from unweave.data.views.ruled import RuledSpec
from unweave.data.views.table import Table
from unweave.errors import SpecError

__all__ = ["Only"]


@final
class Only(RuledSpec):
    """The images that a rule on their factors takes, such as the hearts of dSprites.

    The factors have the values that are still there, numbered anew in their order. Where what is
    kept is every combination of these values, as with `shape == 'heart'` or `pos_x < 0.5`, it is a
    full grid of the smaller space; otherwise each image has labels. A factor of which one value is
    left stays, with one value. What a rule is says `unweave.rules.Rule`.

    Example:
        `only(data=dsprites, where="shape == 'heart' and pos_x < 0.5")`
    """

    name: ClassVar[str] = "only"

    def choose(self, table: Table) -> Part:
        """Those that the rule takes.

        Raises:
            SpecError: The rule does not fit the factors, or takes no image.
        """
        rule, taken = self.taken(table)
        if not taken.any():
            raise SpecError(
                f"{self.name}: none of the {table.count:,} images of {self.data} are as where "
                f"says. {rule.describe()}"
            )
        return occurring(table, taken)
