"""Rates as the pages need them: computed apart, shared between visitors.

What one page shows together is of one :class:`Moment`, and the page says of which.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from msgspec import Raw

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import elsewhere, places
from gateway.city.console.queries.gateways import Gateways
from gateway.city.console.queries.moment import Moment, at_once, past_months
from gateway.city.console.remember import Remembered
from gateway.city.ledger.names import MachineName
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.definitions import definition_of
from gateway.city.rates.period import recent_months
from gateway.city.rates.publishing.publish import WHOLE, Reader, publish
from gateway.city.rates.reports import kept
from gateway.city.rates.reports.drilldown import MachineVerdict, machine_facts
from gateway.city.rates.reports.kept import KEPT_FILE, KeptMonth, KeptMonths
from gateway.city.rates.reports.months import rate_months
from gateway.city.rates.reports.table import PublishedMonth, RateMonth, RateTable
from gateway.city.rates.reports.trend import TrendPoint, trend_months, trend_point
from gateway.core.days import day_of
from gateway.web.waiting import GivenUpError, Making, NotYetError

T = TypeVar("T")

MONTH_S = 4.0
PAST_S = 120.0
KEEP_MS = 60_000
TREND_MONTHS = 12
FILE_WAIT_S = 25.0
"""A file is waited for: what saves it cannot fill it in later. Proxies give up after 30 s and more.
"""
_BESIDE_NOW, _BESIDE_ALWAYS = ("ONL",), ("COV",)
"""Definitions whose figures stand beside every rate."""


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
        self._kept: dict[tuple[str, str], KeptMonth | Raw] = {}
        self._written_ms = 0
        self._writing, self._computing = asyncio.Lock(), asyncio.Lock()
        self._step = ("begun", 0, 0)
        self.headline = definition_of(context.definitions, context.config.definitions.headline)
        self._shown = tuple(dict.fromkeys((self.headline.id, *_BESIDE_NOW, *_BESIDE_ALWAYS)))
        self.gateways = Gateways(context)
        self._recall()
        context.ahead.append(self._shown_first)

    async def _shown_first(self) -> None:
        """The headline as most pages show it: the running month, those before, and the change."""
        await self.trend(EVERYTHING)
        earlier, _ = recent_months(self._context.now_ms(), 2)
        await self.month(self.headline.id, EVERYTHING, month=earlier)

    async def table(
        self, by: Dimension, scope: Scope, definition: str = "", wait_s: float | None = None
    ) -> RateTable:
        """The running month by county, industry or enterprise; see :meth:`month`."""
        return (await self.month(definition or self.headline.id, scope, wait_s)).table(by)

    async def month(
        self,
        definition: str,
        scope: Scope,
        wait_s: float | None = None,
        month: str | None = None,
    ) -> PublishedMonth:
        """A month with every dimension; see :meth:`moment`."""
        return (await self.moment(definition, scope, wait_s, month)).months[definition]

    async def moment(
        self,
        definition: str,
        scope: Scope,
        wait_s: float | None = None,
        month: str | None = None,
    ) -> Moment[PublishedMonth]:
        """A month by a definition, and what stands beside it on a page.

        Args:
            definition: its id.
            scope: of who asks; the total is of it, too.
            wait_s: how long to wait for the first figure; None: as long as a page may.
            month: ``YYYY-MM``; None: the running one.

        Raises:
            NotYetError: it is being computed for the first time; says how far that is.
        """
        try:
            found = await self._found(self._together(definition, month), wait_s, month)
        except NotYetError as error:
            is_given_up = isinstance(error, GivenUpError)
            raise (error if is_given_up else self._not_yet(error.making.since_ms)) from None
        if definition not in found.months:  # a start takes up nothing that holds for a moment only
            raise self._not_yet(self._context.now_ms())
        return await self._part(found, scope)

    async def _found(
        self, together: tuple[str, ...], wait_s: float | None, month: str | None
    ) -> Moment[RateMonth]:
        key, for_s, make = self._running, MONTH_S, partial(self._moment, together)
        if month is not None:
            key, for_s, make = ("past", month), PAST_S, partial(self._past_month, together, month)
        patience = self._context.first_wait_s if wait_s is None else wait_s
        return await self._remembered.get((key, together), for_s, make, patience, is_dated=True)

    @property
    def _running(self) -> tuple[str, str]:
        """The key of the running month: the last one's figures are none of it, however briefly."""
        return "running", recent_months(self._context.now_ms(), 1)[-1]

    async def several(
        self, definition: str, scope: Scope, months: Sequence[str]
    ) -> list[PublishedMonth]:
        """Months by a definition that has a past, from one reading; in the order of ``months``.

        Raises:
            NotYetError: they are being computed for the first time.
        """
        make = partial(self._compute, rate_months, [(definition, one) for one in months])
        key, wait_s = ("several", definition, *months), self._context.first_wait_s
        found = await self._remembered.get(key, PAST_S, make, wait_s)
        return [await self.seen(one, scope) for one in found]

    async def _part(self, moment: Moment[RateMonth], scope: Scope) -> Moment[PublishedMonth]:
        months = {name: await self.seen(one, scope) for name, one in moment.months.items()}
        if scope.is_whole:
            return Moment(months, moment.gaps, moment.gateways)
        return Moment(months)

    async def seen(self, month: RateMonth, scope: Scope) -> PublishedMonth:
        """A month as far as somebody sees it."""
        if scope.is_whole:
            return publish(month, WHOLE)
        read, get = self._context.database.read, self._remembered.get
        then = day_of(month.as_of_ms - 1), month.ledger_change
        now = await get(("places", scope), MONTH_S, partial(read, places, scope))
        moved = await get(("elsewhere", *then), MONTH_S, partial(read, elsewhere, *then))
        return publish(month, Reader.in_month(scope, now, moved))

    def _together(self, definition: str, month: str | None) -> tuple[str, ...]:
        """Definitions of which figures stand on one page; an instantaneous one has no past."""
        if month is not None:
            return tuple(dict.fromkeys((definition, *_BESIDE_ALWAYS)))
        beside = (definition, *_BESIDE_NOW, *_BESIDE_ALWAYS)
        return self._shown if definition in self._shown else tuple(dict.fromkeys(beside))

    def _not_yet(self, since_ms: int) -> NotYetError:
        return NotYetError(Making(since_ms, *self._step))

    def _progress(self, step: str, done: int, total: int) -> None:
        self._step = (step, done, total)  # one assignment: it is called in a thread

    def _recall(self) -> None:
        """Take up what the process before this one computed of the months that are shown."""
        context = self._context
        *past, running = recent_months(context.now_ms(), TREND_MONTHS)
        points: dict[str, TrendPoint] = {}
        now: dict[str, RateMonth] = {}
        for one in kept.read(self._file):
            found = kept.recalled(one, context.definitions)
            if found is None or one.demonstration != context.config.demonstration:
                continue
            if one.month == running:
                now[one.definition] = found
            elif one.definition == self.headline.id:
                points[one.month] = trend_point(publish(found, WHOLE))
            self._kept[one.definition, one.month] = one
        if self.headline.id in now:
            self._remembered.recall((self._running, self._shown), Moment(now))
        if points:
            shown = tuple(points[month] for month in past if month in points)
            self._remembered.recall(("trend", self.headline.id, running, EVERYTHING), shown)

    async def _keep(self, made: KeptMonths) -> None:
        """Keep figures for the next start; the file is written once a minute, or at the first."""
        is_new = not made.keys() <= self._kept.keys()
        self._kept |= made
        now_ms = self._context.now_ms()
        is_due = not 0 <= now_ms - self._written_ms < KEEP_MS  # the clock may have been set back
        if is_new or is_due:
            self._written_ms = now_ms
            shown = recent_months(now_ms, TREND_MONTHS)
            self._kept = {key: one for key, one in self._kept.items() if key[1] in shown}
            async with self._writing:  # there is one draft; who is last writes all there is by then
                await asyncio.to_thread(kept.write, self._file, list(self._kept.values()))

    async def _moment(self, wanted: Sequence[str]) -> Moment[RateMonth]:
        """The running month of some definitions, from one reading of ledger and evidence."""
        answering = frozenset[MachineName]().union(*map(self._answering, wanted))
        states = await self.gateways.states(EVERYTHING)
        asked = [(one, None) for one in wanted]
        computing = partial(at_once, answering=answering)
        months, to_keep, lacking = await self._compute(computing, asked)
        await self._keep(to_keep)
        return Moment({one.definition.id: one for one in months}, lacking, states)

    async def _past_month(self, wanted: Sequence[str], month: str) -> Moment[RateMonth]:
        found = await self._compute(rate_months, [(one, month) for one in wanted])
        return Moment({one.definition.id: one for one in found})

    async def _compute(self, function: Callable[..., T], *what: Any) -> T:
        """Compute figures; one at a time, for two would take as long as one each."""
        context = self._context
        async with self._computing:
            self._step = ("begun", 0, 0)
            return await context.apart.compute(
                function,
                *what,
                context.now_ms(),
                progress=self._progress,
                demonstration=context.config.demonstration,
                definitions=context.definitions,
            )

    def _answering(self, definition: str, uscc: str | None = None) -> frozenset[MachineName]:
        """Machines that answer now, if a definition asks for them."""
        context = self._context
        if definition_of(context.definitions, definition).measure != "answering":
            return frozenset()
        demonstration = context.config.demonstration
        return context.live.answering(demonstration=demonstration, uscc=uscc)

    async def trend(
        self, scope: Scope, definition: str = "", wait_s: float | None = None
    ) -> tuple[TrendPoint, ...]:
        """The rate of the last months, the headline unless another one is named.

        The last point is the figure of the pages.

        Raises:
            NotYetError: it is being computed for the first time.
        """
        chosen = definition or self.headline.id
        *past, running = recent_months(self._context.now_ms(), TREND_MONTHS)
        now = await self.month(chosen, scope, wait_s)
        make, key = partial(self._past, chosen, past, scope), ("trend", chosen, running, scope)
        patience = self._context.first_wait_s if wait_s is None else wait_s
        points = await self._remembered.get(key, PAST_S, make, patience, is_dated=True)
        return (*points, trend_point(now))

    async def _past(
        self, definition: str, months: Sequence[str], scope: Scope
    ) -> tuple[TrendPoint, ...]:
        if scope.is_whole:
            found, to_keep = await self._compute(past_months, definition, months)
            await self._keep(to_keep)
            return tuple(trend_point(publish(one, WHOLE)) for one in found)
        by_enterprise = partial(trend_months, dimensions=("enterprise",))
        found = await self._compute(by_enterprise, definition, months)
        return tuple([trend_point(await self.seen(one, scope)) for one in found])

    async def machines(
        self, uscc: str, definition: str = "", month: str | None = None
    ) -> list[MachineVerdict]:
        """How every machine of an enterprise is counted in a month; None: the running one."""
        asked = (uscc, definition or self.headline.id, month)
        for_s = MONTH_S if month is None else PAST_S
        return await self._remembered.get(
            ("machines", *asked), for_s, partial(self._machines, *asked)
        )

    async def _machines(
        self, uscc: str, definition: str, month: str | None
    ) -> list[MachineVerdict]:
        context, now_ms = self._context, self._context.now_ms()
        demonstration = context.config.demonstration
        return await context.database.read(
            machine_facts,
            definition,
            month,
            now_ms,
            demonstration=demonstration,
            answering=self._answering(definition, uscc),
            uscc=uscc,
            definitions=context.definitions,
        )
