"""The curves of both pages, whatever a device says."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.console.charts.history import history_chart
from gateway.city.console.charts.pictures import Pictures
from gateway.city.stores.api import Point
from gateway.core.status import Quality, Reason
from gateway.edge.live.console.traces import HEIGHT, WIDTH, Traces, polyline
from gateway.edge.live.records import TagLive, TagValue

numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1).map(
    float
)


def tag(value: TagValue, time_ms: int) -> TagLive:
    return TagLive("t", "", "", "", "value", "g", value, Quality.GOOD, Reason.NONE, time_ms)


def drawn(curve: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (point.split(",") for point in curve.split())]


@given(st.lists(numbers, min_size=2, max_size=90))
def test_a_curve_stays_in_its_box_and_keeps_the_order_of_values(values: list[float]) -> None:
    points = drawn(polyline(values))
    assert len(points) == len(values)
    assert all(0 <= x <= WIDTH and 2 <= y <= HEIGHT - 2 for x, y in points)
    for (early, late), ((_, above), (_, below)) in zip(
        pairwise(values), pairwise(points), strict=True
    ):
        assert above <= below or late > early


@pytest.mark.parametrize("value", [0.0, -0.0, 5e-324, 2.0**54, float(2**64 - 1), 1.7e308, -3.5])
def test_a_constant_is_a_line_in_the_middle(value: float) -> None:
    assert {y for _, y in drawn(polyline([value] * 3))} == {HEIGHT / 2}


def test_the_widest_range_there_is() -> None:
    low, middle, high = drawn(polyline([-1.7e308, 0.0, 1.7e308]))
    assert (low[1], middle[1], high[1]) == (HEIGHT - 2, HEIGHT / 2, 2)


def test_what_is_no_number_is_passed_over() -> None:
    traces = Traces()
    for at, value in enumerate([float("nan"), 1.0, float("inf"), "x", None, True, 2**64 - 1]):
        curves = traces.extended("d", [tag(value, at)], at)
    assert len(drawn(curves["t"])) == 2
    assert Traces().extended("d", [tag(7, 1)], 1) == {}, "one point is no line"


@pytest.mark.parametrize(
    "value", [float(2**64 - 1), 2.0**54, 5e-324, 1.7e308, -0.0, float("nan"), float("inf")]
)
@pytest.mark.parametrize("count", [1, 2, 3])
async def test_the_city_draws_any_constant(value: float, count: int) -> None:
    points = [Point(1_800_000_000_000 + at * 1_000, value) for at in range(count)]
    span = (1_800_000_000_000, 1_800_000_060_000)
    chart = history_chart(points, "t", "nothing", lambda _: "", "wide", span)
    assert "NaN" not in await Pictures().svg(chart)
