"""Put a console together: guard, log-in, health, files, pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge_config.models.base import ConsoleConfig
from gateway.web import health, waiting
from gateway.web.access import login, problems
from gateway.web.access.admission import admission
from gateway.web.access.guard import Guard
from gateway.web.access.problems import RefusedError
from gateway.web.access.store import NoSessions, Sessions, Tokens
from gateway.web.faults import Faults
from gateway.web.pages import Pages
from gateway.web.waiting import NotYetError

Failure = Callable[[Request, Exception], Awaitable[Response]]
OPEN_PATHS = ("/login", "/static/", "/healthz")


def compose(
    pages: Pages,
    console: ConsoleConfig,
    routes: Sequence[Route],
    check: health.Check,
    metrics: health.Metrics,
    tolerable: frozenset[str] = frozenset(),
    kept: Sessions | None = None,
    holder: object = True,
    open_paths: tuple[str, ...] = (),
    operates: Callable[[object], bool] = lambda _: True,
    tokens: Tokens | None = None,
    programs: str | None = None,
    sizes: Mapping[str, int] = MappingProxyType({}),
) -> ASGIApp:
    """A guarded application: nothing is reached before the guard or leaves without its headers.

    Args:
        pages: how pages look.
        console: address, TLS and token.
        routes: the pages.
        check: state of the parts, for ``/healthz``.
        metrics: what ``/metrics`` shows.
        tolerable: parts whose fault leaves ``/healthz`` at 200.
        kept: its sessions; None: nobody logs in, so there are none.
        holder: who a visitor is by the token, or without any login.
        open_paths: further prefixes that anybody may ask for.
        operates: whether a visitor may see the state of the parts, and counters.
        tokens: of programs; None: nobody has any.
        programs: prefix of addresses that programs ask for; None: there are none.
        sizes: octets that requests may have to addresses that take files.

    Raises:
        SecretUnavailableError: the token cannot be read, or is too short.
    """
    admits = admission(console, kept or NoSessions(), holder, tokens)
    every = [
        *routes,
        *login.routes(pages, admits),
        *health.routes(check, metrics, tolerable, admits.admits, operates),
        pages.assets.route(),
    ]
    failed = _failed(pages.failure, programs)
    app = Starlette(
        routes=every,
        middleware=[Middleware(Faults)],
        exception_handlers={
            HTTPException: failed,
            NotYetError: _failed(waiting.answer(pages), programs),
            RefusedError: failed,
            Exception: failed,
        },
    )
    # Around everything, the pages of errors too: each answer needs the headers.
    return Guard(app, console, admits, OPEN_PATHS + open_paths, programs, sizes)


def _failed(of_page: Failure, programs: str | None) -> Failure:
    """What answers for an error: to a program in its own form."""

    async def answer(request: Request, error: Exception) -> Response:
        is_program = programs is not None and request.scope["path"].startswith(programs)
        return await (problems.failure if is_program else of_page)(request, error)

    return answer
