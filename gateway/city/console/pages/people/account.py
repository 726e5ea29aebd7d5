"""The own account: who one is to the city, another password, and API tokens."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import users
from gateway.city.access.sessions import CitySessions
from gateway.city.access.tokens import TokenError
from gateway.city.access.users import User
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people.choosing import hashed, refused
from gateway.city.console.pages.people.connected import Connections
from gateway.city.console.pages.people.proving import Proving
from gateway.city.console.pages.people.tokens import TokenDesk
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ADDRESS = "/account"
CAME = frozenset({"done", "linked", "away", "refused", "begun"})
"""What becomes of connecting oneself: keys of the catalogue's ``connecting``."""


class AccountPage:
    """The page and what its forms do."""

    def __init__(
        self,
        context: ConsoleContext,
        pages: Pages,
        kept: CitySessions,
        desk: TokenDesk,
        connections: Connections,
    ) -> None:
        self._context = context
        self._pages = pages
        self._kept = kept
        self._desk = desk
        self._connections = connections
        self.proving = Proving(context)

    async def view(self, request: Request) -> View:
        """Name, role, scope, tokens, and the forms."""
        came = request.query_params.get("connecting", "")
        return await self._view(request, connecting=f"connecting.{came}" if came in CAME else "")

    async def change(self, request: Request) -> Response:
        """``POST``: another password; all sessions of the user end, this one too.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, user = await form_of(request), await self.user(request)
        name = user.name
        # A session that somebody left open is not to take the account away.
        problem = await self.proving.problem(name, fields.get("current", ""))
        problem = problem or refused(fields, user.name, user.display_name)
        if problem is not None:
            return await self.shown(request, 400, problem=problem)
        made, now_ms = await hashed(fields), self._context.now_ms()
        await self._context.database.run(users.set_password, name, made, now_ms)
        self._kept.doubt()
        return RedirectResponse("/login", 303)

    async def make_token(self, request: Request) -> Response:
        """``POST``: a token of one's own; it is shown in the answer, and never again.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, user = await form_of(request), await self.user(request)
        try:
            made = await self._desk.make(principal_of(request), user.name, fields)
        except TokenError as error:
            return await self.shown(request, 400, refusal=error.refusal, given=fields)
        return await self.shown(request, 200, made=made)

    async def revoke_token(self, request: Request) -> Response:
        """``POST``: end a token of one's own.

        Raises:
            HTTPException: 403 as for :meth:`make_token`; 404 it is none of one's own.
        """
        fields, user = await form_of(request), await self.user(request)
        await self._desk.revoke(principal_of(request), fields, user.name)
        return RedirectResponse(f"{ADDRESS}#tokens", 303)

    async def user(self, request: Request) -> User:
        """Who asks.

        Raises:
            HTTPException: 403 somebody who is no user: the holder of the console's token.
        """
        user = await self._context.database.read(users.find, principal_of(request).name)
        if user is None:
            raise HTTPException(403)
        return user

    async def shown(self, request: Request, status: int, **shown: object) -> Response:
        """The page, with what became of a form."""
        return self._pages.render(request, await self._view(request, **shown), status)

    async def _view(self, request: Request, **shown: object) -> View:
        asking = principal_of(request)
        user = await self._context.database.read(users.find, asking.name)
        own = await self._desk.listed(user.name) if user is not None else {}
        linked = await self._connections.listed(user.name) if user is not None else None
        outside = {"linked": linked, "connecting": "", "there": ""}
        data = {"asking": asking, "user": user, "problem": "", **outside, **own}
        return View("account.html", data | shown)
