"""HTML as a notebook gets it: read strictly, with its tables as rows of texts."""

from __future__ import annotations

from html.parser import HTMLParser

__all__ = ["Shown", "read"]

# Elements without an end.
_VOID = {"img", "input", "link", "meta", "br", "hr"}


class Shown(HTMLParser):
    """What an object shows.

    Attributes:
        text: All of its words, without styles.
        tables: Each table as a list of rows, each a list of texts.
        attributes: Each element with its attributes, in order.
    """

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tables: list[list[list[str]]] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        self.attributes.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("th", "td"):
            assert self._open[-1] == "tr"
            self.tables[-1][-1].append("")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag, (tag, self._open)

    def handle_data(self, data):
        if "style" in self._open:
            return
        self.text += data
        if self._open and self._open[-1] in ("th", "td", "code"):
            self.tables[-1][-1][-1] += data

    def column(self, name, table=0):
        """The cells of a column of a table by what stands in its first one."""
        heads, *rows = self.tables[table]
        place = heads.index(name)
        return {row[0]: row[place] for row in rows if len(row) == len(heads)}

    def of(self, tag):
        """The attributes of the elements of a kind."""
        return [attributes for name, attributes in self.attributes if name == tag]


def read(shown):
    """Read HTML in which every element is closed where it should be."""
    assert isinstance(shown, str)
    found = Shown()
    found.feed(shown)
    found.close()
    assert found._open == []
    return found
