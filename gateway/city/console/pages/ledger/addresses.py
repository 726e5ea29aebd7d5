"""Which address is which page of the ledger."""

from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.ledger.lists import ADDRESS, ENTERPRISES, LedgerLists
from gateway.city.console.pages.ledger.row import MACHINES, RowPage
from gateway.web.pages import Pages


def routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    """The pages of the ledger."""
    lists = LedgerLists(context)
    machine, firm = (RowPage(context, pages, one) for one in ("equipment", "enterprise"))
    return [
        *gate.allow(
            Permission.ENTERPRISES,
            Route(ADDRESS, pages.endpoint(lists.machines), methods=["GET"]),
            Route(ENTERPRISES, pages.endpoint(lists.enterprises), methods=["GET"]),
            Route(f"{MACHINES}/{{key}}", pages.endpoint(machine.view), methods=["GET"]),
            Route(f"{ENTERPRISES}/{{key}}", pages.endpoint(firm.view), methods=["GET"]),
        ),
        *gate.allow(
            Permission.CORRECT,
            *_correcting(f"{MACHINES}/{{key}}/correct", machine, pages),
            *_correcting(f"{ENTERPRISES}/{{key}}/correct", firm, pages),
            Route(f"{MACHINES}/{{key}}/withdraw", machine.withdraw, methods=["POST"]),
        ),
    ]


def _correcting(address: str, page: RowPage, pages: Pages) -> tuple[Route, Route]:
    return (
        Route(address, pages.endpoint(page.form), methods=["GET"]),
        Route(address, page.correct, methods=["POST"]),
    )
