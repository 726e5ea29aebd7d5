"""When something is wrong enough to tell, and that each alert begins once and ends once."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.alerts.model import Condition, GoingOn, Kind, Level, Subject, changes
from gateway.city.alerts.rules import Point, at_risk, fall_of, has_lasted
from gateway.core.days import HOUR_MS, day_start_ms

FRIDAY, SATURDAY, MONDAY = date(2025, 11, 21), date(2025, 11, 22), date(2025, 11, 24)
QUARTER_MS = HOUR_MS // 4
LEAST = Fraction(2)
ALL = frozenset(Kind)


def at(day: date, hour: float) -> int:
    return day_start_ms(day) + int(hour * HOUR_MS)


def lasted(since_ms: int, now_ms: int, least_ms: int = QUARTER_MS) -> bool:
    return has_lasted(since_ms, now_ms, least_ms, lambda day: day.weekday() < 5, 8)


def test_a_silence_on_a_working_day_lasts_from_its_beginning() -> None:
    assert not lasted(at(FRIDAY, 10), at(FRIDAY, 10.24))
    assert lasted(at(FRIDAY, 10), at(FRIDAY, 10.25))


def test_a_plant_that_switches_off_for_the_weekend_is_no_alarm() -> None:
    assert not lasted(at(FRIDAY, 23.9), at(SATURDAY, 12))
    assert not lasted(at(SATURDAY, 1), at(MONDAY, 8.2))  # the gateway starts with the shift
    assert lasted(at(SATURDAY, 1), at(MONDAY, 8.25))


@given(st.integers(0, 10 * 24), st.integers(0, 10 * 24))
def test_what_has_lasted_has_lasted_ever_since(hours: int, more: int) -> None:
    since = at(FRIDAY, 17)
    if lasted(since, since + hours * HOUR_MS, 5 * HOUR_MS):
        assert lasted(since, since + (hours + more) * HOUR_MS, 5 * HOUR_MS)


def series(*rates: int | None, machines: int = 100, record: str = "a") -> list[Point]:
    """Months of 2025, with so many of a hundred machines networked."""
    return [
        Point(
            f"2025-{number + 1:02d}",
            record,
            (rate or 0) * machines // 100,
            machines,
            None if rate is None else Fraction(rate),
        )
        for number, rate in enumerate(rates)
    ]


def falls(points: Sequence[Point], fewest: int = 20) -> str:
    """The month of the fall that a series ends in; empty: it ends in none."""
    found = fall_of(points, LEAST, fewest)
    return found.after.month[5:] if found else ""


@pytest.mark.parametrize(
    ("rates", "month"),
    [
        ((50, 50, 50), ""),
        ((50, 49, 48, 47, 46), ""),  # slowly: no month falls by two points
        ((50, 48), "02"),
        ((50, 48, 48, 48), "02"),  # one alert, not three
        ((50, 48, 49), "02"),  # half of two points is not more than half
        ((50, 45, 50), ""),  # made up for
        ((50, 45, 45, 45, 45), ""),  # three months later it is the level
        ((50, 45, 45, 45, 42), "05"),  # and what falls from there falls again
        ((50, None, 40), ""),  # nobody knows from where
    ],
)
def test_a_rate_falls_once_and_comes_back_or_stays(
    rates: tuple[int | None, ...], month: str
) -> None:
    assert falls(series(*rates)) == month


def test_few_machines_do_not_make_a_fall() -> None:
    assert falls(series(50, 40, machines=20)) == "02"
    assert falls(series(50, 40, machines=10)) == ""
    one = [Point("2025-01", "a", 10, 20, Fraction(50)), Point("2025-02", "a", 9, 20, Fraction(45))]
    assert falls(one) == ""  # one machine of twenty


def test_months_that_cannot_be_compared_do_not_fall() -> None:
    assert falls([series(60)[0], series(0, 40, record="b")[1]]) == ""
    assert falls([series(60)[0], series(0, 0, 40)[2]]) == ""  # February is missing


def target(year: int) -> Fraction | None:
    return {2025: Fraction(60)}.get(year)


def risk(points: Sequence[Point]) -> Fraction | None:
    found = at_risk(points, target, Fraction(1, 2))
    return found.expected if found else None


def test_a_straight_line_that_misses_the_target_is_a_risk() -> None:
    assert risk(series(50, 51, 52, 53, 54)) is None  # too few months
    assert risk(series(50, 51, 52, 53, 54, 55)) is None  # leads to 61
    assert risk(series(40, 41, 42, 43, 44, 45)) == 51
    assert risk(series(40, 41, 42, 43, None, 45)) is None
    assert risk([*series(40, 41, 42), *series(0, 0, 0, 43, 44, 45, record="b")[3:]]) is None
    later = [Point(f"2027-{n:02d}", "a", 1, 100, Fraction(1)) for n in range(1, 7)]
    assert risk(later) is None  # the plan ends before


def test_a_target_at_risk_is_safe_again_only_above_a_margin() -> None:
    rising = series(53, 54, 54, 55, 55, 56)
    assert risk(rising) is not None
    barely = [*rising, Point("2025-07", "a", 575, 1000, Fraction(115, 2))]
    assert at_risk(barely[1:], target, Fraction(1, 2)) is None  # alone it is no risk
    assert risk(barely) is not None  # but after one it is
    assert risk([*rising, Point("2025-07", "a", 60, 100, Fraction(60))]) is None


def silent(holds: bool = True, key: str = "gw-1") -> Condition:
    return Condition(Kind.GATEWAY, Subject(Level.GATEWAY, key), 0, holds)


def test_an_alert_goes_on_until_it_has_been_steady() -> None:
    alert = GoingOn(1, Kind.GATEWAY, silent().key)
    assert changes([], [silent(holds=False)], ALL, 0, 60).begin == []
    assert changes([], [silent()], ALL, 0, 60).begin == [silent()]
    assert not changes([alert], [silent()], ALL, 0, 60)
    assert changes([alert], [], ALL, 100, 60).clear == [alert]
    clear = GoingOn(1, Kind.GATEWAY, alert.key, clear_ms=100)
    assert not changes([clear], [], ALL, 159, 60)
    assert changes([clear], [], ALL, 160, 60).end == [clear]
    assert changes([clear], [silent(holds=False)], ALL, 130, 60).back == [clear]
    assert not changes([alert], [], frozenset({Kind.FALL}), 10**6, 60)  # nobody looked


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.sampled_from(("well", "silent", "long"))), max_size=60
    )
)
def test_whatever_happens_begins_and_ends_take_turns(steps: list[tuple[int, str]]) -> None:
    """Of one gateway: never two begins without an end between, and no end within the steadiness."""
    now, story, alert, last_bad = 0, list[str](), list[GoingOn](), 0
    for more, state in steps:
        now += more
        facts = [] if state == "well" else [silent(holds=state == "long")]
        last_bad = last_bad if state == "well" else now
        found = changes(alert, facts, ALL, now, 60)
        if found.begin:
            story.append("begin")
            alert = [GoingOn(1, Kind.GATEWAY, silent().key)]
        elif found.end:
            story.append("end")
            assert now - last_bad >= 60
            alert = []
        elif found.clear or found.back:
            since = now if found.clear else None
            alert = [GoingOn(1, Kind.GATEWAY, silent().key, since)]
    assert story == ["begin", "end"] * (len(story) // 2) + ["begin"] * (len(story) % 2)
