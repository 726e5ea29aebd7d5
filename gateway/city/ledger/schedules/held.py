"""Shift schedules that stand, as they were known by a change of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from sqlalchemy import Connection, RowMapping

from gateway.city.db.schema.stops import shift_schedule, shift_schedule_end
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.papers.standing import Kept, Standing
from gateway.city.ledger.schedules.table import Official, Schedule, by_precedence

_NAMES = tuple(one.name for one in fields(Schedule))


def _schedule(row: RowMapping) -> Schedule:
    return Schedule(**{name: row[name] for name in _NAMES})


SCHEDULED = Kept(shift_schedule, _schedule, shift_schedule_end.c.schedule_id)
"""Shift schedules."""

held_schedules = SCHEDULED.standing
"""The schedules that stand, in the order in which they were said."""


def schedules_of(connection: Connection, machine: MachineName) -> list[Standing[Schedule]]:
    """The schedules of a machine's enterprise and site; what stands before others comes last."""
    own = {
        one.number: one
        for one in held_schedules(connection, machine.uscc)
        if one.what.site_no in ("", machine.site_no)
    }
    order = by_precedence((number, one.what) for number, one in own.items())
    return [own[number] for number, _ in order]


@dataclass(frozen=True, slots=True)
class DayOfRest:
    """What a day is to a machine by its schedules and the official calendar.

    Attributes:
        rest: one of rest; None: the year's arrangement is not known.
        by: the schedule that says so; None: the official calendar does.
        late: what was known on the day said otherwise.
    """

    rest: bool | None
    by: Standing[Schedule] | None = None
    late: bool = False


def day_of_rest(own: Sequence[Standing[Schedule]], day: date, official: Official) -> DayOfRest:
    """What a day is to a machine.

    Args:
        own: schedules of its enterprise and site, what stands before others last.
        day: Asia/Shanghai day.
        official: the calendar.
    """
    rest = official.is_rest(day)
    if rest is None:
        return DayOfRest(None)
    covering = [one for one in own if one.what.covers(day)]
    if not covering:
        return DayOfRest(rest)
    in_time = [one for one in covering if one.entered_on <= day]
    known = in_time[-1].what.rests(day, official) if in_time else rest
    said = covering[-1].what.rests(day, official)
    return DayOfRest(said, covering[-1], said != known)
