"""The trend of a page: its months, its breaks in words, the plan's years, as pictures and live."""

from dataclasses import replace
from functools import partial

from gateway.city.console.charts.breaks import Break, breaks, roster_changes
from gateway.city.console.charts.pictures import Pictures
from gateway.city.console.charts.specifications import PICTURES, Shape, Spec
from gateway.city.console.charts.trend import TrendLabels, months_chart, years_chart
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choice
from gateway.city.console.queries.figures import Figures
from gateway.city.console.remember import Remembered
from gateway.city.rates.plan import PlanValue, load_plan, plan_path, target
from gateway.city.rates.reports.trend import TrendPoint
from gateway.web.i18n import Language, text
from gateway.web.waiting import NotYetError

ROSTER_S = 60.0
NO_PICTURES: dict[str, object] = {
    **{f"{chart}_{shape}": None for chart in ("trend", "plan") for shape in PICTURES},
    "breaks": (),
}
"""What a page has while the trend is computed for the first time."""


class TrendDrawing:
    """The trend of a definition, for who asks."""

    def __init__(self, context: ConsoleContext, figures: Figures, pictures: Pictures) -> None:
        self._context = context
        self._figures = figures
        self._pictures = pictures
        self._remembered = Remembered()

    async def pictures(self, choice: Choice, language: Language) -> dict[str, object]:
        """Both charts as pictures, and the breaks; none while they are being computed."""
        try:
            points = await self._points(choice)
            broken = await self._breaks(choice, points)
        except NotYetError:
            return NO_PICTURES
        labels = labels_of(language)
        found: dict[str, object] = NO_PICTURES | {"breaks": broken}
        for shape in PICTURES:
            months = months_chart(points, broken, _goal(choice), labels, shape)
            found[f"trend_{shape}"] = await self._pictures.svg(months)
            if choice.is_planned:
                years = years_chart(points, plan_path(), labels, shape)
                found[f"plan_{shape}"] = await self._pictures.svg(years)
        return found

    async def on_wall(self, choice: Choice, language: Language) -> dict[str, object]:
        """The months alone, to be read from five metres; None while they are being computed."""
        try:
            points = await self._points(choice)
            broken = await self._breaks(choice, points)
        except NotYetError:
            return {"trend_wall": None, "breaks": ()}
        spec = months_chart(points, broken, _goal(choice), labels_of(language), "wall")
        return {"trend_wall": await self._pictures.svg(spec), "breaks": broken}

    async def spec(self, choice: Choice, language: Language, shape: Shape) -> Spec:
        """The chart of the months.

        Raises:
            NotYetError: it is being computed for the first time.
        """
        points = await self._points(choice)
        broken = await self._breaks(choice, points)
        return months_chart(points, broken, _goal(choice), labels_of(language), shape)

    async def _points(self, choice: Choice) -> tuple[TrendPoint, ...]:
        points = await self._figures.trend(choice.scope, choice.definition.id)
        if choice.scope.is_whole:
            return points
        return tuple(replace(one, plan=None) for one in points)  # the plan's path is the city's

    async def _breaks(self, choice: Choice, points: tuple[TrendPoint, ...]) -> tuple[Break, ...]:
        months = [point.month for point in points]
        read = partial(
            self._context.database.read, roster_changes, choice.definition, choice.scope, months
        )
        key = (choice.definition.id, choice.scope, tuple(months))
        return breaks(points, await self._remembered.get(key, ROSTER_S, read))


def _goal(choice: Choice) -> PlanValue | None:
    """The plan's last value; None: it does not name this rate."""
    return target() if choice.is_planned else None


def labels_of(language: Language) -> TrendLabels:
    """The texts of the charts."""
    return TrendLabels(
        actual=text(language, "trend.actual"),
        plan=text(language, "trend.plan"),
        interpolated=plan_note(language),
        point=text(language, "trend.point"),
        month=text(language, "rate.month"),
        rate=text(language, "rate.pooled"),
        fraction=text(language, "rate.fraction"),
        axis=text(language, "trend.axis"),
        bounds=text(language, "trend.bounds"),
    )


def plan_note(language: Language) -> str:
    """That the plan's path between its points is not the plan's own."""
    plan = load_plan()
    return plan.interpolation_zh if language == "zh" else plan.interpolation_en
