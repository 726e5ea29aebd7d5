"""The two tables of a ledger, and which of them a header is of. Pure."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from edge_config.tables.header import spelled
from gateway.city.ledger.codes import Name
from gateway.city.ledger.sheet.columns.column import USCC, Column
from gateway.city.ledger.sheet.columns.enterprise import ENTERPRISE
from gateway.city.ledger.sheet.columns.equipment import EQUIPMENT

TABLES: Mapping[str, tuple[Column, ...]] = {"enterprise": ENTERPRISE, "equipment": EQUIPMENT}
SHEET_NAMES = {
    "enterprise": Name("企业", "Enterprises"),
    "equipment": Name("设备", "Equipment"),
    "notes": Name("说明", "Notes"),
}


def headers(columns: Sequence[Column]) -> dict[str, Column]:
    """Every accepted spelling of the columns' headers."""
    return {
        spelled(text): column
        for column in columns
        for text in (column.key, column.header.zh, column.header.en, *column.also)
    }


TITLES = frozenset(title for columns in TABLES.values() for title in headers(columns))
"""Every title of both tables, as ``spelled`` gives it."""


def table_of(header: Sequence[str]) -> str | None:
    """Which table a header belongs to; None if it is neither."""
    found = {spelled(text) for text in header}
    if not found & {spelled(text) for text in ("uscc", USCC.header.zh, USCC.header.en)}:
        return None
    asset = next(column for column in EQUIPMENT if column.key == "asset_no")
    marks = {spelled(text) for text in (asset.key, asset.header.zh, asset.header.en)}
    return "equipment" if found & marks else "enterprise"


def meant(header: str, columns: Sequence[Column]) -> str:
    """What to do with a title that names no column of a table, after a semicolon."""
    if spelled(header) in TITLES:
        return "; it belongs to another table of the ledger, take it out here"
    near = get_close_matches(spelled(header), list(headers(columns)), n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return "; one that you keep for yourself begins with 备注 or remark"
