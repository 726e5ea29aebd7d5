"""Who asks for a page, and the refusal of what their role may not do."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.status import HTTP_200_OK, HTTP_400_BAD_REQUEST

from gateway.city.access.audit import Action, note
from gateway.city.access.principal import Permission, Principal
from gateway.city.console.context import ConsoleContext
from gateway.web.access.admission import address_of, visitor_of
from gateway.web.access.reader import NOT_ALLOWED
from gateway.web.pages import Endpoint, Pages, View
from gateway.web.tables import is_file

_LONGEST_PURPOSE = 100


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


def operates(visitor: object) -> bool:
    """Whether a visitor may see the state of the parts, and counters."""
    return isinstance(visitor, Principal) and visitor.may(Permission.OPERATE)


def signature(request: Request) -> str:
    """Who asks and from where, for the audit log: ``wang.li 192.0.2.7``."""
    return f"{principal_of(request).name} {address_of(request)}".strip()


def asks_purpose(context: ConsoleContext) -> bool:
    """Whether files with rows of enterprises are given out for a purpose only."""
    console = context.config.console
    return console.has_login and console.export_purpose == "demanded"


async def note_view(context: ConsoleContext, request: Request, uscc: str) -> None:
    """Write down who looks at an enterprise; its purpose, if the address names one."""
    if context.config.console.has_login:
        purpose = request.query_params.get("purpose", "")
        who, now_ms = principal_of(request), context.now_ms()
        await context.viewing.note(context.database, who, uscc, now_ms, purpose)


class Gate:
    """Stands before the pages: who may ask for them, and that files are written down.

    Args:
        context: of the console. Where nobody logs in nobody is known, and nothing is written down.
        pages: show the page that asks for a purpose.
    """

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages
        self._knows = context.config.console.has_login
        self._asks = asks_purpose(context)

    def allow(self, permission: Permission, *routes: Route) -> list[Route]:
        """The same addresses, for whose role allows something; files for who may export, too."""
        return [
            Route(
                route.path,
                self._guarded(permission, route.endpoint),
                methods=list(route.methods or ()),
            )
            for route in routes
        ]

    def _guarded(self, permission: Permission, endpoint: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            demand(request, permission)
            if not is_file(request):
                return await endpoint(request)
            demand(request, Permission.EXPORT)
            if self._asks and permission is not Permission.FIGURES and not _purpose(request):
                view = View("purpose.html", {"asked": _asked(request)})
                return self._pages.render(request, view, HTTP_400_BAD_REQUEST)
            answer = await endpoint(request)
            if self._knows and answer.status_code == HTTP_200_OK:
                await self._note_export(request)
            return answer

        return guarded

    async def _note_export(self, request: Request) -> None:
        """Before the file leaves: what cannot be written down is not given out."""
        who, now_ms = signature(request), self._context.now_ms()
        subject, detail = request.url.path, request.url.query
        if purpose := _purpose(request):  # first: a long address is cut
            detail = f"{purpose}: {detail}"
        await self._context.database.run(note, now_ms, who, Action.EXPORTED, subject, detail)


def _purpose(request: Request) -> str:
    """What a file is for, as the address names it."""
    return " ".join(request.query_params.get("purpose", "").split())[:_LONGEST_PURPOSE]


def _asked(request: Request) -> list[tuple[str, str]]:
    """What else the address of a file says."""
    return [one for one in request.query_params.multi_items() if one[0] != "purpose"]
