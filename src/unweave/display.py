"""How objects show themselves in a notebook: small pieces of HTML, in which every text is escaped.

An object that shows itself has a method `_repr_html_`, which notebooks look for, and which ends in
`shown`. Styles come with each piece and take the colours of the page around, light or dark.
"""

from __future__ import annotations

__all__ = [
    "Markup",
    "embedded",
    "facts",
    "folded",
    "heat",
    "note",
    "number",
    "picture",
    "png_of",
    "shown",
    "shown_line",
    "table",
]

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup, escape
from PIL import Image

_STYLE: Final = Markup("""<style>
.unweave-shown { font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", \
Arial, sans-serif; max-width: 60rem; margin: .25rem 0; }
.unweave-shown .u-title { font-size: 14px; margin: 0 0 .35rem; overflow-wrap: anywhere; }
.unweave-shown .u-note { opacity: .75; margin: .35rem 0; overflow-wrap: anywhere; }
.unweave-shown .u-scroll { overflow-x: auto; margin: .35rem 0; }
.unweave-shown table.u-table { border-collapse: collapse; border: 0; margin: 0; font-size: 12px; \
font-variant-numeric: tabular-nums; width: auto; table-layout: auto; }
.unweave-shown table.u-table tr:nth-child(n), .unweave-shown table.u-table tbody \
tr:nth-child(n):hover { background: transparent; }
.unweave-shown table.u-table :is(th, td):nth-child(n) { text-align: left; vertical-align: top; \
padding: .2rem 1rem .2rem 0; border: 0; border-bottom: 1px solid rgba(128, 128, 128, .3); \
max-width: 34rem; overflow-wrap: anywhere; white-space: normal; color: inherit; \
font-weight: 400; background-color: transparent; }
.unweave-shown table.u-table thead th:nth-child(n) { opacity: .75; white-space: nowrap; }
.unweave-shown table.u-table tbody th:nth-child(n) { font-weight: 600; white-space: nowrap; }
.unweave-shown table.u-table .u-n:nth-child(n) { text-align: right; white-space: nowrap; }
.unweave-shown table.u-heat :is(th, td):nth-child(n) { padding: .2rem .6rem; }
.unweave-shown table.u-heat td.u-best:nth-child(n) { font-weight: 700; outline: 1.5px solid \
currentColor; outline-offset: -2px; }
.unweave-shown table.u-heat td:nth-child(n)[style] { background-color: rgba(0, 114, 178, \
var(--u-share)); }
.unweave-shown details { margin: .25rem 0; }
.unweave-shown summary { cursor: pointer; }
.unweave-shown figure { margin: .5rem 0; display: inline-block; vertical-align: top; \
max-width: 100%; }
.unweave-shown figcaption { opacity: .75; font-size: 12px; overflow-wrap: anywhere; }
.unweave-shown figure :is(img, video) { max-width: 100%; height: auto; margin: 0; display: block; \
background: #fff; }
.unweave-shown img.u-pixels { image-rendering: pixelated; }
</style>""")

_TYPES: Final = {
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
}
# How dark the largest value of a heat map is, so that its number can be read on any page.
_DARKEST: Final = 0.5


def shown(title: object, *parts: object) -> str:
    """All that an object shows of itself.

    Args:
        title: What it is, above the rest.
        *parts: Pieces of HTML, and texts, which are escaped.
    """
    head = Markup('<p class="u-title"><strong>{}</strong></p>').format(title)
    return str(
        Markup('<div class="unweave-shown">{}{}{}</div>').format(
            _STYLE, head, Markup("").join(map(escape, parts))
        )
    )


def shown_line(words: str, share: float | None = None) -> str:
    """A line of words, behind a bar where it is known how much is done, from 0 to 1."""
    bar = Markup("")
    if share is not None:
        bar = Markup('<progress max="1" value="{}" style="width: 12rem"></progress> ').format(
            f"{min(max(share, 0.0), 1.0):.4f}"
        )
    return str(
        Markup('<div class="unweave-line" style="font-variant-numeric: tabular-nums">{}{}</div>')
        .format(bar, words)
    )  # fmt: skip


def number(value: Any, digits: int = 4) -> str:
    """A number to so many digits after the point; `-` where it is none, or not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{value:,.{digits}f}"


def note(text: object) -> Markup:
    """A line of small words."""
    return Markup('<p class="u-note">{}</p>').format(text)


def facts(pairs: Mapping[str, object]) -> Markup:
    """Names and what they stand for, a row each; what is None or empty is left out."""
    rows = Markup("").join(
        Markup("<tr><th>{}</th><td>{}</td></tr>").format(name, value)
        for name, value in pairs.items()
        if value is not None and value != ""
    )
    return _scrolled(Markup('<table class="u-table"><tbody>{}</tbody></table>').format(rows))


def table(
    heads: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[str] = ()
) -> Markup:
    """A table whose first column names its rows.

    Args:
        heads: Names of the columns.
        rows: Cells, texts or HTML, as many in each row as there are columns.
        numbers: Names of the columns of numbers, which are set to the right.
    """
    right = {place for place, head in enumerate(heads) if head in set(numbers)}

    def cell(kind: str, place: int, text: object) -> Markup:
        of = Markup(' class="u-n"') if place in right else ""
        return Markup("<{}{}>{}</{}>").format(Markup(kind), of, text, Markup(kind))

    def row(kinds: Sequence[str], cells: Sequence[object]) -> Markup:
        made = (
            cell(kind, k, text) for k, (kind, text) in enumerate(zip(kinds, cells, strict=True))
        )
        return Markup("<tr>{}</tr>").format(Markup("").join(made))

    below = ["th", *["td"] * (len(heads) - 1)]
    return _scrolled(
        Markup('<table class="u-table"><thead>{}</thead><tbody>{}</tbody></table>').format(
            row(["th"] * len(heads), heads), Markup("").join(row(below, cells) for cells in rows)
        )
    )


def heat(
    values: Sequence[Sequence[float]],
    rows: Sequence[str],
    columns: Sequence[str],
    below: Mapping[str, Sequence[float | None]] | None = None,
    *,
    marked: bool = False,
) -> Markup:
    """A table of numbers, the darker the larger.

    Args:
        values: A row of numbers for each of `rows`.
        rows: Names of the rows.
        columns: Names of the columns.
        below: Further rows without shades, by name.
        marked: Whether the largest number of each column is outlined, where it is above 0.
    """
    finite = [abs(value) for row in values for value in row if math.isfinite(value)]
    most = max(finite, default=0.0) or 1.0
    best = [
        max(range(len(values)), key=lambda i: _or_least(values[i][k])) for k in range(len(columns))
    ]

    def shade(i: int, k: int) -> Markup:
        value = values[i][k]
        share = _DARKEST * abs(value) / most if math.isfinite(value) else 0.0
        of = Markup(" u-best") if marked and best[k] == i and value > 0 else ""
        return Markup('<td class="u-n{}" style="--u-share: {}">{}</td>').format(
            of, f"{share:.3f}", number(value, 3)
        )

    body = Markup("").join(
        Markup("<tr><th>{}</th>{}</tr>").format(
            name, Markup("").join(shade(i, k) for k in range(len(columns)))
        )
        for i, name in enumerate(rows)
    )
    rest = Markup("").join(
        Markup("<tr><th>{}</th>{}</tr>").format(
            name, Markup("").join(Markup('<td class="u-n">{}</td>').format(number(value, 3))
                                  for value in cells)
        )
        for name, cells in (below or {}).items()
    )  # fmt: skip
    heads = Markup("").join(Markup('<th class="u-n">{}</th>').format(name) for name in columns)
    return _scrolled(
        Markup(
            '<table class="u-table u-heat"><thead><tr><th></th>{}</tr></thead>'
            "<tbody>{}{}</tbody></table>"
        ).format(heads, body, rest)
    )


def folded(summary: object, *parts: object, opened: bool = False) -> Markup:
    """Something that is shown when its summary is clicked.

    Args:
        summary: What is always shown.
        *parts: What is below it, in order; text is escaped.
        opened: Whether it is shown from the beginning.
    """
    return Markup("<details{}><summary>{}</summary>{}</details>").format(
        Markup(" open") if opened else "", summary, Markup("").join(map(escape, parts))
    )


def picture(
    content: bytes, form: str, name: str, *, width: int | None = None, exact: bool = False
) -> Markup:
    """A picture or film with everything inside, and its name below.

    Args:
        content: Of a file.
        form: `png`, `gif`, `webp` or `mp4`.
        name: What it is called.
        width: CSS pixels that it is wide at most; None for as many as it has pixels.
        exact: Whether its pixels are squares that can be counted, however large it is shown.
    """
    of = {"style": f"width: {width}px"} if width else {}
    of |= {"class": "u-pixels"} if exact else {}
    source = embedded(content, form)
    if form == "mp4":
        shape = Markup('<video src="{}" controls loop muted autoplay playsinline{}></video>')
        made = shape.format(source, _attributes(of))
    else:
        made = Markup('<img src="{}"{}>').format(source, _attributes({"alt": name, **of}))
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(made, name)


def png_of(pixels: Any, times: int = 1) -> bytes:
    """Pixels as the content of a PNG file.

    Args:
        pixels: (H, W, C) uint8 with C of 1 or 3.
        times: How often each is repeated in both directions.
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if times > 1:
        image = image.resize((times * image.width, times * image.height), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def embedded(content: bytes, form: str) -> str:
    """The content of a picture as an address that holds all of it.

    Raises:
        KeyError: It has another form than pictures that are shown.
    """
    return f"data:{_TYPES[form]};base64,{base64.b64encode(content).decode('ascii')}"


def _attributes(given: Mapping[str, str]) -> Markup:
    return Markup("").join(
        Markup(' {}="{}"').format(Markup(key), value) for key, value in given.items()
    )


def _scrolled(made: Markup) -> Markup:
    return Markup('<div class="u-scroll">{}</div>').format(made)


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf
