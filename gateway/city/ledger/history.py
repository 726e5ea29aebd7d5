"""Write and read the dated statuses of machines."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, delete, insert, select

from gateway.city.db.schema.ledger_history import (
    status_history,
)
from gateway.city.db.tables import (
    equipment_status,
    status_rows,
)
from gateway.city.ledger.codes import IN_SERVICE, STATUSES, WITHDRAWN
from gateway.city.ledger.machines import SINCE_EVER
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


def write_statuses(connection: Connection, changes: Sequence[StatusChange], act: int) -> None:
    """Write entries in place of those that they replace, and keep what an act says by them."""
    columns = status_rows.c
    keep_statuses(connection, changes, act)
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


def keep_statuses(connection: Connection, changes: Iterable[StatusChange], act: int) -> None:
    """Keep what an act says of statuses; what it replaces is said to be no entry any more."""
    none = (None, None)
    rows = [
        {"machine_id": one.machine, "valid_from": day, "act_id": act}
        | dict(zip(("status", "dated"), said, strict=True))
        for one in changes
        for day, said in {**dict.fromkeys(one.replaces, none), one.start: one.status}.items()
    ]
    if rows:
        connection.execute(insert(status_history), rows)


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
    if stated is None and history:
        # The day of the row's change is one that was written; who repeats today's status changes
        # another thing.
        if _status_on(history, today) != code:
            stated = cast(date | None, record.values.get("valid_from"))
    elif stated is None and code in IN_SERVICE:
        stated = cast(date | None, record.values.get("commissioned_on"))
    return stated or today, DatedStatus(code, dated=stated is not None)


def _status_on(history: History, day: date) -> str | None:
    begun = [start for start in history if start <= day]
    return history[max(begun)].code if begun else None
