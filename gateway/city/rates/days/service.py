"""On which days of a month machines are in service, for all machines of a ledger at once. Pure.

Every array runs along the machines, in the order of the ledger's columns. Bit d - 1 of a mask is
day d of its month.
"""

from datetime import date
from typing import NamedTuple

import numpy as np

from gateway.city.rates.attendance import Codes, Flags, Masks, Numbers, Service

NO_STATUS = 0
"""Code of a status before the first entry."""
_FOR_EVER = date.max.toordinal()
_POWERS = (1 << np.arange(32)).astype(np.uint32)
"""Of two; the last one is behind the longest month."""
_MOST = 31


def day_bits(first: date, begins: Numbers, ends: Numbers) -> Masks:
    """The days of a month that are in some spans.

    Args:
        first: of the month.
        begins: ordinal of the first day of each span.
        ends: ordinal of the first day behind it.
    """
    start, stop = (np.clip(days - first.toordinal(), 0, _MOST) for days in (begins, ends))
    return _POWERS[np.maximum(start, stop)] - _POWERS[start]


class StatusHistory:
    """The dated statuses of machines.

    Args:
        machines: how many there are.
        places: place of the machine of each entry.
        days: ordinal of the day from which each entry holds, until the next one of its machine;
            of several of one day the last one does.
        codes: its status.
    """

    def __init__(self, machines: int, places: Numbers, days: Numbers, codes: Codes) -> None:
        order = _order(places, days)
        self._places, self._days, self.codes = places[order], days[order], codes[order]
        self._machines = machines
        is_last = np.ones(len(places), np.bool_)
        is_last[:-1] = self._places[1:] != self._places[:-1]
        self._ends = np.append(self._days[1:], _FOR_EVER)[: len(places)]
        self._ends[is_last] = _FOR_EVER
        (lasts,) = np.nonzero(is_last)
        self._of, self._starts = self._places[lasts], np.append(0, lasts + 1)[: len(lasts)]

    def month(self, first: date) -> Masks:
        """The days of a month on which each entry holds."""
        return day_bits(first, self._days, self._ends)

    def of_machines(self, entries: Masks) -> Masks:
        """What is marked of the entries of each machine, together."""
        found = np.zeros(self._machines, np.uint32)
        if len(entries):
            found[self._of] = np.bitwise_or.reduceat(entries, self._starts)
        return found

    def codes_on(self, entries: Masks, bit: int) -> Codes:
        """The status of each machine on a day of the month whose masks are handed over."""
        on = (entries >> np.uint32(bit)) & 1 != 0
        found: Codes = np.full(self._machines, NO_STATUS, np.uint8)
        found[self._places[on]] = self.codes[on]
        return found


def _order(places: Numbers, days: Numbers) -> Numbers | slice:
    """By machine, and then by day; the database has them so mostly, and sorting is dear."""
    same, later = places[1:] == places[:-1], places[1:] > places[:-1]
    if (later | (same & (days[1:] >= days[:-1]))).all():
        return slice(None)
    return np.lexsort((days, places))


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


class _Spans(NamedTuple):
    """A history, and the days of a month on which each of its entries holds."""

    history: StatusHistory
    days: Masks

    def having(self, wanted: Flags) -> Masks:
        """The days on which each machine has one of some statuses."""
        return self.history.of_machines(np.where(wanted[self.history.codes], self.days, 0))


class ServiceMonth:
    """Who is in service on the days of a month; of :meth:`ServiceDays.month`."""

    def __init__(self, held: _Spans, coming: _Spans | None) -> None:
        self._held, self._coming = held, coming

    def having(self, wanted: Flags) -> tuple[Masks, Masks]:
        """Days on which machines have one of some statuses, and undetermined ones that may.

        Args:
            wanted: by code of a status whether it is one of them.
        """
        held = self._held.having(wanted)
        if self._coming is None:
            return held, np.zeros_like(held)
        is_status = np.arange(len(wanted)) != NO_STATUS
        return held, self._coming.having(wanted & is_status)

    def service(self, serving: Flags) -> Service:
        """On which days machines are in service.

        Args:
            serving: by code of a status whether it is in service.
        """
        now, serves = self.having(serving)
        if self._coming is None:
            return Service(now, now)
        _, open_ = self.having(np.ones(len(serving), np.bool_))
        then = (now & ~open_) | serves
        return Service(now | then, now & then)

    def status(self, day: date, serving: Flags) -> Codes:
        """The status that machines are judged by on a day: of two possible ones that in service."""
        held = self._held.history.codes_on(self._held.days, day.day - 1)
        if self._coming is None:
            return held
        coming = self._coming.history.codes_on(self._coming.days, day.day - 1)
        return np.where(serving[coming] & ~serving[held], coming, held)


class ServiceDays:
    """Who is in service on which days, and of whom that is undetermined.

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

    def month(self, first: date) -> ServiceMonth:
        """The days of the month that begins on a day."""
        held = _Spans(self._held, self._held.month(first))
        coming = None if self._open is None else _Spans(self._open, self._open.month(first))
        return ServiceMonth(held, coming)
