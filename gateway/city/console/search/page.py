"""The page ``/search?q=``: enterprises, machines, gateways, counties and industries by kind.

The names of a million machines are read apart, for some seconds after a start. Until then the page
finds all other kinds, and says that machines are not among them yet.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import Route

from gateway.city.access.principal import Permission, Scope
from gateway.city.console.asking import Gate, principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.queries.database import Rows
from gateway.city.console.queries.figures import FILE_WAIT_S
from gateway.city.console.remember import Remembered
from gateway.city.console.search import queries
from gateway.city.console.search.known import Known, enterprises_of, machines_of
from gateway.city.console.search.queries import SHOWN
from gateway.city.console.search.words import FIELD, Query, folded, query
from gateway.city.ledger.codes import Name, county_name, industry_name
from gateway.web.pages import Pages, View
from gateway.web.waiting import RETRY_S, NotYetError

ADDRESS = "/search"
KNOWN_S = 5.0
"""After so long a change of the ledger is looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, by kind.

    Attributes:
        more: kinds of which there is more than a page shows.
        is_whole: all kinds were looked through; otherwise all but the names and numbers of
            machines.
    """

    enterprises: Rows = ()
    machines: Rows = ()
    gateways: Rows = ()
    counties: Iterable[tuple[str, Name]] = ()
    industries: Iterable[tuple[str, Name]] = ()
    more: frozenset[str] = field(default_factory=frozenset)
    is_whole: bool = True

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was found of any kind."""
        kinds = (self.enterprises, self.machines, self.gateways, self.counties, self.industries)
        return not any(kinds)


class SearchPage:
    """Finds by name and number what the asking principal sees."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._remembered = Remembered(context.first_wait_s)
        self._known: Known | None = None
        context.ahead.insert(0, self._ledger)  # a second, and nothing of it can be told before

    async def view(self, request: Request) -> View:
        """Results by kind; the box alone where nothing is asked for."""
        asked = query(request.query_params.get("q", ""))
        found = Found()
        if asked.words:
            known = await self._at_hand()
            scope = principal_of(request).scope
            found = await self._context.database.read(find, known, asked, scope)
        data = {"asked": asked.text, "found": found, "shown": SHOWN, "retry_s": RETRY_S}
        return View("search.html", data)

    async def _at_hand(self) -> Known:
        """The ledger, or its enterprises alone while the machines are read for the first time."""
        try:
            return await self._ledger()
        except NotYetError:
            read = partial(self._context.database.read, queries.enterprises)
            return await self._remembered.get("enterprises", KNOWN_S, read, FILE_WAIT_S)

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
        known.machines is not None,
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
