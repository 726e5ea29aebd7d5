"""Shift schedules that stand, as they were known by a change of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

from sqlalchemy import Connection, select

from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.schema.stops import shift_schedule, shift_schedule_end
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.schedules.table import Official, Schedule, by_precedence
from gateway.city.ledger.stops.held import counts
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class Held:
    """A schedule that was said and not withdrawn.

    Attributes:
        number: of the schedule; they are numbered as they were said.
        schedule: what was said.
        known_ms: since when it is known, UTC milliseconds.
        made_by: who entered it.
    """

    number: int
    schedule: Schedule
    known_ms: int
    made_by: str

    @property
    def entered_on(self) -> date:
        """Day of entry; what it says of days before was said when they were over (late)."""
        return day_of(self.known_ms)

    @property
    def is_late(self) -> bool:
        """Some of its days were over when it was entered."""
        return self.schedule.first_day < self.entered_on


_NAMES = tuple(one.name for one in fields(Schedule))


def held_schedules(
    connection: Connection, uscc: str | None = None, known: int | None = None
) -> list[Held]:
    """The schedules that stand, in the order in which they were said.

    Args:
        connection: the city's database.
        uscc: only of this enterprise; None: all.
        known: by which change of the ledger; None: now.
    """
    columns, ended = shift_schedule.c, shift_schedule_end.c
    query = select(shift_schedule, ledger_act.c.known_ms, ledger_act.c.made_by)
    query = query.join(ledger_act, ledger_act.c.id == columns.act_id).where(counts(known))
    gone = select(ended.schedule_id).join(ledger_act, ledger_act.c.id == ended.act_id)
    query = query.where(columns.id.not_in(gone.where(counts(known))))
    if uscc is not None:
        query = query.where(columns.uscc == uscc)
    return [
        Held(
            row["id"],
            Schedule(**{name: row[name] for name in _NAMES}),
            row["known_ms"],
            row["made_by"],
        )
        for row in connection.execute(query.order_by(columns.id)).mappings()
    ]


def schedules_of(connection: Connection, machine: MachineName) -> list[Held]:
    """The schedules of a machine's enterprise and site; what stands before others comes last."""
    own = {
        one.number: one
        for one in held_schedules(connection, machine.uscc)
        if one.schedule.site_no in ("", machine.site_no)
    }
    order = by_precedence((number, one.schedule) for number, one in own.items())
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
    by: Held | None = None
    late: bool = False


def day_of_rest(own: Sequence[Held], day: date, official: Official) -> DayOfRest:
    """What a day is to a machine.

    Args:
        own: schedules of its enterprise and site, what stands before others last.
        day: Asia/Shanghai day.
        official: the calendar.
    """
    rest = official.is_rest(day)
    if rest is None:
        return DayOfRest(None)
    covering = [one for one in own if one.schedule.covers(day)]
    if not covering:
        return DayOfRest(rest)
    in_time = [one for one in covering if one.entered_on <= day]
    known = in_time[-1].schedule.rests(day, official) if in_time else rest
    said = covering[-1].schedule.rests(day, official)
    return DayOfRest(said, covering[-1], said != known)
