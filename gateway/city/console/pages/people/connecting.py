"""Which of a provider's people a user is: what administrators say, and users of themselves."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access.principal import Permission
from gateway.city.access.users import UserError
from gateway.city.console.asking import demand, principal_of
from gateway.city.console.pages.people import users
from gateway.city.console.pages.people.account import AccountPage
from gateway.city.console.pages.people.connected import Connections
from gateway.city.console.pages.people.outside import OutsidePage
from gateway.city.console.pages.people.users import UsersPage
from gateway.web.forms import form_of


class ConnectingPage:
    """What the forms of ``/users`` and ``/account`` do about connections.

    Args:
        connections: who is connected.
        known: the page of administrators.
        own: the page of the own account.
        outside: the way to the provider.
    """

    def __init__(
        self,
        connections: Connections,
        known: UsersPage,
        own: AccountPage,
        outside: OutsidePage,
    ) -> None:
        self._connections = connections
        self._known = known
        self._own = own
        self._outside = outside

    async def act(self, request: Request) -> Response:
        """``POST`` of an administrator: ``connect`` or ``disconnect`` a user.

        Raises:
            HTTPException: 403 foreign form, or not an administrator's; 404 no such act.
        """
        by, fields = demand(request, Permission.USERS), await form_of(request)
        try:
            name, act = fields.get("name", "").strip(), request.path_params["act"]
            await self._connections.change(by, act, fields, name)
        except UserError as error:
            return await self._known.again(request, {}, error.refusal)
        return RedirectResponse(users.ADDRESS, 303)

    async def begin(self, request: Request) -> Response:
        """``POST`` of a user who shows the password again: the way to the provider, as a link.

        A link, as no form of ours may lead elsewhere.

        Raises:
            HTTPException: 403 foreign form, or somebody who is no user.
        """
        fields, user = await form_of(request), await self._own.user(request)
        problem = await self._own.proving.problem(user.name, fields.get("current", ""))
        if problem is not None:
            return await self._own.shown(request, 400, connecting=f"password.{problem}")
        begun = await self._outside.begun_connecting(user.name)
        if begun is None:
            return await self._own.shown(request, 503, connecting="connecting.away")
        address, dress = begun
        return dress(await self._own.shown(request, 200, there=address))

    async def end(self, request: Request) -> Response:
        """``POST`` of a user: be connected with a subject no more; all own sessions end.

        Raises:
            HTTPException: 403 foreign form; 404 it is none of one's own.
        """
        fields, by = await form_of(request), principal_of(request)
        try:
            await self._connections.change(by, "disconnect", fields, by.name)
        except UserError as error:
            raise HTTPException(404) from error
        return RedirectResponse("/login", 303)
