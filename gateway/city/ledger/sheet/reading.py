"""Read tables from CSV and XLSX files as texts; what the texts mean is not known here."""

import csv
import io
import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree as ET
from zipfile import BadZipFile, ZipFile

from gateway.city.ledger.sheet.problems import LedgerError, Problem

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused; 10^5 machines take some 20 MB."""
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""A workbook that unpacks to more is refused before it fills the memory."""

_ENCODINGS = ("utf-8-sig", "gb18030")
"""UTF-8 with or without mark, then what Excel writes on a Chinese Windows (GBK)."""
_INEXACT = 10**15
"""Spreadsheets keep 15 digits of a number."""
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What Excel writes as “Unicode text”."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        label: file name, with the sheet's name for a workbook.
        title: the sheet's name; empty for CSV.
        header: texts of the first row that has any.
        header_row: its number; 0 if there is none.
        rows: row number as a spreadsheet shows it, and the row's texts.
        faults: what cannot be read as a table: merged cells, formulas without a value.
    """

    label: str
    title: str
    header: Sequence[str]
    header_row: int
    rows: Sequence[tuple[int, Sequence[str]]]
    faults: Sequence[Problem] = ()


def read_sheets(path: Path) -> list[Sheet]:
    """Every table of a file.

    Raises:
        LedgerError: the file cannot be read as CSV or XLSX.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, f"cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise _unreadable(path, f"is larger than {MAX_BYTES // 1024 // 1024} MiB; split it")
    if path.suffix.lower() == ".csv":
        return [_csv_sheet(path, content)]
    if path.suffix.lower() == ".xlsx":
        return _workbook(path, content)
    raise _unreadable(path, "is neither .csv nor .xlsx")


def _unreadable(path: Path, message: str) -> LedgerError:
    return LedgerError([Problem(path.name, 0, "", message)])


def _csv_sheet(path: Path, content: bytes) -> Sheet:
    text = _decode(path, content)
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[tuple[int, Sequence[str]]] = []
    try:
        for number, row in enumerate(reader, start=1):
            rows.append((number, row))
    except csv.Error as error:
        message = f"is no well-formed CSV from row {len(rows) + 1}: {error}"
        raise _unreadable(path, message) from error
    return _sheet(path.name, "", rows)


def _decode(path: Path, content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith(_UTF_16_MARKS) else _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable(path, "is neither UTF-8 nor GBK text; save it as “CSV UTF-8”")


_BROKEN = (BadZipFile, KeyError, OSError, ValueError, EOFError, ET.ParseError, zlib.error)
"""What reading a damaged workbook may raise."""


def _workbook(path: Path, content: bytes) -> list[Sheet]:
    try:
        return list(_tables(path, content))
    except _BROKEN as error:
        raise _unreadable(path, f"is no readable XLSX workbook: {error}") from error


def _tables(path: Path, content: bytes) -> Iterator[Sheet]:
    from openpyxl import load_workbook  # noqa: PLC0415 - only when a workbook is read

    with ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise _unreadable(path, "unpacks to more than 512 MiB; split it")
        parts = _parts(archive)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        for sheet in book.worksheets:
            label = f"{path.name}[{sheet.title}]"
            sheet.reset_dimensions()  # what a file says of its size is often wrong
            rows = _texts(sheet.iter_rows(values_only=True))
            yield _sheet(label, sheet.title, rows, _faults(label, archive, parts[sheet.title]))
        book.close()


def _parts(archive: ZipFile) -> Mapping[str, str]:
    """Which part of a workbook holds a sheet's cells, by the sheet's title."""
    targets = {
        one.get("Id"): one.get("Target", "") for one in _xml(archive, "_rels/workbook.xml.rels")
    }
    sheets = (one for one in _xml(archive, "workbook.xml").iter() if _name(one) == "sheet")
    return {
        sheet.get("name", ""): posixpath.join("/xl", targets[value])[1:]
        for sheet in sheets
        for key, value in sheet.items()
        if key.endswith("}id")
    }


def _xml(archive: ZipFile, part: str) -> ET.Element:
    return ET.fromstring(archive.read(f"xl/{part}"))  # noqa: S314 - expat bounds entities


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _faults(label: str, archive: ZipFile, part: str) -> list[Problem]:
    """Merged cells and formulas without a value; the reader of values tells neither."""
    body = archive.read(part)
    if not any(mark in body for mark in (b"<f>", b"<f ", b"<mergeCell ")):
        return []
    return [*_hidden(label, body)]


def _hidden(label: str, body: bytes) -> Iterator[Problem]:
    for _, element in ET.iterparse(io.BytesIO(body)):  # noqa: S314 - expat bounds entities
        match _name(element):
            case "mergeCell":
                cells = element.get("ref", "")
                message = f"cells {cells} are merged; split them and fill every one"
                yield Problem(label, _row(cells), "", message)
            case "c" if _is_uncomputed(element):
                cell = element.get("r", "")
                message = (
                    f"cell {cell} holds a formula without a result; "
                    "open and save the file in a spreadsheet, or write the value"
                )
                yield Problem(label, _row(cell), "", message)
            case "row":
                element.clear()  # a large sheet does not stay in memory


def _is_uncomputed(cell: ET.Element) -> bool:
    texts = {_name(child): child.text for child in cell}
    return "f" in texts and not texts.get("v")


def _row(reference: str) -> int:
    """The row that a reference such as ``B7`` or ``B7:C9`` begins in; 0 if there is none."""
    found = re.match(r"[A-Z]+(\d+)", reference)
    return int(found[1]) if found else 0


def _texts(rows: Iterable[Iterable[object]]) -> Iterator[tuple[int, Sequence[str]]]:
    for number, row in enumerate(rows, start=1):
        yield number, [_text(value) for value in row]


def _text(value: object) -> str:
    """A cell as a person would have typed it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, date):
        return (value.date() if isinstance(value, datetime) else value).isoformat()
    return "" if value is None else str(value)


def _number(value: float) -> str:
    if abs(value) >= _INEXACT:
        return f"{value:E}"  # as a spreadsheet shows it; codes refuse it
    return str(int(value)) if value == int(value) else str(value)


def _sheet(
    label: str,
    title: str,
    rows: Iterable[tuple[int, Sequence[str]]],
    faults: Sequence[Problem] = (),
) -> Sheet:
    """The table below its header; rows without any text are left out."""
    filled = [(number, row) for number, row in rows if any(text.strip() for text in row)]
    header_row, header = filled[0] if filled else (0, ())
    return Sheet(label, title, header, header_row, filled[1:], faults)
