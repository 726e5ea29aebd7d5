"""By what alerts are judged, and the facts of rates and ledgers; silences are beside.

Functions of a connection that only read.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import partial

from sqlalchemy import Connection, select

from edge_config.models.people.alerts import AlertsConfig
from gateway.city.alerts.model import Condition, Kind, Level, Subject
from gateway.city.alerts.rules import Fall, Point, Projection, at_risk, fall_of
from gateway.city.db.operation import began_on
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise
from gateway.city.ledger.papers.standing import Standing
from gateway.city.ledger.schedules.held import day_of_rest
from gateway.city.ledger.schedules.table import Schedule
from gateway.city.ledger.stops.table import Stop
from gateway.city.rates.cells.cell import Cell
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.frozen.results import StoredTable, final_table
from gateway.city.rates.model import Definition
from gateway.city.rates.period import first_day, last_day, month_of, next_month, recent_months
from gateway.city.rates.plan import is_planned, plan_path
from gateway.core.days import day_of, day_start_ms

SERIES_MONTHS = 12
"""Final months that are looked at: what fell before is the level by now."""
RISK_MARGIN = Fraction(1, 2)
"""A target at risk is safe again once the line leads above it by so much, percentage points."""
_LEVELS: Mapping[str, Level] = {
    CITY: Level.CITY,
    "county": Level.COUNTY,
    "area": Level.AREA,
    "industry": Level.INDUSTRY,
    "enterprise": Level.ENTERPRISE,
}


@dataclass(frozen=True, slots=True)
class Rests:
    """When somebody rests, beside the official calendar.

    Attributes:
        stops: planned stops.
        schedules: weeks of the plant itself; what stands before others comes last.
    """

    stops: tuple[Standing[Stop], ...] = ()
    schedules: tuple[Standing[Schedule], ...] = ()


@dataclass(frozen=True, slots=True)
class Judging:
    """By what the facts are judged.

    Attributes:
        config: thresholds.
        definition: of the rate that is watched: the headline, with the calendar of days of rest.
        demonstration: synthetic machines count.
    """

    config: AlertsConfig
    definition: Definition
    demonstration: bool

    def counts(self, rests: Rests) -> Callable[[date], bool]:
        """Which days count for somebody who rests so.

        A day of a year without known holidays does: rather told once too often than never.
        """
        if self.config.days == "all":
            return lambda _: True
        official = self.definition.calendar
        return lambda day: (
            not (
                day_of_rest(rests.schedules, day, official).rest
                or any(one.covers(day) for one in rests.stops)
            )
        )


def rate_conditions(connection: Connection, by: Judging, now_ms: int) -> list[Condition]:
    """Rates that fell, and the city's target at risk, by the final months there are."""
    series = _series(connection, by, now_ms)
    city = series.get(Subject(Level.CITY, CITY), [])
    newest = city[-1].month if city else ""
    fall = partial(
        fall_of, least=Fraction(str(by.config.fall_points)), fewest=by.config.fewest_machines
    )
    found = [
        _fell(subject, one)
        for subject, points in series.items()
        if points[-1].month == newest and (one := fall(points)) is not None
    ]
    for subject, points in series.items():
        target_of = _targets_of(by.definition, subject, points[-1].month)
        risk = at_risk(points, target_of, RISK_MARGIN) if points[-1].month == newest else None
        if risk is not None:
            found.append(_risky(subject, risk))
    return found


def _series(connection: Connection, by: Judging, now_ms: int) -> dict[Subject, list[Point]]:
    """The final months of every cell that is judged, in order."""
    found = defaultdict[Subject, list[Point]](list)
    for month in _final_months(connection, by, now_ms):
        table = final_table(connection, by.definition.id, month, _LEVELS, by.demonstration)
        for dimension, cells in table.cells.items() if table else ():
            for key, cell in cells.items():
                if not key:
                    continue  # who is in no functional area is none
                level = _LEVELS[dimension]
                subject = Subject(level, key, key if level is Level.ENTERPRISE else "")
                found[subject].append(_point(by.definition, table, cell))
    return found


def _final_months(connection: Connection, by: Judging, now_ms: int) -> list[str]:
    """The last final months but that in which the city began, which was no whole one."""
    columns, began = rate_result.c, began_on(connection)
    query = (
        select(columns.month)
        .distinct()
        .where(
            columns.definition == by.definition.id,
            columns.synthetic.is_(by.demonstration),
            columns.status == "F",
            columns.dimension == CITY,
            columns.month >= recent_months(now_ms, SERIES_MONTHS + 1)[0],
        )
    )
    first = "" if began is None or began.day == 1 else month_of(began)
    return [one for one in sorted(connection.scalars(query)) if one > first]


def _point(definition: Definition, table: StoredTable | None, cell: Cell) -> Point:
    assert table is not None  # noqa: S101 - its cells are being read
    rate = cell.mean if definition.aggregate == "mean" else cell.pooled
    return Point(table.month, table.definition_hash, cell.networked, cell.equipment, rate)


def _fell(subject: Subject, fall: Fall) -> Condition:
    detail: dict[str, str | int] = {}
    for name in ("before", "after", "newest"):
        point: Point = getattr(fall, name)
        detail[f"{name}_month"], detail[f"{name}_rate"] = point.month, str(point.rate)
        detail[f"{name}_networked"] = point.networked
        detail[f"{name}_equipment"] = point.equipment
    return Condition(Kind.FALL, subject, _end_ms(fall.after.month), True, detail)


def _risky(subject: Subject, risk: Projection) -> Condition:
    month = risk.newest.month
    detail: dict[str, str | int] = {
        "month": month,
        "year": int(month[:4]),
        "expected": str(risk.expected),
        "target": str(risk.target),
    }
    return Condition(Kind.TARGET, subject, _end_ms(month), True, detail)


def _targets_of(
    definition: Definition, subject: Subject, month: str
) -> Callable[[int], Fraction | None]:
    """The target of a year: of the city the plan's, of a county its own; others have none."""

    def planned(year: int) -> Fraction | None:
        return next((one.percent for one in plan_path() if one.year == year), None)

    def own(year: int) -> Fraction | None:
        aim = definition.target_of(subject.key, last_day(month))
        return aim.percent if aim is not None and aim.year == year else None

    if subject.level is Level.CITY and is_planned(definition):
        return planned
    return own if subject.level is Level.COUNTY else lambda _: None


def _end_ms(month: str) -> int:
    return day_start_ms(next_month(first_day(month)))


def old_ledgers(connection: Connection, by: Judging, now_ms: int) -> list[Condition]:
    """Ledgers that were verified once, and not for long; of others nobody knows since when."""
    limit = timedelta(days=by.config.ledger_days)
    columns = enterprise.c
    query = select(columns.uscc, columns.ledger_verified_on)
    query = query.where(columns.ledger_verified_on < day_of(now_ms) - limit)
    return [
        Condition(
            Kind.LEDGER,
            Subject(Level.ENTERPRISE, row.uscc, row.uscc),
            day_start_ms(row.ledger_verified_on + limit),
            holds=True,
            detail={"day": row.ledger_verified_on.isoformat(), "limit": by.config.ledger_days},
        )
        for row in connection.execute(query)
    ]
