"""Days of rest by the shift schedules of enterprises, along the machines of a ledger."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np
from sqlalchemy import Connection, select

from gateway.city.db.tables import equipment
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import held_schedules
from gateway.city.ledger.schedules.table import Official, Schedule, by_precedence
from gateway.city.rates.attendance import Numbers, Resting
from gateway.city.rates.columns.ledger import Ledger

_ALL = (1 << 31) - 1
"""Every day of a month."""


@dataclass(frozen=True, slots=True)
class ScheduledDays:
    """Schedules, and the machines of each.

    Attributes:
        held: the schedules; what stands before others comes last.
        places: of the machines of each.
    """

    held: Sequence[Standing[Schedule]]
    places: Sequence[Numbers]

    def month(self, first: date, machines: int, official: Official) -> Resting | None:
        """Which days of a month are of rest to each of so many machines.

        Args:
            first: of the month.
            machines: how many there are.
            official: the calendar, for days of which no schedule speaks.

        Returns:
            None if no schedule says anything of the month.
        """
        days = [first + timedelta(days=one) for one in range(monthrange(*first.timetuple()[:2])[1])]
        usual = _mask(days, lambda day: official.is_rest(day) is True)
        rest, known = (np.full(machines, usual, np.uint32) for _ in range(2))
        speaks = False
        for one, places in zip(self.held, self.places, strict=True):
            covers = _mask(days, one.what.covers)
            rests = _mask(days, partial(one.what.rests, official=official)) & covers
            in_time = covers & _mask(days, one.entered_on.__le__)
            speaks |= covers != 0
            for decided, speaking in ((rest, covers), (known, in_time)):
                decided[places] &= np.uint32(_ALL & ~speaking)
                decided[places] |= np.uint32(rests & speaking)
        return Resting(rest, rest & ~np.uint32(usual), rest ^ known) if speaks else None


def _mask(days: Iterable[date], rule: Callable[[date], bool]) -> int:
    return sum(1 << (day.day - 1) for day in days if rule(day))


def scheduled_days(
    connection: Connection, ledger: Ledger, first: date, last: date, known: int | None
) -> ScheduledDays | None:
    """The schedules of a ledger's machines that touch some days; None: there are none.

    Args:
        connection: the city's database.
        ledger: the machines.
        first: day.
        last: day, inclusive; on it a site has the machines that it has.
        known: by which change of the ledger; None: now.
    """
    firms = ledger.firm_names.known
    found = {
        one.number: one
        for one in held_schedules(connection, known=known)
        if one.what.uscc in firms
        and one.what.first_day <= last
        and (one.what.last_day is None or one.what.last_day >= first)
    }
    if not found:
        return None
    order = by_precedence((number, one.what) for number, one in found.items())
    sites = _sites(connection, {one.uscc for _, one in order if one.site_no}, last, known)
    held, places = [], []
    for number, one in order:
        (own,) = np.nonzero(ledger.firms == firms[one.uscc])
        if one.site_no:
            own = own[np.isin(ledger.ids[own], sites[one.uscc, one.site_no])]
        held.append(found[number])
        places.append(own)
    return ScheduledDays(held, places)


def _sites(
    connection: Connection, firms: set[str], day: date, known: int | None
) -> defaultdict[tuple[str, str], list[int]]:
    """Machines by enterprise and site, as they stood on a day."""
    columns, found = equipment.c, defaultdict[tuple[str, str], list[int]](list)
    for uscc in sorted(firms):
        rows = connection.execute(
            select(columns.id, columns.site_no).where(columns.uscc == uscc)
        ).all()
        steps = held_steps(connection, MACHINE, [row.id for row in rows], known)
        for row in rows:
            values = at(steps.get(row.id, {}), day)
            found[uscc, values["site_no"] if values else row.site_no].append(row.id)
    return found
