"""Days on which machines stood still by plan, along the machines of a ledger."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy import Connection, select

from gateway.city.db.schema.stops import planned_stop_machine
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.stops.held import standing
from gateway.city.ledger.stops.table import Stop
from gateway.city.rates.attendance import Numbers, Stopped
from gateway.city.rates.columns.ledger import Ledger
from gateway.city.rates.columns.numbers import all_of, numbers_in
from gateway.city.rates.days.service import day_bits
from gateway.relational.database import chunks

_FOR_EVER = date.max.toordinal()


@dataclass(frozen=True, slots=True)
class StopDays:
    """Spans of days, a row for each machine of each stop.

    Attributes:
        places: of the machine.
        first: ordinal of the first day.
        last: of the last one.
        entered: of the day of entry; what was over by then was excused late.
    """

    places: Numbers
    first: Numbers
    last: Numbers
    entered: Numbers

    def month(self, first: date, machines: int) -> Stopped | None:
        """Who stands still by plan on the days of a month; None: nobody.

        A machine of which several stops say so is late only if all of them are.
        """
        behind = self.last + 1
        days = day_bits(first, self.first, behind)
        if not days.any():
            return None
        in_time = day_bits(first, np.maximum(self.first, self.entered), behind)
        stopped, said = (np.zeros(machines, np.uint32) for _ in range(2))
        np.bitwise_or.at(stopped, self.places, days)
        np.bitwise_or.at(said, self.places, in_time)
        return Stopped(stopped, stopped & ~said)


def stop_days(
    connection: Connection, ledger: Ledger, first: date, last: date, known: int | None
) -> StopDays | None:
    """The stops of a ledger's machines that touch some days; None: there are none.

    Args:
        connection: the city's database.
        ledger: the machines.
        first: day.
        last: day, inclusive.
        known: by which change of the ledger; None: now.
    """
    found = {
        one.number: one
        for one in standing(connection, known=known)
        if one.what.first_day <= last and (one.what.last_day is None or one.what.last_day >= first)
    }
    columns, rows = planned_stop_machine.c, []
    for part in chunks(found):
        machines = select(columns.stop_id, all_of(columns.machine_id))
        query = machines.where(columns.stop_id.in_(part)).group_by(columns.stop_id)
        for number, text in connection.execute(query):
            ids = numbers_in(text)
            spans = (np.full(len(ids), one, np.int64) for one in _span(found[number]))
            rows.append(np.stack([ids, *spans]))
    if not rows:
        return None
    of, *days = np.concatenate(rows, axis=1)
    places, known_ones = ledger.places(of)
    return StopDays(places[known_ones], *(one[known_ones] for one in days))


def _span(one: Standing[Stop]) -> tuple[int, int, int]:
    last = one.what.last_day
    return (
        one.what.first_day.toordinal(),
        last.toordinal() if last else _FOR_EVER,
        one.entered_on.toordinal(),
    )
