"""The node's pages for people: a field to search by, and what everybody may see of an identifier.

They need no login and no script; what is asked for is bounded, and each answer has the headers of
a console's pages. What users of the node do is in ``office.py``.
"""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.identifier.codes.classify import Candidate, classify, distinct
from gateway.identifier.codes.handle import Handle
from gateway.identifier.labels.symbol import qr
from gateway.identifier.node.http.login import Logins
from gateway.identifier.node.keeping.counts import Tally, What
from gateway.identifier.node.pages.looking import Finding, Item, Standing, first_known, look
from gateway.identifier.node.pages.office import OFFICE, Office, refusal, word
from gateway.identifier.node.rights.principal import Principal, Terms
from gateway.identifier.registering.registry import Outcome
from gateway.relational.database import Database
from gateway.web.access.guard import HEADERS, limited
from gateway.web.assets import Assets
from gateway.web.i18n import LANGUAGES, Language, catalog, text
from gateway.web.pages import Pages, Site, View

TEMPLATES = Path(__file__).parent / "templates"
_RECORD = "/id"
_LONGEST = 300
"""Characters of a text that are looked at; an identifier has 255 at most."""
_PROTOCOL = "page"
_STATUS = {
    Standing.HERE: 200,
    Standing.ELSEWHERE: 200,
    Standing.PREFIX: 200,
    Standing.WITHDRAWN: 410,
    Standing.CLOSED: 503,
}
"""HTTP status by standing; others: 404."""


class PageFace:
    """Routes of the pages.

    Args:
        database: of the node.
        terms: of the node.
        tally: what is done is counted there.
        now_ms: the clock, UTC milliseconds.
        logins: by which people log in.
        has_tls: it is reached by TLS only.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        tally: Tally,
        now_ms: Callable[[], int],
        logins: Logins,
        *,
        has_tls: bool,
    ) -> None:
        self._database, self._terms = database, terms
        self._tally, self._now_ms = tally, now_ms
        self._pages = _pages(terms.prefix, has_tls=has_tls)
        self._office = Office(database, terms, logins, self._pages, now_ms)

    def routes(self) -> list[Route]:
        """For the node's application."""
        return [
            Route("/", self._answering(self._search)),
            Route(f"{_RECORD}/{{handle:path}}", self._answering(self._record)),
            *(
                Route(path, self._answering(answer), methods=[method])
                for path, method, answer in self._office.answers()
            ),
            self._pages.assets.route(),
        ]

    async def _search(self, request: Request) -> Response:
        asked = request.query_params.get("code", "").strip()
        readings = classify(asked)
        meant = await self._meant(asked, readings) if asked else None
        if meant is not None:
            return RedirectResponse(record_address(meant), 303)
        data = {
            "asked": asked[:_LONGEST],
            "readings": distinct(readings),
            "prefix": self._terms.prefix,
        }
        return self._pages.render(request, View("search.html", data), 404 if asked else 200)

    async def _meant(self, asked: str, readings: list[Candidate]) -> str | None:
        """The identifier that a text is, or may be; None: it is none."""
        handles = [str(one.code) for one in readings if isinstance(one.code, Handle)]
        known = await self._database.read(first_known, [asked, *handles])
        return known or next(iter(handles), None)

    async def _record(self, request: Request) -> Response:
        began_s = time.perf_counter()
        outcome: str = Outcome.UNKNOWN
        try:
            visit = await self._office.visit(request)
            handle = request.path_params["handle"][:_LONGEST]
            found = await self._database.read(look, visit, handle)
            outcome = found.standing.outcome
        finally:
            elapsed_s = time.perf_counter() - began_s
            self._tally.add(What(_PROTOCOL, "resolve", outcome), elapsed_s)
        view = self._view(found, visit.principal)
        return self._pages.render(request, view, _STATUS.get(found.standing, 404))

    def _view(self, found: Finding, who: Principal) -> View:
        data = {"found": found, "prefix": self._terms.prefix, "user": who.user}
        return View("record.html" if found.standing is Standing.HERE else "absent.html", data)

    def _answering(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """Say in words that the database is away, and dress each answer."""

        async def endpoint(request: Request) -> Response:
            try:
                response = await answer(Request(request.scope, limited(request.receive)))
            except HTTPException as error:
                response = await self._pages.failure(request, error)
            except SQLAlchemyError:
                response = self._pages.render(request, View("away.html", {}), 503)
            response.headers.update(HEADERS)
            response.headers["cache-control"] = "no-store"
            return response

        return endpoint


def record_address(handle: str) -> str:
    """Path of an identifier's page."""
    is_plain = not {"", ".", ".."} & set(handle.split("/"))  # browsers walk along others
    return f"{_RECORD}/{quote(handle, safe='/' if is_plain else '')}"


def json_address(handle: str) -> str:
    """Path of what programs are told of an identifier."""
    return f"/api/handles/{quote(handle, safe='')}"


def item_name(language: Language, item: Item) -> str:
    """What a value is called: the template's name, in English if that is known."""
    key = f"node.item.{item.type}"
    if item.name and item.name == catalog("zh").get(key):
        return catalog(language)[key]
    return item.name or item.type


def _pages(prefix: str, *, has_tls: bool) -> Pages:
    name = {language: text(language, "node.name", prefix=prefix) for language in LANGUAGES}
    navigation = (("/", "nav.codes"), (OFFICE, "node.office.title"))
    site = Site(name, navigation, demonstration=False, secure=has_tls, login=False)
    variables = {"item_name": item_name, "json_address": json_address, "qr": qr}
    variables |= {"word": word, "refusal": refusal}
    return Pages(site, Assets(), (TEMPLATES,), variables=variables)
