"""ASGI middleware before every page: sizes, host, token, headers."""

from collections.abc import Iterable
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_config.models.base import ConsoleConfig, is_loopback, split_listen
from gateway.web.access import sessions
from gateway.web.access.admission import Admission, TooManyGuessesError
from gateway.web.access.store import SessionsAwayError

MAX_BODY_BYTES = 16_384
"""Forms of a console are tiny; anything larger is refused."""
MAX_URL_BYTES = 4_096

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline. Charts use Vega's interpreter, which needs no eval."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Refuses what must not reach the pages, and dresses every answer.

    Args:
        app: the pages.
        console: address and TLS.
        admission: who is let in.
        open_paths: prefixes that need no token (login, style sheets, health).
    """

    def __init__(
        self,
        app: ASGIApp,
        console: ConsoleConfig,
        admission: Admission,
        open_paths: Iterable[str],
    ) -> None:
        self._app = app
        self._admission = admission
        self._host = split_listen(console.listen)[0] if is_loopback(console.listen) else None
        self._hosts = console.hosts
        self._tls = console.tls is not None
        self._open = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        refusal = self._malformed(request) or await self._unadmitted(request)
        target = refusal if refusal is not None else self._app
        await target(scope, limited(receive), self._dressed(send))

    def _malformed(self, request: Request) -> Response | None:
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > MAX_URL_BYTES:
            return PlainTextResponse("the address is too long\n", 414)
        if _has_nul(request):
            return PlainTextResponse("the address contains a NUL character\n", 400)
        if not _length_allowed(request.headers):
            return PlainTextResponse("the request is too large\n", 413)
        host = request.headers.get("host", "")
        if not sessions.host_allowed(host, self._host, self._hosts):
            names = "its loopback address" if self._host is not None else "the names in its 'hosts'"
            return PlainTextResponse(f"this console answers to {names} only\n", 421)
        return None

    async def _unadmitted(self, request: Request) -> Response | None:
        # The path that routes go by, too; one made from the Host header may be another.
        if request.scope["path"].startswith(self._open):
            return None
        try:
            return None if await self._admission.admits(request) else _ask_for_token(request)
        except TooManyGuessesError as error:
            return too_many_guesses(error)
        except SessionsAwayError:
            return PlainTextResponse("the database does not answer; try again\n", 503)

    def _dressed(self, send: Send) -> Send:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if self._tls:
                    headers["strict-transport-security"] = "max-age=31536000"
                # Pages show what only holders of the token may see; assets have said their own.
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return dressed


def _has_nul(request: Request) -> bool:
    """No name holds one; PostgreSQL takes it in no text, and the page would fail."""
    return "\0" in request.scope["path"] or b"%00" in request.scope["query_string"]


def _length_allowed(headers: Headers) -> bool:
    length = headers.get("content-length", "0")
    return length.isdecimal() and int(length) <= MAX_BODY_BYTES


def limited(receive: Receive) -> Receive:
    """Refuse a body beyond the limit: a client may lie about, or not tell, its length."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message

    return counted


def _ask_for_token(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        query = request.scope["query_string"].decode("latin-1")
        # As it was asked for: a name with a slash or # in it is another path once it is unquoted.
        path = request.scope["raw_path"].decode("latin-1")
        target = path + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
    return PlainTextResponse(
        "send the console's token as 'Authorization: Bearer …'\n",
        401,
        {"www-authenticate": "Bearer"},
    )


def too_many_guesses(error: TooManyGuessesError) -> Response:
    """The answer to who tries tokens."""
    wait = {"retry-after": str(error.wait_s)}
    return PlainTextResponse(f"too many wrong tokens; wait {error.wait_s} s\n", 429, wait)
