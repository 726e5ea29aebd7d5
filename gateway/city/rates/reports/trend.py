"""The rate of several months beside the plan's path."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from sqlalchemy import Connection, func, select

from gateway.city.db.operation import began_on
from gateway.city.db.schema.months import evidence_month
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.cells.statistics import Bounds
from gateway.city.rates.columns.ledger import ReadLedger, read_ledger
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.city.rates.definitions import builtin_definitions, definition_of
from gateway.city.rates.period import Status, month_of
from gateway.city.rates.plan import is_planned, plan_on
from gateway.city.rates.publishing.publish import WHOLE, publish
from gateway.city.rates.reports.months import Definitions, rate_months
from gateway.city.rates.reports.table import PublishedMonth, RateCell, RateMonth, leading
from gateway.core.days import day_of


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The city's rate of one month beside the plan's path on the as-of day.

    Attributes:
        rate: the figure that the definition puts first; None: unknown.
        definition_hash: of the record that it was computed with.
    """

    month: str
    status: Status
    city: RateCell
    rate: Fraction | None
    plan: Fraction | None
    definition_hash: str = ""

    @property
    def bounds(self) -> Bounds | None:
        """Between what the rate lies; None: nothing is unknown, or it is no pooled rate."""
        found = self.city.bounds if self.rate == self.city.pooled else None
        return found if found is not None and found.lower != found.upper else None


def trend(
    connection: Connection,
    definition_id: str,
    months: Sequence[str],
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Definitions | None = None,
) -> tuple[TrendPoint, ...]:
    """The city's rate of several past months; see :func:`trend_months`."""
    months_of = partial(trend_months, demonstration=demonstration, definitions=definitions)
    found = months_of(connection, definition_id, months, now_ms)
    return tuple(trend_point(publish(one, WHOLE)) for one in found)


def trend_months(
    connection: Connection,
    definition_id: str,
    months: Sequence[str],
    now_ms: int,
    *,
    demonstration: bool,
    definitions: Definitions | None = None,
    dimensions: Iterable[Dimension] = (),
    progress: Progress = unreported,
    ledgers: ReadLedger = read_ledger,
) -> tuple[RateMonth, ...]:
    """Several past months, none before the city began or had evidence.

    An instantaneous rate has no past.

    Args:
        connection: the city's database.
        definition_id: as ``ENR-A``.
        months: as ``period.recent_months(now_ms, 12)[:-1]``.
        now_ms: UTC milliseconds.
        demonstration: synthetic evidence counts too.
        definitions: by id; default: the built-in ones.
        dimensions: what to read of a stored month, beside the total.
        progress: is told how far it is.
        ledgers: reads the machines.
    """
    known = definitions or builtin_definitions()
    if definition_of(known, definition_id).measure == "answering":
        return ()
    # Before the first evidence nothing is known: to compute that takes as long as a real month.
    since = known_since(connection)
    wanted = [(definition_id, month) for month in months if month >= since]
    found = rate_months(
        connection,
        wanted,
        now_ms,
        demonstration=demonstration,
        definitions=known,
        dimensions=dimensions,
        progress=progress,
        ledgers=ledgers,
    )
    return tuple(found)


def known_since(connection: Connection) -> str:
    """The first month of which anything can be known; empty: nothing is known yet."""
    first = connection.scalar(select(func.min(evidence_month.c.month)))
    began = began_on(connection)
    months = [month_of(began)] if began is not None else []
    if first is not None:
        months.append(f"{first // 100:04d}-{first % 100:02d}")
    return max(months, default="")


def trend_point(month: PublishedMonth) -> TrendPoint:
    """One month of a trend."""
    # A period ends with the midnight after its last day, for which the plan is asked.
    rate = leading(month.definition, month.city)
    plan = plan_on(day_of(month.as_of_ms - 1)) if is_planned(month.definition) else None
    return TrendPoint(month.month, month.status, month.city, rate, plan, month.definition_hash)
