"""Write texts into cells of a workbook without touching anything else of it.

Only the part of the sheet is changed, and in it only these cells: everything else is copied
octet by octet, so that formats, merged cells, formulas, drawings and other sheets stay as they are
(ECMA-376 Part 1, 18.3.1.4 cells, 18.3.1.73 rows).
"""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from edge_config.tables.cells import column_of
from edge_config.tables.merges import Area, area_of
from edge_config.tables.workbook import sheet_parts
from edge_config.tables.xml_part import Attributes, local

Cells = Mapping[int, Mapping[int, str]]
"""Texts by number of the row, as a spreadsheet shows it, and position of the column, from 0."""
_LETTERS = 26
_STYLE = re.compile(rb"""\bs=["'](\d{1,9})["']""")
_FORMULA = re.compile(rb"<(?:[A-Za-z0-9]+:)?f[\s/>]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


def filled(body: bytes, sheets: Mapping[str, Cells]) -> bytes:
    """A workbook with texts in some of its cells.

    Cells that are there keep their style; new ones get that of the cell before them. Rows that are
    not there are passed over.

    Args:
        body: the workbook, as :func:`~edge_config.tables.workbook.read_workbook` takes it.
        sheets: what to write, by title of the sheet. A cell with a formula keeps it.

    Raises:
        ValueError: a sheet's part is in UTF-16, or cells are merged that would get texts of
            several rows, of which people would see the first for all.
    """
    out = io.BytesIO()
    with ZipFile(io.BytesIO(body)) as archive, ZipFile(out, "w", ZIP_DEFLATED) as copy:
        parts = {part: sheets[title] for title, part in sheet_parts(archive) if title in sheets}
        for item in archive.infolist():
            data = archive.read(item)
            cells = parts.get(item.filename)
            copy.writestr(item, data if cells is None else _part_filled(data, cells))
    return out.getvalue()


def _part_filled(data: bytes, cells: Cells) -> bytes:
    if data.startswith(_WIDE_MARKS):
        raise ValueError("the sheet is written in UTF-16; open it in Excel or WPS and save it")
    finder = _Finder(data, cells)
    pieces, at = [], 0
    for start, end, text in finder.found():
        pieces += [data[at:start], text]
        at = end
    return b"".join((*pieces, data[at:]))


@dataclass(slots=True)
class _Finder:
    """Finds where in the octets of a sheet's part cells stand, or would.

    Attributes:
        data: of the part.
        cells: what is looked for.
    """

    data: bytes
    cells: Cells
    _edits: list[tuple[int, int, bytes]] = field(default_factory=list)
    _parser: expat.XMLParserType = field(default_factory=expat.ParserCreate)
    _prefix: str = ""
    _row: int = 0
    _column: int = -1
    _wanted: dict[int, str] = field(default_factory=dict)
    _begun: int = 0
    _style: bytes = b""
    _written: set[tuple[int, int]] = field(default_factory=set)

    def found(self) -> list[tuple[int, int, bytes]]:
        """First octet, octet behind the last, and what replaces them, in their order."""
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(self.data, True)
        return self._edits

    def _start(self, name: str, attributes: Attributes) -> None:
        kind = local(name)
        if kind == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column, self._style = -1, b""
            self._prefix = name[: -len("row")]
            begun = self._parser.CurrentByteIndex
            self._wanted = {} if self._is_empty(begun) else dict(self.cells.get(self._row, {}))
        elif kind == "dimension":
            self._dimension(attributes.get("ref", ""))
        elif kind == "mergeCell":
            self._demand_one_each(attributes.get("ref", ""))
        elif kind == "c" and self._wanted:
            reference = attributes.get("r", "").rstrip("0123456789")
            column = column_of(reference) if reference else self._column + 1
            self._insert_before(column)
            self._column, self._begun = column, self._parser.CurrentByteIndex

    def _dimension(self, reference: str) -> None:
        """Take away what says how far the sheet reaches if it will reach further.

        It may be missing (18.3.1.35), and readers that believe it would not see a new column.
        """
        area, last = area_of(reference), max(map(max, filter(None, self.cells.values())), default=0)
        if area is None or last > area.last_column:
            begun = self._parser.CurrentByteIndex
            if self._is_empty(begun):
                self._edits.append((begun, self.data.index(b">", begun) + 1, b""))

    def _demand_one_each(self, reference: str) -> None:
        area = area_of(reference)
        if area is None or (area.first_row == area.last_row and not self._is_hiding(area)):
            return
        columns = range(area.first_column, area.last_column + 1)
        if any(
            area.first_row <= row <= area.last_row and at in columns for row, at in self._written
        ):
            raise ValueError(
                f"the cells {reference} are merged, and each machine has its own identifier; "
                "split them"
            )

    def _is_hiding(self, area: Area) -> bool:
        """Whether a text would stand behind the first cell, where nobody sees it."""
        behind = range(area.first_column + 1, area.last_column + 1)
        return any((area.first_row, column) in self._written for column in behind)

    def _end(self, name: str) -> None:
        kind = local(name)
        if kind == "c" and self._wanted:
            self._cell_ends()
        elif kind == "row" and self._wanted:
            self._insert_before(None)

    def _is_empty(self, begun: int) -> bool:
        """Whether the element that begins there ends there, too: ``<c/>``."""
        return self.data[self.data.index(b">", begun) - 1 : self.data.index(b">", begun)] == b"/"

    def _cell_ends(self) -> None:
        behind = self.data.index(b">", self._begun) + 1
        style = _STYLE.search(self.data, self._begun, behind)
        if not self._is_empty(self._begun):
            behind = self.data.index(b">", self._parser.CurrentByteIndex) + 1
        self._style = style[1] if style else b""
        if self._column not in self._wanted:
            return
        if _FORMULA.search(self.data, self._begun, behind):
            self._wanted.pop(self._column)
        else:
            self._edits.append((self._begun, behind, self._cell(self._column, self._style)))

    def _insert_before(self, column: int | None) -> None:
        """Cells that are not there stand before the next one, or at the end of their row."""
        at = self._parser.CurrentByteIndex
        for place in sorted(self._wanted):
            if column is None or place < column:
                self._edits.append((at, at, self._cell(place, self._style)))

    def _cell(self, column: int, style: bytes) -> bytes:
        self._written.add((self._row, column))
        tag, text = f"{self._prefix}c", escape(self._wanted.pop(column))
        styled = f' s="{style.decode()}"' if style else ""
        inline = f"<{self._prefix}is><{self._prefix}t>{text}</{self._prefix}t></{self._prefix}is>"
        reference = f"{_letters(column)}{self._row}"
        return f'<{tag} r="{reference}"{styled} t="inlineStr">{inline}</{tag}>'.encode()


def _letters(column: int) -> str:
    """The name of a column: 0 is A, 26 is AA."""
    name, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, _LETTERS)
        name = chr(ord("A") + letter) + name
    return name
