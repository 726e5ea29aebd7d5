"""Write what the ledger dates: statuses, verifications, memberships of rosters."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from sqlalchemy import Connection, insert, select, update

from gateway.city.db.tables import (
    equipment,
    equipment_status,
    ledger_verification,
    roster_member,
)
from gateway.city.ledger.check import site_of
from gateway.city.ledger.parse import Record

Machine = tuple[str, str, str]
"""(USCC, site number, asset number)."""

_History = dict[date, str]


def write_statuses(connection: Connection, records: Sequence[Record], today: date) -> set[int]:
    """Add an entry to the dated history of each machine whose status differs.

    The entry is dated by the row; without a date a new machine's holds since it was
    commissioned, a change since today.

    Returns:
        Ids of the machines that got an entry.
    """
    ids, histories = _ids(connection), _histories(connection)
    added: list[dict[str, Any]] = []
    corrected: set[int] = set()
    for record in records:
        machine = ids[_machine(record)]
        history = histories.get(machine, {})
        status, start = str(record.values["status"]), _start(record, history, today)
        if _status_on(history, start) == status:
            continue
        if start in history:
            _correct(connection, machine, start, status)
            corrected.add(machine)
        else:
            added.append({"equipment_id": machine, "valid_from": start, "status": status})
    if added:
        connection.execute(insert(equipment_status), added)
    return corrected.union(entry["equipment_id"] for entry in added)


def _machine(record: Record) -> Machine:
    values = record.values
    return str(values["uscc"]), site_of(record), str(values["asset_no"])


def _ids(connection: Connection) -> dict[Machine, int]:
    columns = equipment.c
    rows = connection.execute(select(columns.uscc, columns.site_no, columns.asset_no, columns.id))
    return {(uscc, site, asset): machine for uscc, site, asset, machine in rows}


def _histories(connection: Connection) -> Mapping[int, _History]:
    found: dict[int, _History] = defaultdict(dict)
    for row in connection.execute(select(equipment_status)):
        found[row.equipment_id][row.valid_from] = row.status
    return found


def _start(record: Record, history: _History, today: date) -> date:
    stated = cast(date | None, record.values.get("status_since"))
    if stated is not None or history:
        return stated or today
    return cast(date | None, record.values.get("commissioned_on")) or today


def _status_on(history: _History, day: date) -> str | None:
    begun = [start for start in history if start <= day]
    return history[max(begun)] if begun else None


def _correct(connection: Connection, machine: int, start: date, status: str) -> None:
    """Two entries cannot begin on one day; the later import holds."""
    connection.execute(
        update(equipment_status)
        .where(equipment_status.c.equipment_id == machine, equipment_status.c.valid_from == start)
        .values(status=status)
    )


def write_verifications(connection: Connection, records: Iterable[Record]) -> None:
    """Keep every verification of a ledger, so that a renewal does not undo an old month."""
    held = {(row.uscc, row.verified_on) for row in connection.execute(select(ledger_verification))}
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


@dataclass(frozen=True, slots=True)
class _Membership:
    roster: str
    uscc: str
    start: date | None
    end: date | None
    approved_by: str | None


def write_rosters(connection: Connection, records: Iterable[Record]) -> int:
    """Begin, correct or end memberships; returns how many.

    A membership that runs is corrected or ended by a row that names its roster again; an empty
    roster cell changes nothing.
    """
    held: dict[tuple[str, str], dict[date, Any]] = defaultdict(dict)
    for row in connection.execute(select(roster_member)):
        held[row.roster, row.uscc][row.valid_from] = row
    return sum(
        _write_membership(connection, wanted, held[wanted.roster, wanted.uscc])
        for record in records
        for wanted in _memberships(record)
    )


def _memberships(record: Record) -> Iterable[_Membership]:
    values = record.values
    for roster in cast(tuple[str, ...], values.get("roster") or ()):
        yield _Membership(
            roster,
            str(values["uscc"]),
            cast(date | None, values.get("roster_from")),
            cast(date | None, values.get("roster_to")),
            cast(str | None, values.get("roster_approved_by")),
        )


def _write_membership(
    connection: Connection, wanted: _Membership, held: Mapping[date, Any]
) -> bool:
    running = [start for start, row in held.items() if row.valid_to is None]
    start = wanted.start or max(running)  # the check refuses a row that has neither
    if start not in held:
        connection.execute(insert(roster_member), [_columns(wanted, start)])
        return True
    old = held[start]
    approved_by = wanted.approved_by if wanted.approved_by is not None else old.approved_by
    end = wanted.end or old.valid_to
    if (old.valid_to, old.approved_by) == (end, approved_by):
        return False
    connection.execute(
        update(roster_member)
        .where(
            roster_member.c.roster == wanted.roster,
            roster_member.c.uscc == wanted.uscc,
            roster_member.c.valid_from == start,
        )
        .values(valid_to=end, approved_by=approved_by)
    )
    return True


def _columns(wanted: _Membership, start: date) -> dict[str, Any]:
    return {
        "roster": wanted.roster,
        "uscc": wanted.uscc,
        "valid_from": start,
        "valid_to": wanted.end,
        "approved_by": wanted.approved_by or "",
    }
