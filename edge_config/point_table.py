"""Point tables: tags of a group as CSV or Excel, the way integrators keep them.

The first row names the columns, in English or Chinese. The address is either one column
``address`` in the driver's text form, or one column a field, as ``address.register``.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_config.base import StrictModel
from edge_config.document import Document
from edge_config.gateway import TagConfig
from edge_config.problems import Problem, hint
from edge_config.resolved import ResolvedTag
from edge_config.validate import validate_value

_ADDRESS = "address"
_CHINESE = {
    "名称": "name",
    "测点": "name",
    "地址": _ADDRESS,
    "单位": "unit",
    "角色": "role",
    "中文名": "label_zh",
    "中文名称": "label_zh",
    "英文名": "label_en",
    "英文名称": "label_en",
    "系数": "scale",
    "偏移": "offset",
    "最小值": "minimum",
    "下限": "minimum",
    "最大值": "maximum",
    "上限": "maximum",
    "死区": "deadband",
    "最长静默毫秒": "max_silence_ms",
    "资产编号": "asset_no",
    "设备编号": "asset_no",
}
_COLUMNS = tuple(TagConfig.model_fields)
_NUMBERS = ("scale", "offset", "minimum", "maximum", "deadband", "max_silence_ms")
_MAX_ROWS = 100_000

Row = tuple[int, Sequence[Any]]


class _UnreadableError(Exception):
    """The table as a whole cannot be read."""


def read_point_table(
    file: Path, address: type[StrictModel]
) -> tuple[list[ResolvedTag], list[Problem]]:
    """Read the tags of a point table.

    Args:
        file: ``.csv`` (UTF-8 or GBK) or ``.xlsx`` (its first sheet).
        address: the driver's address model.

    Returns:
        The tags, and every problem as ``file:row: column: message``.
    """
    try:
        rows = _rows(file)
        _, header = next(rows, (1, ()))
        columns, problems = _header(file, header, address)
        if problems:
            return [], problems
        return _tags(file, columns, rows, address)
    except _UnreadableError as error:
        return [], [Problem(file, 0, "", str(error))]


def _rows(file: Path) -> Iterator[Row]:
    try:
        if file.suffix.lower() == ".xlsx":
            yield from _excel_rows(file)
        else:
            yield from enumerate(csv.reader(io.StringIO(_text(file))), 1)
    except OSError as error:
        raise _UnreadableError(f"point table cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise _UnreadableError(f"point table is not CSV: {error}") from error


def _text(file: Path) -> str:
    body = file.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _UnreadableError("point table is neither UTF-8 nor GBK text")


def _excel_rows(file: Path) -> Iterator[Row]:
    try:
        from openpyxl import load_workbook  # noqa: PLC0415  only where Excel is used
        from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415
    except ImportError as error:
        raise _UnreadableError(
            "reading .xlsx needs openpyxl; install qulink[city], or save the table as .csv"
        ) from error
    from zipfile import BadZipFile  # noqa: PLC0415

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise _UnreadableError(f"point table is not an Excel file: {error}") from error
    try:
        yield from enumerate(book.worksheets[0].iter_rows(values_only=True), 1)
    finally:
        book.close()


def _header(
    file: Path, header: Sequence[Any], address: type[StrictModel]
) -> tuple[list[str], list[Problem]]:
    fields = [f"{_ADDRESS}.{name}" for name in address.model_fields]
    known = {*_COLUMNS, *fields}
    columns = [_CHINESE.get(text, text) for text in (_cell(cell) for cell in header)]
    problems = [
        Problem(file, 1, column, f"unknown column{hint(column, known)}")
        for column in columns
        if column and column not in known
    ]
    doubles = {column for column in columns if column and columns.count(column) > 1}
    problems += [Problem(file, 1, column, "stands twice") for column in doubles]
    if "name" not in columns:
        problems.append(Problem(file, 1, "name", "column is required and missing"))
    if not any(column == _ADDRESS or column in fields for column in columns):
        message = f"column is required and missing; or give {', '.join(fields)}"
        problems.append(Problem(file, 1, _ADDRESS, message))
    return columns, problems


def _cell(cell: Any) -> str:
    return "" if cell is None else str(cell).strip()


def _tags(
    file: Path, columns: list[str], rows: Iterator[Row], address: type[StrictModel]
) -> tuple[list[ResolvedTag], list[Problem]]:
    tags: list[ResolvedTag] = []
    problems: list[Problem] = []
    for number, cells in rows:
        if number > _MAX_ROWS:
            problems.append(Problem(file, number, "", f"more than {_MAX_ROWS} rows"))
            break
        record = {c: _cell(v) for c, v in zip(columns, cells, strict=False) if c and _cell(v)}
        if record:
            tag, mistakes = _tag(file, number, record, address)
            problems += mistakes
            if tag is not None:
                tags.append(tag)
    if not tags and not problems:
        problems.append(Problem(file, 0, "", "point table holds no tags"))
    return tags, problems


def _tag(
    file: Path, number: int, record: dict[str, str], address: type[StrictModel]
) -> tuple[ResolvedTag | None, list[Problem]]:
    parts = {
        key.partition(".")[2]: _plain(text)
        for key, text in record.items()
        if key.startswith(f"{_ADDRESS}.")
    }
    place = record.get(_ADDRESS) or parts or None
    plain = {
        key: _number(text) if key in _NUMBERS else text
        for key, text in record.items()
        if not key.startswith(_ADDRESS)
    }
    row = Document(file, {}, {(): number})
    config, problems = validate_value(TagConfig, {**plain, "address": place}, row, ())
    prefix = (_ADDRESS,) if parts and _ADDRESS not in record else ()
    found, mistakes = validate_value(address, place, row, prefix or (_ADDRESS,))
    problems += mistakes
    if config is None or found is None:
        return None, problems
    return ResolvedTag(config, found), problems


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _plain(text: str) -> Any:
    return int(text) if text.lstrip("-").isdigit() else text
