"""Pages that let a reader check the figures: gaps, quality, books, definitions."""

import asyncio
from collections.abc import Mapping
from functools import partial
from itertools import islice

from starlette.requests import Request

from gateway.city.access.principal import EVERYTHING, Scope
from gateway.city.alerts.standing import count
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.checking.kept import open_findings
from gateway.city.console.queries.books import books, books_count
from gateway.city.console.queries.database import GatewayRow
from gateway.city.console.queries.figures import FILE_WAIT_S
from gateway.city.console.queries.findings import Findings, findings
from gateway.city.console.queries.freshness import STALE_DAYS, freshness
from gateway.city.console.queries.gaps import COUNTED, GapFilter, gap_causes, gap_count, gaps
from gateway.city.console.queries.gateways import Gateways
from gateway.city.console.queries.moment import late_of
from gateway.city.console.queries.recordtables import definition_table, finding_table, gap_table
from gateway.city.console.remember import Remembered
from gateway.city.console.revisions.versions import Step, chain, steps
from gateway.city.db.sizes import counted_sizes
from gateway.city.evidence.auditing.reach import Reach, reach, silent
from gateway.city.ledger.agreements.report import Line, Standing, lines
from gateway.city.ledger.codes import county_name
from gateway.city.rates.definitions import (
    builtin_definitions,
    earlier_definitions,
    open_questions,
)
from gateway.city.rates.frozen.acted import Acted, acted
from gateway.city.rates.model import Definition
from gateway.city.rates.plan import load_plan, plan_path
from gateway.core.books import COUNTERS
from gateway.core.days import day_of
from gateway.web.formats import moment
from gateway.web.pages import View
from gateway.web.tables import Cell, Table, is_file
from gateway.web.waiting import Making, NotYetError

PAGE_ROWS = 50
FILE_ROWS = 10_000
_PAGE_DIGITS = 6
"""A page's number in an address has no more; what has is no page of ours."""
CHOICES = 200
"""A list to choose a gateway from is no longer than this; then its id is typed."""
FINDINGS_S = BOOKS_S = 4.0
REACH_S = 60.0
_PATIENCE_S = 0.25
"""A store that is away must not keep the page waiting."""


class Records:
    """Gaps, data quality, books and definitions."""

    def __init__(self, context: ConsoleContext, gateways: Gateways) -> None:
        self._context = context
        self._gateways = gateways
        self._remembered = Remembered()
        context.ahead.append(partial(self._findings, EVERYTHING, PAGE_ROWS))
        context.ahead.append(partial(self._acted, EVERYTHING))
        context.ahead.append(partial(self._agreed, EVERYTHING))
        context.ahead.append(partial(self._reach, EVERYTHING))

    async def gaps(self, request: Request) -> View:
        """Intervals without data, with their causes."""
        read, now_ms = self._context.database.read, self._context.now_ms()
        wanted, page = _filter(request), _page(request)
        scope = wanted.scope
        whole = is_file(request)
        limit = FILE_ROWS if whole else PAGE_ROWS
        rows = await read(gaps, wanted, limit, 0 if whole else page * PAGE_ROWS)
        total = await read(gap_count, wanted)
        data = {
            "gaps": rows,
            "wanted": wanted,
            "total": total,
            "page": page,
            "counted": COUNTED,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "causes": await read(gap_causes, scope),
            "gateways": await self._choices(scope),
            "now_ms": now_ms,
        }
        return View("gaps.html", data, ("list",), 2.0, gap_table(rows, now_ms))

    async def _choices(self, scope: Scope) -> list[GatewayRow]:
        """Gateways to choose from; none if there are too many."""
        rows = [row for row in await self._gateways.rows(scope) if not row.revoked]
        return rows if len(rows) <= CHOICES else []

    async def quality(self, request: Request) -> View:
        """What weakens the figures."""
        now_ms = self._context.now_ms()
        limit = FILE_ROWS if is_file(request) else PAGE_ROWS
        scope = principal_of(request).scope
        found, acts, making = await self._counted(scope, limit, whole=is_file(request))
        states = await self._gateways.states(scope)
        late = await late_of(self._context, scope)
        read = self._context.database.read
        fresh = await read(freshness, scope, day_of(now_ms), limit)
        lacking = list(islice(states.of("bad", "idle", "warn"), limit))
        agreed, kept = await self._agreed(scope), await self._reach(scope)
        data = {
            "making": making,
            "found": found,
            "kept": kept,
            "agreed": agreed,
            "demanded": self._context.config.agreements.required,
            "fresh": fresh,
            "stale_days": STALE_DAYS,
            "lacking": lacking,
            "silent": states.counts["bad"] + states.counts["idle"],
            "partly": states.counts["warn"],
            "gateways": len(states.worst_first),
            "late": late,
            "acted": acts,
            "sizes": await read(counted_sizes) if scope.is_whole else [],
            "clues": await open_findings(self._context, request),
            "alerts": await read(count, scope, ended=False),
            "now_ms": now_ms,
        }
        table = None
        if found is not None:
            table = finding_table(found, lacking, late, agreed, now_ms, acts, kept)
        return View("quality.html", data, ("quality",), 4.0, table)

    async def _counted(
        self, scope: Scope, limit: int, *, whole: bool
    ) -> tuple[Findings | None, list[Acted], Making | None]:
        """What is counted apart; how far that is where it was never counted. A file waits for it.

        Raises:
            NotYetError: a file has waited in vain.
        """
        wait_s = FILE_WAIT_S if whole else self._context.first_wait_s
        try:
            found = await self._findings(scope, limit, wait_s)
            return found, await self._acted(scope, wait_s), None
        except NotYetError as error:
            if whole:
                raise
            return None, [], error.making

    async def weak(self, scope: Scope, limit: int) -> Table:
        """What weakens the figures, as a file; of each kind at most so many rows."""
        found, acts, _ = await self._counted(scope, limit, whole=True)
        assert found is not None  # noqa: S101 - whole
        now_ms = self._context.now_ms()
        states = await self._gateways.states(scope)
        lacking = islice(states.of("bad", "idle", "warn"), limit)
        late = await late_of(self._context, scope)
        agreed, kept = await self._agreed(scope), await self._reach(scope)
        return finding_table(found, lacking, late, agreed, now_ms, acts, kept)

    async def _reach(self, scope: Scope) -> Reach | None:
        """How long the store keeps values, for who sees the whole city; no page waits for it."""
        if not scope.is_whole:
            return None
        promised, now_ms = self._context.config.retention.telemetry_days, self._context.now_ms()

        async def ask() -> Reach:
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    return await reach(self._context.store, promised, now_ms)
            except TimeoutError:
                return silent(promised)

        return await self._remembered.get("reach", REACH_S, ask)

    async def _agreed(self, scope: Scope) -> list[Line]:
        """Enterprises whose data agreements need a look; none are told where there are none."""
        read, today = self._context.database.read, day_of(self._context.now_ms())
        every = await self._remembered.get(
            ("agreed", scope), FINDINGS_S, lambda: read(lines, scope, today)
        )
        is_used = self._context.config.agreements.required or any(
            one.standing is not Standing.NONE for one in every
        )
        return [one for one in every if one.is_weak] if is_used else []

    async def _acted(self, scope: Scope, wait_s: float | None = None) -> list[Acted]:
        """Acts upon the ledger that frozen months do not know."""
        own = partial(acted, demonstration=self._context.config.demonstration)
        make = partial(self._context.apart.read, own, scope)
        return await self._remembered.get(("acted", scope), FINDINGS_S, make, wait_s)

    async def _findings(self, scope: Scope, limit: int, wait_s: float | None = None) -> Findings:
        """What the database knows; counting a large ledger is costly, so all viewers share it."""
        read, now_ms = self._context.apart.read, self._context.now_ms()
        make = partial(read, findings, scope, now_ms, limit)
        return await self._remembered.get(("findings", scope, limit), FINDINGS_S, make, wait_s)

    async def books(self, request: Request) -> View:
        """What was due, what came of it, gateway by gateway."""
        read, page, whole = self._context.database.read, _page(request), is_file(request)
        limit, offset = (FILE_ROWS, 0) if whole else (PAGE_ROWS, page * PAGE_ROWS)
        scope = principal_of(request).scope
        make = partial(read, books, scope, limit, offset)
        rows = await self._remembered.get(("books", scope, limit, offset), BOOKS_S, make)
        pages = -(-await read(books_count, scope) // PAGE_ROWS)
        uncertain = ("uncertain", "uncertain_by_reason")
        columns = (
            "gateway",
            *COUNTERS,
            *uncertain,
            "committed",
            "quarantined",
            "unagreed",
            "pending",
            "balanced",
        )
        file: list[dict[str, Cell]] = [
            {
                "gateway": row.gateway,
                **{name: getattr(row.counts, name) for name in COUNTERS},
                "uncertain": row.counts.uncertain_values,
                "uncertain_by_reason": _by_reason(row.counts.uncertain),
                "committed": row.committed,
                "quarantined": row.quarantined,
                "unagreed": row.unagreed,
                "pending": row.pending,
                "balanced": row.counts.balanced,
            }
            for row in rows
        ]
        table = Table("books", columns, file, {"as_of": moment(self._context.now_ms())})
        data = {"rows": rows, "page": page, "pages": pages}
        return View("books.html", data, ("books",), 4.0, table)

    async def definitions(self, _request: Request) -> View:
        """Every definition with its formula, predicates and open questions."""
        known = self._context.definitions.values()
        data = {
            "definitions": [(record, open_questions(record)) for record in known],
            "steps": {one.id: _steps(one) for one in known},
            "headline": self._context.config.definitions.headline,
            "plan": load_plan(),
            "path": plan_path(),
            "county_name": county_name,
        }
        return View("definitions.html", data, table=definition_table(known))


def _filter(request: Request) -> GapFilter:
    asked = request.query_params
    return GapFilter(
        principal_of(request).scope,
        gateway=asked.get("gateway", ""),
        device=asked.get("device", ""),
        cause=asked.get("cause", ""),
        only_open=asked.get("open", "") == "1",
    )


def _steps(record: Definition) -> list[Step]:
    """How the versions of a record came about."""
    product = builtin_definitions().get(record.id)
    return steps(chain(record, product, earlier_definitions()), product)


def _by_reason(counts: Mapping[str, int]) -> str:
    """Counts by reason in one cell: ``clock_doubt 12, overflow 3``."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))


def _page(request: Request) -> int:
    digits = request.query_params.get("page", "0")
    return int(digits) if digits.isdecimal() and len(digits) <= _PAGE_DIGITS else 0
