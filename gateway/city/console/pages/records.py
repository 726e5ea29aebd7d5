"""Pages that let a reader check the figures: gaps, quality, books, definitions."""

from starlette.requests import Request

from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import GapFilter, books, gap_causes, gap_count, gaps
from gateway.city.console.queries.findings import findings
from gateway.city.console.queries.gateways import gateway_states
from gateway.city.console.queries.recordtables import definition_table, finding_table, gap_table
from gateway.city.rates.definitions import open_questions
from gateway.city.rates.plan import load_plan, plan_path
from gateway.core.books import COUNTERS
from gateway.web.formats import moment
from gateway.web.pages import View
from gateway.web.tables import Cell, Table

PAGE_ROWS = 50
FILE_ROWS = 10_000


class Records:
    """Gaps, data quality, books and definitions."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def gaps(self, request: Request) -> View:
        """Intervals without data, with their causes."""
        run, now_ms = self._context.database.run, self._context.now_ms()
        wanted, page = _filter(request), _page(request)
        is_file = "format" in request.query_params
        limit = FILE_ROWS if is_file else PAGE_ROWS
        rows = await run(gaps, wanted, limit, 0 if is_file else page * PAGE_ROWS)
        total = await run(gap_count, wanted)
        data = {
            "gaps": rows,
            "wanted": wanted,
            "total": total,
            "page": page,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "causes": await run(gap_causes),
            "gateways": [state.row for state in await gateway_states(self._context)],
            "now_ms": now_ms,
        }
        return View("gaps.html", data, ("list",), 2.0, gap_table(rows, now_ms))

    async def quality(self, request: Request) -> View:
        """What weakens the figures."""
        now_ms = self._context.now_ms()
        limit = FILE_ROWS if "format" in request.query_params else PAGE_ROWS
        found = await self._context.database.run(findings, now_ms, limit)
        states = await gateway_states(self._context)
        silent = [state for state in states if state.kind in {"bad", "idle"}]
        partly = [state for state in states if state.kind == "warn"]
        data = {
            "found": found,
            "silent": silent,
            "partly": partly,
            "gateways": states,
            "now_ms": now_ms,
        }
        table = finding_table(found, [*silent, *partly], now_ms)
        return View("quality.html", data, ("quality",), 4.0, table)

    async def books(self, _request: Request) -> View:
        """What was due, what came of it, gateway by gateway."""
        rows = await self._context.database.run(books)
        columns = ("gateway", *COUNTERS, "committed", "quarantined", "pending", "balanced")
        file: list[dict[str, Cell]] = [
            {
                "gateway": row.gateway,
                **{name: getattr(row.counts, name) for name in COUNTERS},
                "committed": row.committed,
                "quarantined": row.quarantined,
                "pending": row.pending,
                "balanced": row.counts.balanced,
            }
            for row in rows
        ]
        table = Table("books", columns, file, {"as_of": moment(self._context.now_ms())})
        return View("books.html", {"rows": rows}, ("books",), 4.0, table)

    async def definitions(self, _request: Request) -> View:
        """Every definition with its formula, predicates and open questions."""
        known = self._context.definitions.values()
        data = {
            "definitions": [(record, open_questions(record)) for record in known],
            "headline": self._context.config.definitions.headline,
            "plan": load_plan(),
            "path": plan_path(),
        }
        return View("definitions.html", data, table=definition_table(known))


def _filter(request: Request) -> GapFilter:
    asked = request.query_params
    return GapFilter(
        gateway=asked.get("gateway", ""),
        device=asked.get("device", ""),
        cause=asked.get("cause", ""),
        only_open=asked.get("open", "") == "1",
    )


def _page(request: Request) -> int:
    digits = request.query_params.get("page", "0")
    return int(digits) if digits.isdecimal() and len(digits) < 7 else 0  # noqa: PLR2004
