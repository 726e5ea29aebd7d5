"""Days of rest by the official arrangement of each year, as a value. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator

from edge_config.models.settings import Field, Rule, Settings

_SATURDAY = 5
_DECEMBER = 12
LONGEST_DAYS = 16
"""No holiday has been longer; one that is has its year or month mistyped."""


def _day(written: object) -> object:
    if isinstance(written, date):
        return written
    try:
        return date.fromisoformat(str(written))
    except ValueError:
        raise ValueError(f"{written!r} is no day; write YYYY-MM-DD, as 2026-10-01") from None


Year = Annotated[int, Rule(ge=2000, le=2100)]
Day = Annotated[date, BeforeValidator(_day)]
Span = tuple[Day, Day]


class HolidayYear(Settings):
    """How the holidays of a year are arranged; the notice may name days of the December before."""

    source: str = Field(min_length=1, max_length=100, description="number of the notice")
    holidays: tuple[Span, ...] = Field(min_length=1, description="first and last day of each")
    working: tuple[Day, ...] = Field(
        default=(), description="Saturdays and Sundays on which is worked in exchange"
    )


class HolidayYears(Settings):
    """A file of arrangements."""

    years: dict[Year, HolidayYear] = Field(min_length=1, description="by year")


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are of rest, for the years whose arrangement is known.

    Attributes:
        rest: by year its days of rest, Saturdays and Sundays among them.
        sources: by year the number of the notice.
        beside: days of a holiday that the days of rest alone do not show to be of one, since
            those that are not beside them are not known.
    """

    rest: Mapping[int, frozenset[date]] = field(default_factory=lambda: MappingProxyType({}))
    sources: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    beside: frozenset[date] = frozenset()

    def is_rest(self, day: date) -> bool | None:
        """Whether a day is one of rest; None: the arrangement of its year is not known."""
        known = self.rest.get(day.year)
        return None if known is None else day in known

    def is_holiday(self, day: date) -> bool:
        """Whether a day of rest is one of a holiday: without a break it joins a Monday to Friday.

        So is a weekend beside a holiday; plants that work at weekends rest through both.
        """
        if day in self.beside:
            return True
        return bool(self.is_rest(day)) and any(
            one.weekday() < _SATURDAY
            for step in (timedelta(days=-1), timedelta(days=1))
            for one in self._run(day, step)
        )

    def _run(self, day: date, step: timedelta) -> Iterator[date]:
        """Days of rest one after another."""
        while self.is_rest(day):
            yield day
            day += step

    def unknown_years(self, days: Iterable[date]) -> tuple[int, ...]:
        """The years of some days whose arrangement is not known."""
        return tuple(sorted({day.year for day in days} - self.rest.keys()))

    def text(self, first: date, last: date) -> str:
        """What it says of a span, equal for all calendars that say the same: days of rest.

        A ``+`` marks the Saturdays and Sundays of a holiday that lies outside the span otherwise.
        """
        rest = frozenset(day for day in _days((first, last)) if self.is_rest(day))
        inside = Calendar(dict.fromkeys({day.year for day in rest}, rest))
        return json.dumps(
            [
                day.isoformat() + "+" * (self.is_holiday(day) and not inside.is_holiday(day))
                for day in sorted(rest)
            ]
        )

    @classmethod
    def of_text(cls, text: str, years: Iterable[int]) -> "Calendar":
        """The calendar of a text of :meth:`text`, for the years of its span."""
        said = json.loads(text)
        rest = frozenset(date.fromisoformat(one.removesuffix("+")) for one in said)
        beside = (date.fromisoformat(one[:-1]) for one in said if one.endswith("+"))
        return cls(MappingProxyType(dict.fromkeys(years, rest)), beside=frozenset(beside))


def calendar_of(years: Mapping[int, HolidayYear]) -> Calendar:
    """The days of rest of some years.

    Args:
        years: their arrangements; each may name days of the December before.
    """
    off = {day for one in years.values() for span in one.holidays for day in _days(span)}
    worked = {day for one in years.values() for day in one.working}
    rest = {
        year: frozenset(
            day
            for day in _days((date(year, 1, 1), date(year, 12, 31)))
            if day in off or (day.weekday() >= _SATURDAY and day not in worked)
        )
        for year in sorted(years)
    }
    return Calendar(rest, {year: years[year].source for year in sorted(years)})


def mistakes(year: int, one: HolidayYear) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """What contradicts itself in the arrangement of a year: where in it, and in words."""
    before: dict[date, int] = {}
    for number, span in enumerate(one.holidays):
        where = ("holidays", number)
        yield from ((where, words) for words in _span_mistakes(year, span))
        if (span[1] - span[0]).days >= LONGEST_DAYS:
            continue
        for day in _days(span):
            if before.setdefault(day, number) != number:
                yield where, f"{day} is in the holiday before, too"
                break
    for number, day in enumerate(one.working):
        where = ("working", number)
        if not _belongs(year, day):
            yield where, f"{day} is not of {year}, or of the December before"
        elif day in before:
            yield where, f"{day} is in a holiday: a day is worked, or of rest"
        elif day.weekday() < _SATURDAY:
            yield where, f"{day} is no Saturday or Sunday, so it is worked anyway; remove it"


def _span_mistakes(year: int, span: Span) -> Iterator[str]:
    first, last = span
    if first > last:
        yield f"ends on {last}, before it begins on {first}"
    elif (last - first).days >= LONGEST_DAYS:
        yield f"from {first} to {last} is longer than {LONGEST_DAYS} days; mistyped?"
    elif not (_belongs(year, first) and _belongs(year, last)):
        yield f"from {first} to {last} is not of {year}, or of the December before"


def _belongs(year: int, day: date) -> bool:
    return day.year == year or (day.year == year - 1 and day.month == _DECEMBER)


def _days(span: Span) -> Iterator[date]:
    first, last = span
    return (first + timedelta(days=one) for one in range((last - first).days + 1))
