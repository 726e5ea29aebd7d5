"""Months, the day they are judged on, and the freeze calendar. Pure."""

import re
from datetime import date, timedelta
from typing import Literal

from gateway.city.rates.compute import Period
from gateway.core.days import day_of, day_start_ms

Status = Literal["P", "F"]
"""P provisional, F final."""

PROVISIONAL_DAY = 5
FINAL_DAY = 20
"""Days of the following month from which a month is provisional and final (freeze calendar)."""

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DECEMBER = 12
_YEARS = 1000, 9998
"""A month has one before and one behind it."""


class MonthError(ValueError):
    """A text is no month, the month has not begun, or it was over before the city began."""


def first_day(month: str) -> date:
    """The first day of a month ``YYYY-MM``.

    Raises:
        MonthError: the text is no month.
    """
    match = _MONTH.fullmatch(month)
    if match is None or not _YEARS[0] <= int(match[1]) <= _YEARS[1]:
        raise MonthError(f"{month!r} is no month; write YYYY-MM, as 2026-03")
    return date(int(match[1]), int(match[2]), 1)


def last_day(month: str) -> date:
    """The last day of a month ``YYYY-MM``.

    Raises:
        MonthError: the text is no month.
    """
    return next_month(first_day(month)) - timedelta(days=1)


def month_of(day: date) -> str:
    """The month ``YYYY-MM`` of a day."""
    return f"{day:%Y-%m}"


def next_month(first: date) -> date:
    """The first day of the following month."""
    if first.month == _DECEMBER:
        return date(first.year + 1, 1, 1)
    return date(first.year, first.month + 1, 1)


def previous_month(first: date) -> date:
    """The first day of the month before."""
    return (first - timedelta(days=1)).replace(day=1)


def period_of(month: str | None, now_ms: int, began_on: date | None) -> Period:
    """The period of a month: to its last day, or to today while it runs.

    Args:
        month: ``YYYY-MM``; None: the running one.
        now_ms: UTC milliseconds.
        began_on: day on which the city began; None: not known, every month will do.

    Raises:
        MonthError: no month, one that has not begun, or one before the city began.
    """
    today = day_of(now_ms)
    first = first_day(month) if month else today.replace(day=1)
    if first > today:
        raise MonthError(f"month {month} has not begun; today is {today}")
    as_of = min(today, next_month(first) - timedelta(days=1))
    if began_on is not None and as_of < began_on:
        raise MonthError(
            f"month {month_of(first)} is unknown: the city began on {began_on}; "
            f"name {month_of(began_on)} or a later month"
        )
    return Period(month_of(first), first, as_of, began_on)


def days_of(period: Period) -> list[date]:
    """The days of a period that count, in order; at least one: none before the city began."""
    first = max(period.first, period.began_on or period.first)
    return [first + timedelta(days=one) for one in range((period.as_of - first).days + 1)]


def as_of_ms(period: Period, now_ms: int) -> int:
    """The moment a period is judged at: its end, or now while its last day runs."""
    return min(now_ms, day_start_ms(period.as_of + timedelta(days=1)))


def frozen_as(month: str, now_ms: int) -> Status | None:
    """What a month may be frozen as by now; None: it is too early."""
    following, today = next_month(first_day(month)), day_of(now_ms)
    if today >= following.replace(day=FINAL_DAY):
        return "F"
    return "P" if today >= following.replace(day=PROVISIONAL_DAY) else None


def months_between(first: str, last: str) -> tuple[str, ...]:
    """The months from one to another, both among them; none if the last is before the first."""
    months: list[str] = []
    day = first_day(first)
    while month_of(day) <= last:
        months.append(month_of(day))
        day = next_month(day)
    return tuple(months)


def recent_months(now_ms: int, count: int) -> tuple[str, ...]:
    """The last ``count`` months in order, the running one last."""
    months: list[str] = []
    first = day_of(now_ms).replace(day=1)
    for _ in range(count):
        months.append(month_of(first))
        first = previous_month(first)
    return tuple(reversed(months))
