"""The first page: the headline rate and what stands behind it."""

from functools import partial

from starlette.requests import Request

from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import (
    PICTURES,
    Shape,
    Spec,
    TrendLabels,
    trend_chart,
)
from gateway.city.console.context import ConsoleContext
from gateway.city.console.control import DemonstrationControl
from gateway.city.console.queries.figures import Figures, plan_distance
from gateway.city.console.queries.gaps import GapFilter, gap_count, gaps
from gateway.city.console.queries.gateways import Gateways
from gateway.city.rates.plan import load_plan, plan_path
from gateway.city.rates.reports.export import as_table
from gateway.web.i18n import Language, text
from gateway.web.pages import View, preferences

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
        table = await self._figures.table("county")
        language = preferences(request).language
        states = await self._gateways.states()
        data: dict[str, object] = {
            "table": table,
            "counties": table.ranked(),
            "online": await self._figures.table("county", "ONL"),
            "coverage": await self._figures.table("county", "COV"),
            "plan": plan_distance(table.lead(table.city), now_ms),
            "plan_note": _plan_note(language),
            "gateways": states.worst_first[:SHOWN_GATEWAYS],
            "gateway_counts": (states.online, len(states.worst_first)),
            "gaps": await context.database.read(gaps, GapFilter(), RECENT_GAPS),
            "lasting": await context.database.read(gap_count, GapFilter(only_open=True)),
            "lines": await self._control.lines() if self._control else None,
            "now_ms": now_ms,
        }
        live = ("headline", "counties", "gateways", "gaps", "lines")
        still = partial(self._trend_pictures, language)
        return View("overview.html", data, live, table=as_table(table), still=still)

    async def _trend_pictures(self, language: Language) -> dict[str, object]:
        return {
            f"trend_{shape}": await self._pictures.svg(await self.trend(language, shape))
            for shape in PICTURES
        }

    async def trend(self, language: Language, shape: Shape) -> Spec:
        """The specification of the trend chart."""
        return trend_chart(await self._figures.trend(), plan_path(), _labels(language), shape)


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
