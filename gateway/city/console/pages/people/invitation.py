"""The page behind a one-time link: a user, or the first administrator, chooses a password."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.access import links
from gateway.city.access.users import Refusal, UserError
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people.choosing import hashed, refused
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View


class InvitationPage:
    """The page and what its form does; a link that is of no use any more is 404."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages

    async def show(self, request: Request) -> Response:
        """The form.

        Raises:
            HTTPException: 404 the link was used, is over, or has never been.
        """
        name = await self._invited(request)
        return self._pages.render(request, _view(name, {"name": name}))

    async def accept(self, request: Request) -> Response:
        """Keep the password, and lead to the login.

        Raises:
            HTTPException: 403 foreign form; 404 as for :meth:`show`.
        """
        fields = await form_of(request)
        name = await self._invited(request)
        chosen = (fields.get("name", "").strip(), fields.get("display_name", "").strip())
        problem = refused(fields, name or chosen[0], chosen[1])
        if problem is not None:
            return self._again(request, name, fields, f"password.{problem}")
        secret, now_ms = request.path_params["secret"], self._context.now_ms()
        made = await hashed(fields)
        try:
            await self._context.database.run(links.accept, secret, now_ms, made, chosen)
        except UserError as error:
            if error.refusal is Refusal.UNKNOWN:  # somebody was faster
                raise HTTPException(404) from error
            return self._again(request, name, fields, f"refusal.{error.refusal}")
        return RedirectResponse("/login", 303)

    async def _invited(self, request: Request) -> str:
        read, now_ms = self._context.database.read, self._context.now_ms()
        name = await read(links.invited, request.path_params["secret"], now_ms)
        if name is None:
            raise HTTPException(404)
        return name

    def _again(
        self, request: Request, name: str, fields: Mapping[str, str], problem: str
    ) -> Response:
        return self._pages.render(request, _view(name, fields, problem), 400)


def _view(name: str, fields: Mapping[str, str], problem: str = "") -> View:
    data = {
        "is_first": name == links.FIRST,
        "name": name or fields.get("name", ""),
        "display_name": fields.get("display_name", ""),
        "problem": problem,
    }
    return View("invitation.html", data)
