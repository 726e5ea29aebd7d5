"""What a cell of the ledger says, for a reader. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from gateway.city.ledger.codes import Name
from gateway.city.ledger.importing.correcting import text_of
from gateway.city.ledger.sheet.columns.column import YES_NO, Column
from gateway.city.ledger.sheet.columns.tables import TABLES

_COLUMNS: Mapping[str, Column] = {one.key: one for columns in TABLES.values() for one in columns}
_HEADS = {
    "verified_by": Name("台账核实人", "Ledger verified by"),
    "valid_to": Name("终止日期", "until"),
    "approved_by": Name("批准人", "approved by"),
    "dated": Name("写明日期", "day was written"),
}


def cell(column: Column | None, value: object) -> Name:
    """A value in words."""
    text = text_of(value)
    choices = column.choices if column is not None and column.choices else YES_NO
    return choices.get(text, Name(text or "—", text or "—"))


def told(values: Mapping[str, Any]) -> Iterator[tuple[Name, Name]]:
    """Heads and values of what was said; nothing where it was taken back."""
    for key, value in values.items():
        if value in (None, ""):
            continue
        column = _COLUMNS.get(key)
        head = _HEADS.get(key) or (column.header if column else Name(key, key))
        code = isinstance(value, (bool, date)) or (column is not None and column.choices)
        yield head, cell(column, value) if code else Name(text_of(value), text_of(value))
