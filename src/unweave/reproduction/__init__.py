"""Published numbers, the trainings that repeat them, and a page of both."""

from __future__ import annotations

from unweave.reproduction.catalog import ROWS, SOURCES, find_row, find_rows
from unweave.reproduction.comparing import Comparison, Group, groups_of
from unweave.reproduction.matching import row_of
from unweave.reproduction.page import command_of, reproduction_page
from unweave.reproduction.published import LeftOut, PublishedValue, Row, Source
from unweave.reproduction.records import (
    RunRecord,
    Start,
    merged,
    read_records,
    record_of,
    write_records,
)
from unweave.reproduction.running import Piece, RowPlan, carry_out, plan_of

__all__ = [
    "ROWS",
    "SOURCES",
    "Comparison",
    "Group",
    "LeftOut",
    "Piece",
    "PublishedValue",
    "Row",
    "RowPlan",
    "RunRecord",
    "Source",
    "Start",
    "carry_out",
    "command_of",
    "find_row",
    "find_rows",
    "groups_of",
    "merged",
    "plan_of",
    "read_records",
    "record_of",
    "reproduction_page",
    "row_of",
    "write_records",
]
