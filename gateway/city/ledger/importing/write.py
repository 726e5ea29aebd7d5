"""Write records into the ledger's tables; what is unchanged is not touched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update

from gateway.city.db.schema.versions import VERSION
from gateway.city.db.tables import enterprise, equipment_rows
from gateway.city.ledger.bitemporal.entries import (
    ENTERPRISE,
    MACHINE,
    first_steps,
    new_steps,
    write_steps,
)
from gateway.city.ledger.bitemporal.steps import Steps
from gateway.city.ledger.check import name_of
from gateway.city.ledger.history import History
from gateway.city.ledger.importing.held import Held, HeldMachines, held_machines
from gateway.city.ledger.importing.rows import complete, machine_row, row_of
from gateway.city.ledger.renaming import machines_named, rename, renamings
from gateway.city.ledger.sheet.parsing import Record
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were added, updated, left as they were."""

    added: int
    updated: int
    unchanged: int

    def __add__(self, other: "Changes") -> "Changes":
        return Changes(
            self.added + other.added,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


NO_CHANGES = Changes(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Split:
    """Rows to add, rows to change, and how many stay."""

    added: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    unchanged: int

    @property
    def changes(self) -> Changes:
        return Changes(len(self.added), len(self.changed), self.unchanged)


def _split(
    rows: Iterable[dict[str, Any]], held: Mapping[Any, Mapping[str, Any]], keys: Sequence[str]
) -> _Split:
    added, changed, unchanged = [], [], 0
    for row in rows:
        old = held.get(tuple(row[key] for key in keys))
        if old is None:
            added.append(row)
        elif any(old[name] != value for name, value in row.items()):
            # Whole rows: one statement then fits all, whatever columns their files had.
            changed.append({**old, **row})
        else:
            unchanged += 1
    return _Split(added, changed, unchanged)


def _store(connection: Connection, table: Table, split: _Split, keys: Sequence[str]) -> None:
    add(connection, table, split.added)
    if split.changed:
        # Versions of a row that do not count change with it: they never will.
        fixed = {*keys, "id", *VERSION}
        names = [column.name for column in table.columns if column.name not in fixed]
        query = (
            update(table)
            .where(*(table.c[key] == bindparam(f"old_{key}") for key in keys))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        connection.execute(
            query,
            [
                {f"old_{key}": row[key] for key in keys}
                | {f"new_{name}": row[name] for name in names}
                for row in split.changed
            ],
        )


def machine_steps(row: Mapping[str, Any], held: HeldMachines, today: date) -> Steps:
    """What a row says anew of a machine's attributes."""
    old, number = held.rows.get((row["id"],)), row["id"]
    if old is None:
        return first_steps(MACHINE, row)
    return new_steps(MACHINE, old, row, held.steps.get(number, {}), today)


def add(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows, with one statement for those that fill the same columns."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    for alike in groups.values():
        connection.execute(insert(table), alike)


def write_enterprises(
    connection: Connection, records: Sequence[Record], held: Held, act: int, today: date
) -> Changes:
    """Add or update enterprises, and keep what is said of them."""
    keys = ("uscc",)
    rows = [row_of(record, enterprise) for record in records]
    said = {row["uscc"]: _said_of_enterprise(row, held, today) for row in rows}
    split = _split(rows, held.enterprises, keys)
    _store(connection, enterprise, split, keys)
    write_steps(connection, ENTERPRISE, act, said)
    return split.changes


def _said_of_enterprise(row: dict[str, Any], held: Held, today: date) -> Steps:
    old = held.enterprises.get((row["uscc"],))
    if old is None:
        return first_steps(ENTERPRISE, row)
    return new_steps(ENTERPRISE, old, row, held.steps.get(row["uscc"], {}), today)


@dataclass(frozen=True, slots=True)
class WrittenEquipment:
    """What became of the machines of an import.

    Attributes:
        changes: how many rows were added, updated, left.
        updated: ids of the machines whose row was updated.
        ids: the machine of each record.
        statuses: the dated statuses that they had, by id.
    """

    changes: Changes
    updated: frozenset[int]
    ids: Sequence[int]
    statuses: Mapping[int, History]


def write_equipment(
    connection: Connection, records: Sequence[Record], held: HeldMachines, now_ms: int, act: int
) -> WrittenEquipment:
    """Add or update machines, and keep what is said of them; their statuses are written apart.

    A machine that sent before it stood in the ledger gets its row under the id it has already.
    """
    # Renamings first: the rows below speak of the new names.
    renamed = rename(connection, renamings(connection, records, day_of(now_ms)), now_ms)
    if renamed:
        held = held_machines(connection, records, day_of(now_ms))
    names = [name_of(record) for record in records]
    new = [name for name in names if name not in held.ids]
    found = {**held.ids, **machines_named(connection, new, now_ms)}
    ids = [found[name] for name in names]
    rows = [machine_row(record) | {"id": one} for record, one in zip(records, ids, strict=True)]
    split = _split(rows, held.rows, ("id",))
    complete(split.added)
    _store(connection, equipment_rows, split, ("id",))
    day = day_of(now_ms)
    write_steps(
        connection, MACHINE, act, {row["id"]: machine_steps(row, held, day) for row in rows}
    )
    return WrittenEquipment(
        split.changes, renamed.union(row["id"] for row in split.changed), ids, held.statuses
    )
