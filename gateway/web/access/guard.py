"""ASGI middleware before every page: sizes, host, token, headers."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_config.models.base import ConsoleConfig, is_loopback, split_listen
from gateway.web.access import sessions
from gateway.web.access.admission import Admission, TooManyGuessesError
from gateway.web.access.problems import problem
from gateway.web.access.store import SessionsAwayError, TokenEndedError

MAX_BODY_BYTES = 16_384
"""Forms of a console are tiny; anything larger is refused, but where files are sent."""
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

_WANTED = ("send a token as 'Authorization: Bearer …'", {"www-authenticate": "Bearer"})
_CODES = {
    400: "address_malformed",
    401: "token_wanted",
    413: "request_too_large",
    414: "address_too_long",
    421: "host_unknown",
    429: "wait",
    503: "database_away",
}
"""What programs know a refusal by."""


class Guard:
    """Refuses what must not reach the pages, and dresses every answer.

    Args:
        app: the pages.
        console: address and TLS.
        admission: who is let in.
        open_paths: prefixes that need no token (login, style sheets, health).
        programs: prefix of addresses whose refusals are for programs; None: there are none.
        sizes: octets that requests may have to addresses that take files.
    """

    def __init__(
        self,
        app: ASGIApp,
        console: ConsoleConfig,
        admission: Admission,
        open_paths: Iterable[str],
        programs: str | None = None,
        sizes: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._sizes = sizes
        self._app = app
        self._admission = admission
        self._host = split_listen(console.listen)[0] if is_loopback(console.listen) else None
        self._hosts = console.hosts
        self._tls = console.tls is not None
        self._open = tuple(open_paths)
        self._programs = programs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        refusal = self._malformed(request) or await self._unadmitted(request)
        target = refusal if refusal is not None else self._app
        await target(scope, limited(receive, self._most(request)), self._dressed(send))

    def _malformed(self, request: Request) -> Response | None:
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > MAX_URL_BYTES:
            return self._refusal(request, 414, "the address is too long")
        if _has_nul(request):
            return self._refusal(request, 400, "the address contains a NUL character")
        if not _length_allowed(request.headers, self._most(request)):
            return self._refusal(request, 413, "the request is too large")
        host = request.headers.get("host", "")
        if not sessions.host_allowed(host, self._host, self._hosts):
            names = "its loopback address" if self._host is not None else "the names in its 'hosts'"
            return self._refusal(request, 421, f"this console answers to {names} only")
        return None

    def _most(self, request: Request) -> int:
        return self._sizes.get(request.scope["path"], MAX_BODY_BYTES)

    async def _unadmitted(self, request: Request) -> Response | None:
        # The path that routes go by, too; one made from the Host header may be another.
        if request.scope["path"].startswith(self._open):
            return None
        try:
            is_admitted = await self._admission.admits(request)
        except TooManyGuessesError as error:
            return self._refusal(request, 429, *_patience(error))
        except TokenEndedError as error:
            said = f'Bearer error="invalid_token", error_description="{error}"'
            words = f"{error}; make another one on the page /account"
            return self._refusal(request, 401, words, {"www-authenticate": said}, "token_ended")
        except SessionsAwayError:
            return self._refusal(request, 503, "the database does not answer; try again")
        if is_admitted:
            return None
        return _to_login(request) or self._refusal(request, 401, *_WANTED)

    def _refusal(
        self,
        request: Request,
        status: int,
        words: str,
        headers: Mapping[str, str] | None = None,
        code: str = "",
    ) -> Response:
        """In the form that who asks can read."""
        if self._programs is not None and request.scope["path"].startswith(self._programs):
            return problem(status, code or _CODES[status], words, headers)
        return PlainTextResponse(f"{words}\n", status, headers)

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


def _length_allowed(headers: Headers, most: int) -> bool:
    length = headers.get("content-length", "0")
    return length.isdecimal() and int(length) <= most


def limited(receive: Receive, most: int = MAX_BODY_BYTES) -> Receive:
    """Refuse a body beyond the limit: a client may lie about, or not tell, its length."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413)
        return message

    return counted


def _to_login(request: Request) -> Response | None:
    """The way of a person to the login; None: it is a program, or one of our scripts, that asks."""
    if request.method != "GET" or "text/html" not in request.headers.get("accept", ""):
        return None
    query = request.scope["query_string"].decode("latin-1")
    # As it was asked for: a name with a slash or # in it is another path once it is unquoted.
    path = request.scope["raw_path"].decode("latin-1")
    target = path + (f"?{query}" if query else "")
    return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)


def _patience(error: TooManyGuessesError) -> tuple[str, Mapping[str, str]]:
    wait = {"retry-after": str(error.wait_s)}
    return f"too many wrong tokens; wait {error.wait_s} s", wait
