"""Which days of a window a machine was in service, by its dated status history. Pure."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

History = Sequence[tuple[date, str]]
"""Status entries of one machine in order: valid from, status."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days with valid data: of any source, at the level asked for, and the last at the level."""

    seen: int = 0
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


def status_on(history: History, day: date) -> str | None:
    """The status that held on a day; None before the first entry."""
    place = bisect_right(history, day, key=lambda entry: entry[0])
    return history[place - 1][1] if place else None


def changes_within(history: History, window: Window) -> bool:
    """Whether the status changes after the window's first day."""
    return any(window.first < start <= window.as_of for start, _ in history)


def steady_service(history: History, statuses: Collection[str], window: Window, found: Days) -> int:
    """In-service days of a machine whose status holds throughout the window."""
    if status_on(history, window.as_of) not in statuses:
        return 0
    length = (window.as_of - window.first).days + 1
    waiting = window.today_runs and found.last != window.as_of
    return length - waiting


def changing_service(
    history: History,
    statuses: Collection[str],
    window: Window,
    seen: Collection[date],
    valid: Collection[date],
) -> tuple[int, Days]:
    """In-service days, and the days with evidence among them, when the status changes."""
    serving = {day for day in window.days() if status_on(history, day) in statuses}
    if window.today_runs and window.as_of not in valid:
        serving.discard(window.as_of)
    good = serving.intersection(valid)
    days = Days(len(serving.intersection(seen)), len(good), max(good, default=None))
    return len(serving), days
