"""Write what an undoing says: into the history, and so that the current rows say it, too."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, update

from gateway.city.db.schema.ledger_history import roster_history, verification_history
from gateway.city.db.tables import (
    enterprise,
    equipment_rows,
    ledger_verification,
    roster_member,
    status_rows,
)
from gateway.city.ledger.bitemporal.entries import ENTERPRISE, MACHINE, Subject, write_steps
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.history import DatedStatus, StatusChange, status_entries
from gateway.city.ledger.importing.parts import mark_statuses
from gateway.city.ledger.undoing.reversing import held_after
from gateway.city.ledger.undoing.tellings import STATUSES, Key, Telling, Values
from gateway.core.days import day_of

Said = Mapping[Key, Mapping[date, Values | None]]
_MOVED = frozenset({"uscc", "site_no"})


def write_machines(
    connection: Connection, act: int, said: Said, held: Mapping[Key, Telling], now_ms: int
) -> None:
    """Attributes of machines."""
    write_attributes(connection, MACHINE, act, said)
    _write_current(connection, equipment_rows, "id", current(said, held, now_ms))


def write_enterprises(
    connection: Connection, act: int, said: Said, held: Mapping[Key, Telling], now_ms: int
) -> None:
    """Attributes of enterprises."""
    write_attributes(connection, ENTERPRISE, act, said)
    _write_current(connection, enterprise, "uscc", current(said, held, now_ms))


def write_attributes(connection: Connection, subject: Subject, act: int, said: Said) -> None:
    """What holds of attributes, by day, into the history."""
    whole = {
        key[0]: {day: values for day, values in days.items() if values is not None}
        for key, days in said.items()
    }
    write_steps(connection, subject, act, whole)


def current(said: Said, held: Mapping[Key, Telling], now_ms: int) -> Sequence[tuple[Any, Values]]:
    """What a current row is to say, by id or USCC."""
    today = day_of(now_ms)
    found = ((key[0], at(held_after(held[key], days), today)) for key, days in said.items())
    return [(one, _stays(values or {})) for one, values in found]


def _stays(values: Values) -> Values:
    return {name: value for name, value in values.items() if name not in _MOVED}


def _write_current(
    connection: Connection, table: Table, key: str, rows: Sequence[tuple[Any, Values]]
) -> None:
    if not rows:
        return
    names = [name for name in rows[0][1] if name in table.c]
    query = update(table).where(table.c[key] == bindparam("the_key"))
    query = query.values({name: bindparam(f"new_{name}") for name in names})
    connection.execute(
        query, [{"the_key": one} | {f"new_{n}": row[n] for n in names} for one, row in rows]
    )


def write_statuses(connection: Connection, act: int, said: Said, import_id: int = 0) -> None:
    """Dated statuses of machines, as versions of what is written in parts if it is."""
    if not said:
        return
    none = dict.fromkeys(STATUSES.values)
    entries = [(key[0], day, values) for key, days in said.items() for day, values in days.items()]
    history = [
        {"machine_id": machine, "valid_from": day, "act_id": act, **(values or none)}
        for machine, day, values in entries
    ]
    connection.execute(insert(STATUSES.table), history)
    _take_away(connection, [(machine, day) for machine, day, _ in entries], import_id)
    there = [
        StatusChange(machine, day, DatedStatus(values["status"], values["dated"]))
        for machine, day, values in entries
        if values is not None
    ]
    if there:
        connection.execute(insert(status_rows), status_entries(there, import_id))


def _take_away(connection: Connection, days: Sequence[tuple[int, date]], import_id: int) -> None:
    if import_id:
        mark_statuses(connection, days, import_id)
        return
    columns = status_rows.c
    own = (columns.equipment_id == bindparam("machine"), columns.valid_from == bindparam("day"))
    gone = [{"machine": machine, "day": day} for machine, day in days]
    connection.execute(delete(status_rows).where(*own), gone)


def write_rosters(connection: Connection, act: int, said: Said) -> None:
    """Memberships of rosters."""
    member = roster_member.c
    for (roster, uscc), days in said.items():
        for day, values in days.items():
            of = {"roster": roster, "uscc": uscc, "valid_from": day}
            own = (member.roster == roster, member.uscc == uscc, member.valid_from == day)
            connection.execute(delete(roster_member).where(*own))
            if values is not None:
                connection.execute(insert(roster_member), [of | dict(values)])
            none = {"valid_to": None, "approved_by": None}
            row = of | dict(values or none) | {"act_id": act}
            connection.execute(insert(roster_history), [row])


def write_verifications(
    connection: Connection, act: int, said: Said, held: Mapping[Key, Telling]
) -> None:
    """Verifications of ledgers; an enterprise's own row names the newest that is left."""
    kept = ledger_verification.c
    for (uscc,), days in said.items():
        for day, values in days.items():
            of = {"uscc": uscc, "verified_on": day}
            own = (kept.uscc == uscc, kept.verified_on == day)
            connection.execute(delete(ledger_verification).where(*own))
            if values is not None:
                connection.execute(insert(ledger_verification), [of | dict(values)])
            row = of | dict(values or {"verified_by": None}) | {"act_id": act}
            connection.execute(insert(verification_history), [row])
        left = held_after(held[(uscc,)], days)
        newest = max(left, default=None)
        mark = {
            "ledger_verified_on": newest,
            "ledger_verified_by": left[newest]["verified_by"] if newest else None,
        }
        connection.execute(update(enterprise).where(enterprise.c.uscc == uscc).values(mark))
