"""Parts of other datasets, and other odds for their images."""

from unweave.data.views.correlated import Correlated
from unweave.data.views.correlations import CORRELATIONS
from unweave.data.views.only import Only
from unweave.data.views.part import PartSpec
from unweave.data.views.subset import Subset
from unweave.data.views.table import ViewSpec
from unweave.data.views.without import Without

__all__ = ["CORRELATIONS", "Correlated", "Only", "PartSpec", "Subset", "ViewSpec", "Without"]
