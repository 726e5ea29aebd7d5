"""Looks every night at each enterprise, and keeps what is found.

It runs in the console's process, of which a city has one: not on the loop that receives values, and
on no page's request. One enterprise at a time is read, on a snapshot of its own, and the task then
rests for four times as long as that took. Who was looked at longest ago comes first: what a night
does not reach, or an end of the process breaks off, the next one begins with.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.hourly import PERIOD_S, every_hour
from gateway.city.db.operation import began_on
from gateway.city.db.schema.checking.findings import finding_pass
from gateway.city.db.tables import enterprise
from gateway.city.rates.findings.gathering import builtin_rules, findings_of, heaps
from gateway.city.rates.findings.kept.keeping import Looked, keep
from gateway.city.rates.findings.model import Finding
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.model import Definition
from gateway.city.rates.period import (
    FINAL_DAY,
    last_day,
    month_of,
    period_of,
    previous_month,
)
from gateway.core.days import DAY_MS, HOUR_MS, day_of, day_start_ms
from gateway.relational.database import Database

log = logging.getLogger(__name__)

FIRST_S = 120.0
"""After a start pages and figures go first."""
_FROM_MS = 2 * HOUR_MS
"""A night begins at two o'clock in Shanghai: the day before is complete by then."""
_REST = 4
_COUNTIES = ""


class Looking:
    """Looks for findings and keeps them.

    Args:
        database: of the city.
        headline: definition by which days count.
        synthetic: synthetic evidence is looked at, too.
        now_ms: the clock, UTC milliseconds.
        rest: for how many times as long as an enterprise took nothing is done.
    """

    def __init__(
        self,
        database: Database,
        headline: Definition,
        synthetic: bool,
        now_ms: Callable[[], int],
        rest: float = _REST,
    ) -> None:
        self._database, self._headline, self._synthetic = database, headline, synthetic
        self._now_ms, self._rest = now_ms, rest

    async def run(self, first_s: float = FIRST_S, period_s: float = PERIOD_S) -> None:
        """Look at whoever is due, once an hour, until cancelled."""
        await asyncio.sleep(first_s)
        await every_hour(
            self.look,
            log=log,
            lost="findings cannot be kept",
            back="findings are kept again",
            period_s=period_s,
        )

    async def look(self) -> int:
        """Look at all who are due; how many enterprises that were.

        Raises:
            SQLAlchemyError: the database is away.
        """
        count = 0
        for month in await self._database.read(months_due, self._now_ms()):
            before_ms = night_ms(self._now_ms())
            due = await self._database.read(due_in, month, self._synthetic, before_ms)
            for uscc in due:
                begun = time.perf_counter()
                await self._one(uscc, month)
                count += uscc != _COUNTIES
                await asyncio.sleep(self._rest * (time.perf_counter() - begun))
        return count

    async def _one(self, uscc: str, month: str) -> None:
        try:
            await asyncio.to_thread(
                look_at,
                self._database,
                self._headline,
                month,
                self._now_ms(),
                uscc=uscc,
                synthetic=self._synthetic,
            )
        except SQLAlchemyError:
            raise
        except Exception:  # a defect with one enterprise keeps no other from being looked at
            log.exception("findings of %s in %s cannot be looked for", uscc or "counties", month)


def night_ms(now_ms: int) -> int:
    """When the night began that a moment belongs to."""
    begun = day_start_ms(day_of(now_ms)) + _FROM_MS
    return begun if begun <= now_ms else begun - DAY_MS


def months_due(connection: Connection, now_ms: int) -> list[str]:
    """The running month, and the one before until it is final; none before the city began."""
    today, began = day_of(now_ms), began_on(connection)
    first = today.replace(day=1)
    before = [previous_month(first)] if today.day <= FINAL_DAY else []
    months = map(month_of, (*before, first))
    return [month for month in months if began is None or last_day(month) >= began]


def due_in(connection: Connection, month: str, synthetic: bool, before_ms: int) -> list[str]:
    """Enterprises that were not looked at since, who was longest ago first; empty: the counties."""
    passed = finding_pass.c
    own = select(passed.uscc, passed.at_ms)
    own = own.where(passed.month == month, passed.synthetic.is_(synthetic))
    last = {row.uscc: row.at_ms for row in connection.execute(own)}
    known = [_COUNTIES, *connection.scalars(select(enterprise.c.uscc))]
    due = [one for one in known if last.get(one, 0) < before_ms]
    return sorted(due, key=lambda one: (last.get(one, 0), one))


def look_at(
    database: Database,
    headline: Definition,
    month: str,
    now_ms: int,
    *,
    uscc: str,
    synthetic: bool,
    kept: bool = True,
) -> list[Finding]:
    """Look at one enterprise and keep what is found; with an empty USCC, at the counties.

    Args:
        database: of the city.
        headline: definition by which days count.
        month: ``YYYY-MM``.
        now_ms: UTC milliseconds.
        uscc: of the enterprise.
        synthetic: synthetic evidence is looked at, too.
        kept: false: nothing is written.

    Raises:
        MonthError: the month has not begun, or was over before the city began.
    """
    rules = builtin_rules()
    if uscc:
        period = period_of(month, now_ms, database.read_now(began_on))
        inquiry = Inquiry(headline, period, now_ms, synthetic, uscc=uscc)
        found = database.read_now(findings_of, inquiry, rules)
    else:
        found = database.read_now(lambda connection: list(heaps(connection, month, rules)))
    if kept:
        database.run_now(keep, Looked(month, synthetic, rules.version, now_ms, uscc), found)
    return found


def last_pass(connection: Connection, *, synthetic: bool) -> tuple[int, int | None]:
    """How many enterprises were looked at in any month, and when the first of them last was.

    Returns:
        Count, and UTC milliseconds of the enterprise that was looked at longest ago; None: none.
    """
    passed = finding_pass.c
    newest = select(func.max(passed.at_ms).label("at_ms"))
    newest = newest.where(passed.synthetic.is_(synthetic), passed.uscc != "")
    each = newest.group_by(passed.uscc).subquery()
    row = connection.execute(select(func.count(), func.min(each.c.at_ms)).select_from(each)).one()
    return int(row[0]), row[1]
