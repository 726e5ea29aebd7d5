"""The page ``/search?q=``: enterprises, machines, gateways, counties and industries by kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission, Scope
from gateway.city.console.asking import Gate, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import Rows
from gateway.city.console.remember import Remembered
from gateway.city.console.search import queries
from gateway.city.console.search.known import Known, enterprises_of, machines_of
from gateway.city.console.search.queries import SHOWN
from gateway.city.console.search.words import FIELD, Query, folded, query
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.web.pages import Pages, View

ADDRESS = "/search"
KNOWN_S = 5.0
"""After so long a change of the ledger is looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, by kind, and the kinds of which there is more than a page shows."""

    enterprises: Rows = ()
    machines: Rows = ()
    gateways: Rows = ()
    counties: Iterable[tuple[str, Name]] = ()
    industries: Iterable[tuple[str, Name]] = ()
    more: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was found of any kind."""
        kinds = (self.enterprises, self.machines, self.gateways, self.counties, self.industries)
        return not any(kinds)


class SearchPage:
    """Finds by name and number what the asking principal sees."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._remembered = Remembered()
        self._known: Known | None = None
        context.ahead.append(self._ledger)

    async def view(self, request: Request) -> View:
        """Results by kind; the box alone where nothing is asked for.

        Raises:
            NotYetError: the ledger is being read for the first time.
        """
        asked = query(request.query_params.get("q", ""))
        found = Found()
        if asked.words:
            known = await self._ledger()
            scope = principal_of(request).scope
            found = await self._context.database.read(find, known, asked, scope)
        return View("search.html", {"asked": asked.text, "found": found, "shown": SHOWN})

    async def _ledger(self) -> Known:
        return await self._remembered.get("ledger", KNOWN_S, self._read)

    async def _read(self) -> Known:
        before = self._known
        found = await self._context.apart.read(queries.known, before.change if before else None)
        self._known = found or before
        assert self._known is not None  # noqa: S101 - without one before all is read
        return self._known


def find(connection: Connection, known: Known, asked: Query, scope: Scope) -> Found:
    """Everything that a scope sees of what is looked for."""
    mine = queries.seen_usccs(connection, scope)
    usccs = list(islice(enterprises_of(known, asked, mine), SHOWN + 1))
    named = queries.machine_by_handle(connection, asked.text)
    ids, has_more = machines_of(known, asked, mine, SHOWN)
    counties, industries = queries.places_of(connection, scope)
    kinds = {"enterprises": len(usccs) > SHOWN, "machines": has_more}
    return Found(
        queries.enterprise_rows(connection, usccs[:SHOWN], scope),
        queries.machine_rows(connection, list(dict.fromkeys(named + ids)), scope),
        queries.gateway_rows(connection, asked.whole, scope),
        _named(counties, county_name, asked),
        _named(industries, industry_name, asked),
        frozenset(kind for kind, is_more in kinds.items() if is_more),
    )


def _named(
    codes: Iterable[str], name: Callable[[str], Name], asked: Query
) -> list[tuple[str, Name]]:
    named = ((code, name(code)) for code in sorted(codes))
    return [one for one in named if _has(one, asked)][:SHOWN]


def _has(one: tuple[str, Name], asked: Query) -> bool:
    code, name = one
    text = folded(FIELD.join((code, name.zh, name.en)))
    return all(word in text for word in asked.words)


def routes(gate: Gate, context: ConsoleContext, pages: Pages) -> list[Route]:
    """The addresses of the search."""
    endpoint = pages.endpoint(SearchPage(context).view)
    return gate.allow(Permission.ENTERPRISES, Route(ADDRESS, endpoint))
