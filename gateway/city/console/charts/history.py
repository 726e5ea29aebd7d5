"""The history of one tag as a Vega-Lite specification. Pure.

The curve is solid between GOOD values and dashed towards doubted ones, which also have a shape of
their own: colour alone tells nobody who cannot see it, or prints in grey.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from statistics import median
from typing import Any

import altair as alt

from gateway.city.console.charts.specifications import FILL, PICTURES, Shape, Spec, finish
from gateway.city.console.doubt import Trust, trust_of
from gateway.city.stores.api import Point
from gateway.core.batch import NEVER
from gateway.core.days import OFFSET_MS

_SIZES: Mapping[Shape, tuple[Any, Any]] = {
    "wide": (1160, 260),
    "narrow": (300, 200),
    "wall": (400, 200),
    "interactive": FILL,
}
_BREAK_FACTOR = 5
_BREAK_MIN_MS = 90_000
_MARKS = 60
"""At most so many shapes of one kind stand over the whole axis."""
_FRAMES = 128
_SHAPES = {"good": "circle", "uncertain": "triangle-up", "replayed": "diamond", "doubted": "cross"}
DOUBTS: tuple[Trust, ...] = ("uncertain", "replayed", "doubted")
"""What the legend explains, in its order."""

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring values that are trusted alike, without a silence between them.

    Attributes:
        trust: how far its values can be trusted.
        points: the values.
        curve: the values that its part of the curve joins: a dashed part begins at the value
            before it and ends at a GOOD one behind it.
    """

    trust: Trust
    points: Sequence[Point]
    curve: Sequence[Point]


def stretches(points: Sequence[Point]) -> Iterator[Stretch]:
    """Cut values where the tag was silent for long, and where the trust in them changes.

    Args:
        points: in time order.
    """
    for piece in _pieces(points):
        start = 0
        for at in range(1, len(piece) + 1):
            trust = trust_of(piece[start].status)
            after = trust_of(piece[at].status) if at < len(piece) else None
            if after != trust:
                low, high = (start, at) if trust == "good" else (start - 1, at + (after == "good"))
                curve = piece[max(0, low) : high]
                yield Stretch(trust, piece[start:at], curve)
                start = at


def _pieces(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Cut values where the tag was silent for long, measured by its usual pace."""
    steps = [late.time_ms - early.time_ms for early, late in pairwise(points)]
    longest = max(_BREAK_MIN_MS, _BREAK_FACTOR * median(steps)) if steps else 0
    start = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or steps[at - 1] > longest:
            yield points[start:at]
            start = at


def history_chart(
    points: Sequence[Point],
    title: str,
    empty: str,
    describe: Callable[[int], str],
    shape: Shape,
    span: tuple[int, int],
) -> Spec:
    """Values of one tag over time; a silence breaks the line.

    Args:
        points: in time order, numeric.
        title: name and unit of the tag.
        empty: what stands in place of a curve without values.
        describe: says what a status byte means.
        shape: size of the picture.
        span: first and last moment of the axis, UTC milliseconds.
    """
    found = list(stretches(points))
    apart_ms = (span[1] - span[0]) / _MARKS
    datasets = {
        "curve": [row for number, one in enumerate(found) for row in _curve(number, one)],
        "marks": list(_marks(found, apart_ms)),
        "edges": [{"t": at + OFFSET_MS} for at in span],
        "nothing": [] if points else [{"text": empty}],
    }
    if shape not in PICTURES:
        datasets["values"] = [_seen(point, describe) for point in points]
    return _frame(title, shape) | {"datasets": datasets}


def _curve(number: int, stretch: Stretch) -> Iterator[Row]:
    """Rows of one stretch, each with the number of the line that it belongs to."""
    for point in stretch.curve:
        yield _row(point) | {"line": number, "trust": stretch.trust}


def _marks(found: Iterable[Stretch], apart_ms: float) -> Iterator[Row]:
    """Rows of the values that have a shape: those in doubt, and of a curve too short to be seen.

    Of values of one kind that are nearer to each other than ``apart_ms`` only the first has one.
    """
    last_ms: dict[Trust, int] = {}
    for one in found:
        if one.trust == "good" and one.curve[-1].time_ms - one.curve[0].time_ms >= apart_ms:
            continue
        for point in one.points:
            if point.time_ms - last_ms.get(one.trust, NEVER) >= apart_ms:
                last_ms[one.trust] = point.time_ms
                yield _row(point) | {"trust": one.trust}


def _seen(point: Point, describe: Callable[[int], str]) -> Row:
    """What stands beside the pointer."""
    return _row(point) | {"at": _clock(point.time_ms), "words": describe(point.status)}


def _row(point: Point) -> Row:
    number = float(point.value) if isinstance(point.value, int | float) else None
    # JSON has no word for infinity; a store that others write to may hold it.
    is_drawn = number is not None and isfinite(number)
    return {"t": point.time_ms + OFFSET_MS, "v": number if is_drawn else None}


def _clock(time_ms: int) -> str:
    seconds = (time_ms + OFFSET_MS) // 1000 % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@lru_cache(_FRAMES)
def _frame(title: str, shape: Shape) -> Spec:
    """The chart without its data."""
    axis = alt.Axis(format="%H:%M", tickCount=6, labelOverlap=True, labelSeparation=12)
    x = alt.X("t:T", title=None, axis=axis, scale=alt.Scale(type="utc", nice=False))
    y = alt.Y("v:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    edges = alt.Chart(alt.NamedData(name="edges")).mark_rule(opacity=0).encode(x=x)
    layers = [edges, *_line_layers(x, y), _mark_layer(x, y), _empty_layer()]
    if shape not in PICTURES:  # nobody can point at a picture
        tooltip = [
            alt.Tooltip("at:N", title=" "),
            alt.Tooltip("v:Q", title=title, format=".6~g"),
            alt.Tooltip("words:N", title="\u200b"),
        ]
        values = alt.Chart(alt.NamedData(name="values")).encode(x=x, y=y, tooltip=tooltip)
        layers.append(values.mark_point(size=60, opacity=0, aria=False))
    return finish(alt.layer(*layers), _SIZES[shape])


def _line_layers(x: "alt.X", y: "alt.Y") -> "list[alt.Chart]":
    """The curve, which is solid between GOOD values and dashed elsewhere; the figure has a name."""
    lines = alt.Chart(alt.NamedData(name="curve")).encode(x=x, y=y, detail="line:N")
    solid, dashed = (lines.transform_filter(f"datum.trust {how} 'good'") for how in ("==", "!="))
    return [
        solid.mark_line(color="var(--accent)", strokeWidth=1.7, aria=False),
        dashed.mark_line(color="var(--warn)", strokeWidth=1.4, strokeDash=[3, 3], aria=False),
    ]


def _mark_layer(x: "alt.X", y: "alt.Y") -> "alt.Chart":
    """What is in doubt, by its shape; a GOOD value that no curve shows is a dot."""
    scale = alt.Scale(domain=list(_SHAPES), range=list(_SHAPES.values()))
    is_good = "datum.trust == 'good'"
    chart: alt.Chart = alt.Chart(alt.NamedData(name="marks")).mark_point(
        size=58, strokeWidth=1.5, opacity=1, aria=False
    )
    return chart.encode(
        x=x,
        y=y,
        shape=alt.Shape("trust:N", scale=scale, legend=None),
        stroke=alt.condition(is_good, alt.value("var(--accent)"), alt.value("var(--warn)")),
        fill=alt.condition(is_good, alt.value("var(--accent)"), alt.value("var(--card)")),
    )


def _empty_layer() -> "alt.Chart":
    """What stands in place of a curve without values."""
    chart: alt.Chart = alt.Chart(alt.NamedData(name="nothing")).mark_text(
        color="var(--ink-3)", fontSize=13, x=alt.expr("width / 2"), y=alt.expr("height / 2")
    )
    return chart.encode(text="text:N")
