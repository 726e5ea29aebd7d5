"""``/healthz`` for watchdogs and ``/metrics`` for Prometheus."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.access.admission import TooManyGuessesError, visitor_of
from gateway.web.access.reader import NOT_ALLOWED
from gateway.web.access.store import SessionsAwayError

Check = Callable[[], Awaitable[Mapping[str, str]]]
"""What state each part is in: ``ok``, or what is wrong in a few words."""


Admits = Callable[[Request], Awaitable[bool]]
"""Whether a request may see the console."""

Metrics = Callable[[], Awaitable[bytes]]
"""Counters in Prometheus' text format."""


def of_registry(registry: CollectorRegistry) -> Metrics:
    """The counters of one process."""

    async def metrics() -> bytes:
        return generate_latest(registry)

    return metrics


def routes(
    check: Check,
    metrics: Metrics,
    tolerable: frozenset[str],
    admits: Admits,
    operates: Callable[[object], bool] = lambda _: True,
) -> list[Route]:
    """200 while every part is ``ok`` or its fault is tolerable, else 503.

    The body names the parts for visitors who operate the console, and for others says no more than
    ``ok`` or ``degraded``; counters are for the former only.
    """
    shared = _Shared(check)

    async def healthz(request: Request) -> Response:
        parts = await shared.parts()
        faults = {part for part, state in parts.items() if state != "ok"}
        body: dict[str, object] = {"status": "degraded" if faults else "ok"}
        if await _may_see(request, admits) and operates(visitor_of(request)):
            body["parts"] = dict(parts)
        return Response(
            json.dumps(body, ensure_ascii=False),
            200 if faults <= tolerable else 503,
            media_type="application/json",
        )

    async def counters(request: Request) -> Response:
        if not operates(visitor_of(request)):
            raise HTTPException(403, NOT_ALLOWED)
        return Response(await metrics(), headers={"content-type": CONTENT_TYPE_LATEST})

    return [Route("/healthz", healthz), Route("/metrics", counters)]


async def _may_see(request: Request, admits: Admits) -> bool:
    try:
        return await admits(request)
    except (SessionsAwayError, TooManyGuessesError):
        return False  # a watchdog is answered, whatever else it shows


class _Shared:
    """One look at the parts for all who ask at the same time: a crowd costs as much as one."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._looking: asyncio.Task[Mapping[str, str]] | None = None

    async def parts(self) -> Mapping[str, str]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        # whoever began it may go away while others still wait for it
        return await asyncio.shield(self._looking)

    async def _look(self) -> Mapping[str, str]:
        return await self._check()
