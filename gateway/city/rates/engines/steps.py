"""What the days of a machine come to, as expressions of an engine, one behind another. Pure.

They say what :class:`gateway.city.rates.attendance.Attendance` says. Whole numbers stand as
``CAST(… AS INTEGER)``: an engine that takes ``8`` for a byte makes another number of its reverse.
"""

# ruff: noqa: S608 - a text of whole numbers and of names that this package gives

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import groupby
from operator import or_

from gateway.city.db.schema.months import month_number
from gateway.city.rates.attendance import Window
from gateway.city.rates.engines.layout import LEFT_OUT, SOURCES, bit_of, coming, held
from gateway.city.rates.model import Definition

_NOTHING = "CAST(0 AS INTEGER)"
_ATTRIBUTES = ("firm", "class", "digital", "key_equipment", "is_new", "start_unknown")
_COUNTED = (
    "service_days", "valid_days", "seen_days", "undated_days", "unproven_days", "rested_days",
    "own_rest_days", "rest_late_days", "stopped_days", "stopped_late_days", "end_days",
    "end_undated_days",
)  # fmt: skip
"""Numbers of days, which windows over several months add."""
_SOURCES_AT = {1: SOURCES[:2], 2: SOURCES[:1]}
"""Level N1 is met by any known source, N2 by the machine's own controller only."""


class WindowDays:
    """The months of a window, and which of their days are meant."""

    def __init__(self, window: Window) -> None:
        self.months = {
            number: reduce(or_, map(bit_of, days))
            for number, days in groupby(window.days(), month_number)
        }
        last, bit = month_number(window.as_of), bit_of(window.as_of)
        self.within = self._by_month(self.months)
        self.end = self._by_month({one: bit if one == last else 0 for one in self.months})
        self.today_runs = window.today_runs

    @staticmethod
    def _by_month(masks: dict[int, int]) -> str:
        if len(masks) == 1:
            return f"CAST({next(iter(masks.values())):d} AS INTEGER)"
        cases = " ".join(f"WHEN {month:d} THEN {mask:d}" for month, mask in masks.items())
        return f"CAST(CASE month {cases} ELSE 0 END AS INTEGER)"


def machine_days(record: Definition, window: Window, copy: int) -> Iterator[str]:
    """Expressions of which the last, ``machines``, has a row for each machine of a copy."""
    days = WindowDays(window)
    months = ", ".join(f"{one:d}" for one in days.months)
    rows = f"machine_month WHERE copy = {copy:d} AND month IN ({months})"
    yield step("marked", _marked(record), rows)
    yield step("serving", _serving(days), "marked")
    yield step("working", _working(), "serving")
    yield step("evidenced", _evidenced(days), "working")
    yield step("silence", ["*", f"{_silent(record)} AS month_silent"], "evidenced")
    yield from _together(record, several=len(days.months) > 1)


def _marked(record: Definition) -> list[str]:
    """Of a row what a record asks for: days by status, days with data, days on neither side."""
    said = [
        (_any(map(held, record.statuses)), "now_days"),
        (_any(map(coming, record.statuses)), "then_days"),
        ("coming", "open_days"),
        (_any(_evidence(record, _SOURCES_AT[record.level])), "good_days"),
        (_any(_evidence(record, SOURCES)), "any_days"),
    ]
    said += [(one if record.days == "scheduled" else _NOTHING, f"{one}_mask") for one in LEFT_OUT]
    return ["machine", "month", *_ATTRIBUTES, *named(said)]


def _evidence(record: Definition, sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        yield f"{source}_good"
        if record.count_uncertain:
            yield f"{source}_uncertain"


def _serving(days: WindowDays) -> list[str]:
    """The days of the window on which a machine is in service: maybe, or for sure."""
    due = "bitOr(now_days, then_days)"
    sure = "bitAnd(now_days, bitOr(bitNot(open_days), then_days))"
    said = [
        (f"bitAnd({due}, {days.within})", "due_all"),
        (f"bitAnd({sure}, {days.within})", "sure_all"),
        (f"bitCount(bitAnd({due}, {days.end}))", "end_days"),
        (f"bitCount(bitAnd(bitAnd({due}, bitNot({sure})), {days.end}))", "end_undated_days"),
    ]
    return ["*", *named(said)]


def _working() -> list[str]:
    """Those that are on neither side are counted and taken away: rest first, then stops."""
    unrested = "bitAnd(due_all, bitNot(rest_mask))"
    taken = "bitNot(bitOr(rest_mask, stopped_mask))"
    said = [
        ("bitCount(bitAnd(due_all, rest_mask))", "rested_days"),
        ("bitCount(bitAnd(due_all, own_rest_mask))", "own_rest_days"),
        ("bitCount(bitAnd(due_all, rest_late_mask))", "rest_late_days"),
        (f"bitCount(bitAnd({unrested}, stopped_mask))", "stopped_days"),
        (f"bitCount(bitAnd({unrested}, stopped_late_mask))", "stopped_late_days"),
        (f"bitAnd(due_all, {taken})", "due_left"),
        (f"bitAnd(sure_all, {taken})", "sure_left"),
    ]
    return ["*", *named(said)]


def _evidenced(days: WindowDays) -> list[str]:
    """What came on them; today is one of them only once it has brought evidence."""
    valid, undated = "bitAnd(sure_left, good_days)", "bitAnd(due_left, bitNot(sure_left))"
    due = "due_left"
    if days.today_runs:
        due = f"bitOr(bitAnd(due_left, bitNot({days.end})), bitAnd({valid}, {days.end}))"
    said = [
        ("bitCount(bitAnd(due_left, any_days))", "seen_days"),
        (f"bitCount({undated})", "undated_days"),
        (f"bitCount(bitAnd({undated}, good_days))", "unproven_days"),
        (due, "due_days"),
        (valid, "came_days"),
        (f"bitCount({due})", "service_days"),
        (f"bitCount({valid})", "valid_days"),
    ]
    return ["*", *named(said)]


def _silent(record: Definition) -> str:
    """Days behind the last valid one, where a record asks for them; all, if there was none.

    The last day is the lowest bit: ``x & -x`` is the last valid one, and less one it is all behind.
    """
    if record.continuity is None:
        return "0"
    return "bitCount(bitAnd(due_days, bitAnd(came_days, -came_days) - 1))"


def _together(record: Definition, *, several: bool) -> Iterator[str]:
    """A row for each machine."""
    if not several:
        yield step("machines", ["*", "month_silent AS silent_days"], "silence")
        return
    last = "max(CASE WHEN valid_days > 0 THEN month ELSE 0 END) OVER (PARTITION BY machine)"
    yield step("ended", ["*", f"{last if record.continuity else 0} AS last_month"], "silence")
    silent = (
        "CASE WHEN month > last_month THEN service_days "
        "WHEN month = last_month THEN month_silent ELSE 0 END AS own_silent"
    )
    yield step("quiet", ["*", silent], "ended")
    attributes = [f"max(quiet.{one}) AS {one}" for one in _ATTRIBUTES]
    sums = [f"sum(quiet.{one}) AS {one}" for one in _COUNTED]
    columns = ["machine", *attributes, *sums, "sum(own_silent) AS silent_days"]
    yield step("machines", columns, "quiet GROUP BY machine")


def step(name: str, columns: Iterable[str], source: str) -> str:
    """One expression of a ``WITH``."""
    return f"\n{name} AS (SELECT {', '.join(columns)} FROM {source})"


def named(said: Iterable[tuple[str, str]]) -> list[str]:
    """Expressions with their names."""
    return [f"({text}) AS {name}" for text, name in said]


def _any(masks: Iterable[str]) -> str:
    return reduce(lambda one, other: f"bitOr({one}, {other})", list(masks) or [_NOTHING])
