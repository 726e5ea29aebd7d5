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
from gateway.web.waiting import LATER_S, RETRY_S, GivenUpError, NotYetError

ADDRESS = "/search"
READING, UNREAD = "search.reading", "search.unread"
"""Texts that say why there are no machines among the results."""
KNOWN_S = 5.0
"""After so long a change of the ledger is looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, by kind.

    Attributes:
        more: kinds of which there is more than a page shows.
    """

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
        context.ahead.insert(0, self._ledger)  # a second, and nothing of it can be told before

    async def view(self, request: Request) -> View:
        """Results by kind; the box alone where nothing is asked for."""
        asked = query(request.query_params.get("q", ""))
        data = {"asked": asked.text, "found": Found(), "shown": SHOWN, "lacking": ""}
        if asked.words:
            known, lacking = await self._at_hand()
            scope = principal_of(request).scope
            found = await self._context.database.read(find, known, asked, scope)
            retry_s = LATER_S if lacking == UNREAD else RETRY_S
            data |= {"found": found, "lacking": lacking, "retry_s": retry_s}
        return View("search.html", data)

    async def _at_hand(self) -> tuple[Known, str]:
        """The ledger; its enterprises alone, and the text why, while there are no machines yet."""
        try:
            return await self._ledger(), ""
        except NotYetError as error:
            lacking = UNREAD if isinstance(error, GivenUpError) else READING
            read = partial(self._context.database.read, queries.enterprises)
            found = await self._remembered.get("enterprises", KNOWN_S, read, FILE_WAIT_S)
            return found, lacking

    async def _ledger(self) -> Known:
        wait_s = self._context.first_wait_s
        return await self._remembered.get("ledger", KNOWN_S, self._read, wait_s)

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
