"""The form that asks for the token, or for name and password; and leaving."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.web.access import sessions
from gateway.web.access.admission import Admission, TooManyGuessesError
from gateway.web.access.store import SESSION_S, SessionsAwayError
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View

_LONGEST_NAME = 100


def routes(pages: Pages, admission: Admission) -> list[Route]:
    """``/login`` and ``/logout``; none where nobody logs in."""
    if not admission.has_login:
        return []
    door = _Door(pages, admission)
    return [
        Route("/login", door.show, methods=["GET"]),
        Route("/login", door.enter, methods=["POST"]),
        Route("/logout", door.leave, methods=["POST"]),
    ]


def entered(target: str, secret: str, cookie: str, *, secure: bool) -> Response:
    """The way on for who has logged in, with the cookie of the session.

    Args:
        target: path of this site.
        secret: of the session.
        cookie: its name.
        secure: the console is reached by https.
    """
    response = RedirectResponse(target, 303)
    response.set_cookie(
        cookie,
        secret,
        max_age=SESSION_S,
        secure=secure,
        httponly=True,
        samesite="lax",  # a link in a mail leads to its page; forms have their own check
    )
    return response


class _Door:
    """The form, and what is done with its answer."""

    def __init__(self, pages: Pages, admission: Admission) -> None:
        self._pages = pages
        self._admission = admission

    async def show(self, request: Request) -> Response:
        return self._pages.render(request, self._view(request.query_params.get("next", "/")))

    async def enter(self, request: Request) -> Response:
        fields = await form_of(request)
        target = sessions.safe_target(fields.get("next", "/"))
        try:
            secret = await self._log_in(request, fields)
        except TooManyGuessesError as error:
            return self._pages.render(request, self._view(target, wait_s=error.wait_s), 429)
        except SessionsAwayError as error:
            raise HTTPException(503) from error
        if secret is None:
            return self._pages.render(request, self._view(target, wrong=True), 403)
        return entered(target, secret, self._admission.cookie, secure=self._pages.site.secure)

    async def _log_in(self, request: Request, fields: Mapping[str, str]) -> str | None:
        """The cookie of a new session; None: what was shown is wrong."""
        if self._admission.kept.is_by_name:
            name = fields.get("name", "").strip()[:_LONGEST_NAME]
            return await self._admission.log_in(request, name, fields.get("password", ""))
        if await self._admission.is_token(request, fields.get("token", "")):
            return await self._admission.open(request)
        return None

    async def leave(self, request: Request) -> Response:
        await form_of(request)
        try:
            await self._admission.end(request)
        except SessionsAwayError as error:
            raise HTTPException(503) from error
        response = RedirectResponse("/login", 303)
        response.delete_cookie(self._admission.cookie)
        return response

    def _view(self, target: str, *, wrong: bool = False, wait_s: int = 0) -> View:
        data = {"next": sessions.safe_target(target), "wrong": wrong, "wait_s": wait_s}
        return View("login.html", data | {"by_name": self._admission.kept.is_by_name})
