"""Holidays of a year whose official arrangement the product does not bring yet."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.city.rates.days.calendar_file import builtin_calendar

_SOURCE = "演示数据，非官方安排 demonstration, not official"
_FIXED = (((1, 1), (1, 1)), ((5, 1), (5, 2)), ((10, 1), (10, 3)))
"""First and last day of the holidays that fall on the same days each year."""


def made_up_years(today: date) -> Mapping[str, Any] | None:
    """Contents of a ``calendar.file`` for this year and the last one; None: both are known.

    Without it the demonstration would have no rate from a New Year to the next release.
    """
    known = builtin_calendar().sources
    years = [year for year in (today.year - 1, today.year) if year not in known]
    return {"years": {year: _year(year) for year in years}} if years else None


def _year(year: int) -> Mapping[str, Any]:
    spans = [[date(year, *first), date(year, *last)] for first, last in _FIXED]
    return {"source": _SOURCE, "holidays": spans}
