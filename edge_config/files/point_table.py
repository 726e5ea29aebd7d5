"""Point tables: tags as rows of a spreadsheet, as plant engineers keep them.

The header names the columns, in English or Chinese. The address stands in one column
``address`` in the driver's text form, or in one column for each field, as ``address.register``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from edge_config.files.point_columns import (
    Columns,
    Words,
    columns_of,
    merged,
    missing,
    titles_again,
)
from edge_config.mistakes.problems import ConfigError, Loc, Problem, hint
from edge_config.models.wide import narrow
from edge_config.tables.header import header_at
from edge_config.tables.reading import read_sheets
from edge_config.tables.sheet import Limits, Odd, Oddity, Row, Sheet, TableError, row_list

LIMITS = Limits(
    file_bytes=16 * 1024 * 1024,
    unpacked_bytes=128 * 1024 * 1024,
    rows=100_000,
    columns=200,
    cells=2_000_000,
)

ROLES = {"数值": "value", "状态": "state", "计数": "counter", "报警": "alarm", "告警": "alarm"}
_ACCESS = {
    **dict.fromkeys(("r", "ro", "read-only", "只读", "读"), "read"),
    **dict.fromkeys(("rw", "r/w", "w/r", "read/write", "读写", "可读写", "读/写"), "read-write"),
}
"""What engineers write into the column that says who may write; in small letters."""
_NOTHING = frozenset({"-", "–", "—", "——", "－", "/", "／", "无", "n/a", "N/A"})
"""What people write into a cell in which nothing is to stand."""
_OWN_WORDS = frozenset({"name", "address", "label_zh", "label_en"})
"""Keys whose texts are kept to the letter."""


@dataclass(frozen=True, slots=True)
class PointTable:
    """Which part of a file holds the tags.

    Attributes:
        path: a ``.csv`` or ``.xlsx`` file.
        name: how messages call it.
        sheet: title of the sheet; None: the only visible one that looks like a point table.
        header_row: number of the row that names the columns; None: it is looked for.
    """

    path: Path
    name: str
    sheet: str | None = None
    header_row: int | None = None


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag of a point table.

    Attributes:
        table: the file as the operator named it.
        number: row as a spreadsheet shows it.
        data: the tag as it would stand in YAML, all values text.
        headers: key of the tag → header as the table spells it.
    """

    table: str
    number: int
    data: dict[str, Any]
    headers: Mapping[str, str]

    def problem(self, loc: Loc, message: str) -> Problem:
        """A problem with the cell that holds the value at ``loc``."""
        key = ".".join(str(step) for step in loc)
        whole = str(loc[0]) if loc else ""
        column = self.headers.get(key) or self.headers.get(whole) or key
        return Problem(self.table, message, self.number, column, table=True)


def read_point_table(table: PointTable, words: Words, problems: list[Problem]) -> list[TagRow]:
    """The tags of a point table, not yet validated.

    Args:
        table: where they stand.
        words: what its titles may say.
        problems: grows by columns that are unknown, repeated or missing, by cells that no
            column takes or that are odd, and by rows that nobody sees; rows with such cells are
            left out, and without a needed column there are no tags.

    Raises:
        ConfigError: unreadable, no header, or nothing below it.
    """
    sheet, at = found(table, words)
    header, tags = sheet.rows[at], sheet.rows[at + 1 :]
    parts = merged(header, table.name)
    if parts:
        raise ConfigError(parts)
    columns, unread = columns_of(header, words, table.name, problems)
    lacking = missing(columns, header, table.name)
    if not tags:
        raise ConfigError([*lacking, Problem(table.name, "has a header, but no tags below it")])
    odd = _Oddities(table.name, header, columns)
    read = {*columns, *unread}
    unseen = _hidden(sheet, at, columns, table.name)
    wrong = [*lacking, *unseen, *_under_no_header(tags, read, table.name)]
    again = list(titles_again(tags, columns, words, table.name))
    tags = [row for row in tags if row.number not in {problem.line for problem in again}]
    problems += [*wrong, *again, *odd.problems(tags)]
    headers = {key: header.cells[position] for position, key in columns.items()}
    plain = [row for row in tags if row.number not in odd.rows]
    return [] if lacking else [_tag(table.name, row, columns, headers) for row in plain]


def found(table: PointTable, words: Words) -> tuple[Sheet, int]:
    """The sheet of the tags, and the position of its header.

    Raises:
        ConfigError: unreadable, or there is no such sheet or row.
    """
    try:
        sheets = read_sheets(table.path, LIMITS)
    except TableError as error:
        _fail(table, error.message, error.row)

    def begin(sheet: Sheet) -> int | None:
        return header_at(sheet.rows, words.is_title)

    sheet = _named(table, sheets) if table.sheet else _only(table, sheets, begin)
    if not sheet.rows:
        _fail(table, "is empty; its first row names the columns")
    if table.header_row is None:
        return sheet, begin(sheet) or 0
    numbers = [row.number for row in sheet.rows]
    if table.header_row not in numbers:
        _fail(table, f"has nothing in row {table.header_row}, where its header should be")
    return sheet, numbers.index(table.header_row)


def _named(table: PointTable, sheets: Sequence[Sheet]) -> Sheet:
    titles = [sheet.title for sheet in sheets]
    if table.sheet not in titles:
        listed = ", ".join(map(repr, filter(None, titles))) or "none, for it is no workbook"
        said = f"has no sheet {table.sheet!r}{hint(table.sheet, titles)}; there are: {listed}"
        _fail(table, said)
    return sheets[titles.index(table.sheet)]


def _only(
    table: PointTable, sheets: Sequence[Sheet], begin: Callable[[Sheet], int | None]
) -> Sheet:
    """The visible sheet with a header; if none has one, the first that is not empty."""
    visible = [sheet for sheet in sheets if not sheet.is_hidden]
    fitting = [sheet for sheet in visible if begin(sheet) is not None]
    if len(fitting) > 1:
        titles = " and ".join(repr(sheet.title) for sheet in fitting)
        _fail(table, f"holds tags in the sheets {titles}; choose one with 'tags_sheet'")
    filled = [sheet for sheet in visible if sheet.rows]
    return next(iter(fitting or filled or visible), Sheet("", ()))


def _fail(table: PointTable, message: str, row: int = 0) -> NoReturn:
    raise ConfigError([Problem(table.name, message, row, table=True)])


def _hidden(sheet: Sheet, at: int, columns: Columns, table: str) -> Iterator[Problem]:
    """What a filter hides would be read although whoever looks at the table does not see it."""
    header, hidden = sheet.rows[at], [row.number for row in sheet.rows[at + 1 :] if row.is_hidden]
    if hidden:
        said = f"hidden, by hand or by a filter: rows {row_list(hidden)}; show them, or delete them"
        yield Problem(table, said, hidden[0], table=True)
    for position in sorted(sheet.hidden_columns & columns.keys()):
        said = "this column is hidden; show it, or delete it"
        yield Problem(table, said, header.number, header.cells[position], table=True)


def _under_no_header(tags: Sequence[Row], read: AbstractSet[int], table: str) -> list[Problem]:
    """Cells that would be lost; in CSV a text with the separator in it must stand in quotes."""
    return [
        Problem(table, f"the cell {cell!r} stands under no header", row.number, table=True)
        for row in tags
        for position, cell in enumerate(row.cells)
        if cell and position not in read
    ]


class _Oddities:
    """Cells of which nobody knows what they hold; a default must not take their place.

    Attributes:
        rows: numbers of the rows that have one.
    """

    def __init__(self, table: str, header: Row, columns: Columns) -> None:
        self.rows: set[int] = set()
        self._table = table
        self._header = header
        self._columns = columns
        self._seen: set[tuple[int, Oddity]] = set()

    def problems(self, tags: Sequence[Row]) -> Iterator[Problem]:
        """One problem for each odd cell, of merged ones one for each column."""
        for row in tags:
            for position, odd in row.odd.items():
                key = self._columns.get(position, "")
                if key and _is_odd(key, odd):
                    self.rows.add(row.number)
                    yield from self._told(row, position, odd)

    def _told(self, row: Row, position: int, odd: Oddity) -> Iterator[Problem]:
        if odd.kind is Odd.MERGED:
            if (position, odd) in self._seen:
                return
            self._seen.add((position, odd))
        title = self._header.cells[position]
        yield Problem(self._table, str(odd), row.number, title, table=True)


def _is_odd(key: str, odd: Oddity) -> bool:
    # 40001.10 has become 40001.1, another bit of the register
    if odd.kind in (Odd.NUMBER, Odd.FORMATTED):
        return key.startswith("address") and "." in odd.detail
    return True


def _tag(table: str, row: Row, columns: Columns, headers: Mapping[str, str]) -> TagRow:
    data: dict[str, Any] = {}
    for position, key in columns.items():
        cell = row.cell(position)
        text = _value(key, cell) if cell else ""  # most columns of a table are mostly empty
        if not text:
            continue
        _, is_part, field = key.partition(".")
        if is_part:
            data.setdefault("address", {})[field] = text
        else:
            data[key] = text
    return TagRow(table, row.number, data, headers)


def _value(key: str, text: str) -> str:
    """A cell as the tag takes it: narrow digits and letters, nothing where a dash says so."""
    if key in _OWN_WORDS:
        # Wide letters in an address are left to its driver: in a node id they are its own.
        return text
    if text in _NOTHING:
        return ""
    if key == "role":
        return ROLES.get(text, text)
    if key == "access":
        return _ACCESS.get(narrow(text).lower(), text)
    meant = narrow(text)
    return meant if meant.isascii() and "=" not in meant else text
