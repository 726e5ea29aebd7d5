"""Shift schedules as a sort of papers: of a place, and so of machines that come later, too."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

from sqlalchemy import Connection, insert, select

from gateway.city.access.principal import Scope
from gateway.city.db.schema.stops import shift_schedule, shift_schedule_end
from gateway.city.db.tables import equipment
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.papers.sort import Keeping, Sort
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import held_schedules
from gateway.city.ledger.schedules.table import COLUMNS, SHEET, Schedule
from gateway.city.ledger.schedules.week import shown


def _standing(connection: Connection, uscc: str | None, scope: Scope) -> list[Standing[Schedule]]:
    return held_schedules(connection, uscc, scope=scope)


def _machines(connection: Connection, schedule: Schedule) -> Sequence[int]:
    """The machines that stand there now."""
    own = equipment.c
    query = select(own.id).where(own.uscc == schedule.uscc)
    if schedule.site_no:
        query = query.where(own.site_no == schedule.site_no)
    return connection.scalars(query).all()


def _misplaced(connection: Connection, schedule: Schedule) -> tuple[str, str] | None:
    if not schedule.site_no or _machines(connection, schedule):
        return None
    return "site_no", "the enterprise has no machine on such a site"


def _write(connection: Connection, act: int, schedules: Sequence[Schedule]) -> None:
    rows = [{"act_id": act, **asdict(one)} for one in schedules]
    connection.execute(insert(shift_schedule), rows)


def _end(connection: Connection, act: int, of: Standing[Schedule], _last: date | None) -> None:
    connection.execute(insert(shift_schedule_end).values(schedule_id=of.number, act_id=act))


SCHEDULES = Sort(
    name="schedules",
    one="schedule",
    sheet=SHEET,
    columns=COLUMNS,
    fields={
        "schedule_from": "first_day",
        "schedule_to": "last_day",
        "work_days": "weeks",
        "schedule_reason": "reason",
    },
    make=Schedule,
    keeping=Keeping(_standing, _write, _end, _machines, _misplaced),
    entering=Kind.SCHEDULES,
    ending=Kind.SCHEDULE_END,
    shown={"work_days": shown},
)
