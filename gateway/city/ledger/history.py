"""Write what the ledger dates: statuses, verifications, memberships of rosters."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db.database import chunks
from gateway.city.db.tables import equipment_status, ledger_verification, roster_member
from gateway.city.ledger.check import Rosters
from gateway.city.ledger.codes import STATUSES, WITHDRAWN
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.ledger.rosters import restated
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem

History = Mapping[date, str]
"""Statuses of a machine by their first day."""


@dataclass(frozen=True, slots=True)
class WrittenStatuses:
    """What became of the statuses of an import.

    Attributes:
        machines: ids of those that got an entry.
        notes: rows that do not say what the ledger says now.
    """

    machines: set[int]
    notes: list[Problem]


def write_statuses(
    connection: Connection,
    records: Sequence[Record],
    ids: Sequence[int],
    held: Mapping[int, History],
    today: date,
) -> WrittenStatuses:
    """Add an entry to the dated history of each machine whose status differs.

    The entry is dated by the row; without a date a new machine's holds since it was
    commissioned, a change since today. One that was entered by mistake is withdrawn since ever;
    a row of it brings it back as a new one. Entries behind that of a row stay, and are told.

    Args:
        connection: in a transaction.
        records: rows of equipment.
        ids: the machine of each row.
        held: the histories as they are, by machine.
        today: Asia/Shanghai day.
    """
    added: list[dict[str, Any]] = []
    corrected: set[int] = set()
    notes: list[Problem] = []
    for record, machine in zip(records, ids, strict=True):
        history, status = held.get(machine, {}), str(record.values["status"])
        if status != WITHDRAWN and set(history.values()) == {WITHDRAWN}:
            notes.append(record.problem("status", _BACK))
            _forget(connection, machine)
            history = {}
        start = _start(record, history, today)
        if status != WITHDRAWN:
            notes.extend(_overruled(record, {**history, start: status}, start, today))
        if _status_on(history, start) == status:
            continue
        if status == WITHDRAWN:
            withdraw(connection, machine)
            corrected.add(machine)
            continue
        if start in history:
            _correct(connection, machine, start, status)
            corrected.add(machine)
        else:
            added.append({"equipment_id": machine, "valid_from": start, "status": status})
    if added:
        connection.execute(insert(equipment_status), added)
    return WrittenStatuses(corrected.union(one["equipment_id"] for one in added), notes)


_BACK = "this machine was withdrawn as entered by mistake, and is back by this row"


def _overruled(record: Record, history: History, start: date, today: date) -> Iterator[Problem]:
    """What the ledger has of a later day than the row: nobody may think that the row holds."""
    later = max((day for day in history if start < day <= today), default=None)
    if later is not None and history[later] != history[start]:
        yield record.problem(
            "status_since" if "status_since" in record.written else "status",
            f"{STATUSES[history[start]].zh} since {start} does not hold today: the ledger has "
            f"{STATUSES[history[later]].zh} since {later}; to correct that, name {later} "
            "or a later day",
        )


def withdraw(connection: Connection, machine: int) -> None:
    """A machine's row was a mistake: it was never in service, whatever its history said."""
    _forget(connection, machine)
    entry = {"equipment_id": machine, "valid_from": SINCE_EVER, "status": WITHDRAWN}
    connection.execute(insert(equipment_status), [entry])


def _forget(connection: Connection, machine: int) -> None:
    own = equipment_status.c.equipment_id == machine
    connection.execute(delete(equipment_status).where(own))


def statuses_on(connection: Connection, machines: Iterable[int], day: date) -> dict[int, str]:
    """The status that each machine has on a day; machines without one are left out."""
    held = histories(connection, machines)
    found = {machine: _status_on(history, day) for machine, history in held.items()}
    return {machine: status for machine, status in found.items() if status is not None}


def histories(connection: Connection, ids: Iterable[int]) -> Mapping[int, History]:
    """The dated statuses of some machines; machines without any are left out."""
    found: dict[int, dict[date, str]] = defaultdict(dict)
    for part in chunks(ids):
        query = select(equipment_status).where(equipment_status.c.equipment_id.in_(part))
        for row in connection.execute(query):
            found[row.equipment_id][row.valid_from] = row.status
    return found


def _start(record: Record, history: History, today: date) -> date:
    stated = cast(date | None, record.values.get("status_since"))
    if stated is not None or history:
        return stated or today
    return cast(date | None, record.values.get("commissioned_on")) or today


def _status_on(history: History, day: date) -> str | None:
    begun = [start for start in history if start <= day]
    return history[max(begun)] if begun else None


def _correct(connection: Connection, machine: int, start: date, status: str) -> None:
    """Two entries cannot begin on one day; the later import holds."""
    connection.execute(
        update(equipment_status)
        .where(equipment_status.c.equipment_id == machine, equipment_status.c.valid_from == start)
        .values(status=status)
    )


def write_verifications(
    connection: Connection, records: Iterable[Record], held: AbstractSet[tuple[str, date]]
) -> None:
    """Keep every verification of a ledger, so that a renewal does not undo an old month.

    Args:
        connection: in a transaction.
        records: rows of enterprises.
        held: USCC and day of those that are kept already.
    """
    added = [
        {
            "uscc": record.values["uscc"],
            "verified_on": day,
            "verified_by": record.values["ledger_verified_by"],
        }
        for record in records
        if (day := record.values.get("ledger_verified_on")) is not None
        and (record.values["uscc"], day) not in held
    ]
    if added:
        connection.execute(insert(ledger_verification), added)


def write_rosters(connection: Connection, records: Iterable[Record], held: Rosters) -> int:
    """Begin, correct or end memberships; returns how many. The rows have been checked."""
    return sum(
        _write_membership(connection, record, roster, held)
        for record in records
        for roster in cast(tuple[str, ...], record.values.get("roster") or ())
    )


def _write_membership(connection: Connection, record: Record, roster: str, held: Rosters) -> bool:
    values, member = record.values, roster_member.c
    uscc = str(values["uscc"])
    old, new = restated(
        held.get((roster, uscc), ()),
        cast(date | None, values.get("roster_from")),
        cast(date | None, values.get("roster_to")),
        cast(str | None, values.get("roster_approved_by")),
        roster,
    )
    if old == new:
        return False
    row = {"valid_from": new.start, "valid_to": new.end, "approved_by": new.approved_by}
    if old is None:
        connection.execute(insert(roster_member), [row | {"roster": roster, "uscc": uscc}])
    else:
        own = (member.roster == roster, member.uscc == uscc, member.valid_from == old.start)
        connection.execute(update(roster_member).where(*own).values(row))
    return True
