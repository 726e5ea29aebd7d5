"""The first page: the headline rate and what stands behind it."""

from collections.abc import Mapping
from functools import partial

from starlette.requests import Request

from gateway.city.access.principal import Permission, Principal, Scope
from gateway.city.alerts.model import Level
from gateway.city.alerts.standing import count
from gateway.city.console.asking import principal_of
from gateway.city.console.charts.drawing import NO_PICTURES, TrendDrawing, plan_note
from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import Shape, Spec
from gateway.city.console.context import ConsoleContext
from gateway.city.console.control import DemonstrationControl, Line
from gateway.city.console.exports.workbooks import workbooks
from gateway.city.console.pages.alerting.button import watchable
from gateway.city.console.pages.checking.kept import open_findings
from gateway.city.console.pages.choice import Choice, ChoiceError
from gateway.city.console.pages.enterprises.lacking import Lack, lacking_counties
from gateway.city.console.pages.movers import earlier_month
from gateway.city.console.queries.database import ledger_size
from gateway.city.console.queries.figures import (
    FILE_WAIT_S,
    Figures,
)
from gateway.city.console.queries.moment import Moment, lacking_now, late_of
from gateway.city.rates.cells.ranking import ranks
from gateway.city.rates.plan import plan_distance
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.movers import change, movers
from gateway.city.rates.reports.table import PublishedMonth, RateTable
from gateway.web.i18n import Language
from gateway.web.pages import View, preferences
from gateway.web.tables import is_file
from gateway.web.waiting import Making, NotYetError

LIVE = ("headline", "counties", "gateways", "gaps", "lines")
SHOWN_GATEWAYS = 8
SHOWN_MOVERS = 3


class Overview:
    """The page ``/`` and its chart."""

    def __init__(
        self,
        context: ConsoleContext,
        figures: Figures,
        pictures: Pictures,
        control: DemonstrationControl | None,
    ) -> None:
        self._context = context
        self._figures = figures
        self._drawing = TrendDrawing(context, figures, pictures)
        self._control = control

    async def view(self, request: Request, choice: Choice) -> View:
        """Everything an officer asks first; of a past month without what goes on now."""
        context = self._context
        language = preferences(request).language
        figures = await self._headline(choice, is_file(request))
        lines = None if choice.month else await self._lines(principal_of(request))
        table = figures.get("table")
        data: dict[str, object] = {
            **figures,
            "choice": choice,
            "definition": choice.definition,
            "month": choice.shown,
            "plan_note": plan_note(language),
            "late": await late_of(context, choice.scope),
            "lines": lines,
            "watching": await watchable(context, request, Level.CITY, "city"),
            "alerts": await context.database.read(count, choice.scope, ended=False),
            "clues": await open_findings(context, request),
        }
        # While there is no headline there is no trend either: it need not be waited for.
        still = partial(self._drawing.pictures, choice, language) if table else _no_trend
        file = as_table(table) if isinstance(table, RateTable) else None
        files = (
            workbooks(context, request, file, table.definition, choice.shown)
            if file is not None and isinstance(table, RateTable)
            else {}
        )
        live = ("headline", "counties") if choice.month else LIVE
        return View("overview.html", data, live, table=file, still=still, files=files)

    async def _lines(self, asking: Principal) -> list[Line] | None:
        """Lines of the demonstration, for who may start and stop them."""
        if self._control is None or not asking.may(Permission.ENROL):
            return None
        return await self._control.lines()

    async def _headline(self, choice: Choice, whole: bool) -> dict[str, object]:
        """The figures, or how far they are; a file waits for them."""
        wait_s = FILE_WAIT_S if whole else None
        try:
            moment = await self._figures.moment(
                choice.definition.id, choice.scope, wait_s, choice.month
            )
        except NotYetError as error:
            if whole:
                raise
            return await self._nothing_yet(error.making, choice.scope)
        found = moment.months[choice.definition.id]
        table = found.table("county")
        return {
            "making": None,
            "table": table,
            "counties": table.ranked(),
            "places": places_of(table),
            "lacking": await self._lacking(found, choice.scope),
            "plan": plan_distance(
                table.definition,
                table.lead(table.city),
                found.as_of_ms - 1,
                is_city=choice.scope.is_whole,
            ),
            "aims": table.aims,
            "online": moment.months.get("ONL"),
            "coverage": moment.months.get("COV"),
            **await self._moved(choice, found),
            **({} if choice.month else await self._present(moment, choice.scope)),
        }

    async def _lacking(
        self, month: PublishedMonth, scope: Scope
    ) -> Mapping[str, Mapping[Lack, int]]:
        """Why counties have no rate; nothing is read where all have."""
        cells = {cell.key: cell for cell in month.table("enterprise").cells}
        table = month.table("county")
        known = month.ledger_change
        return await self._context.database.read(lacking_counties, table, cells, scope, known)

    async def _moved(self, choice: Choice, now: PublishedMonth) -> dict[str, object]:
        """The change on the month before, and the counties that explain most of it."""
        nothing: dict[str, object] = {"change": None, "moved": ()}
        try:
            earlier = earlier_month(choice)
            name, scope = choice.definition.id, choice.scope
            before = await self._figures.month(name, scope, month=earlier)
        except (ChoiceError, NotYetError):
            return nothing
        found = movers(before, now, "county")[:SHOWN_MOVERS]
        return {"change": change(before.city, now.city), "moved": found}

    async def _nothing_yet(self, making: Making, scope: Scope) -> dict[str, object]:
        nothing = {"table": None, "online": None, "coverage": None}
        ledger = await self._context.database.read(ledger_size, scope)
        return (
            nothing | {"making": making, "ledger": ledger} | await self._present(Moment({}), scope)
        )

    async def _present(self, moment: Moment[PublishedMonth], scope: Scope) -> dict[str, object]:
        """What goes on: at the moment of the figures, or now where there are none yet."""
        lacking = moment.gaps
        if lacking is None:
            lacking = await self._context.database.read(lacking_now, scope)
        states = moment.gateways or await self._figures.gateways.states(scope)
        return {
            "gateways": states.worst_first[:SHOWN_GATEWAYS],
            "gateway_counts": (states.online, len(states.worst_first)),
            "gaps": lacking.newest,
            "lasting": lacking.lasting,
            "now_ms": self._context.now_ms(),
        }

    async def trend(self, choice: Choice, language: Language, shape: Shape) -> Spec:
        """The specification of the trend chart."""
        return await self._drawing.spec(choice, language, shape)


async def _no_trend() -> dict[str, object]:
    return NO_PICTURES


def places_of(table: RateTable) -> dict[str, int | None]:
    """Which place each county has by the figure that the definition puts first."""
    is_pooled = table.definition.aggregate == "pooled"
    parts = {
        cell.key: (table.lead(cell), cell.bounds if is_pooled else None) for cell in table.cells
    }
    return ranks(parts)
