"""The cells of one sheet of a workbook."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from edge_config.tables.formats import GENERAL, Format, number_text
from edge_config.tables.sheet import NOTHING_ODD, Limits, Odd, Oddity, Row, TableError, bare
from edge_config.tables.xml_part import Attributes, local, parse

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
"""How XLSX writes characters that XML cannot hold."""
_TRUTHS = {"0": "false", "1": "true"}
_ODD_TYPES = {"e": Odd.ERROR, "d": Odd.DATE}
MAX_ELEMENT_ROWS = 1_048_576
"""Rows of a sheet, those that hold formats only included."""


class CellError(ValueError):
    """A cell of a damaged workbook; the message says what is wrong with it."""


@dataclass(slots=True)
class Budget:
    """Cells that the sheets of one workbook may still hold together."""

    cells: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What cells refer to.

    Attributes:
        texts: the shared texts, without blanks around them.
        formats: number formats by the number of a style.
        from_1904: days count from 1904.
        is_stale: the program that wrote the workbook has computed nothing.
    """

    texts: Sequence[str]
    formats: Sequence[Format]
    from_1904: bool
    is_stale: bool


def unescaped(text: str) -> str:
    """A text of a workbook with the characters that XML could not hold."""
    return _ESCAPED.sub(lambda code: chr(int(code[1], 16)), text) if "_x" in text else text


@dataclass(slots=True)
class _Open:
    """The cell that is being read."""

    position: int
    type: str
    style: int
    has_formula: bool = False
    has_value: bool = False
    value: str = ""
    inline: str = ""


@dataclass(slots=True)
class CellReader:
    """Reads the part of one sheet.

    Attributes:
        rows: those with any text.
        merged: ranges, as ``A1:D1``.
        hidden_columns: positions of columns that nobody sees.
    """

    around: Surroundings
    limits: Limits
    budget: Budget
    rows: list[Row] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    _number: int = 0
    _elements: int = 0
    _is_hidden: bool = False
    _cells: list[str] = field(default_factory=list)
    _odd: dict[int, Oddity] = field(default_factory=dict)
    _position: int = -1
    _cell: _Open | None = None
    _text: list[str] | None = None
    _phonetic: bool = False

    def read(self, chunks: Iterable[bytes]) -> None:
        """Read the sheet.

        Args:
            chunks: bytes of its part, in pieces.

        Raises:
            TableError: it holds more than allowed.
            ValueError: it is damaged; ``expat.ExpatError`` if it is no XML.
        """
        # Looked up, not compared: a large sheet has millions of elements.
        starts: dict[str, Callable[[Attributes], None]] = {
            "c": self._open_cell,
            "v": self._open_text,
            "t": self._open_text,
            "f": self._note_formula,
            "row": self._open_row,
            "rPh": self._open_phonetic,
            "col": self._note_column,
            "mergeCell": self._note_merged,
        }
        ends = {
            "v": self._close_value,
            "t": self._close_text,
            "c": self._close_cell,
            "row": self._close_row,
            "rPh": self._close_phonetic,
        }

        def start(name: str, attributes: Attributes) -> None:
            if handler := starts.get(local(name)):
                handler(attributes)

        def end(name: str) -> None:
            if handler := ends.get(local(name)):
                handler()

        parse(chunks, start, end, self._piece)

    def _piece(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _open_text(self, _: Attributes) -> None:
        self._text = []

    def _note_formula(self, _: Attributes) -> None:
        if self._cell:
            self._cell.has_formula = True

    def _note_merged(self, attributes: Attributes) -> None:
        self.merged.append(attributes.get("ref", ""))

    def _open_phonetic(self, _: Attributes) -> None:
        self._phonetic = True  # how to pronounce a text stands within it

    def _close_phonetic(self) -> None:
        self._phonetic = False

    def _note_column(self, attributes: Attributes) -> None:
        width = attributes.get("width")
        if attributes.get("hidden") in ("1", "true") or (width and float(width) == 0):
            last = min(int(attributes["max"]), self.limits.columns)
            self.hidden_columns.update(range(int(attributes["min"]) - 1, last))

    def _open_row(self, attributes: Attributes) -> None:
        self._elements += 1
        self._number = int(attributes.get("r", self._number + 1))
        if self._elements > MAX_ELEMENT_ROWS:
            raise TableError(f"has more than {MAX_ELEMENT_ROWS} rows")
        height = attributes.get("ht")
        hidden = attributes.get("hidden") in ("1", "true")
        self._is_hidden = hidden or (height is not None and float(height) == 0)
        self._cells, self._odd, self._position = [], {}, -1

    def _open_cell(self, attributes: Attributes) -> None:
        reference = attributes.get("r")
        self._position = column_of(reference) if reference else self._position + 1
        kind, style = attributes.get("t", "n"), attributes.get("s", "0")
        self._cell = _Open(self._position, kind, int(style))

    def _close_value(self) -> None:
        if self._cell and self._text is not None:
            self._cell.value, self._cell.has_value = "".join(self._text), True
        self._text = None

    def _close_text(self) -> None:
        if self._cell and self._text is not None and not self._phonetic:
            self._cell.inline += "".join(self._text)
        self._text = None

    def _close_row(self) -> None:
        if any(self._cells) or self._odd:
            if self._number > self.limits.rows:
                raise TableError(f"has more than {self.limits.rows} rows")
            odd = self._odd or NOTHING_ODD
            self.rows.append(Row(self._number, self._cells, odd, self._is_hidden))

    def _close_cell(self) -> None:
        cell, self._cell = self._cell, None
        if cell is None:
            return
        text, odd = self._understood(cell)
        if not text and odd is None:
            return
        if cell.position >= self.limits.columns:
            raise TableError(f"has more than {self.limits.columns} columns", self._number)
        self.budget.cells -= 1
        if self.budget.cells < 0:
            raise TableError(f"has more than {self.limits.cells} cells")
        self._cells.extend([""] * (cell.position + 1 - len(self._cells)))
        self._cells[cell.position] = text
        if odd is not None:
            self._odd[cell.position] = odd

    def _understood(self, cell: _Open) -> tuple[str, Oddity | None]:
        """The text of a cell, and what is odd about it."""
        if cell.has_formula and self._is_uncomputed(cell):
            return "", Oddity(Odd.UNCOMPUTED, "")
        if cell.type == "n":
            return self._number_cell(cell)
        text = self._written(cell)
        kind = _ODD_TYPES.get(cell.type)
        return text, Oddity(kind, text) if kind else None

    def _written(self, cell: _Open) -> str:
        match cell.type:
            case "s":
                return self._shared(int(cell.value)) if cell.value else ""
            case "inlineStr":
                return bare(unescaped(cell.inline))
            case "b":
                return _TRUTHS.get(cell.value, cell.value)
            case "d":
                return cell.value.removesuffix("T00:00:00")
            case _:
                return bare(unescaped(cell.value))

    def _shared(self, number: int) -> str:
        if not 0 <= number < len(self.around.texts):
            raise CellError("a cell refers to a text that is not there")
        return self.around.texts[number]

    def _is_uncomputed(self, cell: _Open) -> bool:
        if not cell.value:
            # A formula whose result is the empty text has the type of texts; one that nobody
            # has computed has no type at all.
            return cell.type != "str"
        # Libraries that cannot compute write 0 and ask the spreadsheet to do it when it opens.
        return self.around.is_stale and cell.value == "0"

    def _number_cell(self, cell: _Open) -> tuple[str, Oddity | None]:
        if not cell.value:
            return "", None
        formats = self.around.formats
        shown = formats[cell.style] if 0 <= cell.style < len(formats) else GENERAL
        text = number_text(float(cell.value), shown, from_1904=self.around.from_1904)
        if shown.is_date:
            return text, Oddity(Odd.DATE, text)
        if shown.zeros:
            return text, None
        return text, Oddity(Odd.FORMATTED if shown.shows_more else Odd.NUMBER, text)


def column_of(reference: str) -> int:
    """Position of the column of a reference such as ``B7``; A is 0.

    Raises:
        CellError: it is no reference.
    """
    position = 0
    for letter in reference:
        if not "A" <= letter <= "Z":
            break
        position = position * 26 + ord(letter) - 64
    if not 0 < position <= 16_384:  # noqa: PLR2004 - XFD is the last column there is
        raise CellError(f"{reference[:20]!r} names no cell")
    return position - 1
