"""The node's HTTP application: its faces, how it is, what it has done."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.identifier.node import rules
from gateway.identifier.node.http.handles.face import HandleFace
from gateway.identifier.node.http.handles.knowing import Knowing
from gateway.identifier.node.http.login import Logins
from gateway.identifier.node.http.requests import Answer
from gateway.identifier.node.http.snms_face import SnmsFace
from gateway.identifier.node.http.watching import Watching
from gateway.identifier.node.pages.face import PageFace
from gateway.identifier.node.parts import Parts
from gateway.identifier.node.visitors import Visitors
from gateway.throttle import site_of

_UNLIMITED = ("/healthz",)


def application(parts: Parts, per_minute: int | None = None, *, has_tls: bool = False) -> ASGIApp:
    """All that the node answers by HTTP.

    Args:
        parts: what it is made of.
        per_minute: requests of one visitor; None: any number.
        has_tls: it is reached by TLS only.
    """
    logins = Logins(parts.database, parts.now_ms, parts.clock_s)
    snms = SnmsFace(parts.database, parts.terms, logins, parts.tally, parts.now_ms)
    watching = Watching(parts.database, logins, parts.tally, parts.now_ms)
    knowing = Knowing(parts.database, parts.seal, parts.clock_s)
    handles = HandleFace(parts.database, parts.terms, knowing, parts.tally, parts.now_ms)
    pages = PageFace(
        parts.database, parts.terms, parts.tally, parts.now_ms, logins, has_tls=has_tls
    )
    faces = (snms, handles, watching, pages)
    app = Starlette(routes=[route for face in faces for route in face.routes()])
    return app if per_minute is None else _limited(app, Visitors(per_minute), parts.clock_s)


def _limited(app: ASGIApp, visitors: Visitors, clock_s: Callable[[], float]) -> ASGIApp:
    """Answer 429 to who asks too often, before anything of the request is read."""

    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _UNLIMITED:
            client = Request(scope).client
            if not visitors.may_ask(site_of(client.host) if client else "", clock_s()):
                body = {"message": rules.TOO_MANY_REQUESTS, "status": -2, "data": None}
                await Answer(body, 429, {"retry-after": "1"})(scope, receive, send)
                return
        await app(scope, receive, send)

    return limited
