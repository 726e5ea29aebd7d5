"""Charts as Vega-Lite specifications. Pure; colours are the style sheet's variables.

One specification serves the pictures of the first paint and the interactive chart. What does not
depend on the data is built once: that costs a hundred times more than filling in the data. Times
are shifted to Asia/Shanghai and drawn as UTC, so that every reader sees the city's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile
from typing import Any, Literal

import altair as alt

from gateway.city.rates.plan import PlanValue
from gateway.city.rates.reports.shown import percent_text
from gateway.city.rates.reports.trend import TrendPoint

Spec = dict[str, Any]
Shape = Literal["wide", "narrow", "interactive"]
PICTURES: tuple[Shape, ...] = ("wide", "narrow")
"""Shapes that are drawn here: for a desktop and for a phone."""

FONT = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif"
FILL: tuple[Any, Any] = ("container", "container")
_TREND: Mapping[Shape, tuple[Any, Any]] = {
    "wide": (620, 270),
    "narrow": (300, 230),
    "interactive": FILL,
}
_BEFORE, _AFTER = 0.35, 0.75
"""Room on the axis before the first and after the last year; the newest figure stands in it."""
_FRAMES = 128


@dataclass(frozen=True, slots=True)
class TrendLabels:
    """Texts of the trend chart in one language."""

    actual: str
    plan: str
    interpolated: str
    point: str
    month: str
    rate: str
    fraction: str
    axis: str


def trend_chart(
    points: Sequence[TrendPoint], plan: Sequence[PlanValue], labels: TrendLabels, shape: Shape
) -> Spec:
    """The monthly rate of the city against the plan's path.

    The line begins with the first month of which something is known; a later one of which nothing
    is known breaks it. The plan's own points are dots with their figures; between them the path is
    dashed and says that it is interpolated.
    """
    last = max([plan[-1].year, *(_year_end(point.month) for point in points)])
    datasets = {
        "plan": [_plan_row(value, labels) for value in plan],
        "actual": [_actual_row(point) for point in dropwhile(_is_unknown, points)],
    }
    return _trend_frame(plan[0].year, last, labels, shape) | {"datasets": datasets}


@lru_cache(_FRAMES)
def _trend_frame(first: int, last: float, labels: TrendLabels, shape: Shape) -> Spec:
    """The chart without its data, over an axis of years."""
    begin, end = first - _BEFORE, last + _AFTER
    axis = alt.Axis(
        values=list(range(first, int(end) + 1)), format="d", labelOverlap=shape == "narrow"
    )
    scale = alt.Scale(domain=[begin, end], nice=False)
    x = alt.X("at:Q", title=labels.axis, axis=axis, scale=scale)
    y = alt.Y("percent:Q", title="%", scale=alt.Scale(zero=False, padding=14))
    return finish(
        alt.layer(*_plan_layers(x, y, labels), *_actual_layers(x, y, labels)), _TREND[shape]
    )


def _year_end(month: str) -> float:
    """Where a month ends on an axis whose whole numbers are ends of years."""
    return int(month[:4]) - 1 + int(month[5:]) / 12


def _plan_row(value: PlanValue, labels: TrendLabels) -> dict[str, object]:
    return {
        "at": value.year,
        "percent": float(value.percent),
        "text": percent_text(value.percent),
        "year": str(value.year),
        "own": not value.interpolated,
        "kind": labels.interpolated if value.interpolated else labels.point,
    }


def _is_unknown(point: TrendPoint) -> bool:
    return point.rate is None


def _actual_row(point: TrendPoint) -> dict[str, object]:
    cell = point.city
    return {
        "at": _year_end(point.month),
        "percent": None if point.rate is None else float(point.rate),
        "text": None if point.rate is None else percent_text(point.rate),
        "month": point.month,
        "fraction": None if point.rate is None else f"{cell.networked} / {cell.equipment}",
        "final": point.status == "F",
    }


def _plan_layers(x: alt.X, y: alt.Y, labels: TrendLabels) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("year:N", title=labels.plan),
        alt.Tooltip("text:N", title="%"),
        alt.Tooltip("kind:N", title=" "),
    ]
    base = alt.Chart(alt.NamedData(name="plan")).encode(x=x, y=y, tooltip=tooltip)
    own = base.transform_filter("datum.own")
    return [
        base.mark_line(color="var(--plan)", strokeDash=[5, 4], strokeWidth=1.6),
        base.mark_point(color="var(--plan)", filled=False, size=22, fill="var(--card)"),
        own.mark_point(color="var(--plan)", filled=True, size=70, opacity=1),
        own.mark_text(color="var(--plan)", dy=-13, fontWeight=600).encode(text="text:N"),
    ]


def _actual_layers(x: alt.X, y: alt.Y, labels: TrendLabels) -> list[alt.Chart]:
    tooltip = [
        alt.Tooltip("month:N", title=labels.month),
        alt.Tooltip("text:N", title=f"{labels.rate} %"),
        alt.Tooltip("fraction:N", title=labels.fraction),
    ]
    base = alt.Chart(alt.NamedData(name="actual")).encode(x=x, y=y, tooltip=tooltip)
    last = (
        base.transform_filter("datum.percent !== null")
        .transform_window(rank="rank()", sort=[alt.SortField("at", order="descending")])
        .transform_filter("datum.rank == 1")
    )
    fill = alt.condition("datum.final", alt.value("var(--accent)"), alt.value("var(--card)"))
    return [
        base.mark_line(color="var(--accent)", strokeWidth=2.4),
        base.mark_point(stroke="var(--accent)", size=36, opacity=1).encode(fill=fill),
        last.mark_text(
            color="var(--accent)", align="left", dx=9, fontWeight=700, fontSize=13
        ).encode(text="text:N"),
    ]


def finish(chart: alt.LayerChart | alt.FacetChart, size: tuple[Any, Any]) -> Spec:
    """A chart of this size in the style of the pages, as a specification."""
    width, height = size
    text = {"labelColor": "var(--ink-3)", "titleColor": "var(--ink-3)", "labelFontSize": 11}
    quiet = {"gridColor": "var(--line)", "domainColor": "var(--line-strong)"}
    spec: Spec = (
        chart.properties(width=width, height=height, background="transparent")
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(**text, **quiet, tickColor="var(--line-strong)", titleFontWeight="normal")
        .configure_axisX(grid=False)
        .configure_axisY(
            tickCount=6, domain=False, ticks=False, titleAngle=0, titleAlign="left", titleY=-10
        )
        .to_dict()
    )
    spec["autosize"] = {"type": "fit" if size == FILL else "pad", "contains": "padding"}
    return spec
