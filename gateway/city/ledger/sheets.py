"""Read tables from CSV and XLSX files as texts; what the texts mean is not known here."""

import csv
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from gateway.city.ledger.problems import LedgerError, Problem

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused; 10^5 machines take some 20 MB."""
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""A workbook that unpacks to more is refused before it fills the memory."""

_ENCODINGS = ("utf-8-sig", "gb18030")
"""UTF-8 with or without mark, then what Excel writes on a Chinese Windows (GBK)."""
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""What Excel writes as “Unicode text”."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        label: file name, with the sheet's name for a workbook.
        title: the sheet's name; empty for CSV.
        header: texts of the first row.
        rows: row number as a spreadsheet shows it, and the row's texts.
        faults: what cannot be read as a table: merged cells, formulas without a value.
    """

    label: str
    title: str
    header: Sequence[str]
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


_BROKEN = (BadZipFile, KeyError, OSError, ValueError, EOFError, ParseError, zlib.error)
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
        is_plain = not any(_has_hazard(archive, name) for name in archive.namelist())
    faults = {} if is_plain else _faults(path, content)
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    for sheet in book.worksheets:
        rows = _texts(sheet.iter_rows(values_only=True))
        label = _label(path, sheet)
        yield _sheet(label, sheet.title, rows, faults.get(label, ()))
    book.close()


def _label(path: Path, sheet: Any) -> str:
    return f"{path.name}[{sheet.title}]"


def _has_hazard(archive: ZipFile, name: str) -> bool:
    """Whether a sheet has formulas or merged cells; the reader of values tells neither."""
    if not name.startswith("xl/worksheets/"):
        return False
    body = archive.read(name)
    return any(mark in body for mark in (b"<f>", b"<f ", b"<mergeCell "))


def _faults(path: Path, content: bytes) -> Mapping[str, list[Problem]]:
    """Merged cells, and formulas that no program has computed, by label of the sheet."""
    from openpyxl import load_workbook  # noqa: PLC0415 - only when a workbook is read

    written = load_workbook(io.BytesIO(content))
    values = load_workbook(io.BytesIO(content), data_only=True)
    return {
        _label(path, sheet): [
            *_merged(_label(path, sheet), sheet),
            *_uncomputed(_label(path, sheet), sheet, values[sheet.title]),
        ]
        for sheet in written.worksheets
    }


def _merged(label: str, sheet: Any) -> Iterator[Problem]:
    for cells in sheet.merged_cells.ranges:
        message = f"cells {cells} are merged; split them and fill every one"
        yield Problem(label, cells.min_row, "", message)


def _uncomputed(label: str, sheet: Any, values: Any) -> Iterator[Problem]:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f" and values[cell.coordinate].value is None:
                message = (
                    f"cell {cell.coordinate} holds a formula without a result; "
                    "open and save the file in a spreadsheet, or write the value"
                )
                yield Problem(label, cell.row, "", message)


def _texts(rows: Iterable[Iterable[object]]) -> list[tuple[int, Sequence[str]]]:
    return [(number, [_text(value) for value in row]) for number, row in enumerate(rows, start=1)]


def _text(value: object) -> str:
    """A cell as a person would have typed it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def _sheet(
    label: str,
    title: str,
    rows: list[tuple[int, Sequence[str]]],
    faults: Sequence[Problem] = (),
) -> Sheet:
    """The table below its header; rows without any text are left out."""
    filled = [(number, row) for number, row in rows if any(text.strip() for text in row)]
    header = filled[0][1] if filled else ()
    return Sheet(label, title, header, filled[1:], faults)
