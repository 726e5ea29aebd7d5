"""API tokens: the page of administrators, and what it shares with that of the own account."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import tokens
from gateway.city.access.bearers import CityTokens
from gateway.city.access.principal import Permission, Principal, ScopeError, parse_scope
from gateway.city.access.tokens import DAYS, GRANTABLE, MOST_DAYS, TokenError, TokenRefusal, Wish
from gateway.city.console.asking import demand
from gateway.city.console.context import ConsoleContext
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ADDRESS = "/tokens"


class TokenDesk:
    """Makes, lists and revokes tokens for the pages that show them."""

    def __init__(self, context: ConsoleContext, known: CityTokens) -> None:
        self._context = context
        self._known = known

    async def listed(self, name: str | None = None) -> dict[str, object]:
        """Tokens of a user, or of all, as the templates take them."""
        found, now_ms = await self._context.database.read(tokens.listed, name), self._now_ms()
        lines = [(one, owner, one.state(owner, now_ms)) for one, owner in found]
        terms = {"grantable": GRANTABLE, "days": DAYS, "most_days": MOST_DAYS}
        return {"tokens": lines, "made": None, "refusal": "", "given": {}, **terms}

    async def make(self, by: Principal, name: str, fields: Mapping[str, str]) -> str:
        """Make a token as a form asks for it; gives its text.

        Raises:
            TokenError: it is refused.
        """
        wish, now_ms = _wish_of(fields), self._now_ms()
        _, text = await self._context.database.run(tokens.make, by, name, wish, now_ms)
        return text

    async def revoke(self, by: Principal, fields: Mapping[str, str], owner: str | None) -> None:
        """End a token that a form names.

        Raises:
            HTTPException: 404 there is none, or it is not the owner's.
        """
        number = fields.get("id", "")
        try:
            await self._context.database.run(tokens.revoke, by, number, self._now_ms(), owner)
        except TokenError as error:
            raise HTTPException(404) from error
        self._known.doubt()

    def _now_ms(self) -> int:
        return self._context.now_ms()


class TokensPage:
    """All tokens, and the form that makes one for a user."""

    def __init__(self, pages: Pages, desk: TokenDesk) -> None:
        self._pages = pages
        self._desk = desk

    async def view(self, request: Request) -> View:
        """The page."""
        demand(request, Permission.USERS)
        return await self._view()

    async def make(self, request: Request) -> Response:
        """``POST``: a token for a user; it is shown in the answer, and never again.

        Raises:
            HTTPException: 403 foreign form, or not an administrator's.
        """
        by, fields = demand(request, Permission.USERS), await form_of(request)
        try:
            made = await self._desk.make(by, fields.get("name", "").strip(), fields)
        except TokenError as error:
            view = await self._view(refusal=error.refusal, given=fields)
            return self._pages.render(request, view, 400)
        return self._pages.render(request, await self._view(made=made))

    async def revoke(self, request: Request) -> Response:
        """``POST``: end a token.

        Raises:
            HTTPException: 403 as for :meth:`make`; 404 there is none.
        """
        by, fields = demand(request, Permission.USERS), await form_of(request)
        await self._desk.revoke(by, fields, None)
        return RedirectResponse(ADDRESS, 303)

    async def _view(self, **shown: object) -> View:
        return View("tokens.html", await self._desk.listed() | shown)


def _wish_of(fields: Mapping[str, str]) -> Wish:
    """What a form asks for.

    Raises:
        TokenError: its scope or its days are none.
    """
    permissions = frozenset(one for one in GRANTABLE if f"may-{one}" in fields)
    days, scope = fields.get("days", "").strip(), fields.get("scope", "").strip()
    if not (days.isascii() and days.isdecimal() and len(days) <= len(str(MOST_DAYS))):
        raise TokenError(TokenRefusal.DAYS)
    try:
        rows = parse_scope(scope) if scope else None
    except ScopeError as error:
        raise TokenError(TokenRefusal.SCOPE) from error
    return Wish(fields.get("purpose", "").strip(), permissions, rows, int(days))
