"""Results of many runs as one table: collected, grouped, correlated, laid out and drawn."""

from unweave.results.choosing import choose
from unweave.results.collecting import collect
from unweave.results.correlation import Correlation, Correlations, correlate
from unweave.results.grouping import Summary, summarise
from unweave.results.layouts import Sheet, lay_out
from unweave.results.table import Results
from unweave.results.writing import write_table

__all__ = [
    "Correlation",
    "Correlations",
    "Results",
    "Sheet",
    "Summary",
    "choose",
    "collect",
    "correlate",
    "lay_out",
    "summarise",
    "write_table",
]
