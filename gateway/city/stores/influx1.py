"""InfluxDB 1.x: ``/write`` and ``/query`` over HTTP."""

# ruff: noqa: S608 - InfluxQL binds no names; _name and _literal quote

import asyncio
import gzip
from collections.abc import Sequence
from typing import Any

import httpx

from edge_config.models.city import Influx1Store
from gateway.city.stores.api import (
    Point,
    Rejection,
    Rows,
    Series,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.delivery import NO_INFLUXDB, Answer, deliver, retry_after

_TAGS = ("device", "enterprise", "equipment", "gateway", "site")
_UNAUTHORISED = (401, 403, 404)
_STATEMENTS = 50
"""Most statements that are sent in one query."""


class Influx1:
    """A database of an InfluxDB 1.x.

    Args:
        config: address, database, credentials. The secret is read when the store is opened.
    """

    def __init__(self, config: Influx1Store) -> None:
        self._config = config
        self._where = f"InfluxDB {config.url}, database {config.database}"
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Connect and check that the database exists.

        Raises:
            StoreUnavailableError: the server does not answer.
            StoreMisconfiguredError: wrong credentials, or no such database.
        """
        config = self._config
        auth = None
        if config.username is not None:
            auth = (config.username, config.password.reveal() if config.password else "")
        await self.close()
        self._client = httpx.AsyncClient(
            base_url=config.url, auth=auth, timeout=config.timeout_ms / 1000, trust_env=False
        )
        names = [row[0] for one in await self._query("SHOW DATABASES") for row in one["values"]]
        if config.database not in names:
            raise StoreMisconfiguredError(f"{self._where}: there is no such database; create it")

    async def write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write and commit; see :class:`gateway.city.stores.api.Store`."""
        return await deliver(self, rows, self._where)

    async def post(self, body: bytes) -> Answer:
        """Post lines; see :class:`gateway.city.stores.delivery.Endpoint`."""
        params = {"db": self._config.database, "precision": "ms"}
        if self._config.retention_policy is not None:
            params["rp"] = self._config.retention_policy
        reply = await self._request(
            "POST",
            "/write",
            params=params,
            content=await asyncio.to_thread(gzip.compress, body, 1),
            headers={"Content-Encoding": "gzip"},
        )
        message = reply.text[:300].strip()
        return Answer(reply.status_code, message, retry_after(reply.headers.get("retry-after")))

    async def count(self, gateways: Sequence[str], from_ms: int, to_ms: int) -> int:
        """Non-null fields of these gateways with ``from_ms <= time < to_ms``."""
        if not gateways:
            return 0
        names = " OR ".join(f'"gateway" = {_literal(name)}' for name in gateways)
        where = f"({names}) AND {_span(from_ms, to_ms)}"
        # One statement a measurement: over several at once, 1.x leaves out fields whose name has
        # another type elsewhere.
        measurements = await self._query("SHOW MEASUREMENTS")
        sources = [self._source(_name(row[0])) for one in measurements for row in one["values"]]
        total = 0
        for first in range(0, len(sources), _STATEMENTS):
            some = sources[first : first + _STATEMENTS]
            counts = (f"SELECT count(*) FROM {source} WHERE {where}" for source in some)
            found = await self._query("; ".join(counts))
            total += sum(int(n or 0) for one in found for row in one["values"] for n in row[1:])
        return total

    async def latest(self, series: Series) -> dict[str, Point]:
        """The newest value of every field of a series."""
        source = self._source(_name(series.measurement))
        keys = await self._query(f"SHOW FIELD KEYS FROM {_name(series.measurement)}")
        fields = {row[0]: row[1] for one in keys for row in one["values"]}
        if not fields:
            return {}
        where = _where(series)
        last = (f"SELECT last({_name(f)}) AS {_name(f)} FROM {source} " for f in fields)
        found = await self._query("; ".join(select + f"WHERE {where}" for select in last))
        return {
            name: Point(int(row[0]), float(row[1]) if fields[name] == "float" else row[1])
            for one in found
            for name in one["columns"][1:]
            for row in one["values"]
        }

    async def history(
        self, series: Series, field: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[Point]:
        """All values if they are few; else the last of each window, at the window's beginning."""
        source, where = self._source(_name(series.measurement)), _where(series)
        span = _span(from_ms, to_ms)
        few = await self._query(
            f"SELECT {_name(field)} FROM {source} WHERE {where} AND {span} LIMIT {limit + 1}"
        )
        points = [Point(int(row[0]), row[1]) for one in few for row in one["values"]]
        if len(points) <= limit:
            return points
        window = max(1, -(-(to_ms - from_ms) // max(1, limit - 1)))
        found = await self._query(
            f"SELECT last({_name(field)}) FROM {source} WHERE {where} AND {span} "
            f"GROUP BY time({window}ms) fill(none)"
        )
        return [Point(max(from_ms, int(row[0])), row[1]) for one in found for row in one["values"]][
            :limit
        ]

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _source(self, measurement: str) -> str:
        policy = self._config.retention_policy
        return measurement if policy is None else f"{_name(policy)}.{measurement}"

    async def _query(self, query: str) -> list[dict[str, Any]]:
        """All result series of one or more statements, times in milliseconds."""
        reply = await self._request(
            "POST", "/query", params={"db": self._config.database, "epoch": "ms"}, data={"q": query}
        )
        if reply.status_code in _UNAUTHORISED:
            raise StoreMisconfiguredError(f"{self._where}: {reply.status_code} {reply.text[:300]}")
        if reply.is_server_error or reply.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise StoreUnavailableError(
                f"{self._where}: {reply.status_code} {reply.text[:300]}",
                retry_after(reply.headers.get("retry-after")),
            )
        results = self._results(reply)
        wrong = [result["error"] for result in results if "error" in result]
        if wrong or reply.is_client_error:
            raise StoreError(f"{self._where}: query refused: {wrong or reply.text[:300]}")
        return [one for result in results for one in result.get("series", ())]

    def _results(self, reply: httpx.Response) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = reply.json().get("results", [])
        except (ValueError, AttributeError) as error:
            raise StoreMisconfiguredError(
                f"{self._where}: {reply.status_code} {NO_INFLUXDB}"
            ) from error
        return found

    async def _request(self, method: str, path: str, **parts: Any) -> httpx.Response:
        if self._client is None:
            raise StoreUnavailableError(f"{self._where} is not open")
        try:
            return await self._client.request(method, path, **parts)
        except httpx.HTTPError as error:
            name = type(error).__name__
            raise StoreUnavailableError(f"{self._where}: {name}: {error}") from error


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _span(from_ms: int, to_ms: int) -> str:
    return f"time >= {from_ms}ms AND time < {to_ms}ms"


def _where(series: Series) -> str:
    return " AND ".join(f"{_name(tag)} = {_literal(getattr(series, tag))}" for tag in _TAGS)
