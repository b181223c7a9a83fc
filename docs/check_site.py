"""Finds dead links within the built documentation, and public names that its reference lacks.

`python docs/check_site.py [FOLDER]`, which `make docs` runs after the build, tells of each and
ends with 1 if there is one. It reads files alone; links to other sites are not followed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import final
from urllib.parse import unquote, urlsplit

from public_modules import public_modules

__all__ = ["Page", "dead_links", "missing_names", "read_page", "read_site"]

# Where tags name other files. A `data-src` or the like is read by scripts, of which there are none
_LINKS = {
    "a": ("href",),
    "audio": ("src",),
    "iframe": ("src",),
    "img": ("src", "srcset"),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
}
_OTHERS = ("https", "http", "mailto", "data")
_REFERENCE = "reference/generated"


@final
@dataclass(frozen=True)
class Page:
    """What a page has that others may link to, and what it links to.

    Attributes:
        anchors: Its ids, and the names of its old-fashioned anchors.
        links: Addresses as they are written, each once, in order, with their lines.
    """

    anchors: set[str] = field(default_factory=set)
    links: dict[str, int] = field(default_factory=dict)


@final
class _Reader(HTMLParser):
    """Fills a page."""

    def __init__(self, page: Page) -> None:
        super().__init__(convert_charrefs=True)
        self._page = page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self._page.anchors.add(value)
            elif name in _LINKS.get(tag, ()):
                for address in _addresses(name, value):
                    self._page.links.setdefault(address, self.getpos()[0])


def _addresses(attribute: str, value: str) -> list[str]:
    if attribute != "srcset":
        return [value.strip()]
    return [entry.split()[0] for entry in value.split(",") if entry.strip()]


def read_page(html: str) -> Page:
    """The anchors and links of a page.

    Args:
        html: Its source.
    """
    page = Page()
    reader = _Reader(page)
    reader.feed(html)
    reader.close()
    return page


def read_site(site: Path) -> dict[Path, Page]:
    """Every page of a built site by its path.

    Args:
        site: Folder of the site.
    """
    files = sorted(site.rglob("*.html"))
    return {path: read_page(path.read_text(encoding="utf-8")) for path in files}


def dead_links(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """What is wrong with links of a site to itself, one sentence each.

    Args:
        site: Folder of the site.
        pages: Its pages, as `read_site` gives them.
    """
    for path, page in pages.items():
        for link, line in page.links.items():
            fault = _fault(site, pages, path, link)
            if fault:
                yield f"{path.relative_to(site)}:{line}: {link or 'an empty link'}: {fault}"


def _fault(site: Path, pages: dict[Path, Page], path: Path, link: str) -> str | None:
    parts = urlsplit(link)
    if parts.scheme in _OTHERS:
        return None
    if parts.scheme or parts.netloc:
        return "is neither a file of the site nor an address that says how it is had"
    target = path
    if parts.path:
        if parts.path.startswith("/"):
            return "begins with a slash, so it leads elsewhere where the site lies in a folder"
        target = Path(unquote(f"{path.parent}/{parts.path}")).resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_relative_to(site):
            return "leads out of the site"
        if not target.is_file():
            return f"there is no {target.relative_to(site)}"
    elif not parts.fragment:
        # What furo writes for a page that is the one in view
        return None if link in ("#", "") else "leads nowhere"
    anchor = unquote(parts.fragment)
    if anchor and target in pages and anchor not in pages[target].anchors:
        return f"{target.relative_to(site)} has no such anchor"
    return None


def missing_names(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Public names that the page of their module does not describe, one sentence each.

    Args:
        site: Folder of the site.
        pages: Its pages, as `read_site` gives them.
    """
    for module, names in public_modules().items():
        path = site / _REFERENCE / f"{module}.html"
        if path not in pages:
            yield f"{_REFERENCE}: no page of {module}"
            continue
        for name in names:
            if f"{module}.{name}" not in pages[path].anchors:
                yield f"{_REFERENCE}/{module}.html: {name} is not described"


def _main(arguments: list[str]) -> int:
    built = Path(__file__).parent / "_build" / "html"
    site = Path(arguments[0] if arguments else built).resolve()
    pages = read_site(site)
    if not pages:
        print(f"{site} has no pages; build the documentation first.", file=sys.stderr)
        return 1
    faults = [*dead_links(site, pages), *missing_names(site, pages)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        print(f"{len(faults)} faults in {len(pages)} pages.", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
