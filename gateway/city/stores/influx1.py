"""InfluxDB 1.x: ``/write`` and ``/query`` over HTTP."""

# ruff: noqa: S608 - InfluxQL binds no names; `name` and `literal` quote

import asyncio
import gzip
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import httpx

from edge_config.models.city import Influx1Store
from gateway.city.stores.api import (
    Point,
    Rejection,
    Rows,
    Series,
    SeriesHours,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.delivery import NO_INFLUXDB, Answer, deliver, retry_after
from gateway.city.stores.hours import Tally
from gateway.city.stores.languages import influxql
from gateway.city.stores.languages.influxql import Result, is_series, literal, name, within
from gateway.city.stores.marks import Doubts, is_mark, mark_of
from gateway.core.days import HOUR_MS
from gateway.core.status import GOOD

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
        self._doubts = Doubts()

    async def open(self) -> None:
        """Connect and check that the database exists.

        Raises:
            StoreUnavailableError: the server does not answer.
            StoreMisconfiguredError: wrong credentials, no such database, or no InfluxDB: who takes
                its write protocol alone has one answer for whatever is asked.
        """
        config = self._config
        auth = None
        if config.username is not None:
            auth = (config.username, config.password.reveal() if config.password else "")
        await self.close()
        self._client = httpx.AsyncClient(
            base_url=config.url, auth=auth, timeout=config.timeout_ms / 1000, trust_env=False
        )
        found, _ = await self._ask(["SHOW DATABASES", "SHOW MEASUREMENTS LIMIT 1"])
        names = [row[0] for one in found for row in one["values"]]
        if config.database not in names:
            raise StoreMisconfiguredError(f"{self._where}: there is no such database; create it")

    async def write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write and commit; see :class:`gateway.city.stores.api.Store`."""
        return await deliver(self, rows, self._where, self._doubts)

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
        names = " OR ".join(f'"gateway" = {literal(gateway)}' for gateway in gateways)
        where = f"({names}) AND {within(from_ms, to_ms)}"
        # One statement a measurement: over several at once, 1.x leaves out fields whose name has
        # another type elsewhere.
        statements = [
            f"SELECT count(*) FROM {self._source(name(measurement))} WHERE {where}"
            for measurement in await self._measurements()
        ]
        found = (influxql.counts(one) for one in await self._ask(statements))
        return sum(n for one in found for _, field, n in one if not is_mark(field))

    async def latest(self, series: Series) -> dict[str, Point]:
        """The newest value of every field of a series."""
        source = self._source(name(series.measurement))
        keys = await self._query(f"SHOW FIELD KEYS FROM {name(series.measurement)}")
        types = {row[0]: row[1] for one in keys for row in one["values"] if not is_mark(row[0])}
        statements = [
            f"SELECT last({name(field)}) AS {name(field)}, {name(mark_of(field))} "
            f"FROM {source} WHERE {is_series(series)}"
            for field in types
        ]
        return {
            one["columns"][1]: _point(row, types[one["columns"][1]] == "float")
            for found in await self._ask(statements)
            for one in found
            for row in one["values"]
        }

    async def history(
        self, series: Series, field: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[Point]:
        """All values if they are few; else the last of each window, at the window's beginning."""
        value, mark = name(field), name(mark_of(field))
        found = (
            f"FROM {self._source(name(series.measurement))} "
            f"WHERE {is_series(series)} AND {within(from_ms, to_ms)}"
        )
        few = await self._query(f"SELECT {value}, {mark} {found} LIMIT {limit + 1}")
        points = [_point(row) for one in few for row in one["values"]]
        if len(points) <= limit:
            return points
        window = max(1, -(-(to_ms - from_ms) // max(1, limit - 1)))
        thinned = await self._query(
            f"SELECT last({value}), {mark} {found} GROUP BY time({window}ms) fill(none)"
        )
        points = [_point(row) for one in thinned for row in one["values"]][:limit]
        return [replace(point, time_ms=max(from_ms, point.time_ms)) for point in points]

    async def hours(self, gateway: str, from_ms: int, to_ms: int) -> Sequence[SeriesHours]:
        """Values by hour and quality; see :class:`gateway.city.stores.api.Store`."""
        is_gateway = f'"gateway" = {literal(gateway)}'
        found: list[SeriesHours] = []
        for measurement in await self._measurements(is_gateway):
            source = self._source(name(measurement))
            # Hours without values are found first: asking for one costs an eighth of a full one.
            span = within(from_ms, to_ms)
            held = await self._query(influxql.held_statement(source, f"{is_gateway} AND {span}"))
            for hour_ms in influxql.hours_in(held):
                span = within(max(from_ms, hour_ms), min(to_ms, hour_ms + HOUR_MS))
                found += await self._hour(source, f"{is_gateway} AND {span}")
        return found

    async def _hour(self, source: str, where: str) -> Sequence[SeriesHours]:
        tally = Tally()
        answers = await self._ask(influxql.hour_statements(source, where))
        marks = influxql.note_hour(tally, answers)
        statements = [influxql.mark_statements(mark, source, where) for mark in marks]
        influxql.note_marks(tally, await self._ask(list(chain.from_iterable(statements))))
        return tally.result()

    async def _measurements(self, condition: str = "") -> list[str]:
        where = f" WHERE {condition}" if condition else ""
        found = await self._query(f"SHOW MEASUREMENTS{where}")
        return [row[0] for one in found for row in one["values"]]

    async def held(self, enterprise: str) -> dict[str, int]:
        """Values of an enterprise by measurement, in all retention policies."""
        where = f'"enterprise" = {literal(enterprise)}'
        policies = [one.name for one in await self._policies()]
        wanted = [(one, policy) for one in await self._measurements(where) for policy in policies]
        statements = [
            f"SELECT count(*) FROM {name(policy)}.{name(one)} WHERE {where}"
            for one, policy in wanted
        ]
        found = Counter[str]()
        for (one, _), answer in zip(wanted, await self._ask(statements), strict=True):
            found[one] += sum(n for _, field, n in influxql.counts(answer) if not is_mark(field))
        return dict(+found)

    async def erase(self, enterprise: str) -> None:
        """Drop the enterprise's series, of all retention policies."""
        await self._query(f'DROP SERIES WHERE "enterprise" = {literal(enterprise)}')

    async def kept(self) -> timedelta | None:
        """How long the retention policy keeps them; see :class:`gateway.city.stores.api.Store`."""
        named = self._config.retention_policy
        for one in await self._policies():
            if one.name == named or (named is None and one.is_default):
                return one.kept
        what = f"retention policy {named}" if named else "default retention policy"
        raise StoreMisconfiguredError(f"{self._where}: there is no {what}; create it")

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _policies(self) -> list[influxql.Policy]:
        asked = f"SHOW RETENTION POLICIES ON {name(self._config.database)}"
        try:
            return influxql.policies(await self._query(asked))
        except ValueError as error:
            raise StoreMisconfiguredError(f"{self._where}: {error}") from error

    def _source(self, measurement: str) -> str:
        policy = self._config.retention_policy
        return measurement if policy is None else f"{name(policy)}.{measurement}"

    async def _query(self, query: str) -> list[Result]:
        """The tables that one statement finds, times in milliseconds."""
        return (await self._ask([query]))[0]

    async def _ask(self, statements: Sequence[str]) -> list[list[Result]]:
        """The tables that each statement finds, times in milliseconds."""
        found: list[list[Result]] = []
        for first in range(0, len(statements), _STATEMENTS):
            found += await self._ask_some(statements[first : first + _STATEMENTS])
        return found

    async def _ask_some(self, statements: Sequence[str]) -> list[list[Result]]:
        query = "; ".join(statements)
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
        if len(results) != len(statements):
            raise StoreMisconfiguredError(f"{self._where}: {reply.status_code} {NO_INFLUXDB}")
        return [result.get("series", []) for result in results]

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
            kind = type(error).__name__
            raise StoreUnavailableError(f"{self._where}: {kind}: {error}") from error


def _point(row: Sequence[Any], is_float: bool = False) -> Point:
    """A row of time, value and mark."""
    time_ms, value, mark = row
    return Point(int(time_ms), float(value) if is_float else value, mark or GOOD)
