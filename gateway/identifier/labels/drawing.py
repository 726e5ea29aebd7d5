"""Labels as drawings: a page of them, or one, as SVG. Pure."""

from collections.abc import Iterator, Sequence
from html import escape
from io import BytesIO
from unicodedata import category

import segno

from gateway.identifier.labels.label import A4, PADDING, Label, Line, Size, lines_of

FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif"
_POINTS = 72 / 25.4
"""In a millimetre: what a PDF counts in."""
_QUIET = 2
"""Modules left white around a QR code; the label's own padding adds to it."""


def pages(labels: Sequence[Label], size: Size) -> Iterator[str]:
    """Sheets of A4."""
    places = list(size.places())
    for first in range(0, len(labels), len(places)):
        drawn = zip(labels[first : first + len(places)], places, strict=False)
        body = "".join(
            f'<g transform="translate({x:g} {y:g})">{_drawn(one, size)}</g>'
            for one, (x, y) in drawn
        )
        yield _svg(*A4, body)


def single(label: Label, size: Size) -> str:
    """One label by itself."""
    return _svg(size.width, size.height, _drawn(label, size))


def _svg(width: float, height: float, body: str) -> str:
    points = [f"{_POINTS * side:.3f}" for side in (width, height)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{points[0]}" height="{points[1]}" '
        f'viewBox="0 0 {width:g} {height:g}"><rect width="100%" height="100%" fill="#fff"/>'
        f"{body}</svg>"
    )


def _drawn(label: Label, size: Size) -> str:
    border = (
        f'<rect width="{size.width:g}" height="{size.height:g}" rx="1" fill="none" '
        'stroke="#bbb" stroke-width="0.15"/>'
    )
    x = 2 * PADDING + size.qr
    return border + _qr(label.code, size) + "".join(_text(one, x) for one in lines_of(label, size))


def _qr(code: str, size: Size) -> str:
    symbol = segno.make(code, error="m", micro=False)
    scale = size.qr / symbol.symbol_size(border=_QUIET)[0]
    out = BytesIO()
    symbol.save(out, kind="svg", xmldecl=False, svgns=False, border=_QUIET, nl=False, omitsize=True)
    path = out.getvalue().decode()
    inner = path[path.index("<path") : path.rindex("</svg>")]
    y = (size.height - size.qr) / 2
    return f'<g transform="translate({PADDING:g} {y:g}) scale({scale:.5f})">{inner}</g>'


def _drawable(text: str) -> str:
    """What XML has no character for, as a mark; one name must not keep a sheet from being drawn."""
    return "".join(
        one if one.isprintable() or category(one) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for one in text
    )


def _text(line: Line, x: float) -> str:
    weight = ' font-weight="700"' if line.is_name else ""
    return (
        f'<text x="{x:g}" y="{line.base:.3f}" font-size="{line.font:.3f}"{weight} '
        f'font-family="{FONT}">{escape(_drawable(line.text))}</text>'
    )
