"""One GET of a source that is asked by HTTP, bounded in time and size."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.identifier.resolving.answer import Hop, Outcome

MAX_BYTES = 2**20
"""Of a body; more is no record."""
_OUTCOMES: dict[int, Outcome] = {
    httpx.codes.NOT_FOUND: Outcome.NOT_FOUND,
    httpx.codes.GONE: Outcome.NOT_FOUND,
    httpx.codes.BAD_REQUEST: Outcome.INVALID,
    httpx.codes.UNAUTHORIZED: Outcome.DENIED,
    httpx.codes.FORBIDDEN: Outcome.DENIED,
    httpx.codes.TOO_MANY_REQUESTS: Outcome.BUSY,
    httpx.codes.SERVICE_UNAVAILABLE: Outcome.BUSY,
}


@dataclass(frozen=True, slots=True)
class Page:
    """What a GET came to.

    Attributes:
        outcome: FOUND: there is an answer, also one that points elsewhere.
        body: its JSON; None if it is none.
        headers: of the answer, names in small letters.
        why: in words, where there is no answer.
        hop: the question, for the walk.
    """

    outcome: Outcome
    body: Any
    headers: dict[str, str]
    why: str
    hop: Hop


class Web:
    """Requests to one address; redirects are told and not followed.

    Args:
        source: whose they are.
        url: what paths stand behind.
        timeout_s: for a whole answer.
    """

    def __init__(self, source: str, url: str, timeout_s: float) -> None:
        self._source = source
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(timeout=timeout_s, trust_env=False)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def get(self, path: str, accept: str = "application/json", **query: str) -> Page:
        """One GET; whatever happens is an answer."""
        began_s = time.monotonic()
        headers: dict[str, str] = {}
        body: Any = None
        try:
            async with asyncio.timeout(self._timeout_s):
                outcome, why, body, headers = await self._got(path, accept, query)
        except TimeoutError:
            outcome, why = Outcome.UNREACHABLE, f"no answer in {self._timeout_s:g} s"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            outcome, why = Outcome.UNREACHABLE, f"{type(error).__name__}: {error}"
        hop = Hop(self._source, self._url, path, why or outcome, time.monotonic() - began_s)
        return Page(outcome, body, headers, why, hop)

    async def _got(
        self, path: str, accept: str, query: dict[str, str]
    ) -> tuple[Outcome, str, Any, dict[str, str]]:
        async with self._http.stream(
            "GET", f"{self._url}{path}", params=query or None, headers={"Accept": accept}
        ) as response:
            data = b""
            async for part in response.aiter_bytes():
                data += part
                if len(data) > MAX_BYTES:
                    return Outcome.BROKEN, f"more than {MAX_BYTES} octets", None, {}
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = response.status_code
        if status < httpx.codes.BAD_REQUEST:
            return Outcome.FOUND, "", _json(data), headers
        outcome = _OUTCOMES.get(status, Outcome.UNREACHABLE)
        return outcome, f"HTTP {status}", _json(data), headers


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None
