"""Requests to an HTTP server that is not ours: bounded in time and size, no redirect followed."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import httpx
import msgspec

from edge_config.models.base import ClientTls

MAX_BYTES = 2**22
"""Of an answer, unless said otherwise: 2,000 results of a batch have less."""
_BEGUN = ".send_request_headers.started"
"""What httpcore tells when the first octet of a request leaves."""


class Fate(Enum):
    """How far a request came."""

    ANSWERED = "answered"
    UNSENT = "nothing of it has left"
    LOST = "it has left, and no whole answer came"
    HUGE = "its answer is longer than is read"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request came to.

    Attributes:
        fate: how far it came.
        status: of HTTP; 0 without an answer.
        data: the body, as it came.
        headers: of the answer, names in small letters.
        why: in words, where there is no answer.
    """

    fate: Fate
    status: int = 0
    data: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    why: str = ""

    @property
    def body(self) -> Any:
        """The JSON of the body; None if it is none."""
        try:
            return msgspec.json.decode(self.data)  # strict: no NaN, no half of a character
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


class Caller:
    """Requests to one address.

    Args:
        url: what paths stand behind.
        timeout_s: for a whole answer; a server that drips has no more than one that is silent.
        max_bytes: of an answer.
        tls: whom to trust, and what to show.

    Raises:
        OSError: a file of ``tls`` cannot be used (``ssl.SSLError`` is one).
    """

    def __init__(
        self,
        url: str,
        timeout_s: float,
        *,
        max_bytes: int = MAX_BYTES,
        tls: ClientTls | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        verify = _trusting(tls) if tls is not None else True
        self._http = httpx.AsyncClient(timeout=timeout_s, trust_env=False, verify=verify)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def call(self, method: str, path: str, **request: Any) -> Reply:
        """One request; whatever happens is a reply.

        Args:
            method: of HTTP.
            path: behind the address, quoted.
            request: what httpx takes besides: ``params``, ``headers``, ``json``.
        """
        has_left = False

        async def trace(event: str, _: Any) -> None:
            nonlocal has_left
            has_left = has_left or event.endswith(_BEGUN)

        request["extensions"] = {"trace": trace}
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._called(method, path, request)
        except TimeoutError:
            why = f"no answer in {self._timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = f"{type(error).__name__}: {error}"
        return Reply(Fate.LOST if has_left else Fate.UNSENT, why=why)

    async def _called(self, method: str, path: str, request: dict[str, Any]) -> Reply:
        # Not compressed: what is small on the way could be large here.
        request["headers"] = {"Accept-Encoding": "identity", **request.get("headers", {})}
        async with self._http.stream(method, f"{self.url}{path}", **request) as response:
            data = bytearray()
            async for part in response.aiter_raw():
                data += part
                if len(data) > self._max_bytes:
                    return Reply(Fate.HUGE, why=f"an answer of more than {self._max_bytes} octets")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(Fate.ANSWERED, response.status_code, bytes(data), headers)


def _trusting(tls: ClientTls) -> ssl.SSLContext:
    """What ``tls`` says; a file that cannot be used is named, which ``ssl`` does not do."""
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except OSError as error:
        raise OSError(f"'tls.ca_file' {tls.ca_file} cannot be used: {error}") from error
    if tls.cert_file is not None:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        except OSError as error:
            files = f"{tls.cert_file} with {tls.key_file}"
            raise OSError(f"'tls.cert_file' {files} cannot be used: {error}") from error
    return context
