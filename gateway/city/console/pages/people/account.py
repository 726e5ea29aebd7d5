"""The own account: who one is to the city, and another password."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import users
from gateway.city.access.password_rules import normal
from gateway.city.access.sessions import CitySessions
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people.choosing import hashed, refused
from gateway.web.access.passwords import is_password
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ADDRESS = "/account"


class AccountPage:
    """The page and what its form does."""

    def __init__(self, context: ConsoleContext, pages: Pages, kept: CitySessions) -> None:
        self._context = context
        self._pages = pages
        self._kept = kept

    async def view(self, request: Request) -> View:
        """Name, role, scope, and the form."""
        return await self._view(request, "")

    async def change(self, request: Request) -> Response:
        """``POST``: another password; all sessions of the user end, this one too.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, name = await form_of(request), principal_of(request).name
        user = await self._context.database.read(users.find, name)
        if user is None:
            raise HTTPException(403)
        kept = await self._context.database.read(users.password_of, name)
        given = normal(fields.get("current", ""))
        problem = refused(fields, user.name, user.display_name)
        # A session that somebody left open is not to take the account away.
        if not await asyncio.to_thread(is_password, given, kept):
            problem = "current"
        if problem is not None:
            return self._pages.render(request, await self._view(request, problem), 400)
        made, now_ms = await hashed(fields), self._context.now_ms()
        await self._context.database.run(users.set_password, name, made, now_ms)
        self._kept.doubt()
        return RedirectResponse("/login", 303)

    async def _view(self, request: Request, problem: str) -> View:
        asking = principal_of(request)
        user = await self._context.database.read(users.find, asking.name)
        return View("account.html", {"asking": asking, "user": user, "problem": problem})
