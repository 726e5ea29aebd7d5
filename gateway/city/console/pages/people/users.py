"""Who may log in, for administrators: invite, change, reset, disable."""

from collections.abc import Callable, Mapping
from functools import partial

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import links, users
from gateway.city.access.bearers import CityTokens
from gateway.city.access.principal import (
    Permission,
    Principal,
    Role,
    ScopeError,
    parse_scope,
)
from gateway.city.access.sessions import CitySessions
from gateway.city.access.users import User, UserError
from gateway.city.console.asking import demand
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people.connected import Connections
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

ADDRESS = "/users"

Act = Callable[[Connection], str | None]
"""Does something in one transaction; gives the secret of a link, if that makes one."""


class UsersPage:
    """The page and what its forms do; a link is shown once, in the answer that made it."""

    def __init__(
        self,
        context: ConsoleContext,
        pages: Pages,
        kept: CitySessions,
        known: CityTokens,
        connections: Connections,
    ) -> None:
        self._context = context
        self._pages = pages
        self._kept = kept
        self._known = known
        self._connections = connections

    async def view(self, request: Request) -> View:
        """All users, and the form that invites one."""
        demand(request, Permission.USERS)
        return await self._view({})

    async def act(self, request: Request) -> Response:
        """``POST``: ``invite``, ``change``, ``reset`` or ``disable``.

        Raises:
            HTTPException: 403 foreign form, or not an administrator's; 404 no such act.
        """
        by, fields = demand(request, Permission.USERS), await form_of(request)
        try:
            act = _act_of(request.path_params["act"], by, fields, self._context.now_ms())
            secret = await self._context.database.run(act)
        except ScopeError:
            return await self.again(request, fields, "scope")
        except UserError as error:
            return await self.again(request, fields, error.refusal)
        self._kept.doubt()
        self._known.doubt()
        if secret is None:
            return RedirectResponse(ADDRESS, 303)
        return self._pages.render(request, await self._view({}, link=_link(request, secret)))

    async def again(self, request: Request, fields: Mapping[str, str], problem: str) -> Response:
        """The page, with what was typed and why it is refused."""
        return self._pages.render(request, await self._view(fields, problem=problem), 400)

    async def _view(self, fields: Mapping[str, str], *, problem: str = "", link: str = "") -> View:
        known = await self._context.database.read(users.listed)
        linked = await self._connections.listed()
        data = {"users": known, "roles": tuple(Role), "given": fields, "linked": linked}
        return View("users.html", data | {"problem": problem, "link": link})


def _act_of(act: str, by: Principal, fields: Mapping[str, str], now_ms: int) -> Act:
    """What a form asks for.

    Raises:
        HTTPException: 404 there is no such act.
        ScopeError: what was typed is no scope.
    """
    name = fields.get("name", "").strip()
    if act == "invite":
        return partial(links.invite, by=by, user=_user_of(fields, by, now_ms))
    if act == "reset":
        return partial(links.invite_again, by=by, now_ms=now_ms, name=name)
    if act == "disable":
        return partial(users.disable, by=by, now_ms=now_ms, name=name)
    if act == "change":
        role, scope = _role_of(fields), parse_scope(fields.get("scope", ""))
        return partial(users.change, by=by, now_ms=now_ms, name=name, role=role, scope=scope)
    raise HTTPException(404)


def _user_of(fields: Mapping[str, str], by: Principal, now_ms: int) -> User:
    name = fields.get("name", "").strip()
    display_name = fields.get("display_name", "").strip() or name
    role, scope = _role_of(fields), parse_scope(fields.get("scope", ""))
    return User(name, display_name, role, scope, now_ms, by.name, None, is_invited=True)


def _role_of(fields: Mapping[str, str]) -> Role:
    try:
        return Role(fields.get("role", ""))
    except ValueError as error:
        raise HTTPException(400) from error


def _link(request: Request, secret: str) -> str:
    """The address that the user is given, as this console is reached by who makes it."""
    return str(request.url.replace(path=f"{links.ADDRESS}/{secret}", query=""))
