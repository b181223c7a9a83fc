"""Reads a page as a browser would, and refuses one that is not well formed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements, words and images of a page.

    Attributes:
        elements: (name, attributes) of every element, in order.
        words: What is read on the page, white space collapsed.
        sections: Words of each section by its heading.
        rows: Words of the cells of every table row.
    """

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.rows, self.sections = [], [], {}
        self._open, self._words, self._heading = [], [], None
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"
        self.words = " ".join("".join(self._words).split())
        self.sections = {k: " ".join("".join(v).split()) for k, v in self.sections.items()}
        self.rows = [["".join(cell).strip() for cell in row] for row in self.rows]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> repeats an attribute"
        self.elements.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self._open.append(tag)
        if tag == "h2":
            self._heading = []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append([])

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        opened = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
        if tag == "h2":
            self._heading = "".join(self._heading)
            self.sections[self._heading] = []

    def handle_data(self, data):
        if {"style", "title", "script"} & set(self._open):
            return
        self._words.append(data)
        if "h2" in self._open:
            self._heading.append(data)
        elif isinstance(self._heading, str):
            self.sections[self._heading].append(data)
        if self._open and self.rows and {"td", "th"} & set(self._open):
            self.rows[-1][-1].append(data)

    def all(self, tag):
        """Attributes of every element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]
