"""The rate of the last months, and the plan's years: two pictures, each with its own axis. Pure.

Twelve months on an axis of eight years were squeezed into its last eighth. Months stand in the one
picture, with breaks and bounds; in the other the plan from its first year to its last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import dropwhile
from typing import Any

import altair as alt

from gateway.city.console.charts.breaks import Break
from gateway.city.console.charts.specifications import FILL, Shape, Spec, finish
from gateway.city.rates.plan import PlanValue
from gateway.city.rates.reports.shown import percent_text
from gateway.city.rates.reports.trend import TrendPoint

_MONTHS: Mapping[Shape, tuple[Any, Any]] = {
    "wide": (620, 540),
    "narrow": (300, 230),
    "wall": (400, 300),
    "interactive": FILL,
}
_YEARS: Mapping[Shape, tuple[Any, Any]] = {
    "wide": (430, 170),
    "narrow": (300, 150),
    "wall": (400, 150),
    "interactive": FILL,
}
_BEFORE, _AFTER = 0.35, 0.75
"""Room on the axis before the first and after the last year; the newest figure stands in it."""
_FRAMES = 128


@dataclass(frozen=True, slots=True)
class TrendLabels:
    """Texts of the charts in one language."""

    actual: str
    plan: str
    interpolated: str
    point: str
    month: str
    rate: str
    fraction: str
    axis: str
    bounds: str


def months_chart(
    points: Sequence[TrendPoint],
    broken: Sequence[Break],
    last: PlanValue | None,
    labels: TrendLabels,
    shape: Shape,
) -> Spec:
    """The rate by month, with the plan's path and its last value, bounds and breaks.

    The line begins with the first month of which something is known; a later one of which nothing
    is known breaks it. Without a last value the plan does not name the rate.
    """
    known = list(dropwhile(_is_unknown, points))
    datasets = {
        "months": [{"month": point.month} for point in points],
        "actual": [_actual_row(point) for point in known],
        "path": [_path_row(point) for point in points if point.plan is not None],
        "goal": [
            {"percent": float(one.percent), "text": percent_text(one.percent)}
            for one in (last,)
            if one is not None
        ],
        "breaks": [{"month": one.month} for one in broken],
    }
    return _months_frame(labels, shape, is_known=bool(known)) | {"datasets": datasets}


def years_chart(
    points: Sequence[TrendPoint], plan: Sequence[PlanValue], labels: TrendLabels, shape: Shape
) -> Spec:
    """The plan's path over its years, with the newest figure.

    The plan's own points are dots with their figures; between them the path is dashed.
    """
    known = [point for point in points if point.rate is not None]
    end = max([plan[-1].year, *(_year_end(point.month) for point in points)])
    datasets = {
        "plan": [_plan_row(value, labels) for value in plan],
        "newest": [_actual_row(point) | {"at": _year_end(point.month)} for point in known[-1:]],
    }
    return _years_frame(plan[0].year, end, labels, shape) | {"datasets": datasets}


@lru_cache(_FRAMES)
def _months_frame(labels: TrendLabels, shape: Shape, *, is_known: bool) -> Spec:
    """The chart without its data; without lines of rates where none is known."""
    axis = alt.Axis(labelAngle=0, labelOverlap=True, labelSeparation=6)
    x = alt.X("month:O", title=None, axis=axis, scale=alt.Scale(padding=0.6))
    y = alt.Y("percent:Q", title="%", scale=alt.Scale(zero=False, padding=14))
    every = alt.Chart(alt.NamedData(name="months")).mark_point(opacity=0, aria=False).encode(x=x)
    layers = [every, *_break_layers(x), *_path_layers(x, y, labels)]
    layers += _actual_layers(x, y, labels) if is_known else []
    return finish(alt.layer(*layers), _MONTHS[shape])


@lru_cache(_FRAMES)
def _years_frame(first: int, last: float, labels: TrendLabels, shape: Shape) -> Spec:
    begin, end = first - _BEFORE, last + _AFTER
    years = list(range(first, int(end) + 1))
    axis = alt.Axis(values=years, format="d", labelOverlap=shape == "narrow")
    scale = alt.Scale(domain=[begin, end], nice=False)
    x = alt.X("at:Q", title=labels.axis, axis=axis, scale=scale)
    y = alt.Y("percent:Q", title="%", scale=alt.Scale(zero=False, padding=14))
    newest = alt.Chart(alt.NamedData(name="newest")).encode(x=x, y=y)
    layers = [*_plan_layers(x, y, labels), newest.mark_point(**_DOT), _figure(newest)]
    return finish(alt.layer(*layers), _YEARS[shape])


_DOT: Mapping[str, Any] = {"color": "var(--accent)", "filled": True, "size": 60, "opacity": 1}


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


def _path_row(point: TrendPoint) -> dict[str, object]:
    assert point.plan is not None  # noqa: S101 - others have no row
    return {
        "month": point.month,
        "percent": float(point.plan),
        "text": percent_text(point.plan),
    }


def _actual_row(point: TrendPoint) -> dict[str, object]:
    cell, bounds = point.city, point.bounds
    return {
        "percent": None if point.rate is None else float(point.rate),
        "text": None if point.rate is None else percent_text(point.rate),
        "month": point.month,
        "fraction": None if point.rate is None else f"{cell.networked} / {cell.equipment}",
        "final": point.status == "F",
        "lower": float(bounds.lower) if bounds else None,
        "upper": float(bounds.upper) if bounds else None,
        "between": f"{percent_text(bounds.lower)} – {percent_text(bounds.upper)}"
        if bounds
        else None,
    }


def _break_layers(x: "alt.X") -> "list[alt.Chart]":
    """A line across the picture where months before and after are not of one thing."""
    base = alt.Chart(alt.NamedData(name="breaks")).encode(x=x)
    return [
        base.mark_rule(color="var(--warn)", strokeDash=[2, 3], strokeWidth=1.4, aria=False),
        base.mark_point(
            shape="triangle-down",
            color="var(--warn)",
            filled=True,
            size=70,
            opacity=1,
            y=4,
            aria=False,
        ),
    ]


def _path_layers(x: "alt.X", y: "alt.Y", labels: TrendLabels) -> "list[alt.Chart]":
    tooltip = [
        alt.Tooltip("month:N", title=labels.month),
        alt.Tooltip("text:N", title=f"{labels.interpolated} %"),
    ]
    path = alt.Chart(alt.NamedData(name="path")).encode(x=x, y=y, tooltip=tooltip)
    goal = alt.Chart(alt.NamedData(name="goal")).encode(y=y)
    return [
        goal.mark_rule(color="var(--plan)", strokeWidth=1, aria=False),
        goal.mark_text(color="var(--plan)", x=2, align="left", dy=-7, fontWeight=600).encode(
            text="text:N"
        ),
        path.mark_line(color="var(--plan)", strokeDash=[5, 4], strokeWidth=1.6),
        path.mark_point(color="var(--plan)", filled=False, size=18, fill="var(--card)"),
    ]


def _plan_layers(x: "alt.X", y: "alt.Y", labels: TrendLabels) -> "list[alt.Chart]":
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


def _actual_layers(x: "alt.X", y: "alt.Y", labels: TrendLabels) -> "list[alt.Chart]":
    tooltip = [
        alt.Tooltip("month:N", title=labels.month),
        alt.Tooltip("text:N", title=f"{labels.rate} %"),
        alt.Tooltip("fraction:N", title=labels.fraction),
        alt.Tooltip("between:N", title=labels.bounds),
    ]
    base = alt.Chart(alt.NamedData(name="actual")).encode(x=x, y=y, tooltip=tooltip)
    bounded = alt.Chart(alt.NamedData(name="actual")).transform_filter("datum.lower !== null")
    last = (
        base.transform_filter("datum.percent !== null")
        .transform_window(rank="rank()", sort=[alt.SortField("month", order="descending")])
        .transform_filter("datum.rank == 1")
    )
    fill = alt.condition("datum.final", alt.value("var(--accent)"), alt.value("var(--card)"))
    return [
        bounded.mark_rule(color="var(--accent)", strokeWidth=7, opacity=0.28, aria=False).encode(
            x=x, y=alt.Y("lower:Q"), y2="upper:Q"
        ),
        base.mark_line(color="var(--accent)", strokeWidth=2.4),
        base.mark_point(stroke="var(--accent)", size=36, opacity=1).encode(fill=fill),
        _figure(last),
    ]


def _figure(newest: "alt.Chart") -> "alt.Chart":
    """The newest figure beside its dot."""
    chart: alt.Chart = newest.mark_text(
        color="var(--accent)", align="left", dx=9, fontWeight=700, fontSize=13
    ).encode(text="text:N")
    return chart
