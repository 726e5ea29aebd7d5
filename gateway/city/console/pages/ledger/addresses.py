"""Which address is which page of the ledger."""

from collections.abc import Sequence

from starlette.routing import Route

from gateway.city.access.principal import Permission
from gateway.city.console.asking import Gate
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.ledger.acts import ACTS, ActPages
from gateway.city.console.pages.ledger.importing import IMPORT, MOST_BYTES, ImportPages
from gateway.city.console.pages.ledger.lists import ADDRESS, ENTERPRISES, LedgerLists
from gateway.city.console.pages.ledger.papers import PaperPages
from gateway.city.console.pages.ledger.rosters import ROSTERS, RosterPages
from gateway.city.console.pages.ledger.row import MACHINES, RowPage
from gateway.city.console.pages.ledger.sent import PATIENCE
from gateway.city.ledger.papers.sorts import SORTS
from gateway.web.pages import Pages

SIZES = {IMPORT: PATIENCE * MOST_BYTES}
"""Octets of requests to addresses that take files."""

NEEDS = {
    ADDRESS: Permission.ENTERPRISES,
    ENTERPRISES: Permission.ENTERPRISES,
    ROSTERS: Permission.ENTERPRISES,
    ACTS: Permission.ENTERPRISES,
    IMPORT: Permission.IMPORT_LEDGER,
    **{f"{ADDRESS}/{name}": Permission.ENTERPRISES for name in SORTS},
}
"""What the frame and the tabs name for those only who may look at it."""


def routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    """The pages of the ledger."""
    lists, acts, lists_of = LedgerLists(context), ActPages(context, pages), RosterPages(context)
    machine, firm = (RowPage(context, pages, one) for one in ("equipment", "enterprise"))
    return [
        *gate.allow(
            Permission.ENTERPRISES,
            Route(ADDRESS, pages.endpoint(lists.machines), methods=["GET"]),
            Route(ENTERPRISES, pages.endpoint(lists.enterprises), methods=["GET"]),
            Route(ROSTERS, pages.endpoint(lists_of.view), methods=["GET"]),
            Route(f"{ROSTERS}/{{key}}", pages.endpoint(lists_of.one), methods=["GET"]),
            Route(ACTS, pages.endpoint(acts.view), methods=["GET"]),
            Route(f"{ACTS}/{{key}}", pages.endpoint(acts.show), methods=["GET"]),
            Route(f"{MACHINES}/{{key}}", pages.endpoint(machine.view), methods=["GET"]),
            Route(f"{ENTERPRISES}/{{key}}", pages.endpoint(firm.view), methods=["GET"]),
        ),
        *_papers(gate, pages, [PaperPages(context, pages, sort) for sort in SORTS.values()]),
        *gate.allow(Permission.IMPORT_LEDGER, *_importing(ImportPages(context, pages), pages)),
        *gate.allow(
            Permission.CORRECT,
            *_correcting(f"{MACHINES}/{{key}}/correct", machine, pages),
            *_correcting(f"{ENTERPRISES}/{{key}}/correct", firm, pages),
            Route(f"{ACTS}/{{key}}/undo", pages.endpoint(acts.preview), methods=["GET"]),
            Route(f"{ACTS}/{{key}}/undo", acts.undo, methods=["POST"]),
            Route(f"{MACHINES}/{{key}}/withdraw", machine.withdraw, methods=["POST"]),
        ),
    ]


def _correcting(address: str, page: RowPage, pages: Pages) -> tuple[Route, Route]:
    return (
        Route(address, pages.endpoint(page.form), methods=["GET"]),
        Route(address, page.correct, methods=["POST"]),
    )


def _papers(gate: Gate, pages: Pages, sorts: Sequence[PaperPages]) -> list[Route]:
    return [
        route
        for one in sorts
        for route in (
            *gate.allow(
                Permission.ENTERPRISES,
                Route(one.address, pages.endpoint(one.view), methods=["GET"]),
            ),
            *gate.allow(
                Permission.IMPORT_LEDGER,
                Route(f"{one.address}/new", pages.endpoint(one.form), methods=["GET"]),
                Route(f"{one.address}/new", one.enter, methods=["POST"]),
                Route(f"{one.address}/{{key}}/end", pages.endpoint(one.ending), methods=["GET"]),
                Route(f"{one.address}/{{key}}/end", one.end, methods=["POST"]),
            ),
        )
    ]


def _importing(page: ImportPages, pages: Pages) -> list[Route]:
    own = f"{IMPORT}/{{key}}"
    return [
        Route(IMPORT, pages.endpoint(page.form), methods=["GET"]),
        Route(IMPORT, page.send, methods=["POST"]),
        Route(f"{IMPORT}/template/{{name}}", page.template, methods=["GET"]),
        Route(own, pages.endpoint(page.show), methods=["GET"]),
        Route(f"{own}/marked", page.marked, methods=["GET"]),
        Route(f"{own}/again", page.again, methods=["POST"]),
        Route(f"{own}/apply", page.apply, methods=["POST"]),
        Route(f"{own}/drop", page.drop, methods=["POST"]),
    ]
