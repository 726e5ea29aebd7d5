"""What one page shows together: rates, gaps and gateways of one moment.

Figures take seconds to make and are shown for some more; gaps that were read when the page is asked
for would contradict them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import Rows
from gateway.city.console.queries.gaps import GapFilter, GapRow, gap_count, gaps
from gateway.city.console.queries.gateways import GatewayStates
from gateway.city.rates.frozen.late import noted
from gateway.city.rates.reports.kept import KeptMonths, kept_by_key
from gateway.city.rates.reports.months import rate_months
from gateway.city.rates.reports.table import RateMonth
from gateway.city.rates.reports.trend import trend_months

RECENT_GAPS = 6
M = TypeVar("M", bound=RateMonth)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What was lacking at a moment: the newest gaps, and how many went on."""

    newest: Sequence[GapRow]
    lasting: int


@dataclass(frozen=True, slots=True)
class Moment(Generic[M]):
    """What was read at once: who answers, ledger and evidence, and what is lacking.

    Attributes:
        months: rates by definition: as computed, or as their reader may see them.
        gaps: None where they are of no such moment: of a past month, from before a start, or of
            who sees a part of the city.
        gateways: None as ``gaps``.
    """

    months: Mapping[str, M]
    gaps: Gaps | None = None
    gateways: GatewayStates | None = None


def at_once(
    connection: Connection, *what: Any, **how: Any
) -> tuple[list[RateMonth], KeptMonths, Gaps]:
    """Rates, also as they are kept, and gaps of one state of the database."""
    lacking = lacking_now(connection, EVERYTHING)
    months = rate_months(connection, *what, **how)
    return months, kept_by_key(months), lacking


def past_months(
    connection: Connection, *what: Any, **how: Any
) -> tuple[Sequence[RateMonth], KeptMonths]:
    """Past months, also as they are kept."""
    found = trend_months(connection, *what, **how)
    return found, kept_by_key(found)


def lacking_now(connection: Connection, scope: Scope) -> Gaps:
    """The newest gaps that are seen, and how many go on."""
    lasting = gap_count(connection, GapFilter(scope, only_open=True))
    return Gaps(gaps(connection, GapFilter(scope), RECENT_GAPS), lasting)


async def late_of(context: ConsoleContext, scope: Scope) -> Rows:
    """What came late for final months; it is counted for the whole city, so who sees it all."""
    if not scope.is_whole:
        return ()
    return await context.database.read(noted, context.config.demonstration)
