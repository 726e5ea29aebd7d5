"""Read tables from CSV and XLSX files as texts; what the texts mean is not known here."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zipfile import BadZipFile

from gateway.city.ledger.problems import LedgerError, Problem

MAX_BYTES = 64 * 1024 * 1024
"""Larger files are refused; 10^5 machines take some 20 MB."""

_ENCODINGS = ("utf-8-sig", "gb18030")
"""UTF-8 with or without mark, then what Excel writes on a Chinese Windows (GBK)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes:
        label: file name, with the sheet's name for a workbook.
        title: the sheet's name; empty for CSV.
        header: texts of the first row.
        rows: row number as a spreadsheet shows it, and the row's texts.
    """

    label: str
    title: str
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]


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
    first_line = text.partition("\n")[0]
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
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _unreadable(path, "is neither UTF-8 nor GBK text; save it as “CSV UTF-8”")


def _workbook(path: Path, content: bytes) -> list[Sheet]:
    from openpyxl import load_workbook  # noqa: PLC0415 - only when a workbook is read
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError) as error:
        raise _unreadable(path, f"is no readable XLSX workbook: {error}") from error
    try:
        return [
            _sheet(
                f"{path.name}[{sheet.title}]",
                sheet.title,
                _texts(sheet.iter_rows(values_only=True)),
            )
            for sheet in book.worksheets
        ]
    finally:
        book.close()


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


def _sheet(label: str, title: str, rows: list[tuple[int, Sequence[str]]]) -> Sheet:
    """The table below its header; rows without any text are left out."""
    filled = [(number, row) for number, row in rows if any(text.strip() for text in row)]
    header = filled[0][1] if filled else ()
    return Sheet(label, title, header, filled[1:])
