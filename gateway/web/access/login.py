"""The form that asks for the token, and leaving."""

import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.models.base import ConsoleConfig
from gateway.web.access import sessions
from gateway.web.pages import Pages, View, form_of


def routes(pages: Pages, console: ConsoleConfig) -> list[Route]:
    """``/login`` and ``/logout``; none without a token."""
    if console.token is None:
        return []
    door = _Door(pages, console.token.reveal(), sessions.session_cookie(console.listen))
    return [
        Route("/login", door.show, methods=["GET"]),
        Route("/login", door.enter, methods=["POST"]),
        Route("/logout", door.leave, methods=["POST"]),
    ]


class _Door:
    """The form, and what is done with its answer."""

    def __init__(self, pages: Pages, token: str, cookie: str) -> None:
        self._pages = pages
        self._token = token
        self._cookie = cookie

    async def show(self, request: Request) -> Response:
        return self._pages.render(request, _view(request.query_params.get("next", "/")))

    async def enter(self, request: Request) -> Response:
        fields = await form_of(request)
        target = sessions.safe_target(fields.get("next", "/"))
        if not sessions.same(fields.get("token", ""), self._token):
            return self._pages.render(request, _view(target, wrong=True), 403)
        response = RedirectResponse(target, 303)
        response.set_cookie(
            self._cookie,
            sessions.open_session(self._token, int(time.time())),
            max_age=sessions.SESSION_S,
            secure=self._pages.site.secure,
            httponly=True,
            samesite="lax",  # a link in a mail leads to its page; forms have their own check
        )
        return response

    async def leave(self, request: Request) -> Response:
        await form_of(request)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(self._cookie)
        return response


def _view(target: str, *, wrong: bool = False) -> View:
    return View("login.html", {"next": sessions.safe_target(target), "wrong": wrong})
