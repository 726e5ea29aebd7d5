"""What the ledger holds of that which an import names, and of nothing else: of ten rows, ten.

It is read before the ledger is locked, so that a large import does not keep a city from its
database while it reads; under the lock it is only seen whether it still holds.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from gateway.city.db.tables import (
    enterprise,
    equipment,
    ledger_verification,
    machine_alias,
    roster_member,
)
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE, held_steps, is_other
from gateway.city.ledger.bitemporal.steps import Steps
from gateway.city.ledger.changes import latest_change
from gateway.city.ledger.check import Known, formerly, name_of
from gateway.city.ledger.history import History, histories
from gateway.city.ledger.importing.rows import machine_row
from gateway.city.ledger.machines import find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import current_names
from gateway.city.ledger.rosters import Membership
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.relational.database import chunks

HeldRows = Mapping[tuple[Any, ...], Mapping[str, Any]]
"""Rows of a table by key."""


@dataclass(frozen=True, slots=True)
class HeldMachines:
    """The machines that rows of equipment are about, as far as they are known.

    Attributes:
        ids: by name as the rows write it; a number that its machine gave up is left out.
        rows: of the ledger, by id.
        statuses: dated, by id.
        steps: their attributes over time, by id, of those of which a row says another thing.
    """

    ids: Mapping[MachineName, int]
    rows: HeldRows
    statuses: Mapping[int, History]
    steps: Mapping[int, Steps]


@dataclass(frozen=True, slots=True)
class Held:
    """What an import needs to know.

    Attributes:
        state: newest change of the ledger, and of what names mean, when this was read.
        known: what the rows are checked against.
        enterprises: by USCC.
        steps: attributes of the enterprises over time, by USCC.
        verified: USCC and day of verifications.
        machines: of the rows of equipment.
    """

    state: tuple[int, int]
    known: Known
    enterprises: HeldRows
    steps: Mapping[str, Steps]
    verified: AbstractSet[tuple[str, date]]
    machines: HeldMachines

    def still_holds(self, connection: Connection) -> bool:
        """Whether nobody has changed the ledger since."""
        return self.state == state_of(connection)

    def with_ids(self, given: Mapping[MachineName, int]) -> "Held":
        """The same beside ids of machines that the ledger has not; a number given up has none."""
        new = {name: one for name, one in given.items() if (one,) not in self.machines.rows}
        machines = replace(self.machines, ids={**self.machines.ids, **new})
        return replace(self, machines=machines)


def read_held(connection: Connection, tables: Tables, day: date) -> Held:
    """Read what the ledger holds of the enterprises and machines of an import."""
    state = state_of(connection)  # first: what changes while the rest is read must be noticed
    codes = {str(one.values["uscc"]) for one in (*tables.enterprise, *tables.equipment)}
    rows = _rows(connection, select(enterprise), enterprise.c.uscc, codes)
    marks = _rows(connection, select(ledger_verification), ledger_verification.c.uscc, codes)
    return Held(
        state=state,
        known=_known(connection, tables, codes, {row.uscc for row in rows}, day),
        enterprises={(row.uscc,): row._asdict() for row in rows},
        steps=held_steps(connection, ENTERPRISE, codes),
        verified={(row.uscc, row.verified_on) for row in marks},
        machines=held_machines(connection, tables.equipment, day),
    )


def held_machines(connection: Connection, records: Sequence[Record], day: date) -> HeldMachines:
    """Read what the ledger holds of the machines that rows of equipment are about."""
    # a row with a mistake in its number is here too: all mistakes are told at once
    found = find(connection, (name_of(one) for one in records if one.values.get("asset_no")), day)
    held = _rows(connection, select(equipment), equipment.c.id, set(found.values()))
    keys = {row.id: MachineName(row.uscc, row.site_no, row.asset_no).key for row in held}
    rows = {(row.id,): row._asdict() for row in held}
    return HeldMachines(
        # a machine that is in no ledger holds what it was called when it first sent
        ids={name: one for name, one in found.items() if keys.get(one, name.key) == name.key},
        rows=rows,
        statuses=histories(connection, keys),
        steps=held_steps(connection, MACHINE, _restated(records, found, rows)),
    )


def _restated(
    records: Iterable[Record], ids: Mapping[MachineName, int], rows: HeldRows
) -> Iterator[int]:
    """The machines of which a row says another thing than the ledger."""
    for record in records:
        machine = ids.get(name_of(record)) if record.values.get("asset_no") else None
        old = rows.get((machine,))
        if machine is None or not old:
            continue
        # a row that repeats what is so today may say another thing of an earlier day
        if record.values.get("valid_from") or is_other(MACHINE, old, machine_row(record)):
            yield machine


def state_of(connection: Connection) -> tuple[int, int]:
    """The newest change of the ledger, and of what names mean."""
    meanings = connection.scalar(select(func.max(machine_alias.c.revision))) or 0
    return latest_change(connection), meanings


def _rows(
    connection: Connection, query: Select[Any], column: ColumnElement[Any], wanted: Iterable[object]
) -> list[Row[Any]]:
    """The rows that have one of some values."""
    return [
        row
        for part in chunks(wanted)
        for row in connection.execute(query.where(column.in_(part))).all()
    ]


def _known(
    connection: Connection,
    tables: Tables,
    codes: AbstractSet[str],
    enterprises: AbstractSet[str],
    day: date,
) -> Known:
    rosters: dict[tuple[str, str], list[Membership]] = defaultdict(list)
    for row in _rows(connection, select(roster_member), roster_member.c.uscc, codes):
        membership = Membership(row.valid_from, row.valid_to, row.approved_by)
        rosters[row.roster, row.uscc].append(membership)
    parts = {str(one.values.get("identifier_code") or "") for one in tables.enterprise} - {""}
    owners = _rows(connection, select(enterprise), enterprise.c.identifier_code, parts)
    machines, former = _renamed(connection, tables.equipment, day)
    return Known(
        enterprises=enterprises,
        identifier_codes={row.identifier_code: row.uscc for row in owners},
        rosters=rosters,
        machines=machines,
        former=former,
    )


def _renamed(
    connection: Connection, records: Sequence[Record], today: date
) -> tuple[dict[MachineName, int], dict[MachineName, MachineName]]:
    """Of the numbers that renamings speak of: the ledger's machines, and who has given one up."""
    renamed = [
        (name_of(one), old)
        for one in records
        if one.values.get("asset_no") and (old := formerly(one))
    ]
    found = find(connection, {name for pair in renamed for name in pair}, today)
    held = current_names(connection, found.values())
    machines = {name.key: one for name, one in found.items() if held.get(one) == name.key}
    former = {name.key: held[one] for name, one in found.items() if one in held}
    return machines, former
