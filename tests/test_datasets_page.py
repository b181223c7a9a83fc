"""The page of datasets says what the catalogue says; run as a script, this file mends it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reference.members import shipped
from unweave.data import DatasetSpec, catalog
from unweave.data.listing import describe, kinds
from unweave.data.samplers import Sampler

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "datasets.md"
_MOST_FACTORS = 9
_OURS = shipped(DatasetSpec, Sampler)


def _factors(row: dict[str, Any]) -> str:
    found = [f"{factor['name']} {factor['size']}" for factor in row["factors"]]
    if len(found) > _MOST_FACTORS:
        found = [*found[:3], f"and {len(found) - 3} more"]
    return ", ".join(found)


def _getting(row: dict[str, Any]) -> str:
    size = f"{row['stored_bytes'] / 1e9:.1f} GB prepared"
    get = row["get"]
    if get["how"] == "rendered":
        return f"Drawn when needed, {size}." if row["stored_bytes"] else "Nothing to prepare."
    page = f"[its page]({get['page']})" if get["page"][:6] == "https:" else f"`{get['page']}`"
    if get["how"] == "download":
        return f"Downloaded when needed, {size}; {page}."
    return f"By hand from {page}, then `{get['command']}`, {size}."


def _datasets(rendered: bool) -> list[str]:
    specs = [spec for spec in catalog() if spec.name in _OURS]
    rows = [row for row in map(describe, specs) if (row["source"] == "rendered") == rendered]
    # Three columns, since more are too narrow to be read.
    lines = ["| dataset, images | factors | what it is, and how to get it |", "|---|---|---|"]
    for row in rows:
        shape = "x".join(map(str, row["shape"]))
        grid = "" if row["grid"] else "; on no grid"
        about = f"{row['about']} Source: {row['origin']}" if row["origin"] else row["about"]
        lines.append(
            f"| `{row['text']}`<br>{row['images']:,} of {shape} | {_factors(row)}{grid} "
            f"| {about}<br>{_getting(row)} |"
        )
    return lines


def _members(kind: str) -> list[str]:
    lines = ["| example | what it is |", "|---|---|"]
    rows = [row for row in kinds()[kind] if row["name"] in _OURS]
    return [*lines, *(f"| `{row['example']}` | {row['about']} |" for row in rows)]


def tables() -> dict[str, str]:
    """Each table of the page by its mark."""
    found = {"rendered": _datasets(True), "published": _datasets(False)}
    found |= {kind: _members(kind) for kind in kinds()}
    return {mark: "\n".join(lines) for mark, lines in found.items()}


def _between(mark: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {mark} -->\n)(.*?)(?=<!-- end -->)", re.S)


@pytest.mark.parametrize("mark", list(tables()))
def test_a_table_is_that_of_the_catalogue(mark, tmp_path, monkeypatch):
    # What the page says must not depend on what is ready on this machine.
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    [(_, found)] = _between(mark).findall(PAGE.read_text(encoding="utf-8"))
    assert found.strip() == tables()[mark], f"run python tests/{Path(__file__).name}"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    for name, table in tables().items():
        begun = _between(name).search(text)
        assert begun, name
        text = f"{text[: begun.end(1)]}\n{table}\n\n{text[begun.end(2) :]}"
    PAGE.write_text(text, encoding="utf-8")
