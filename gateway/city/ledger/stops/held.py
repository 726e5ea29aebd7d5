"""Planned stops that stand, as they were known by a change of the ledger."""

from dataclasses import dataclass, fields
from datetime import date

from sqlalchemy import ColumnElement, Connection, Select, select

from gateway.city.db.schema.ledger_history import ledger_act
from gateway.city.db.schema.stops import planned_stop, planned_stop_end, planned_stop_machine
from gateway.city.ledger.stops.table import Stop
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A stop that was said and not withdrawn.

    Attributes:
        number: of the stop.
        stop: what was said.
        known_ms: since when it is known, UTC milliseconds.
        made_by: who entered it.
    """

    number: int
    stop: Stop
    known_ms: int
    made_by: str

    @property
    def entered_on(self) -> date:
        """Day of entry; days before it were excused when they were over (late)."""
        return day_of(self.known_ms)

    def covers(self, day: date) -> bool:
        """Whether a day is one of it."""
        last = self.stop.last_day
        return self.stop.first_day <= day and (last is None or day <= last)

    @property
    def is_late(self) -> bool:
        """Some of its days were over when it was entered."""
        return self.stop.first_day < self.entered_on


_NAMES = tuple(one.name for one in fields(Stop))


def standing(
    connection: Connection, uscc: str | None = None, known: int | None = None
) -> list[Standing]:
    """The stops that stand, in the order in which they became known.

    Args:
        connection: the city's database.
        uscc: only of this enterprise; None: all.
        known: by which change of the ledger; None: now.
    """
    query = select(planned_stop, ledger_act.c.known_ms, ledger_act.c.made_by)
    query = query.join(ledger_act, ledger_act.c.id == planned_stop.c.act_id)
    query = query.where(counts(known), planned_stop.c.id.not_in(_withdrawn(known)))
    if uscc is not None:
        query = query.where(planned_stop.c.uscc == uscc)
    query = query.order_by(ledger_act.c.change_id, planned_stop.c.id)
    return [
        Standing(
            row["id"], Stop(**{name: row[name] for name in _NAMES}), row["known_ms"], row["made_by"]
        )
        for row in connection.execute(query).mappings()
    ]


def stop_of(connection: Connection, number: int) -> Stop:
    """What a stop said, whether it stands or not.

    Raises:
        NoResultFound: there is none of this number.
    """
    query = select(planned_stop).where(planned_stop.c.id == number)
    row = connection.execute(query).mappings().one()
    return Stop(**{name: row[name] for name in _NAMES})


def stops_of(connection: Connection, machine: int) -> list[Standing]:
    """The stops of one machine that stand."""
    columns = planned_stop_machine.c
    own = set(connection.scalars(select(columns.stop_id).where(columns.machine_id == machine)))
    return [one for one in standing(connection) if one.number in own] if own else []


def counts(known: int | None) -> ColumnElement[bool]:
    """Which acts count: those that have ended, by a change of the ledger; None: by now."""
    change = ledger_act.c.change_id
    return change.is_not(None) if known is None else change <= known


def _withdrawn(known: int | None) -> Select[tuple[int]]:
    query = select(planned_stop_end.c.stop_id)
    return query.join(ledger_act, ledger_act.c.id == planned_stop_end.c.act_id).where(counts(known))
