"""Rows of the ledger's tables, as records of a sheet speak of them. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

from sqlalchemy import Table

from gateway.city.db.tables import equipment_rows
from gateway.city.ledger.check import site_of
from gateway.city.ledger.sheet.parsing import Record

_TEXTS = {
    "enterprise": ("functional_area",),
    "equipment": (
        "workshop",
        "line",
        "model",
        "maker",
        "serial_no",
        "category",
        "controller",
        "interfaces",
        "entered_by",
        "documents",
    ),
}
_FLAGS = ("key_equipment", "digital")
_NOT_COLUMNS = frozenset(
    {
        *("roster", "roster_from", "roster_to", "roster_approved_by"),
        *("status", "status_since", "formerly", "identifier"),
        "valid_from",
    }
)


def effective(record: Record, today: date) -> date:
    """The day from which holds what a row changes: the one that it names, or today."""
    return cast(date | None, record.values.get("valid_from")) or today


def row_of(record: Record, table: Table) -> dict[str, Any]:
    """The columns of the table that a record speaks of; an empty text is empty, not null."""
    row: dict[str, Any] = {
        key: value for key, value in record.values.items() if key not in _NOT_COLUMNS
    }
    for key in _TEXTS[table.name]:
        if key in row:
            row[key] = row[key] or ""
    return row


def complete(rows: Iterable[dict[str, Any]]) -> None:
    """A table that lacks these columns says no, not unknown."""
    for row in rows:
        for flag in _FLAGS:
            row.setdefault(flag, False)


def machine_row(record: Record) -> dict[str, Any]:
    """The columns of ``equipment`` that a row speaks of."""
    row = row_of(record, equipment_rows) | {"site_no": site_of(record)}
    for flag in _FLAGS:
        if flag in row:
            row[flag] = bool(row[flag])
    return row
