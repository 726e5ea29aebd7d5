"""Cells of a CSV or XLSX file as text, within bounds."""

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from xml.etree.ElementTree import ParseError

from edge_config.files.yaml_file import read_bytes
from edge_config.mistakes.problems import ConfigError, Problem

MAX_BYTES = 16 * 1024 * 1024
MAX_UNPACKED_BYTES = 128 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 200

Rows = list[tuple[int, list[str]]]
"""Row number as a spreadsheet shows it, and its cells; empty rows are left out."""


def read_rows(path: Path, name: str) -> Rows:
    """All rows of a table that are not empty.

    Args:
        path: ``.csv`` (UTF-8, UTF-16 with mark, or GB 18030 as Chinese Excel saves it; comma,
            semicolon or tab) or ``.xlsx`` (first sheet).
        name: how messages call it.

    Raises:
        ConfigError: unreadable, too large, or neither of the two.
    """
    readers = {".csv": _csv_rows, ".txt": _csv_rows, ".xlsx": _xlsx_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ConfigError([Problem(name, "is no point table; it must end in .csv or .xlsx")])
    body = read_bytes(path, name, MAX_BYTES)
    # One row more than is allowed, so that a file of exactly that many is told from a longer one.
    numbered = enumerate(islice(reader(body, name), MAX_ROWS + 1), start=1)
    rows = [(number, cells) for number, cells in numbered if any(cells)]
    if rows and rows[-1][0] > MAX_ROWS:
        raise ConfigError([Problem(name, f"has more than {MAX_ROWS} rows")])
    return rows


def _csv_rows(body: bytes, name: str) -> Iterator[list[str]]:
    text = _decode(body, name)
    header = next(filter(str.strip, text.splitlines()), "")
    delimiter = max(",;\t", key=header.count)
    row = 1
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [cell.strip() for cell in cells[:MAX_COLUMNS]]
            row += 1
    except csv.Error as error:
        message = f"cannot be read as CSV: {error}"
        if "end of data" in str(error):
            message = "a quotation mark that opens here is not closed"
        raise ConfigError([Problem(name, message, row, table=True)]) from error


def _decode(body: bytes, name: str) -> str:
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030"]  # in this order: GB 18030 decodes most UTF-8, wrongly
    for encoding in encodings:
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError([Problem(name, "is neither UTF-8 nor GB 18030 text; save it as UTF-8 CSV")])


def _xlsx_rows(body: bytes, name: str) -> Iterator[list[str]]:
    try:
        import openpyxl  # noqa: PLC0415 - in the extra 'city', and large
    except ImportError as error:
        message = "needs openpyxl for .xlsx: pip install 'qulink[city]', or save it as CSV"
        raise ConfigError([Problem(name, message)]) from error
    try:
        _refuse_bomb(body, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about features that a point table does not use
            book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True)
            try:
                sheet = book.worksheets[0]
                for cells in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
                    yield [_cell_text(cell) for cell in cells]
            finally:
                book.close()
    except _XLSX_FAULTS as error:
        raise ConfigError([Problem(name, f"cannot be read as XLSX: {error}")]) from error


_XLSX_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    ParseError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    EOFError,
    OSError,
    NotImplementedError,
)
"""What openpyxl raises on files that are damaged or no workbook at all."""


def _refuse_bomb(body: bytes, name: str) -> None:
    # By the sizes that the archive claims: the reader unpacks no more than it claims.
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
            limit = MAX_UNPACKED_BYTES // 1_048_576
            raise ConfigError([Problem(name, f"unpacks to more than {limit} MiB")])


def _cell_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):  # before numbers: True is one
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
