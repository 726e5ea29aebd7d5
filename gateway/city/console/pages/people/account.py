"""The own account: who one is to the city, another password, and API tokens."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import users
from gateway.city.access.password_rules import normal
from gateway.city.access.sessions import CitySessions
from gateway.city.access.tokens import TokenError
from gateway.city.access.users import User
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people.choosing import hashed, refused
from gateway.city.console.pages.people.tokens import TokenDesk
from gateway.web.access.passwords import is_password
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ADDRESS = "/account"


class AccountPage:
    """The page and what its forms do."""

    def __init__(
        self, context: ConsoleContext, pages: Pages, kept: CitySessions, desk: TokenDesk
    ) -> None:
        self._context = context
        self._pages = pages
        self._kept = kept
        self._desk = desk

    async def view(self, request: Request) -> View:
        """Name, role, scope, tokens, and the forms."""
        return await self._view(request)

    async def change(self, request: Request) -> Response:
        """``POST``: another password; all sessions of the user end, this one too.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, user = await form_of(request), await self._user(request)
        name = user.name
        kept = await self._context.database.read(users.password_of, name)
        given = normal(fields.get("current", ""))
        problem = refused(fields, user.name, user.display_name)
        # A session that somebody left open is not to take the account away.
        if not await asyncio.to_thread(is_password, given, kept):
            problem = "current"
        if problem is not None:
            return self._pages.render(request, await self._view(request, problem=problem), 400)
        made, now_ms = await hashed(fields), self._context.now_ms()
        await self._context.database.run(users.set_password, name, made, now_ms)
        self._kept.doubt()
        return RedirectResponse("/login", 303)

    async def make_token(self, request: Request) -> Response:
        """``POST``: a token of one's own; it is shown in the answer, and never again.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, user = await form_of(request), await self._user(request)
        try:
            made = await self._desk.make(principal_of(request), user.name, fields)
        except TokenError as error:
            view = await self._view(request, refusal=error.refusal, given=fields)
            return self._pages.render(request, view, 400)
        return self._pages.render(request, await self._view(request, made=made))

    async def revoke_token(self, request: Request) -> Response:
        """``POST``: end a token of one's own.

        Raises:
            HTTPException: 403 as for :meth:`make_token`; 404 it is none of one's own.
        """
        fields, user = await form_of(request), await self._user(request)
        await self._desk.revoke(principal_of(request), fields, user.name)
        return RedirectResponse(f"{ADDRESS}#tokens", 303)

    async def _user(self, request: Request) -> User:
        user = await self._context.database.read(users.find, principal_of(request).name)
        if user is None:
            raise HTTPException(403)
        return user

    async def _view(self, request: Request, **shown: object) -> View:
        asking = principal_of(request)
        user = await self._context.database.read(users.find, asking.name)
        own = await self._desk.listed(user.name) if user is not None else {}
        data = {"asking": asking, "user": user, "problem": "", **own}
        return View("account.html", data | shown)
