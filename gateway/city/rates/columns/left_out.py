"""Days that are on neither side, along the machines of a ledger: of rest, and of planned stops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.city.rates.attendance import Resting, Stopped
from gateway.city.rates.columns.ledger import Ledger
from gateway.city.rates.columns.schedules import ScheduledDays, scheduled_days
from gateway.city.rates.columns.stops import StopDays, stop_days
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.inquiry import Inquiry


@dataclass(frozen=True, slots=True)
class LeftOutDays:
    """What the ledger says of days that do not count.

    Attributes:
        machines: how many there are.
        schedules: shift schedules; None: all work by the official calendar.
        stops: planned stops; None: there are none.
    """

    machines: int
    schedules: ScheduledDays | None
    stops: StopDays | None

    def resting(self, first: date, calendar: Calendar | None) -> Resting | None:
        """Days of rest of a month where schedules speak of it; None: none does, or all count."""
        if self.schedules is None or calendar is None:
            return None
        return self.schedules.month(first, self.machines, calendar)

    def stopped(self, first: date) -> Stopped | None:
        """Who stands still by plan on the days of a month; None: nobody."""
        return None if self.stops is None else self.stops.month(first, self.machines)


def left_out_days(
    connection: Connection, ledger: Ledger, inquiries: Sequence[Inquiry], days: Sequence[date]
) -> LeftOutDays:
    """What is said of the days of a ledger's machines.

    Args:
        connection: the city's database.
        ledger: the machines.
        inquiries: all with the ledger as known at one time; where none leaves out days, nothing
            is read.
        days: in order, at least one.
    """
    machines = len(ledger.ids)
    if all(inquiry.calendar is None for inquiry in inquiries):
        return LeftOutDays(machines, None, None)
    asked = connection, ledger, days[0], days[-1], inquiries[0].known
    return LeftOutDays(machines, scheduled_days(*asked), stop_days(*asked))
