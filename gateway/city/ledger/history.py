"""Write what the ledger dates: statuses, verifications, memberships of rosters."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db.database import chunks
from gateway.city.db.tables import equipment_status, ledger_verification, roster_member
from gateway.city.ledger.check import Rosters
from gateway.city.ledger.codes import WITHDRAWN
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.ledger.rosters import restated
from gateway.city.ledger.sheet.parsing import Record

History = Mapping[date, str]
"""Statuses of a machine by their first day."""


def write_statuses(
    connection: Connection,
    records: Sequence[Record],
    ids: Sequence[int],
    held: Mapping[int, History],
    today: date,
) -> set[int]:
    """Add an entry to the dated history of each machine whose status differs.

    The entry is dated by the row; without a date a new machine's holds since it was
    commissioned, a change since today. One that was entered by mistake is withdrawn since ever.

    Args:
        connection: in a transaction.
        records: rows of equipment.
        ids: the machine of each row.
        held: the histories as they are, by machine.
        today: Asia/Shanghai day.

    Returns:
        Ids of the machines that got an entry.
    """
    added: list[dict[str, Any]] = []
    corrected: set[int] = set()
    for record, machine in zip(records, ids, strict=True):
        history = held.get(machine, {})
        status, start = str(record.values["status"]), _start(record, history, today)
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
    return corrected.union(entry["equipment_id"] for entry in added)


def withdraw(connection: Connection, machine: int) -> None:
    """A machine's row was a mistake: it was never in service, whatever its history said."""
    own = equipment_status.c.equipment_id == machine
    connection.execute(delete(equipment_status).where(own))
    entry = {"equipment_id": machine, "valid_from": SINCE_EVER, "status": WITHDRAWN}
    connection.execute(insert(equipment_status), [entry])


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
