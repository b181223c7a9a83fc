"""The page of the bibliography says what the file has; run as a script, this mends it."""

from __future__ import annotations

import re
from pathlib import Path

from reference.component_texts import linked
from unweave.citing import CODES, MODULES, NONE, PAPERS, PRESETS, PROTOCOLS, bibliography
from unweave.citing.entry import Entry

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "bibliography.md"
_TABLE = re.compile(r"(<!-- (?!end )(\w+) -->\n)(.*?)(?=<!-- end -->)", re.S)


def users(key: str) -> str:
    """What stands on an entry, by family."""
    found = {
        family: [name for name, keys in rows.items() if key in keys]
        for family, rows in PAPERS.items()
    }
    found["protocol"] = [name for name, keys in PROTOCOLS.items() if key in keys]
    found["settings of"] = [f"{name}/*" for name, keys in PRESETS.items() if key in keys]
    found["compat"] = [name for name, keys in CODES.items() if key in keys]
    found["module"] = [name for name, keys in MODULES.items() if key in keys]
    return "; ".join(
        f"{family} {', '.join(f'`{name}`' for name in names)}"
        for family, names in found.items()
        if names
    )


def entry(each: Entry) -> str:
    """One entry of the page."""
    used = "itself" if each.key == "unweave" else users(each.key)
    return (
        f"**`{each.key}`** {linked(each.text())}<br>\n"
        f"Cited for {used}.<br>\n"
        f"Confirmed: {linked(each.confirmed)}.\n"
    )


def tables() -> dict[str, str]:
    """The parts of the page that are made, by mark."""
    none = "\n".join(
        f"- {family}: {', '.join(f'`{name}`' for name in names)}"
        for family, names in sorted(NONE.items())
    )
    return {"entries": "\n".join(map(entry, bibliography().values())), "none": f"{none}\n"}


def _page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_says_what_the_file_has():
    found = {mark: part for _, mark, part in _TABLE.findall(_page())}
    assert found == tables(), f"run python tests/{Path(__file__).name}"


def test_every_entry_is_on_the_page_once():
    keys = re.findall(r"^\*\*`([\w-]+)`\*\*", _page(), re.M)
    assert keys == list(bibliography())


def test_nothing_is_cited_for_nobody():
    assert "Cited for ." not in _page()


if __name__ == "__main__":
    made = tables()
    PAGE.write_text(_TABLE.sub(lambda found: f"{found[1]}{made[found[2]]}", _page()), "utf-8")
