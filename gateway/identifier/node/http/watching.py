"""How the node is and what it has done: ``/healthz``, ``/metrics``, ``/statistics``."""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.core.days import HOUR_MS
from gateway.identifier.node.http.login import Logins, known_by
from gateway.identifier.node.http.requests import Refusal
from gateway.identifier.node.keeping import counts, records
from gateway.identifier.node.keeping.counts import Figures, Tally
from gateway.relational.database import Database, words
from gateway.web import health

MOST_HOURS = counts.KEPT_MS // HOUR_MS


class Watching:
    """What an operator looks at.

    All but ``ok`` or ``degraded`` is for those on the node's own machine, and for administrators
    and reviewers, by token.

    Args:
        database: of the node.
        logins: who may ask.
        tally: what has been done since the start.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self, database: Database, logins: Logins, tally: Tally, now_ms: Callable[[], int]
    ) -> None:
        self._database, self._logins, self._now_ms = database, logins, now_ms
        self._registry = CollectorRegistry()
        self._registry.register(_Counters(tally))

    def routes(self) -> list[Route]:
        """For the node's application."""
        metrics = health.of_registry(self._registry)
        healthz, counters = health.routes(self._check, metrics, frozenset(), self._admits)
        return [
            healthz,
            Route("/metrics", self._guarded(counters.endpoint)),
            Route("/statistics", self._guarded(self._statistics)),
        ]

    async def _check(self) -> Mapping[str, str]:
        try:
            await self._database.read(lambda connection: connection.execute(text("SELECT 1")))
        except SQLAlchemyError as error:
            return {"database": words(error)}
        return {"database": "ok"}

    async def _admits(self, request: Request) -> bool:
        if request.client is not None and _is_here(request.client.host):
            return True
        try:
            token = await self._logins.authorise(request)
        except (Refusal, SQLAlchemyError):
            return False
        who = await self._database.read(known_by, token, self._now_ms())
        return who.is_reviewer

    def _guarded(self, answer: Callable[[Request], object]) -> Callable[[Request], object]:
        async def guarded(request: Request) -> Response:
            if not await self._admits(request):
                return JSONResponse({"message": "an administrator's token is needed"}, 403)
            return await answer(request)  # type: ignore[misc, no-any-return]

        return guarded

    async def _statistics(self, request: Request) -> Response:
        asked = request.query_params.get("hours", "24")
        hours = int(asked) if asked.isdecimal() and len(asked) < 6 else 0  # noqa: PLR2004 - digits
        if not 1 <= hours <= MOST_HOURS:
            return JSONResponse({"message": f"hours is 1 to {MOST_HOURS}"}, 400)
        told = await self._database.read(statistics, self._now_ms() - hours * HOUR_MS)
        return JSONResponse(told)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def statistics(connection: Connection, since_ms: int) -> dict[str, object]:
    """What a node holds, and what it has done since the hour of a time (UTC milliseconds)."""
    return {
        "since_ms": since_ms // HOUR_MS * HOUR_MS,
        "identifiers": records.count(connection),
        "answers": [_told(one) for one in counts.figures(connection, since_ms)],
    }


def _told(one: Figures) -> dict[str, object]:
    return {
        "protocol": one.protocol,
        "action": one.action,
        "total": one.total,
        "outcomes": dict(one.outcomes),
        "success_rate": one.success_rate,
        "p50_us": one.p50_us,
        "p99_us": one.p99_us,
    }


class _Counters:
    """What the node has done since its start, as Prometheus asks for it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "qulink_node_answers",
            "identifiers and templates that were answered for",
            labels=("protocol", "action", "outcome"),
        )
        for what, count in tuple(self._tally.totals.items()):
            family.add_metric(what, count)
        yield family
