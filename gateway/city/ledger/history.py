"""Write what the ledger dates: statuses, verifications, memberships of rosters."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, delete, insert, select, update

from gateway.city.db.tables import (
    equipment_status,
    ledger_verification,
    roster_member,
    status_rows,
)
from gateway.city.ledger.check import Rosters
from gateway.city.ledger.codes import IN_SERVICE, STATUSES, WITHDRAWN
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.ledger.rosters import restated
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import Problem
from gateway.relational.database import chunks
from gateway.relational.upsert import insert_for


class DatedStatus(NamedTuple):
    """A status that a machine has from a day on.

    Attributes:
        code: a key of ``STATUSES``.
        dated: the day was written; else it is the day of entry, by which the status had begun.
    """

    code: str
    dated: bool = True


History = Mapping[date, DatedStatus]
"""Statuses of a machine by their first day."""


class StatusChange(NamedTuple):
    """A new entry of a machine's dated history.

    Attributes:
        machine: its id.
        start: first day of the status.
        status: and whether that day was written.
        replaces: first days of the entries that it takes the place of.
    """

    machine: int
    start: date
    status: DatedStatus
    replaces: tuple[date, ...] = ()


def status_change(
    record: Record, machine: int, history: History, today: date
) -> StatusChange | None:
    """The entry by which a row changes a machine's history; None: its status is the same.

    The entry is dated by the row; without a date a new machine that is in service has been so
    since it was commissioned, and any other entry is an undated one of today. A machine that was
    entered by mistake is withdrawn since ever; a row of it brings it back as a new one.
    """
    code = str(record.values["status"])
    if _is_back(code, history):
        start, status = _start(record, {}, today)
        return StatusChange(machine, start, status, tuple(history))
    start, status = _start(record, history, today)
    if _status_on(history, start) == code:
        return _dating(record, machine, history)
    if code == WITHDRAWN:
        return withdrawal(machine, history)
    # Two entries cannot begin on one day; the later import holds.
    return StatusChange(machine, start, status, (start,) if start in history else ())


def _is_back(code: str, history: History) -> bool:
    return code != WITHDRAWN and {one.code for one in history.values()} == {WITHDRAWN}


def _dating(record: Record, machine: int, history: History) -> StatusChange | None:
    """A first entry without a date gets that of the commissioning which a row now tells."""
    commissioned = cast(date | None, record.values.get("commissioned_on"))
    entered = min(history, default=date.max)
    first = history.get(entered)
    if first is None or first.dated or first.code not in IN_SERVICE or commissioned is None:
        return None
    if commissioned > entered:
        return None
    return StatusChange(machine, commissioned, DatedStatus(first.code), (entered,))


_BACK = "this machine was withdrawn as entered by mistake, and is back by this row"


def status_notes(record: Record, history: History, today: date) -> Iterator[Problem]:
    """What to tell of a row that does not say what the ledger says now.

    Entries behind that of the row stay: nobody may think that the row holds.
    """
    code = str(record.values["status"])
    is_back = _is_back(code, history)
    if is_back:
        yield record.problem("status", _BACK)
    if code == WITHDRAWN:
        return
    held = {} if is_back else history
    start, status = _start(record, held, today)
    if not status.dated and _status_on(held, start) != code:
        yield record.problem("status_since", _undated(held, code, today))
    yield from _overruled(record, {**held, start: status}, start, today)


def _undated(history: History, code: str, today: date) -> str:
    """What it means that an entry has no date, and how to give it one."""
    if history:
        return (
            f"no day is given for the change to {STATUSES[code].zh}: the days between "
            f"{max(history)} and {today} are undetermined, count in the denominator and prove "
            "nothing; write 状态起始日期"
        )
    if code in IN_SERVICE:
        return (
            "neither 投用日期 nor 状态起始日期 is given: until the end of this month the machine "
            "is in the denominator and cannot be in the numerator; write one of them"
        )
    return (
        f"no day is given since when it is {STATUSES[code].zh}: the days before {today} count in "
        "the denominator and prove nothing; write 状态起始日期"
    )


def _overruled(record: Record, history: History, start: date, today: date) -> Iterator[Problem]:
    later = max((day for day in history if start < day <= today), default=None)
    if later is not None and history[later].code != history[start].code:
        yield record.problem(
            "status_since" if "status_since" in record.written else "status",
            f"{STATUSES[history[start].code].zh} since {start} does not hold today: the ledger has "
            f"{STATUSES[history[later].code].zh} since {later}; to correct that, name {later} "
            "or a later day",
        )


def withdrawal(machine: int, history: History) -> StatusChange:
    """A machine's row was a mistake: it was never in service, whatever its history said."""
    return StatusChange(machine, SINCE_EVER, DatedStatus(WITHDRAWN), tuple(history))


def write_statuses(connection: Connection, changes: Sequence[StatusChange]) -> None:
    """Write entries in place of those that they replace."""
    columns = status_rows.c
    for one in changes:
        if one.replaces:
            own = (columns.equipment_id == one.machine, columns.valid_from.in_(one.replaces))
            connection.execute(delete(status_rows).where(*own))
    if not changes:
        return
    # A version of that day that no longer counts may still be there.
    entry = insert_for(connection, status_rows)
    said = {name: entry.excluded[name] for name in ("status", "dated")}
    connection.execute(
        entry.on_conflict_do_update(index_elements=_ENTRY, set_=said | {"replaced_by": None}),
        status_entries(changes),
    )


_ENTRY = ("equipment_id", "valid_from", "import_id")


def status_entries(changes: Iterable[StatusChange], import_id: int = 0) -> list[dict[str, Any]]:
    """Rows of ``equipment_status``, as versions of an import in parts if there is one."""
    columns = (*_ENTRY, "status", "dated")
    return [
        dict(zip(columns, (one.machine, one.start, import_id, *one.status), strict=True))
        for one in changes
    ]


def statuses_on(connection: Connection, machines: Iterable[int], day: date) -> dict[int, str]:
    """The status that each machine has on a day; machines without one are left out."""
    held = histories(connection, machines)
    found = {machine: _status_on(history, day) for machine, history in held.items()}
    return {machine: status for machine, status in found.items() if status is not None}


def histories(connection: Connection, ids: Iterable[int]) -> Mapping[int, History]:
    """The dated statuses of some machines; machines without any are left out."""
    found: dict[int, dict[date, DatedStatus]] = defaultdict(dict)
    for part in chunks(ids):
        query = select(equipment_status).where(equipment_status.c.equipment_id.in_(part))
        for row in connection.execute(query):
            found[row.equipment_id][row.valid_from] = DatedStatus(row.status, row.dated)
    return found


def _start(record: Record, history: History, today: date) -> tuple[date, DatedStatus]:
    """The first day of a row's status, and the status with whether that day was written."""
    code = str(record.values["status"])
    stated = cast(date | None, record.values.get("status_since"))
    if stated is None and not history and code in IN_SERVICE:
        stated = cast(date | None, record.values.get("commissioned_on"))
    return stated or today, DatedStatus(code, dated=stated is not None)


def _status_on(history: History, day: date) -> str | None:
    begun = [start for start in history if start <= day]
    return history[max(begun)].code if begun else None


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
