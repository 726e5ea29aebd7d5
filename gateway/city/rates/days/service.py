"""Which days a machine is in service, day by day, for all machines of a ledger at once. Pure.

Every array runs along the machines, in the order of the ledger's columns.
"""

from datetime import date

import numpy as np

from gateway.city.rates.attendance import Codes, Flags, Numbers, Service

NO_STATUS = 0
"""Code of a status before the first entry."""


class StatusHistory:
    """The dated statuses of machines, told day by day.

    Args:
        machines: how many there are.
        places: place of the machine of each entry.
        days: ordinal of the day from which each entry holds.
        codes: its status.
    """

    def __init__(self, machines: int, places: Numbers, days: Numbers, codes: Codes) -> None:
        order = np.argsort(days, kind="stable")
        self._places, self._days, self._codes = places[order], days[order], codes[order]
        self._now: Codes = np.full(machines, NO_STATUS, np.uint8)
        self._begun = 0

    def on(self, day: date) -> Codes:
        """The statuses on a day; days are asked for in order, and the next one changes these."""
        upto = int(np.searchsorted(self._days, day.toordinal(), "right"))
        new = slice(self._begun, upto)
        # Of several entries of a machine the last one in order of days is left.
        self._now[self._places[new]] = self._codes[new]
        self._begun = upto
        return self._now


def spans_before(
    places: Numbers, days: Numbers, codes: Codes, dated: Flags
) -> tuple[Numbers, Numbers, Codes]:
    """The spans of days that undated entries leave open, as entries of a further history.

    An entry without a date says that its status had begun by the day of entry. From the day after
    the entry before it – since ever, if it is the first – each day may have had either status.

    Args:
        places: place of the machine of each entry; of one machine no two begin on one day.
        days: ordinal of the day from which each entry holds.
        codes: its status.
        dated: somebody wrote that day.

    Returns:
        Places, days and codes: in a span the status that comes, outside :data:`NO_STATUS`.
    """
    (concerned,) = np.nonzero(np.isin(places, places[~dated]))
    # The entries of each of these machines one after another.
    order = concerned[np.lexsort((days[concerned], places[concerned]))]
    places, days, codes = places[order], days[order], codes[order]
    begins = np.zeros_like(days)
    begins[1:] = np.where(places[1:] == places[:-1], days[:-1] + 1, 0)
    is_open = ~dated[order] & (begins < days)
    ends = np.full(int(is_open.sum()), NO_STATUS, np.uint8)
    return (
        np.concatenate([places[is_open], places[is_open]]),
        np.concatenate([begins[is_open], days[is_open]]),
        np.concatenate([codes[is_open], ends]),
    )


class ServiceDays:
    """Who is in service on a day, and of whom that is undetermined.

    No figure gains by a date that nobody wrote: in a span that an undated entry leaves open a
    machine counts as in service if it is by either of the two statuses, and for sure only if it
    is by both.

    Args:
        machines: how many there are.
        places: place of the machine of each entry.
        days: ordinal of the day from which each entry holds.
        codes: its status.
        dated: somebody wrote that day; else it is the day of entry.
    """

    def __init__(
        self, machines: int, places: Numbers, days: Numbers, codes: Codes, dated: Flags
    ) -> None:
        self._held = StatusHistory(machines, places, days, codes)
        self._open = (
            None
            if dated.all()
            else StatusHistory(machines, *spans_before(places, days, codes, dated))
        )
        self._status: Codes = np.full(machines, NO_STATUS, np.uint8)
        self._coming: Codes | None = None

    def turn_to(self, day: date) -> None:
        """Go to a day; days are gone through in order."""
        self._status = self._held.on(day)
        self._coming = self._open.on(day) if self._open else None

    def service(self, serving: Flags) -> Service:
        """Who is in service on this day.

        Args:
            serving: by code of a status whether it is in service.
        """
        now = serving[self._status]
        if self._coming is None:
            return Service(now, now)
        then = np.where(self._coming == NO_STATUS, now, serving[self._coming])
        return Service(now | then, now & then)

    def status(self, serving: Flags) -> Codes:
        """The status that each machine is judged by: of two possible ones that in service."""
        if self._coming is None:
            return self._status.copy()
        return np.where(serving[self._coming] & ~serving[self._status], self._coming, self._status)
