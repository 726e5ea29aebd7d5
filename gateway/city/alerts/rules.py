"""When something is wrong enough to tell: silences, falling rates, a target at risk. Pure.

Rates are compared by whole final months only. Early in a month few machines have shown enough days,
and a provisional month still gains late data: neither is a fall. A month that was counted by
another definition record is not compared at all.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from gateway.city.alerts.model import Level, Subject
from gateway.core.days import DAY_MS, HOUR_MS, day_of, day_start_ms

LASTS_MONTHS = 3
"""So many final months after a fall what it fell to is the level: it is told of no longer."""
FEWEST_LOST = 2
"""A fall is of so many machines at least: one machine that fails is no fall of a rate."""
TREND_MONTHS = 6
"""A straight line is drawn through so many months, never through fewer."""

_WHOLE = 100


@dataclass(frozen=True, slots=True)
class Point:
    """A final month of a rate.

    Attributes:
        month: ``YYYY-MM``.
        record: hash of the definition record that it was counted by.
        networked: numerator.
        equipment: denominator.
        rate: per cent; None: unknown.
    """

    month: str
    record: str
    networked: int
    equipment: int
    rate: Fraction | None


@dataclass(frozen=True, slots=True)
class Fall:
    """A rate that fell and has not come back.

    Attributes:
        before: the month that it fell from.
        after: the month in which it had fallen.
        newest: the newest final month.
    """

    before: Point
    after: Point
    newest: Point


def has_lasted(
    since_ms: int,
    now_ms: int,
    least_ms: int,
    counts: Callable[[date], bool],
    from_hour: int,
) -> bool:
    """Whether a silence has lasted so long, days that do not count left out.

    Args:
        since_ms: its beginning, UTC milliseconds.
        now_ms: UTC milliseconds.
        least_ms: how long.
        counts: whether an Asia/Shanghai day does.
        from_hour: a day after one that does not count begins at this hour: plants switch on.
    """
    left, day = least_ms, day_of(since_ms)
    while left > 0 and (start := day_start_ms(day)) < now_ms:
        if counts(day):
            late = 0 if counts(day - timedelta(days=1)) else from_hour * HOUR_MS
            left -= max(0, min(now_ms, start + DAY_MS) - max(since_ms, start + late))
        day += timedelta(days=1)
    return left <= 0


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding that nobody has explained.

    Attributes:
        uscc: of the enterprise; empty: it is of a county.
        county: code; empty: it is of an enterprise.
        machines: site and asset numbers of those it rests on.
        first_ms: when it was seen first, UTC milliseconds.
    """

    uscc: str
    county: str
    machines: AbstractSet[str]
    first_ms: int


def open_of(known: Sequence[OpenFinding], subject: Subject, machine: str = "") -> list[int]:
    """When the open findings of a subject were seen first; none of what only lies in it.

    A city or county with a hundred enterprises would begin a hundred alerts: who watches one is
    told of what is its own.

    Args:
        known: all that are open.
        subject: a county, an enterprise or a machine.
        machine: its site and asset number, ``1/BR-001``.
    """
    if subject.level is Level.COUNTY:
        return [one.first_ms for one in known if one.county == subject.key]
    own = [one for one in known if one.uscc and one.uscc == subject.uscc]
    if subject.level is Level.MACHINE:
        names = {machine, f"{subject.uscc}/{machine}"}
        own = [one for one in own if names & one.machines]
    return [one.first_ms for one in own]


def fall_of(points: Sequence[Point], least: Fraction, fewest: int) -> Fall | None:
    """The fall that a series of final months ends in; None: it ends in none.

    It ends when the rate has made up for half of what it must fall, or :data:`LASTS_MONTHS` later.

    Args:
        points: in order of their months.
        least: how far a rate must fall, percentage points.
        fewest: machines that a cell must have in both months.
    """
    found: Fall | None = None
    for before, after in pairwise(points):
        if before.record != after.record or not _follows(before.month, after.month):
            found = None
        elif found is None or _is_over(found, after, least):
            found = Fall(before, after, after) if _falls(before, after, least, fewest) else None
        else:
            found = Fall(found.before, found.after, after)
    return found


def _falls(before: Point, after: Point, least: Fraction, fewest: int) -> bool:
    if before.rate is None or after.rate is None:
        return False
    if min(before.equipment, after.equipment) < max(1, fewest):
        return False
    kept = Fraction(before.networked * after.equipment, before.equipment)
    return before.rate - after.rate >= least and kept - after.networked >= FEWEST_LOST


def _is_over(fall: Fall, now: Point, least: Fraction) -> bool:
    assert fall.before.rate is not None  # noqa: S101 - what has no rate does not fall
    is_back = now.rate is not None and now.rate > fall.before.rate - least / 2
    return is_back or _number(now.month) - _number(fall.after.month) >= LASTS_MONTHS


@dataclass(frozen=True, slots=True)
class Projection:
    """Where a straight line through the last months leads.

    Attributes:
        newest: the last of them.
        expected: the rate at the end of its year, per cent.
        target: what the plan's path says for it, per cent.
    """

    newest: Point
    expected: Fraction
    target: Fraction


def at_risk(
    points: Sequence[Point], target_of: Callable[[int], Fraction | None], margin: Fraction
) -> Projection | None:
    """Whether the last months lead past the target of their year; None: no, or too few months.

    Once they do, they must lead above it by a margin before it counts as safe again.

    Args:
        points: in order of their months.
        target_of: the plan's path at the end of a year, per cent; None: outside the plan.
        margin: percentage points.
    """
    found: Projection | None = None
    for months in _windows(points):
        newest = months[-1]
        year = int(newest.month[:4])
        target = target_of(year)
        if target is None or any(one.rate is None for one in months):
            found = None
            continue
        expected = _line(months, _number(f"{year}-12"))
        bound = target + margin if found is not None and _same_year(found, newest) else target
        found = Projection(newest, expected, target) if expected < bound else None
    return found if found is not None and found.newest is points[-1] else None


def _same_year(before: Projection, now: Point) -> bool:
    return before.newest.month[:4] == now.month[:4]


def _windows(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """Each :data:`TREND_MONTHS` months in a row that were counted by one record."""
    for end in range(TREND_MONTHS, len(points) + 1):
        months = points[end - TREND_MONTHS : end]
        if all(_comparable(*two) for two in pairwise(months)):
            yield months


def _comparable(before: Point, after: Point) -> bool:
    return before.record == after.record and _follows(before.month, after.month)


def _line(months: Sequence[Point], at: int) -> Fraction:
    """The value of the least-squares line at a month, kept within 0 and 100 per cent."""
    xs = [_number(one.month) for one in months]
    ys = [one.rate or Fraction(0) for one in months]
    mean_x, mean_y = Fraction(sum(xs), len(xs)), sum(ys, Fraction(0)) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum(((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)), Fraction(0))
    return min(Fraction(_WHOLE), max(Fraction(0), mean_y + slope / spread * (at - mean_x)))


def _follows(before: str, after: str) -> bool:
    return _number(after) - _number(before) == 1


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7])
