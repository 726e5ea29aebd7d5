"""Write records into the ledger's tables; what is unchanged is not touched."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, update

from gateway.city.db.schema.versions import VERSION
from gateway.city.db.tables import enterprise, equipment_rows
from gateway.city.ledger.bitemporal.entries import (
    ENTERPRISE,
    MACHINE,
    Said,
    said_by,
    write_steps,
)
from gateway.city.ledger.bitemporal.undated import Replaced, keep_undated, replaced
from gateway.city.ledger.check import name_of
from gateway.city.ledger.codes import INDUSTRY_EDITION
from gateway.city.ledger.history import History
from gateway.city.ledger.importing.held import Held, HeldMachines, held_machines
from gateway.city.ledger.importing.rows import complete, effective, machine_row, row_of
from gateway.city.ledger.renaming import machines_named, rename, renamings
from gateway.city.ledger.sheet.classes import is_class
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem
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
    """Rows to add, rows to change, and how many stay; what changes of them that has no days."""

    added: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    unchanged: int
    undated: Mapping[int | str, Replaced]

    @property
    def changes(self) -> Changes:
        return Changes(len(self.added), len(self.changed), self.unchanged)


def _split(
    said: Iterable[Said], held: Mapping[Any, Mapping[str, Any]], table: Table, key: str
) -> _Split:
    added, changed, unchanged = [], [], 0
    undated = dict[int | str, Replaced]()
    for one in said:
        row = dict(one.row)
        old = held.get((row[key],))
        if old is None:
            added.append(row)
        elif one.steps or any(old[name] != value for name, value in row.items()):
            # Whole rows: one statement then fits all, whatever columns their files had.
            changed.append({**old, **row})
            if gone := replaced(table, old, row):
                undated[row[key]] = gone
        else:
            unchanged += 1
    return _Split(added, changed, unchanged, undated)


def _store(connection: Connection, table: Table, split: _Split, key: str, act: int) -> None:
    add(connection, table, split.added)
    keep_undated(connection, act, split.undated)
    if split.changed:
        # Versions of a row that do not count change with it: they never will.
        fixed = {key, "id", *VERSION}
        names = [column.name for column in table.columns if column.name not in fixed]
        query = (
            update(table)
            .where(table.c[key] == bindparam("the_key"))
            .values({name: bindparam(f"new_{name}") for name in names})
        )
        connection.execute(
            query,
            [
                {"the_key": row[key]} | {f"new_{name}": row[name] for name in names}
                for row in split.changed
            ],
        )


def machine_said(record: Record, machine: int, held: HeldMachines, today: date) -> Said:
    """What a row of equipment says of its machine."""
    row, old = machine_row(record) | {"id": machine}, held.rows.get((machine,))
    if old is None:
        complete([row])
    start, steps = effective(record, today), held.steps.get(machine, {})
    return said_by(MACHINE, old, row, steps, start, today)


def said_notes(record: Record, said: Said, today: date) -> Iterator[Problem]:
    """What to tell of a row with a day of its own: where it does not hold today, where earlier."""
    start = effective(record, today)
    for name in said.overruled:
        yield record.problem(
            name,
            f"holds from {start} until the next day of which the ledger says another thing, and "
            f"not today ({said.row[name]}); to change today's, leave 变更生效日期 empty",
        )
    for name in said.redated:
        yield record.problem(
            name,
            f"is so today already, and is by this row so from {start} on; if only other cells of "
            "the row changed then, leave this column out",
        )


def class_notes(record: Record) -> Iterator[Problem]:
    """What to tell of an industry that the edition in force does not have."""
    code = record.values.get("industry")
    if code and not is_class(str(code)):
        yield record.problem(
            "industry",
            f"{code} is no class of industry in {INDUSTRY_EDITION}, perhaps one of an older "
            "edition; look it up, and correct the row; until then it counts under this code",
        )


def add(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Add rows, with one statement for those that fill the same columns."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    for alike in groups.values():
        connection.execute(insert(table), alike)


@dataclass(frozen=True, slots=True)
class WrittenEnterprises:
    """What became of the enterprises of an import.

    Attributes:
        changes: how many rows were added, updated, left.
        since: number of rows by the day from which they change what is held.
        notes: what is to be told of the rows.
    """

    changes: Changes
    since: Counter[date]
    notes: Sequence[Problem]


def write_enterprises(
    connection: Connection, records: Sequence[Record], held: Held, act: int, today: date
) -> WrittenEnterprises:
    """Add or update enterprises, and keep what is said of them."""
    said, notes = dict[str, Said](), list[Problem]()
    for record in records:
        row = row_of(record, enterprise)
        uscc, old = row["uscc"], held.enterprises.get((row["uscc"],))
        start, steps = effective(record, today), held.steps.get(uscc, {})
        said[uscc] = said_by(ENTERPRISE, old, row, steps, start, today)
        notes.extend((*said_notes(record, said[uscc], today), *class_notes(record)))
    split = _split(said.values(), held.enterprises, enterprise, "uscc")
    _store(connection, enterprise, split, "uscc", act)
    write_steps(connection, ENTERPRISE, act, {uscc: one.steps for uscc, one in said.items()})
    since = Counter(one.since for one in said.values() if one.since)
    return WrittenEnterprises(split.changes, since, notes)


@dataclass(frozen=True, slots=True)
class WrittenEquipment:
    """What became of the machines of an import.

    Attributes:
        changes: how many rows were added, updated, left.
        updated: ids of the machines whose row was updated.
        ids: the machine of each record.
        statuses: the dated statuses that they had, by id.
        said: what was said of them, by id.
    """

    changes: Changes
    updated: frozenset[int]
    ids: Sequence[int]
    statuses: Mapping[int, History]
    said: Mapping[int, Said]


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
    day = day_of(now_ms)
    pairs = zip(records, ids, strict=True)
    said = {one: machine_said(record, one, held, day) for record, one in pairs}
    split = _split(said.values(), held.rows, equipment_rows, "id")
    _store(connection, equipment_rows, split, "id", act)
    write_steps(connection, MACHINE, act, {one: it.steps for one, it in said.items()})
    updated = renamed.union(row["id"] for row in split.changed)
    return WrittenEquipment(split.changes, updated, ids, held.statuses, said)
