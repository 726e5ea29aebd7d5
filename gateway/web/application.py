"""Put a console together: guard, log-in, health, files, pages."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from edge_config.base import ConsoleConfig
from gateway.web import health, login
from gateway.web.guard import Guard
from gateway.web.pages import Pages

OPEN_PATHS = ("/login", "/static/", "/healthz")


def compose(
    pages: Pages,
    console: ConsoleConfig,
    routes: Sequence[Route],
    check: health.Check,
    registry: CollectorRegistry,
    tolerable: frozenset[str] = frozenset(),
) -> Starlette:
    """A guarded application; nothing of it is reachable before the guard.

    Args:
        pages: how pages look.
        console: address, TLS and token.
        routes: the pages.
        check: state of the parts, for ``/healthz``.
        registry: what ``/metrics`` shows.
        tolerable: parts whose fault leaves ``/healthz`` at 200.
    """
    every = [
        *routes,
        *login.routes(pages, console),
        *health.routes(check, registry, tolerable),
        pages.assets.route(),
    ]
    guard = Middleware(Guard, console=console, open_paths=OPEN_PATHS)
    return Starlette(
        routes=every,
        middleware=[guard],
        exception_handlers={HTTPException: pages.failure, Exception: pages.failure},
    )
