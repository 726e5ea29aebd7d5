"""Enter and withdraw shift schedules: acts upon the ledger, which only ever add."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.stops import shift_schedule, shift_schedule_end
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.acts import Doing, Kind, begin, conclude
from gateway.city.ledger.schedules.held import held_schedules
from gateway.city.ledger.schedules.table import Schedule, read_schedules
from gateway.city.ledger.sheet.parsing import Record
from gateway.city.ledger.sheet.problems import LedgerError, Problem
from gateway.city.ledger.stops.entering import Entered, StopError
from gateway.core.days import day_of
from gateway.relational.database import alone


def enter_schedules(
    connection: Connection, files: Sequence[Path], now_ms: int, made_by: str = ""
) -> Entered:
    """Import files of shift schedules: all rows or none; a row entered before stays one.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        files: CSV or XLSX.
        now_ms: UTC milliseconds.
        made_by: who imports.

    Raises:
        LedgerError: every mistake; nothing was changed.
    """
    today = day_of(now_ms)
    rows = read_schedules(files, today)
    alone(connection, "ledger")
    known = {one.schedule for one in held_schedules(connection)}
    new = {schedule: row for row, schedule in rows if schedule not in known}
    missing = [
        problem
        for schedule, row in new.items()
        if (problem := _nobody(connection, schedule, row)) is not None
    ]
    if missing:
        raise LedgerError(missing)
    if new:
        doing = Doing(Kind.SCHEDULES, made_by, ", ".join(one.name for one in files), now_ms)
        act = begin(connection, doing)
        connection.execute(insert(shift_schedule), [{"act_id": act, **asdict(one)} for one in new])
        conclude(connection, act, doing)
    late = sum(schedule.first_day < today for schedule in new)
    return Entered(len(new), len(rows) - len(new), late)


def _nobody(connection: Connection, schedule: Schedule, row: Record) -> Problem | None:
    """What is wrong if the ledger knows no such enterprise, or no machine on its site."""
    firm = select(enterprise.c.uscc).where(enterprise.c.uscc == schedule.uscc)
    if connection.scalar(firm) is None:
        text = "the ledger has no such enterprise; enter it first, or mend the row"
        return row.problem("uscc", text)
    own = equipment.c
    there = select(own.id).where(own.uscc == schedule.uscc, own.site_no == schedule.site_no)
    if schedule.site_no and connection.scalar(there.limit(1)) is None:
        return row.problem("site_no", "the enterprise has no machine on such a site")
    return None


def withdraw_schedule(
    connection: Connection, number: int, reason: str, now_ms: int, made_by: str = ""
) -> None:
    """Take a schedule back: what stands behind it holds again, in every month not frozen.

    Args:
        connection: the city's database, in a transaction that has done nothing yet.
        number: of the schedule.
        reason: in words.
        now_ms: UTC milliseconds.
        made_by: who says so.

    Raises:
        StopError: there is no such schedule, or no reason.
    """
    reason = " ".join(reason.split())
    if not reason:
        raise StopError(f"say why schedule {number} is withdrawn")
    alone(connection, "ledger")
    if number not in {one.number for one in held_schedules(connection)}:
        raise StopError(f"there is no schedule {number}, or it is withdrawn already")
    doing = Doing(Kind.SCHEDULE_END, made_by, reason, now_ms)
    act = begin(connection, doing)
    connection.execute(insert(shift_schedule_end).values(schedule_id=number, act_id=act))
    conclude(connection, act, doing)
