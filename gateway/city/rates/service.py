"""Which days of a window a machine was in service, by its dated status history. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

History = Sequence[tuple[date, str]]
"""Status entries of one machine in order: valid from, status."""


class Days(NamedTuple):
    """What data say of a machine.

    Attributes:
        seen: there are valid ones, of any source.
        valid: days with valid ones at the level asked for.
        last: last of these days.
        doubtful: there are some that are not valid.
    """

    seen: bool = False
    valid: int = 0
    last: date | None = None
    doubtful: bool = False


class Service(NamedTuple):
    """In-service days of a window; today is one of them only once it has brought evidence.

    Attributes:
        days: all of them.
        silent: those after the last valid day; all, if there was none.
    """

    days: int
    silent: int


class DatedDays(NamedTuple):
    """The single days on which data of a machine came.

    Attributes:
        seen: with valid data of any source.
        valid: with valid data at the level.
        doubtful: with data that are not valid.
    """

    seen: AbstractSet[date]
    valid: AbstractSet[date]
    doubtful: AbstractSet[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """The days evidence is counted on.

    Attributes:
        first: first day.
        as_of: last day (inclusive).
        today_runs: the last day is not over; it counts only once it has evidence.
    """

    first: date
    as_of: date
    today_runs: bool

    def days(self) -> Iterator[date]:
        """Every day of the window."""
        for offset in range((self.as_of - self.first).days + 1):
            yield self.first + timedelta(days=offset)


def steady_service(window: Window, last: date | None) -> Service:
    """In-service days of a machine that is in service throughout, with its last valid day."""
    length = (window.as_of - window.first).days + 1
    silent = length if last is None else (window.as_of - last).days
    # A day that is not over counts against nobody before it has brought evidence.
    running = window.today_runs and last != window.as_of
    return Service(length - running, silent - running)


def changing_service(
    history: History,
    statuses: Collection[str],
    window: Window,
    dated: DatedDays,
) -> tuple[Service, Days]:
    """In-service days, and the evidence of those days, when the status changes.

    Args:
        history: entries up to the window's end.
        statuses: those in service.
        window: the days.
        dated: the days with data.
    """
    serving = {day for day in window.days() if _status_on(history, day) in statuses}
    seen, doubtful = bool(serving & dated.seen), bool(serving & dated.doubtful)
    # After ``seen``: what came today shows a connection, though the day itself may not count yet.
    if window.today_runs and window.as_of not in dated.valid:
        serving.discard(window.as_of)
    valid = serving & dated.valid
    last = max(valid, default=None)
    silent = sum(last is None or day > last for day in serving)
    return Service(len(serving), silent), Days(seen, len(valid), last, doubtful)


def _status_on(history: History, day: date) -> str | None:
    """The status that held on a day; None before the first entry."""
    place = bisect_right(history, day, key=lambda entry: entry[0])
    return history[place - 1][1] if place else None
