"""The page for users of the node: prefixes, what the node has done, and who did it.

Who may do what is decided where it is done (``rights``); the page only leaves out what would be
refused.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.core.days import DAY_MS
from gateway.identifier.node import rules
from gateway.identifier.node.http.login import TOKEN_LIFE_MS, Logins, known_by
from gateway.identifier.node.http.requests import Refusal
from gateway.identifier.node.keeping import audit, counts, users
from gateway.identifier.node.keeping.audit import Entry
from gateway.identifier.node.keeping.counts import Figures
from gateway.identifier.node.keeping.prefixes import Prefix, State
from gateway.identifier.node.rights import allotting
from gateway.identifier.node.rights.principal import NOBODY, Principal, Terms, Visit
from gateway.identifier.registering.registry import Outcome, Result
from gateway.relational.database import Database
from gateway.web.catalog import sentences
from gateway.web.forms import form_of
from gateway.web.i18n import Language, catalog
from gateway.web.pages import Pages, View

OFFICE = "/office"
_PAGE = 50
"""Prefixes of a page."""
_LONGEST = 300
"""Characters of why something was not done; a prefix that was typed stands in it."""
_ENTRIES = 50
"""Newest entries of the audit log."""
_NEXT = {
    State.APPLIED: (State.REFUSED, State.ALLOTTED),
    State.ALLOTTED: (State.SUSPENDED,),
    State.SUSPENDED: (State.ALLOTTED,),
    State.REFUSED: (),
}
"""What a reviewer is offered; who types a reason and presses Enter means the first."""
_SAID = frozenset({Outcome.OK, Outcome.EXISTS, Outcome.INVALID, Outcome.DENIED, Outcome.NOT_FOUND})
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What a user sees.

    Attributes:
        prefixes: of the page that is shown, those that wait for a decision first.
        page: it, from 0.
        pages: how many there are.
        figures: of the last day; none for who does not review.
        entries: newest ones of the audit log; likewise.
    """

    prefixes: tuple[Prefix, ...]
    page: int
    pages: int
    figures: tuple[Figures, ...] = ()
    entries: tuple[Entry, ...] = ()


def desk(connection: Connection, visit: Visit, page: int) -> Desk:
    """What a user sees; of prefixes a page, from 0, or the last one."""
    own = allotting.listed(connection, visit)
    own.sort(key=lambda one: (one.state is not State.APPLIED, one.prefix))
    pages = -(-len(own) // _PAGE)
    page = max(0, min(page, pages - 1))
    shown = tuple(own[page * _PAGE : (page + 1) * _PAGE])
    if not visit.principal.is_reviewer:
        return Desk(shown, page, pages)
    done = counts.figures(connection, visit.now_ms - DAY_MS)
    return Desk(shown, page, pages, tuple(done), tuple(audit.newest(connection, _ENTRIES)))


class Office:
    """What users of the node see and do after they have logged in by their passwords.

    Args:
        database: of the node.
        terms: of the node.
        logins: by which they log in; wrong ones are slowed down there.
        pages: how pages look.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        database: Database,
        terms: Terms,
        logins: Logins,
        pages: Pages,
        now_ms: Callable[[], int],
    ) -> None:
        self._database, self._terms, self._logins = database, terms, logins
        self._pages, self._now_ms = pages, now_ms
        # Browsers share cookies between the ports of a host.
        self._cookie = f"qulink_node_{terms.prefix}"
        self._why = f"{self._cookie}_why"

    def answers(self) -> Iterator[tuple[str, str, Answer]]:
        """Path, method and what answers it."""
        yield OFFICE, "GET", self._seen
        yield "/login", "GET", self._asked
        yield "/login", "POST", self._entered
        yield "/logout", "POST", self._left
        yield f"{OFFICE}/apply", "POST", self._applied
        yield f"{OFFICE}/decide", "POST", self._decided

    # -- logging in and out ----------------------------------------------------------------

    async def _asked(self, request: Request) -> Response:
        return self._pages.render(request, View("enter.html", {"why": "", "name": ""}))

    async def _entered(self, request: Request) -> Response:
        form = await form_of(request)
        name = form.get("username", "")
        try:
            token = await self._logins.by_password(request, name, form.get("password", ""))
        except Refusal as refusal:
            is_paused = str(refusal) == rules.TOO_OFTEN
            data = {"why": "paused" if is_paused else "wrong", "name": name}
            return self._pages.render(request, View("enter.html", data), 429 if is_paused else 403)
        response = RedirectResponse(OFFICE, 303)
        self._set_cookie(response, self._cookie, token, TOKEN_LIFE_MS // 1000)
        return response

    async def _left(self, request: Request) -> Response:
        await form_of(request)
        await self._database.run(users.end_token, request.cookies.get(self._cookie, ""))
        response = RedirectResponse("/", 303)
        response.delete_cookie(self._cookie)
        return response

    async def visit(self, request: Request) -> Visit:
        """Who asks for a page: a user who has logged in, or nobody."""
        now_ms = self._now_ms()
        token = request.cookies.get(self._cookie, "")
        if not token:
            return Visit(NOBODY, self._terms, now_ms)
        who: Principal = await self._database.read(known_by, token, now_ms)
        return Visit(who, self._terms, now_ms)

    # -- prefixes ------------------------------------------------------------------------------

    async def _seen(self, request: Request) -> Response:
        visit = await self.visit(request)
        if visit.principal.role is None:
            return RedirectResponse("/login", 303)
        asked = request.query_params.get("page", "0")
        page = int(asked) if asked.isdecimal() and len(asked) < 6 else 0  # noqa: PLR2004 - digits
        said = request.query_params.get("said", "")
        why = unquote(request.cookies.get(self._why, ""))
        data = {
            "who": visit.principal,
            "desk": await self._database.read(desk, visit, page),
            "next_states": _NEXT,
            "said": said if said in _SAID else "",
            "why": why,
            "prefix": self._terms.prefix,
        }
        response = self._pages.render(request, View("office.html", data))
        if why:
            response.delete_cookie(self._why, path=OFFICE)
        return response

    async def _applied(self, request: Request) -> Response:
        form = await form_of(request)
        prefix, enterprise = _line(form.get("prefix", "")), _line(form.get("enterprise", ""))
        return await self._done(request, allotting.apply, prefix, enterprise[:100] or None)

    async def _decided(self, request: Request) -> Response:
        form = await form_of(request)
        try:
            state = State(form.get("state", ""))
        except ValueError:
            return _told(Outcome.INVALID)
        prefix, reason = _line(form.get("prefix", "")), _line(form.get("reason", ""))
        return await self._done(request, allotting.decide, prefix, state, reason)

    async def _done(
        self, request: Request, function: Callable[..., Result], *given: object
    ) -> Response:
        visit = await self.visit(request)
        if visit.principal.role is None:
            return RedirectResponse("/login", 303)
        result: Result = await self._database.run(function, visit, *given)
        response = _told(result.outcome)
        if result.outcome is not Outcome.OK:
            # Not in the address, where anybody could write it.
            self._set_cookie(response, self._why, quote(result.message[:_LONGEST]), 60, OFFICE)
        return response

    def _set_cookie(
        self, response: Response, name: str, value: str, life_s: int, path: str = "/"
    ) -> None:
        response.set_cookie(
            name,
            value,
            max_age=life_s,
            path=path,
            secure=self._pages.site.secure,
            httponly=True,
            samesite="lax",
        )


def refusal(language: Language, why: str) -> str:
    """Why something was not done, in a language; what no catalogue has stays English."""
    return sentences.said(why, language)


def word(language: Language, kind: str, code: str) -> str:
    """What a code of the audit log or the counts says; one without words stands for itself."""
    return catalog(language).get(f"node.office.{kind}.{code}", code)


def _line(given: str) -> str:
    """A text as one line; PostgreSQL takes no zero."""
    return "".join(one if one.isprintable() else " " for one in given).strip()


def _told(outcome: Outcome) -> Response:
    return RedirectResponse(f"{OFFICE}?said={outcome.value.replace(' ', '+')}", 303)
