"""Parts of other datasets, and other odds for their images."""

from unweave.data.views.correlated import Correlated
from unweave.data.views.correlations import CORRELATIONS
from unweave.data.views.listed import Listed
from unweave.data.views.only import Only
from unweave.data.views.part import PartSpec
from unweave.data.views.subset import Subset
from unweave.data.views.table import ViewSpec
from unweave.data.views.whole import whole_of
from unweave.data.views.without import Without

__all__ = [
    "CORRELATIONS",
    "Correlated",
    "Listed",
    "Only",
    "PartSpec",
    "Subset",
    "ViewSpec",
    "Without",
    "whole_of",
]
