"""Shift schedules as a sort of papers: of a place, and so of machines that come later, too."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, insert

from gateway.city.db.schema.stops import shift_schedule
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.papers.sort import Keeping, Sort
from gateway.city.ledger.papers.standing import machines_of
from gateway.city.ledger.schedules.held import SCHEDULED
from gateway.city.ledger.schedules.table import COLUMNS, SHEET, Schedule
from gateway.city.ledger.schedules.week import shown


def _misplaced(connection: Connection, schedule: Schedule) -> tuple[str, str] | None:
    if not schedule.site_no or machines_of(connection, schedule):
        return None
    return "site_no", "the enterprise has no machine on such a site"


def _write(connection: Connection, act: int, schedules: Sequence[Schedule]) -> None:
    rows = [{"act_id": act, **asdict(one)} for one in schedules]
    connection.execute(insert(shift_schedule), rows)


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
    keeping=Keeping(SCHEDULED, _write, SCHEDULED.take_back, _misplaced),
    entering=Kind.SCHEDULES,
    ending=Kind.SCHEDULE_END,
    shown={"work_days": shown},
)
