"""The ledger as lists: machines and enterprises of a scope."""

from starlette.requests import Request

from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import is_number
from gateway.city.console.queries.ledger import enterprises_page, machines_page
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, county_name, industry_name
from gateway.city.ledger.size_class import SIZE_CLASSES, size_class
from gateway.web.pages import View

ADDRESS = "/ledger"
ENTERPRISES = f"{ADDRESS}/enterprises"
PAGE_ROWS = 50
_KEY_DIGITS = 18
_USCC = 18
_PAGE_DIGITS = 6


def page_of(number: str, count: int) -> tuple[int, int]:
    """Which page an address names, the last one where there are fewer; and how many there are."""
    pages = max(1, -(-count // PAGE_ROWS))
    return (min(int(number), pages - 1) if is_number(number, _PAGE_DIGITS) else 0), pages


class LedgerLists:
    """Both lists."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def machines(self, request: Request) -> View:
        """A page of machines, of all enterprises or of one."""
        given = request.query_params
        uscc, after = given.get("enterprise", "").strip().upper()[:_USCC], given.get("after", "")
        rows, more = await self._context.database.read(
            machines_page,
            principal_of(request).scope,
            uscc,
            int(after) if is_number(after, _KEY_DIGITS) else None,
            PAGE_ROWS,
            self._context.now_ms(),
        )
        data = {
            "rows": rows,
            "more": rows[-1][0].id if more else None,
            "is_first": not after,
            "uscc": uscc,
            "classes": EQUIPMENT_CLASSES,
        }
        return View("ledger_machines.html", data)

    async def enterprises(self, request: Request) -> View:
        """A page of enterprises."""
        after = request.query_params.get("after", "")[:_USCC]
        rows, more = await self._context.database.read(
            enterprises_page, principal_of(request).scope, after, PAGE_ROWS
        )
        data = {
            "rows": [(row, size_class(row.employees, row.revenue_wan)) for row in rows],
            "more": rows[-1].uscc if more else None,
            "is_first": not after,
            "sizes": SIZE_CLASSES,
            "county_name": county_name,
            "industry_name": industry_name,
        }
        return View("ledger_enterprises.html", data)
