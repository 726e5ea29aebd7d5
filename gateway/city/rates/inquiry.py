"""What facts about a month are asked for. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.city.ledger.names import MachineName
from gateway.city.rates.attendance import Window
from gateway.city.rates.compute import Period
from gateway.city.rates.days.calendar import Calendar
from gateway.city.rates.model import Definition
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What facts are asked for.

    Attributes:
        definition: whose scope, level and window hold.
        period: the month.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        answering: machines that answer now.
        uscc: only this enterprise; None: all.
        known: the ledger as it was known by this change of it; None: as it is known now.
        roster_on: whose roster counts; None: that of the as-of day.
    """

    definition: Definition
    period: Period
    now_ms: int
    demonstration: bool
    answering: AbstractSet[MachineName] = frozenset()
    uscc: str | None = None
    known: int | None = None
    roster_on: date | None = None

    @property
    def window(self) -> Window:
        """The days on which evidence counts: none before the city began."""
        days, as_of = self.definition.window_days, self.period.as_of
        first = as_of - timedelta(days=days - 1) if days else self.period.first
        first = max(first, self.period.began_on or first)
        return Window(first, as_of, today_runs=as_of == day_of(self.now_ms))

    @property
    def calendar(self) -> Calendar | None:
        """By which days of rest are left out; None: they count as any other."""
        return self.definition.calendar if self.definition.days == "scheduled" else None

    @property
    def unknown_years(self) -> tuple[int, ...]:
        """Years of which nobody has told the days of rest, though they decide the rate."""
        return () if self.calendar is None else self.calendar.unknown_years(self.window.days())

    @property
    def only_rest(self) -> bool:
        """Whether no day has come yet that counts, as on 1 to 7 October."""
        calendar = self.calendar
        return calendar is not None and all(map(calendar.is_rest, self.window.days()))
