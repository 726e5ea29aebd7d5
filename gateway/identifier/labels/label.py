"""What a label says, and where: millimetres throughout. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

A4 = (210.0, 297.0)
MARGIN, GAP = 10.0, 2.0
PADDING = 2.0
LEAST, MOST = (30.0, 15.0), (190.0, 277.0)
_QR_SHARE = 0.45
"""Of a label's width that its QR code takes at most."""
_WIDE, _NARROW = 1.0, 0.56
"""Widths of characters, in font sizes."""
_NAME = 1.25
"""Of small text: the size of a name."""
_LINES = 7.0
"""Lines of small text that a label has room for."""
_LINE = 1.3
_DEPTH = 0.25
"""Below its base line a character reaches so many font sizes."""
_BREAKS = re.compile(r"(?<=[./_-])")


@dataclass(frozen=True, slots=True)
class Label:
    """One machine.

    Attributes:
        code: what the QR code holds.
        handle: the identifier, as people read it.
        name: of the machine.
        asset_no: its number in the ledger.
        enterprise: whose it is.
    """

    code: str
    handle: str
    name: str
    asset_no: str
    enterprise: str


@dataclass(frozen=True, slots=True)
class Size:
    """Of a label, millimetres."""

    width: float
    height: float

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read ``50x30``.

        Raises:
            ValueError: something else, or one that no sheet or QR code has room for.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)[x×*](\d+(?:\.\d+)?)", text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is no size: width x height in mm, as 50x30")
        size = cls(float(match[1]), float(match[2]))
        if not (LEAST[0] <= size.width <= MOST[0] and LEAST[1] <= size.height <= MOST[1]):
            raise ValueError(
                f"a label of {text} mm: {LEAST[0]:g}x{LEAST[1]:g} is the least that can be "
                f"scanned, {MOST[0]:g}x{MOST[1]:g} the most that a sheet has room for"
            )
        return size

    @property
    def qr(self) -> float:
        """Side of the QR code."""
        return min(self.height - 2 * PADDING, _QR_SHARE * self.width)

    @property
    def font(self) -> float:
        """Size of small text."""
        return min(3.2, (self.height - 2 * PADDING) / _LINES / _LINE)

    def places(self) -> Iterator[tuple[float, float]]:
        """Where labels of this size stand on a sheet, row by row."""
        across = int((A4[0] - 2 * MARGIN + GAP) / (self.width + GAP))
        down = int((A4[1] - 2 * MARGIN + GAP) / (self.height + GAP))
        for row in range(down):
            for column in range(across):
                yield MARGIN + column * (self.width + GAP), MARGIN + row * (self.height + GAP)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: how high its base line is, how large it is."""

    text: str
    base: float
    font: float
    is_name: bool = False


def lines_of(label: Label, size: Size) -> list[Line]:
    """The text beside the QR code: the identifier whole, names as far as there is room."""
    width = size.width - size.qr - 3 * PADDING
    font = size.font
    handle = _wrapped(label.handle, width, font)
    texts = [_cut(label.asset_no, width, size.font), _cut(label.enterprise, width, size.font)]
    base = PADDING + _NAME * size.font
    above = base + _LINE * size.font * sum(map(bool, texts))

    def is_crowded() -> bool:
        return len(handle) > _LINES - 3 and font > 1.0

    def is_beyond() -> bool:
        return above + _LINE * font * len(handle) > size.height - _DEPTH * font

    while is_crowded() or is_beyond():  # an identifier is never cut, and never on the next label
        font *= 0.9
        handle = _wrapped(label.handle, width, font)
    lines = [Line(_cut(label.name, width, _NAME * size.font), base, _NAME * size.font, True)]
    for text, at in [*((one, size.font) for one in texts if one), *((one, font) for one in handle)]:
        base += _LINE * at
        lines.append(Line(text, base, at))
    return lines


def width_of(text: str, font: float) -> float:
    """About as wide as a text is printed."""
    wide = sum(unicodedata.east_asian_width(one) in "WF" for one in text)
    return font * (_WIDE * wide + _NARROW * (len(text) - wide))


def _cut(text: str, width: float, font: float) -> str:
    if width_of(text, font) <= width:
        return text
    while text and width_of(f"{text}…", font) > width:
        text = text[:-1]
    return f"{text}…"


def _wrapped(text: str, width: float, font: float) -> list[str]:
    """Lines that hold all of a text, broken behind its marks where that is possible."""
    lines = [""]
    for part in _BREAKS.split(text):
        for piece in [part] if width_of(part, font) <= width else list(part):
            if lines[-1] and width_of(lines[-1] + piece, font) > width:
                lines.append("")
            lines[-1] += piece
    return lines
