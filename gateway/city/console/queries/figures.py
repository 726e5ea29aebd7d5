"""Rates as the pages need them: computed in a thread, shared between visitors."""

import asyncio
from collections.abc import Sequence
from fractions import Fraction
from functools import partial

from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries import kept
from gateway.city.console.queries.kept import KeptMonth
from gateway.city.console.remember import Remembered
from gateway.city.ledger.names import MachineName
from gateway.city.rates.compute import Dimension, percent_text
from gateway.city.rates.definitions import definition_of
from gateway.city.rates.period import recent_months
from gateway.city.rates.plan import plan_on, target
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.city.rates.reports.table import RateMonth, RateTable, rate_month
from gateway.city.rates.reports.trend import TrendPoint, trend_months, trend_point
from gateway.core.days import day_of
from gateway.web.formats import NOTHING

MONTH_S = 4.0
PAST_S = 120.0
KEEP_MS = 60_000
KEPT_FILE = "figures.json"
"""In the city's data folder; may be deleted at any time."""
TREND_MONTHS = 12


class Figures:
    """The rates of one city.

    Args:
        context: of the console.

    Raises:
        DefinitionError: the configured headline is no definition.
    """

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._remembered = Remembered()
        self._file = context.config.data_dir / KEPT_FILE
        self._kept: dict[tuple[str, str], KeptMonth] = {}
        self._written_ms = 0
        self._writing = asyncio.Lock()
        self.headline = definition_of(context.definitions, context.config.definitions.headline)
        self._recall()

    async def table(self, by: Dimension, definition: str = "") -> RateTable:
        """The running month by county, industry or enterprise."""
        return (await self.month(definition or self.headline.id)).table(by)

    async def month(self, definition: str) -> RateMonth:
        """The running month with every dimension."""
        make = partial(self._month, definition)
        return await self._remembered.get(definition, MONTH_S, make)

    def _recall(self) -> None:
        """Take up what the process before this one computed of the months that are shown."""
        context = self._context
        *past, running = recent_months(context.now_ms(), TREND_MONTHS)
        points: dict[str, TrendPoint] = {}
        for one in kept.read(self._file):
            found = kept.recalled(one, context.definitions)
            if found is None or one.demonstration != context.config.demonstration:
                continue
            if one.month == running:
                self._remembered.recall(one.definition, found)
            elif one.definition == self.headline.id:
                points[one.month] = trend_point(found)
            self._kept[one.definition, one.month] = one
        if points:
            shown = tuple(points[month] for month in past if month in points)
            self._remembered.recall(("trend", running), shown)

    async def _keep(self, months: Sequence[RateMonth]) -> None:
        """Keep figures for the next start; the file is written once a minute, or at the first."""
        made = {(one.definition.id, one.month): kept.kept(one) for one in months}
        is_new = not made.keys() <= self._kept.keys()
        self._kept |= made
        now_ms = self._context.now_ms()
        is_due = not 0 <= now_ms - self._written_ms < KEEP_MS  # the clock may have been set back
        if is_new or is_due:
            self._written_ms = now_ms
            shown = recent_months(now_ms, TREND_MONTHS)
            self._kept = {key: one for key, one in self._kept.items() if one.month in shown}
            async with self._writing:  # there is one draft; who is last writes all there is by then
                await asyncio.to_thread(kept.write, self._file, list(self._kept.values()))

    async def _month(self, definition: str) -> RateMonth:
        context, now_ms = self._context, self._context.now_ms()
        demonstration = context.config.demonstration
        month = await context.database.read(
            rate_month,
            definition,
            None,
            now_ms,
            demonstration=demonstration,
            answering=self._answering(definition),
            definitions=context.definitions,
        )
        await self._keep([month])
        return month

    def _answering(self, definition: str, uscc: str | None = None) -> frozenset[MachineName]:
        """Machines that answer now, if a definition asks for them."""
        context = self._context
        if definition_of(context.definitions, definition).measure != "answering":
            return frozenset()
        demonstration = context.config.demonstration
        return context.live.answering(demonstration=demonstration, uscc=uscc)

    async def trend(self) -> tuple[TrendPoint, ...]:
        """The headline rate of the last months; the last point is the figure of the pages."""
        *past, running = recent_months(self._context.now_ms(), TREND_MONTHS)
        make = partial(self._past, past)
        points = await self._remembered.get(("trend", running), PAST_S, make)
        return (*points, trend_point(await self.month(self.headline.id)))

    async def _past(self, months: Sequence[str]) -> tuple[TrendPoint, ...]:
        context = self._context
        demonstration = context.config.demonstration
        found = await context.database.read(
            trend_months,
            self.headline.id,
            months,
            context.now_ms(),
            demonstration=demonstration,
            definitions=context.definitions,
        )
        await self._keep(found)
        return tuple(map(trend_point, found))

    async def machines(self, uscc: str) -> list[MachineVerdict]:
        """How every machine of an enterprise is counted in the running month."""
        make = partial(self._machines, uscc)
        return await self._remembered.get(("machines", uscc), MONTH_S, make)

    async def _machines(self, uscc: str) -> list[MachineVerdict]:
        context, now_ms = self._context, self._context.now_ms()
        demonstration = context.config.demonstration
        return await context.database.read(
            machine_facts,
            self.headline.id,
            None,
            now_ms,
            demonstration=demonstration,
            answering=self._answering(self.headline.id, uscc),
            uscc=uscc,
            definitions=context.definitions,
        )


def plan_distance(rate: Fraction | None, now_ms: int) -> dict[str, object]:
    """How far a rate is from the path today and from the plan's last value.

    Returns:
        ``path`` (per cent today; None outside the plan's years), ``path_gap``, ``target``,
        ``target_year`` and ``target_gap`` (percentage points, from unrounded rates).
    """
    path, last = plan_on(day_of(now_ms)), target()
    return {
        "path": path,
        "path_gap": None if rate is None or path is None else rate - path,
        "target": last.percent,
        "target_year": last.year,
        "target_gap": None if rate is None else rate - last.percent,
    }


def points_text(gap: Fraction | None) -> str:
    """A difference of rates with its sign: ``−12.27``; a dash for None."""
    if gap is None:
        return NOTHING
    text = percent_text(abs(gap))
    if float(text) == 0:  # what rounds to nothing has no sign
        return text
    return f"{'+' if gap > 0 else '−'}{text}"
