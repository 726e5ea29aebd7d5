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
    """What valid data say of a machine.

    Attributes:
        seen: there are some, of any source.
        valid: days with some at the level asked for.
        last: last of these days.
    """

    seen: bool = False
    valid: int = 0
    last: date | None = None


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


def steady_service(window: Window, last: date | None) -> int:
    """In-service days of a machine that is in service throughout, with its last valid day."""
    length = (window.as_of - window.first).days + 1
    return length - (window.today_runs and last != window.as_of)


def changing_service(
    history: History,
    statuses: Collection[str],
    window: Window,
    seen: AbstractSet[date],
    valid: AbstractSet[date],
) -> tuple[int, Days]:
    """In-service days, and the evidence of those days, when the status changes.

    Args:
        history: entries up to the window's end.
        statuses: those in service.
        window: the days.
        seen: days with valid data of any source.
        valid: days with valid data at the level.
    """
    serving = {day for day in window.days() if _status_on(history, day) in statuses}
    was_seen = bool(serving & seen)
    if window.today_runs and window.as_of not in valid:
        serving.discard(window.as_of)
    good = serving & valid
    return len(serving), Days(was_seen, len(good), max(good, default=None))


def _status_on(history: History, day: date) -> str | None:
    """The status that held on a day; None before the first entry."""
    place = bisect_right(history, day, key=lambda entry: entry[0])
    return history[place - 1][1] if place else None
