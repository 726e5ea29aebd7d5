"""Who asks for a page, and the refusal of what their role may not do."""

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.city.access.principal import Permission, Principal
from gateway.web.access.admission import address_of, visitor_of
from gateway.web.access.reader import NOT_ALLOWED
from gateway.web.tables import is_file


def principal_of(request: Request) -> Principal:
    """Who asks; every view of rows asks for it, and hands its scope to its queries."""
    visitor = visitor_of(request)
    assert isinstance(visitor, Principal)  # noqa: S101 - the guard lets nobody else in
    return visitor


def demand(request: Request, permission: Permission) -> Principal:
    """Who asks, if their role allows something.

    Raises:
        HTTPException: 403 it does not.
    """
    asking = principal_of(request)
    if not asking.may(permission):
        raise HTTPException(403, NOT_ALLOWED)
    return asking


def signature(request: Request) -> str:
    """Who asks and from where, for the audit log: ``wang.li 192.0.2.7``."""
    return f"{principal_of(request).name} {address_of(request)}".strip()


def allow(permission: Permission, *routes: Route) -> list[Route]:
    """The same addresses, for those whose role allows something; files for who may export, too."""
    return [
        Route(route.path, _guarded(permission, route.endpoint), methods=list(route.methods or ()))
        for route in routes
    ]


def _guarded(
    permission: Permission, endpoint: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        demand(request, permission)
        if is_file(request):
            demand(request, Permission.EXPORT)
        return await endpoint(request)

    return guarded
