"""Who asks for a page, and the refusal of what their role may not do."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.access.principal import Permission, Principal
from gateway.web.access.admission import visitor_of


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
        raise HTTPException(403)
    return asking
