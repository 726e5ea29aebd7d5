"""Quarters and years: a rate is a stock, so a span has the value of its last month.

The mean of its months is another figure, and is named so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection

from gateway.city.db.operation import began_on
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.model import Definition
from gateway.city.rates.period import MonthError, month_of, months_between
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.months import rate_months
from gateway.city.rates.reports.table import PublishedMonth, RateTable, leading
from gateway.city.rates.tallies import NotComputableError
from gateway.core.days import day_of

_QUARTER = re.compile(r"([1-9][0-9]{3})-?[Qq]([1-4])")
_YEAR = re.compile(r"[1-9][0-9]{3}")


@dataclass(frozen=True, slots=True)
class Span:
    """A quarter or a year; or a month alone.

    Attributes:
        name: ``2026-Q3``, ``2026`` or ``2026-09``.
        months: all of it, ``YYYY-MM``, in order.
    """

    name: str
    months: tuple[str, ...]


def quarter(text: str) -> Span:
    """A quarter ``2026-Q3``.

    Raises:
        MonthError: the text is none.
    """
    match = _QUARTER.fullmatch(text.strip())
    if match is None:
        raise MonthError(f"{text!r} is no quarter; write YYYY-Qn, as 2026-Q3")
    last = 3 * int(match[2])
    months = months_between(f"{match[1]}-{last - 2:02d}", f"{match[1]}-{last:02d}")
    return Span(f"{match[1]}-Q{match[2]}", months)


def year(text: str) -> Span:
    """A year ``2026``.

    Raises:
        MonthError: the text is none.
    """
    if _YEAR.fullmatch(text.strip()) is None:
        raise MonthError(f"{text!r} is no year; write YYYY, as 2026")
    name = text.strip()
    return Span(name, months_between(f"{name}-01", f"{name}-12"))


def one_month(name: str) -> Span:
    """A month ``2026-09`` as the shortest of spans: its value is its own."""
    return Span(name, (name,))


@dataclass(frozen=True, slots=True)
class SpanRates:
    """What is known of a span.

    Attributes:
        span: the quarter or year.
        months: those of it that have begun, none before the city did; at least one.
        missing: those that are not known: before the city began, or to come.
        by: dimension of the table.
    """

    span: Span
    months: tuple[PublishedMonth, ...]
    missing: tuple[str, ...]
    by: Dimension

    @property
    def last(self) -> RateTable:
        """The value of the span: that of its last month, or of the newest one while it lasts."""
        return self.months[-1].table(self.by)

    @property
    def is_over(self) -> bool:
        """Whether the last month of the span is there and final."""
        return self.months[-1].month == self.span.months[-1] and self.months[-1].status == "F"

    def means(self) -> Mapping[str, tuple[Fraction, int]]:
        """Mean of the months' leading rates of each cell, and of how many months it is."""
        rates: dict[str, list[Fraction]] = {}
        for month in self.months:
            table = month.table(self.by)
            for cell in (table.city, *table.cells):
                rate = leading(month.definition, cell)
                if rate is not None:
                    rates.setdefault(cell.key, []).append(rate)
        return {key: (sum(own, Fraction(0)) / len(own), len(own)) for key, own in rates.items()}


def span_rates(
    connection: Connection,
    definition_id: str,
    span: Span,
    by: Dimension,
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Mapping[str, Definition] | None = None,
) -> SpanRates:
    """The months of a quarter or year for who sees all rows, read once where they are not frozen.

    Raises:
        DefinitionError: no such definition.
        MonthError: no month of the span has begun, or the city had not.
        NotComputableError: an instantaneous rate, which has no past.
    """
    known = definitions or builtin_definitions()
    if definition_of(known, definition_id).measure == "answering":
        raise NotComputableError(f"{definition_id} is instantaneous; it has no quarters or years")
    began, running = began_on(connection), month_of(day_of(now_ms))
    first = span.months[0] if began is None else max(span.months[0], month_of(began))
    months = [one for one in span.months if first <= one <= running]
    if not months:
        when = f"the city began in {first}" if span.months[-1] < first else f"it is {running}"
        raise MonthError(f"nothing is known of {span.name}: {when}")
    found = rate_months(
        connection,
        [(definition_id, one) for one in months],
        now_ms,
        demonstration=demonstration,
        definitions=known,
        dimensions=(by,),
    )
    missing = tuple(one for one in span.months if one not in months)
    shown = tuple(publish(one, WHOLE) for one in found)
    return SpanRates(span, shown, missing, by)
