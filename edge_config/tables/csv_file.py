"""CSV files as spreadsheets and people write them."""

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from edge_config.tables.sheet import Limits, Progress, Row, Sheet, TableError, bare, unheard

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MOST_ZEROS = 0.02
"""A text may hold a stray zero, which the column it stands in refuses; a picture holds many."""
_DELIMITERS = ",;\t"
_RARE_DELIMITERS = "，；|"
"""Looked for where none of the usual ones stands: Chinese keyboards write wide ones."""
_LOOKED_AT = 20
"""Lines in which the delimiter is looked for; a title above the header has none."""
_PAIR = re.compile(rb"[\x81-\xfe][\x40-\xfe]")
_SEPARATOR_LINE = re.compile(r"sep=(?P<delimiter>[^\r\n])\r?\n?", re.IGNORECASE)
"""Excel's own first line, which it does not show."""
_AS_TEXT = re.compile(r'="(?P<text>[^"]*)"')
"""How a CSV file keeps a spreadsheet from taking a code for a number."""
_GUARDED = re.compile("'[0-9=+@＝＋－＠-]")
"""An apostrophe that makes text of what follows it."""
_SPARE_COLUMNS = 50
"""A line may have so many times the allowed columns, for texts hold delimiters too."""


def read_csv(body: bytes, limits: Limits, tell: Progress = unheard) -> Sheet:
    """The table in a CSV file.

    Args:
        body: UTF-8, UTF-16, or GB 18030 as Chinese Excel saves it; comma, semicolon or tab.
        limits: what it may hold.
        tell: is told how many characters are read.

    Raises:
        TableError: no text, not well-formed, or too large.
    """
    text = _decoded(body)
    delimiter, text = _delimiter(text)
    rows: list[Row] = []
    cells = 0
    lines = _told(io.StringIO(text, newline=""), len(text), tell)
    for number, row in enumerate(_records(lines, delimiter, limits), start=1):
        if any(row):
            cells += len(row)
            if number > limits.rows or cells > limits.cells:
                raise TableError(f"has more than {limits.rows} rows or {limits.cells} cells")
            rows.append(Row(number, row))
    return Sheet("", rows)


def with_cells(body: bytes, cells: Mapping[int, Mapping[int, str]]) -> bytes:
    """The same table with texts in some of its cells, in its own encoding and with its delimiter.

    Args:
        body: as :func:`read_csv` takes it.
        cells: texts by number of the row, from 1, and position of the column, from 0.

    Raises:
        TableError: as there.
    """
    encoding, text = _decoded_as(body)
    delimiter, rest = _delimiter(text)
    out = io.StringIO(newline="")
    out.write(text[: len(text) - len(rest)])
    end = "\r\n" if "\r\n" in rest else "\n"
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    records = csv.reader(io.StringIO(rest, newline=""), delimiter=delimiter)
    for number, record in enumerate(records, start=1):
        writer.writerow(_with(record, cells.get(number, {})))
    return out.getvalue().encode(encoding)


def _with(record: list[str], cells: Mapping[int, str]) -> list[str]:
    longest = max([len(record), *(place + 1 for place in cells)])
    padded = [*record, *[""] * (longest - len(record))]
    return [cells.get(place, text) for place, text in enumerate(padded)]


def _decoded(body: bytes) -> str:
    return _decoded_as(body)[1]


def _decoded_as(body: bytes) -> tuple[str, str]:
    """Encoding and text."""
    for encoding in _encodings(body):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "gb18030" and _is_western(body):
            raise TableError("is written in a Western code page; save it as “CSV UTF-8”")
        if text.count("\0") <= len(text) * _MOST_ZEROS:
            return _exactly(encoding, body), text
    raise TableError("is neither UTF-8 nor GB 18030 text; save it as “CSV UTF-8”")


def _exactly(encoding: str, body: bytes) -> str:
    """The encoding that gives a text its mark back if it had one."""
    return "utf-8" if encoding == "utf-8-sig" and not body.startswith(BOM_UTF8) else encoding


def _is_western(body: bytes) -> bool:
    """Whether the Chinese signs in a text are rather one letter and a sign each: °C is 癈 else.

    Nearly all Chinese that people write has two bytes above 127 a sign.
    """
    pairs: list[bytes] = _PAIR.findall(body)
    return 2 * sum(pair[1] < 128 for pair in pairs) > len(pairs)  # noqa: PLR2004 - of ASCII


def _encodings(body: bytes) -> tuple[str, ...]:
    if body.startswith(_UTF_16_MARKS):
        return ("utf-16",)
    head = body[:200]
    if head.count(0) > len(head) * _MOST_ZEROS:  # UTF-16 without its mark: half of each letter
        is_big = head[::2].count(0) > head[1::2].count(0)
        return ("utf-16-be",) if is_big else ("utf-16-le",)
    return ("utf-8-sig", "gb18030")  # in this order: GB 18030 decodes most UTF-8, wrongly


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter, and the text without a line that only names it."""
    said = _SEPARATOR_LINE.match(text)
    if said:
        return said["delimiter"], text[said.end() :]
    head = list(islice(io.StringIO(text, newline=None), _LOOKED_AT))

    def shown(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in head]
        # Decimals and texts hold more of another one than there are columns, but not in each line.
        return sum(map(bool, counts)), sum(counts)

    is_usual = any(shown(delimiter)[0] for delimiter in _DELIMITERS)
    return max(_DELIMITERS if is_usual else _RARE_DELIMITERS, key=shown), text


def _told(lines: Iterable[str], total: int, tell: Progress) -> Iterator[str]:
    """The same lines; at each hundredth of the text it is told how much was read."""
    done = told = 0
    for line in lines:
        done += len(line)
        if done >= told:
            tell(done, total)
            told = done + total // 100
        yield line


def _records(lines: Iterable[str], delimiter: str, limits: Limits) -> Iterator[list[str]]:
    bounded = _bounded(lines, delimiter, limits)
    row = 1
    # most cells say what one above them said; one text is kept of all
    known: dict[str, str] = {}
    try:
        for record in csv.reader(bounded, delimiter=delimiter, strict=True):
            yield [known.setdefault(text, text) for text in _cells(record, limits, row)]
            row += 1
    except csv.Error as error:
        raise TableError(_sentence(str(error)), row) from error


def _bounded(lines: Iterable[str], delimiter: str, limits: Limits) -> Iterator[str]:
    """The lines, none of which has so many cells that splitting it would cost much."""
    for line in lines:
        if line.count(delimiter) > limits.columns * _SPARE_COLUMNS:
            raise TableError(f"has more than {limits.columns} columns")
        yield line


def _cells(record: list[str], limits: Limits, row: int) -> list[str]:
    cells = [_cell(text) for text in record]
    if any(cells[limits.columns :]):
        raise TableError(f"has more than {limits.columns} columns", row)
    return cells[: limits.columns]


def _cell(text: str) -> str:
    if text[:1] in ("=", "'"):
        as_text = _AS_TEXT.fullmatch(text.strip())
        text = as_text["text"] if as_text else text[1:] if _GUARDED.match(text) else text
    return bare(text)


def _sentence(said: str) -> str:
    if "end of data" in said:
        return "a quotation mark that opens here is not closed"
    if "field larger" in said:
        return "a cell holds more than 131072 characters; perhaps a quotation mark is not closed"
    return f"cannot be read as CSV: {said}"
