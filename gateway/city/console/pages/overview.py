"""The first page: the headline rate and what stands behind it."""

from functools import partial

from starlette.requests import Request

from gateway.city.access.principal import Permission, Principal, Scope
from gateway.city.console.asking import principal_of
from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import (
    PICTURES,
    Shape,
    Spec,
    TrendLabels,
    trend_chart,
)
from gateway.city.console.context import ConsoleContext
from gateway.city.console.control import DemonstrationControl, Line
from gateway.city.console.queries.database import ledger_size
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures, late_of, plan_distance
from gateway.city.console.queries.gaps import GapFilter, gap_count, gaps
from gateway.city.console.queries.gateways import Gateways
from gateway.city.rates.period import month_of
from gateway.city.rates.plan import load_plan, plan_path
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.table import RateTable
from gateway.core.days import day_of
from gateway.web.i18n import Language, text
from gateway.web.pages import View, preferences
from gateway.web.tables import is_file
from gateway.web.waiting import NotYetError

RECENT_GAPS = 6
SHOWN_GATEWAYS = 8


class Overview:
    """The page ``/`` and its chart."""

    def __init__(
        self,
        context: ConsoleContext,
        figures: Figures,
        gateways: Gateways,
        pictures: Pictures,
        control: DemonstrationControl | None,
    ) -> None:
        self._context = context
        self._figures = figures
        self._gateways = gateways
        self._pictures = pictures
        self._control = control

    async def view(self, request: Request) -> View:
        """Everything an officer asks first."""
        context, now_ms = self._context, self._context.now_ms()
        language = preferences(request).language
        asking = principal_of(request)
        scope = asking.scope
        states = await self._gateways.states(scope)
        figures = await self._headline(scope, is_file(request))
        table = figures.get("table")
        data: dict[str, object] = {
            **figures,
            "definition": self._figures.headline,
            "month": month_of(day_of(now_ms)),
            "plan_note": _plan_note(language),
            "gateways": states.worst_first[:SHOWN_GATEWAYS],
            "gateway_counts": (states.online, len(states.worst_first)),
            "gaps": await context.database.read(gaps, GapFilter(scope), RECENT_GAPS),
            "lasting": await context.database.read(gap_count, GapFilter(scope, only_open=True)),
            "lines": await self._lines(asking),
            "late": await late_of(context, scope),
            "now_ms": now_ms,
        }
        live = ("headline", "counties", "gateways", "gaps", "lines")
        # While there is no headline there is no trend either: it need not be waited for.
        still = partial(self._trend_pictures, scope, language) if table else _no_trend
        file = as_table(table) if isinstance(table, RateTable) else None
        return View("overview.html", data, live, table=file, still=still)

    async def _lines(self, asking: Principal) -> list[Line] | None:
        """Lines of the demonstration, for who may start and stop them."""
        if self._control is None or not asking.may(Permission.ENROL):
            return None
        return await self._control.lines()

    async def _headline(self, scope: Scope, whole: bool) -> dict[str, object]:
        """The figures, or how far they are; a file waits for them."""
        figures, now_ms = self._figures, self._context.now_ms()
        nothing = {"making": None, "table": None, "online": None, "coverage": None}
        wait_s = FILE_WAIT_S if whole else None
        try:
            table = await figures.table("county", scope, wait_s=wait_s)
        except NotYetError as error:
            if whole:
                raise
            ledger = await self._context.database.read(ledger_size, scope)
            return nothing | {"making": error.making, "ledger": ledger}
        return nothing | {
            "table": table,
            "counties": table.ranked(),
            "plan": plan_distance(table.lead(table.city), now_ms),
            "online": await self._beside(scope, "ONL"),
            "coverage": await self._beside(scope, "COV"),
        }

    async def _beside(self, scope: Scope, definition: str) -> RateTable | None:
        """A figure beside the headline; None: not yet."""
        try:
            return await self._figures.table("county", scope, definition)
        except NotYetError:
            return None

    async def _trend_pictures(self, scope: Scope, language: Language) -> dict[str, object]:
        """The chart as pictures; None while it is computed for the first time."""
        try:
            return {
                f"trend_{shape}": await self._pictures.svg(await self.trend(scope, language, shape))
                for shape in PICTURES
            }
        except NotYetError:
            return await _no_trend()

    async def trend(self, scope: Scope, language: Language, shape: Shape) -> Spec:
        """The specification of the trend chart."""
        points = await self._figures.trend(scope)
        return trend_chart(points, plan_path(), _labels(language), shape)


async def _no_trend() -> dict[str, object]:
    return {f"trend_{shape}": None for shape in PICTURES}


def _labels(language: Language) -> TrendLabels:
    return TrendLabels(
        actual=text(language, "trend.actual"),
        plan=text(language, "trend.plan"),
        interpolated=_plan_note(language),
        point=text(language, "trend.point"),
        month=text(language, "rate.month"),
        rate=text(language, "rate.pooled"),
        fraction=text(language, "rate.fraction"),
        axis=text(language, "trend.axis"),
    )


def _plan_note(language: Language) -> str:
    plan = load_plan()
    return plan.interpolation_zh if language == "zh" else plan.interpolation_en
