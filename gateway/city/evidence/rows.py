"""Rows of evidence are inserted, or widen what is there; their months are written with them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, case, delete, or_, update

from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.months import evidence_month, month_number
from gateway.city.db.tables import evidence
from gateway.relational.upsert import insert_for

MASKS = ("good_hours", "uncertain_hours", "replayed_hours")
_DAYS = ("good_days", "uncertain_days", "days")
_KEYS = ("machine_id", "source", "synthetic")


def write_evidence(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Insert, or widen what is there; the last writer names the gateway."""
    if not rows:
        return
    statement = insert_for(connection, evidence)
    new, old = statement.excluded, evidence.c
    hours = {name: old[name].bitwise_or(new[name]) for name in MASKS}
    times = {
        "first_ms": case((new.first_ms < old.first_ms, new.first_ms), else_=old.first_ms),
        "last_ms": case((new.last_ms > old.last_ms, new.last_ms), else_=old.last_ms),
    }
    changes = hours | times | {"gateway": new.gateway, "seeded": new.seeded}
    keys = list(evidence.primary_key)
    upsert = statement.on_conflict_do_update(index_elements=keys, set_=changes)
    connection.execute(upsert, _ordered(evidence, rows))
    _write_months(connection, months_of(rows))
    _touch(connection, {f"{row['day']:%Y-%m}" for row in rows})


def delete_evidence(connection: Connection, machine: int) -> None:
    """Take away all evidence of a machine, which another one has now."""
    for table in (evidence, evidence_month):
        connection.execute(delete(table).where(table.c.machine_id == machine))


def months_of(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What rows of evidence say of months, a row for each month, machine, source and kind."""
    months: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = {"month": month_number(row["day"])} | {name: row[name] for name in _KEYS}
        found = months.setdefault(tuple(key.values()), key | dict.fromkeys(_DAYS, 0))
        bit = 1 << (row["day"].day - 1)
        came = (row["good_hours"], row["uncertain_hours"], True)
        for name, has in zip(_DAYS, came, strict=True):
            found[name] |= bit if has else 0
    return list(months.values())


def _write_months(connection: Connection, rows: list[dict[str, Any]]) -> None:
    statement = insert_for(connection, evidence_month)
    new, old = statement.excluded, evidence_month.c
    upsert = statement.on_conflict_do_update(
        index_elements=list(evidence_month.primary_key),
        set_={name: old[name].bitwise_or(new[name]) for name in _DAYS},
        # Evidence is written anew all day long: nearly never is a day the first one.
        where=or_(*(_adds(old[name], new[name]) for name in _DAYS)),
    )
    connection.execute(upsert, _ordered(evidence_month, rows))


def _adds(old: ColumnElement[int], new: ColumnElement[int]) -> ColumnElement[bool]:
    return old.bitwise_or(new) != old


def _ordered(table: Table, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several may write at once: in one order, or they would wait for each other for ever."""
    return sorted(rows, key=lambda row: [row[key.name] for key in table.primary_key])


def _touch(connection: Connection, months: set[str]) -> None:
    """Say that there is more of months of which rates are stored; of the running one none is."""
    columns = evidence_taking.c
    touched = update(evidence_taking).values(touches=columns.touches + 1)
    connection.execute(touched.where(columns.month.in_(sorted(months))))
