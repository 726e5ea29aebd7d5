"""Point tables: tags as rows of a spreadsheet, as plant engineers keep them.

The header names the columns, in English or Chinese. The address stands in one column
``address`` in the driver's text form, or in one column for each field, as ``address.register``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_config.files.table_file import Rows, read_rows
from edge_config.mistakes.key_hints import SYNONYMS
from edge_config.mistakes.problems import ConfigError, Loc, Problem, hint
from edge_config.mistakes.shape import declared
from edge_config.models.gateway import TagConfig

HEADERS = {
    "名称": "name",
    "测点": "name",
    "测点名称": "name",
    "点位": "name",
    "点位名称": "name",
    "变量名": "name",
    "变量名称": "name",
    "地址": "address",
    "寄存器": "address",
    "寄存器地址": "address",
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

_FIELDS = {
    "数据类型": "type",
    "类型": "type",
    "字节序": "order",
    "字序": "order",
    "功能码": "table",
    "寄存器类型": "table",
    "位": "bit",
    "长度": "length",
}
"""Headers of other products that mean a field of the address."""

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


def read_point_table(
    path: Path, name: str, address_fields: set[str], problems: list[Problem]
) -> list[Row]:
    """The tags of a point table, not yet validated.

    Args:
        path: a ``.csv`` or ``.xlsx`` file.
        name: how messages call it.
        address_fields: fields of the driver's address model.
        problems: grows by columns that are unknown, repeated or missing, and by cells that no
            column takes; without a needed column there are no tags.

    Raises:
        ConfigError: unreadable, no header, or nothing below it.
    """
    rows = read_rows(path, name)
    if not rows:
        raise ConfigError([Problem(name, "is empty; its first row names the columns")])
    (number, header), *tags = rows
    columns = _columns(number, header, name, address_fields, problems)
    missing = _missing(columns, name, number)
    if not tags:
        raise ConfigError([*missing, Problem(name, "has a header, but no tags below it")])
    problems += [*missing, *_under_no_header(tags, header, name)]
    headers = {key: header[position] for position, key in columns.items()}
    return [] if missing else [_row(name, row, cells, columns, headers) for row, cells in tags]


def _columns(
    number: int, header: list[str], name: str, address_fields: set[str], problems: list[Problem]
) -> Columns:
    known = {*declared(TagConfig), *(f"address.{field}" for field in address_fields)}
    columns: Columns = {}
    for position, title in enumerate(header):
        key = _key(title)
        if key in columns.values():
            problems.append(Problem(name, "the column is there twice", number, title, table=True))
        elif key in known:
            columns[position] = key
        elif title:
            message = f"unknown column{_hint(title, key, known)}"
            problems.append(Problem(name, message, number, title, table=True))
    return columns


def _hint(title: str, key: str, known: set[str]) -> str:
    for word in (key, _FIELDS.get(key), SYNONYMS.get(key)):
        if f"address.{word}" in known:
            return f"; did you mean 'address.{word}'?"
    return hint(title, [*known, *HEADERS])


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


def _under_no_header(tags: Rows, header: list[str], name: str) -> list[Problem]:
    """Cells that would be lost; in CSV a text with the separator in it must stand in quotes."""
    return [
        Problem(name, f"the cell {cell!r} stands under no header", number, table=True)
        for number, cells in tags
        for position, cell in enumerate(cells)
        if cell and not (position < len(header) and header[position])
    ]


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
