"""Point tables: tags as rows of a spreadsheet, as plant engineers keep them.

The header names the columns, in English or Chinese. The address stands in one column
``address`` in the driver's text form, or in one column for each field, as ``address.register``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_config.gateway import TagConfig
from edge_config.problems import ConfigError, Loc, Problem, hint
from edge_config.table_file import Rows, read_rows

HEADERS = {
    "名称": "name",
    "测点": "name",
    "测点名称": "name",
    "变量名": "name",
    "地址": "address",
    "单位": "unit",
    "角色": "role",
    "类别": "role",
    "中文名": "label_zh",
    "中文名称": "label_zh",
    "描述": "label_zh",
    "英文名": "label_en",
    "英文名称": "label_en",
    "倍率": "scale",
    "系数": "scale",
    "偏移": "offset",
    "偏移量": "offset",
    "下限": "minimum",
    "最小值": "minimum",
    "上限": "maximum",
    "最大值": "maximum",
    "死区": "deadband",
    "最大静默": "max_silence_ms",
    "最大静默毫秒": "max_silence_ms",
    "资产编号": "asset_no",
    "设备编号": "asset_no",
}
"""Chinese headers; any other must be a key of a tag or ``address.<field>``."""

ROLES = {"数值": "value", "状态": "state", "计数": "counter", "报警": "alarm", "告警": "alarm"}

Columns = dict[int, str]
"""Position of a column → key of a tag, or ``address.<field>``."""


@dataclass(frozen=True, slots=True)
class Row:
    """One tag of a point table.

    Attributes:
        table: the file as the operator named it.
        number: row as a spreadsheet shows it; the header is row 1.
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


def read_point_table(path: Path, name: str, address_fields: set[str]) -> list[Row]:
    """The tags of a point table, not yet validated.

    Args:
        path: a ``.csv`` or ``.xlsx`` file.
        name: how messages call it.
        address_fields: fields of the driver's address model.

    Raises:
        ConfigError: unreadable, no header, or unknown, repeated or missing columns.
    """
    rows = read_rows(path, name)
    if not rows:
        raise ConfigError([Problem(name, "is empty; its first row names the columns")])
    columns = _columns(rows, name, address_fields)
    header = rows[0][1]
    if len(rows) == 1:
        raise ConfigError([Problem(name, "has a header, but no tags below it")])
    headers = {key: header[position] for position, key in columns.items()}
    return [_row(name, number, cells, columns, headers) for number, cells in rows[1:]]


def _columns(rows: Rows, name: str, address_fields: set[str]) -> Columns:
    number, header = rows[0]
    known = {*TagConfig.model_fields, *(f"address.{field}" for field in address_fields)}
    columns: Columns = {}
    problems = []
    for position, title in enumerate(header):
        key = _key(title)
        if key not in known:
            if title:
                message = f"unknown column{hint(title, [*known, *HEADERS])}"
                problems.append(Problem(name, message, number, title, table=True))
        elif key in columns.values():
            problems.append(Problem(name, "the column is there twice", number, title, table=True))
        else:
            columns[position] = key
    problems += _missing(columns, name, number)
    if problems:
        raise ConfigError(problems)
    return columns


def _missing(columns: Columns, name: str, number: int) -> list[Problem]:
    keys = set(columns.values())
    parts = {key for key in keys if key.startswith("address.")}
    problems = []
    if "name" not in keys:
        problems.append(Problem(name, "the column is missing", number, "name", table=True))
    if "address" not in keys and not parts:
        problems.append(Problem(name, "the column is missing", number, "address", table=True))
    if "address" in keys and parts:
        message = f"stands beside {min(parts)!r}; keep one form of address"
        problems.append(Problem(name, message, number, "address", table=True))
    return problems


def _key(title: str) -> str:
    word = title.strip().casefold().replace("．", ".")
    head, point, field = word.partition(".")
    head = HEADERS.get(head.strip(), head.strip().replace(" ", "_"))
    return f"{head}.{field.strip()}" if point else head


def _row(
    table: str, number: int, cells: list[str], columns: Columns, headers: Mapping[str, str]
) -> Row:
    data: dict[str, Any] = {}
    for position, key in columns.items():
        text = cells[position] if position < len(cells) else ""
        if not text:
            continue
        _, is_part, field = key.partition(".")
        if is_part:
            data.setdefault("address", {})[field] = text
        else:
            data[key] = ROLES.get(text, text) if key == "role" else text
    return Row(table, number, data, headers)
