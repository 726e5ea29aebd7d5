"""The pages ``/enterprises``, ``/counties/…`` and ``/industries/…``: sorted, filtered, paged."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission, Scope
from gateway.city.alerts.model import Level
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.exports.workbooks import workbooks
from gateway.city.console.pages.alerting.button import watchable
from gateway.city.console.pages.choice import Choice, ChoiceError, MonthView
from gateway.city.console.pages.enterprises.lacking import Lack, counted, lacks
from gateway.city.console.pages.enterprises.listing import (
    PAGE_ROWS,
    SORTS,
    Line,
    arrange,
    wanted,
)
from gateway.city.console.pages.movers import earlier_month
from gateway.city.console.queries.database import (
    EnterpriseRow,
    enterprises_on,
)
from gateway.city.console.queries.figures import FILE_WAIT_S, Figures
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.city.rates.cells.dimensions import Dimension
from gateway.city.rates.reports.export import as_table
from gateway.city.rates.reports.movers import change
from gateway.city.rates.reports.table import PublishedMonth, RateCell, RateTable
from gateway.core.days import day_of
from gateway.web.pages import Endpoint, View
from gateway.web.tables import is_file
from gateway.web.waiting import NotYetError

KEPT = 8
"""So many lists are kept: one of ten thousand enterprises takes some megabytes."""
_Key = tuple[Scope, str, str | None]
"""Of whom, by which definition, of which month."""


class EnterpriseLists:
    """The enterprises of the city, of a county or of an industry."""

    def __init__(self, context: ConsoleContext, figures: Figures) -> None:
        self._context = context
        self._figures = figures
        self._kept: OrderedDict[_Key, tuple[int, list[Line]]] = OrderedDict()

    async def enterprises(self, request: Request, choice: Choice) -> View:
        """All enterprises."""
        return await self._list(request, choice, None)

    async def county(self, request: Request, choice: Choice) -> View:
        """The enterprises of a county."""
        return await self._list(request, choice, "county")

    async def industry(self, request: Request, choice: Choice) -> View:
        """The enterprises of an industry."""
        return await self._list(request, choice, "industry")

    async def _list(self, request: Request, choice: Choice, by: Dimension | None) -> View:
        code = request.path_params["key"] if by else ""
        wait_s = FILE_WAIT_S if is_file(request) else None
        name, scope = choice.definition.id, choice.scope
        month = await self._figures.month(name, scope, wait_s, choice.month)
        every = await self._every(choice, month)
        lines = [one for one in every if not by or _place(one.row, by) == code]
        if by and not lines:
            raise HTTPException(404)
        asked = wanted(request.query_params)
        found = arrange(lines, asked)
        table, total = month.table("enterprise"), _total(month, by, code)
        aim = month.table("county").aims.get(code) if by == "county" else None
        data = {
            "choice": choice,
            "table": table,
            "asked": asked,
            "sorts": SORTS,
            **_paged(found, asked.page),
            "by": by or "",
            "name": _name(by, code),
            "total": total,
            "aim": aim,
            "lacking": counted(one.lack for one in lines),
            "members": len(lines),
            "counties": sorted({one.row.county for one in lines}),
            "industries": sorted({one.row.industry for one in lines}),
            "county_name": county_name,
            "industry_name": industry_name,
            "watching": await watchable(self._context, request, Level(by), code) if by else None,
        }
        live = ("headline", "cells")
        if not is_file(request):  # ten thousand rows are written for who takes them away alone
            return View("enterprises.html", data, live, 4.0)
        file = as_table(table, _in_file(found, None if asked.is_filtered else total), aim)
        files = workbooks(self._context, request, file, table.definition, choice.shown)
        return View("enterprises.html", data, live, 4.0, file, files=files)

    async def _every(self, choice: Choice, month: PublishedMonth) -> list[Line]:
        """All enterprises that are seen; visitors share them while the figures are the same."""
        key = (choice.scope, choice.definition.id, choice.month)
        computed_ms, lines = self._kept.get(key, (None, []))
        if computed_ms != month.computed_ms:
            before = await self._before(choice)
            lines = await self._lines(choice, month, before or {})
            if before is not None:  # else it is being made, and comes with the next look
                self._kept[key] = month.computed_ms, lines
        if key in self._kept:
            self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return lines

    async def _lines(
        self, choice: Choice, month: PublishedMonth, before: Mapping[str, RateCell]
    ) -> list[Line]:
        read = self._context.database.read
        table = await asyncio.to_thread(month.table, "enterprise")
        as_of = day_of(month.as_of_ms - 1)
        members = await read(enterprises_on, choice.scope, as_of, month.ledger_change)
        cells = {cell.key: cell for cell in table.cells}
        lacking = await read(lacks, choice.definition, members, cells, as_of)
        return await asyncio.to_thread(_joined, members, table, cells, before, lacking)

    async def _before(self, choice: Choice) -> dict[str, RateCell] | None:
        """Figures of the month before; none where it has none, None while they are being made."""
        name, scope = choice.definition.id, choice.scope
        try:
            month = await self._figures.month(name, scope, None, earlier_month(choice))
        except ChoiceError:
            return {}
        except NotYetError:
            return None
        table = await asyncio.to_thread(month.table, "enterprise")
        return {cell.key: cell for cell in table.cells}


def _joined(
    members: Mapping[str, EnterpriseRow],
    table: RateTable,
    cells: Mapping[str, RateCell],
    before: Mapping[str, RateCell],
    lacking: Mapping[str, Lack],
) -> list[Line]:
    """Of ten thousand enterprises that is a tenth of a second, in a thread beside other pages."""
    return [
        Line(
            row,
            cells.get(uscc),
            table.lead(cells[uscc]) if uscc in cells else None,
            change(before.get(uscc), cells.get(uscc)),
            lacking.get(uscc),
        )
        for uscc, row in members.items()
    ]


def _paged(found: Sequence[Line], page: int) -> dict[str, object]:
    """The lines of a page, the last one where there are fewer."""
    pages = max(1, -(-len(found) // PAGE_ROWS))
    page = min(page, pages - 1)
    lines = found[page * PAGE_ROWS : (page + 1) * PAGE_ROWS]
    return {"lines": lines, "count": len(found), "page": page, "pages": pages}


def _in_file(lines: Iterable[Line], total: RateCell | None) -> list[RateCell]:
    """The figures of a file: the total of all of them first, then those that are listed."""
    cells = [one.cell for one in lines if one.cell is not None]
    return cells if total is None else [total, *cells]


def _place(row: EnterpriseRow, by: Dimension) -> str:
    return row.county if by == "county" else row.industry


def _total(month: PublishedMonth, by: Dimension | None, code: str) -> RateCell | None:
    """The figure of the whole group; None: no enterprise of it is in the definition's scope."""
    if by is None:
        return month.city
    return next((cell for cell in month.table(by).cells if cell.key == code), None)


def _name(by: Dimension | None, code: str) -> Name | None:
    if by is None:
        return None
    return county_name(code) if by == "county" else industry_name(code)


def routes(
    gate: Gate, endpoint: Callable[[MonthView], Endpoint], context: ConsoleContext, figures: Figures
) -> list[Route]:
    """The addresses of the lists."""
    views = EnterpriseLists(context, figures)
    return gate.allow(
        Permission.ENTERPRISES,
        Route("/enterprises", endpoint(views.enterprises)),
        Route("/counties/{key}", endpoint(views.county)),
        Route("/industries/{key}", endpoint(views.industry)),
    )
