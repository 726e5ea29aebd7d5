"""One GET of a source that is asked by HTTP, bounded in time and size."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from gateway.identifier.calling import Caller, Fate, Reply
from gateway.identifier.resolving.answer import Hop, Outcome

_LONGEST_PLACE = 200
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
        self._caller = Caller(url, timeout_s, max_bytes=MAX_BYTES)

    async def close(self) -> None:
        """Close all connections."""
        await self._caller.close()

    async def get(
        self, path: str, accept: str = "application/json", *, leads_on: bool = False, **query: str
    ) -> Page:
        """One GET; whatever happens is an answer.

        Args:
            path: behind the address.
            accept: what is asked for.
            leads_on: an answer may be that it is elsewhere; of others that is no answer.
            query: parameters.
        """
        began_s = time.monotonic()
        headers = {"Accept": accept}
        reply = await self._caller.call("GET", path, params=query or None, headers=headers)
        outcome, why = _outcome(reply, leads_on=leads_on)
        hop = Hop(self._source, self._caller.url, path, why or outcome, time.monotonic() - began_s)
        return Page(outcome, reply.body, dict(reply.headers), why, hop)


def _outcome(reply: Reply, *, leads_on: bool) -> tuple[Outcome, str]:
    if reply.fate is Fate.HUGE:
        return Outcome.BROKEN, reply.why
    if reply.fate is not Fate.ANSWERED:
        return Outcome.UNREACHABLE, reply.why
    if httpx.codes.is_success(reply.status) or (leads_on and _is_elsewhere(reply)):
        return Outcome.FOUND, ""
    if reply.status < httpx.codes.BAD_REQUEST:
        where = reply.headers.get("location", "")[:_LONGEST_PLACE]
        return Outcome.BROKEN, f"it leads on to {where or 'nowhere'}, which is not followed"
    return _OUTCOMES.get(reply.status, Outcome.UNREACHABLE), f"HTTP {reply.status}"


def _is_elsewhere(reply: Reply) -> bool:
    return httpx.codes.is_redirect(reply.status)
