"""InfluxDB 2.x through ``influxdb-client``: raw line protocol in, Flux out."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
from influxdb_client.client.flux_csv_parser import FluxCsvParserException, FluxQueryException
from influxdb_client.client.flux_table import FluxRecord
from influxdb_client.client.influxdb_client_async import InfluxDBClientAsync
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.buckets_service import BucketsService
from influxdb_client.service.write_service import WriteService

from edge_config.models.city import Influx2Store
from gateway.city.stores.api import (
    TAGS,
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
from gateway.city.stores.hours import Tally, hours_between
from gateway.city.stores.languages.flux import any_of, is_series, literal, milliseconds, span
from gateway.city.stores.marks import DOUBTED, REPLAYED, Doubts, is_mark, mark_of
from gateway.core.status import GOOD

_MISCONFIGURED = (401, 403, 404)
_BY_SERIES = f"group(columns: {json.dumps(['_measurement', *TAGS])})"
_VALUES = r"r._field !~ /\.q$/"
_MARKS = r"r._field =~ /\.q$/"
_TOO_MANY = 429
_SERVER_ERROR = 500
_LAST_MS = 9_223_372_036_000
"""The year 2262, where its times end."""


class Influx2:
    """A bucket of an InfluxDB 2.x.

    Args:
        config: address, organisation, bucket, token. The token is read when the store is opened.
    """

    def __init__(self, config: Influx2Store) -> None:
        self._config = config
        self._where = f"InfluxDB {config.url}, bucket {config.bucket}"
        self._client: InfluxDBClientAsync | None = None
        self._doubts = Doubts()

    async def open(self) -> None:
        """Connect and check that the bucket can be read.

        Raises:
            StoreUnavailableError: the server does not answer.
            StoreMisconfiguredError: wrong token, organisation or bucket.
        """
        config = self._config
        await self.close()
        self._client = InfluxDBClientAsync(
            config.url,
            config.token.reveal(),
            org=config.org,
            timeout=config.timeout_ms,
        )
        await self._query("|> range(start: -1s) |> limit(n: 1)")

    async def write(self, rows: Sequence[Rows]) -> Sequence[Rejection]:
        """Write and commit; see :class:`gateway.city.stores.api.Store`."""
        return await deliver(self, rows, self._where, self._doubts)

    async def post(self, body: bytes) -> Answer:
        """Post lines; see :class:`gateway.city.stores.delivery.Endpoint`."""
        zipped = await asyncio.to_thread(gzip.compress, body, 1)
        config = self._config
        try:
            # The library's own compression costs twelve times as much, and on the event loop.
            api = WriteService(self._open_client().api_client)
            _, status, _ = await api.post_write_async(
                config.org,
                config.bucket,
                zipped,
                precision=WritePrecision.MS,
                content_encoding="gzip",
                content_type="text/plain; charset=utf-8",
                _return_http_data_only=False,
            )
        except ApiException as error:
            return Answer(int(error.status), _message(error), _wish(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(error) from error
        return Answer(status, NO_INFLUXDB)  # unless it is 204

    async def count(self, gateways: Sequence[str], from_ms: int, to_ms: int) -> int:
        """Non-null fields of these gateways with ``from_ms <= time < to_ms``."""
        if not gateways:
            return 0
        names = " or ".join(f"r.gateway == {literal(name)}" for name in gateways)
        # Counting comes before ungrouping: fields of different types cannot share a table.
        records = await self._query(
            f"{span(from_ms, to_ms)} |> filter(fn: (r) => ({names}) and {_VALUES}) "
            "|> count() |> group() |> sum()"
        )
        return sum(int(record["_value"]) for record in records)

    async def latest(self, series: Series) -> dict[str, Point]:
        """The newest value of every field of a series."""
        records = await self._query(f"|> range(start: 0) |> {is_series(series)} |> last()")
        points = {record["_field"]: _point(record) for record in records}
        return {
            field: _judged(point, points.get(mark_of(field)))
            for field, point in points.items()
            if not is_mark(field)
        }

    async def history(
        self, series: Series, field: str, from_ms: int, to_ms: int, limit: int
    ) -> Sequence[Point]:
        """The last value in each of at most ``limit`` windows, oldest first."""
        window = max(1, -(-(to_ms - from_ms) // max(1, limit - 1)))
        names = " or ".join(f"r._field == {literal(name)}" for name in (field, mark_of(field)))
        # Value and mark stay apart: fields of different types cannot share a table.
        records = await self._query(
            f"{span(from_ms, to_ms)} |> {is_series(series)} |> filter(fn: (r) => {names}) "
            f'|> group(columns: ["_field"]) |> window(every: {window}ms) |> last() '
            '|> group(columns: ["_field"]) |> sort(columns: ["_time"])'
        )
        values = [_point(record) for record in records if record["_field"] == field]
        marks = [_point(record) for record in records if record["_field"] != field]
        by_time = {mark.time_ms: mark for mark in marks}
        return [_judged(value, by_time.get(value.time_ms)) for value in values][-limit:]

    async def hours(self, gateway: str, from_ms: int, to_ms: int) -> Sequence[SeriesHours]:
        """Values by hour and quality; see :class:`gateway.city.stores.api.Store`."""
        found: list[SeriesHours] = []
        for start, stop in hours_between(from_ms, to_ms):
            is_gateway = f"r.gateway == {literal(gateway)}"
            found += await self._hour(f"{span(start, stop)} |> filter(fn: (r) => {is_gateway})")
        return found

    async def _hour(self, rows: str) -> Sequence[SeriesHours]:
        tally = Tally()
        values = f"{rows} |> filter(fn: (r) => {_VALUES})"
        tally.values.update(await self._numbers(values))
        if tally.values:
            await self._note_times(tally, values)
            await self._note_marks(tally, f"{rows} |> filter(fn: (r) => {_MARKS})")
        return tally.result()

    async def _numbers(self, rows: str) -> dict[Series, int]:
        """How many rows there are of each series."""
        records = await self._query(f"{rows} |> count() |> {_BY_SERIES} |> sum()")
        return {_series(record): int(record["_value"]) for record in records}

    async def _note_times(self, tally: Tally, values: str) -> None:
        for end, is_last, times in (
            ("first", "false", tally.first_ms),
            ("last", "true", tally.last_ms),
        ):
            # Values are dropped before fields are put together: their types may differ.
            records = await self._query(
                f'{values} |> {end}() |> drop(columns: ["_value"]) |> {_BY_SERIES} '
                f'|> sort(columns: ["_time"], desc: {is_last}) |> limit(n: 1)'
            )
            times |= {_series(record): milliseconds(record["_time"]) for record in records}

    async def _note_marks(self, tally: Tally, marks: str) -> None:
        for numbers, condition in (
            (tally.marked, f"r._value != {GOOD}"),
            (tally.replayed, any_of(REPLAYED)),
            (tally.doubted, any_of(DOUBTED)),
        ):
            numbers.update(await self._numbers(f"{marks} |> filter(fn: (r) => {condition})"))
            if not tally.marked:
                return

    async def held(self, enterprise: str) -> dict[str, int]:
        """Values of an enterprise by measurement."""
        own = f"r.enterprise == {literal(enterprise)} and {_VALUES}"
        rows = f"{span(0, _LAST_MS)} |> filter(fn: (r) => {own})"
        found = Counter[str]()
        for series, number in (await self._numbers(rows)).items():
            found[series.measurement] += number
        return dict(found)

    async def erase(self, enterprise: str) -> None:
        """Have all points of the enterprise deleted."""
        first, last = (datetime.fromtimestamp(ms // 1000, UTC) for ms in (0, _LAST_MS))
        config, own = self._config, f"enterprise={literal(enterprise)}"
        try:
            api = self._open_client().delete_api()
            await api.delete(first, last, own, config.bucket, config.org)
        except ApiException as error:
            raise self._refused(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(error) from error

    async def kept(self) -> timedelta | None:
        """How long the bucket keeps values; see :class:`gateway.city.stores.api.Store`."""
        config = self._config
        try:
            api = BucketsService(self._open_client().api_client)
            found = (await api.get_buckets_async(org=config.org, name=config.bucket)).buckets
        except ApiException as error:
            raise self._refused(error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(error) from error
        if not found:
            raise StoreMisconfiguredError(
                f"{self._where}: the token may not read how long it keeps values; give it "
                "'read buckets' for this one"
            )
        seconds = min((one.every_seconds for one in found[0].retention_rules or ()), default=0)
        return timedelta(seconds=seconds) or None

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _query(self, rest: str) -> list[FluxRecord]:
        flux = f"from(bucket: {literal(self._config.bucket)}) {rest}"
        try:
            async with asyncio.timeout(self._config.timeout_ms / 1000):
                tables = await self._open_client().query_api().query(flux)
                return [record for table in tables for record in table.records]
        except ApiException as error:
            raise self._refused(error) from error
        except FluxQueryException as error:
            raise StoreError(f"{self._where}: query failed: {error}") from error
        except (FluxCsvParserException, ValueError) as error:
            raise StoreMisconfiguredError(f"{self._where}: {NO_INFLUXDB}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._away(error) from error

    def _open_client(self) -> InfluxDBClientAsync:
        if self._client is None:
            raise StoreUnavailableError(f"{self._where} is not open")
        return self._client

    def _refused(self, error: ApiException) -> StoreError:
        text = f"{self._where}: {error.status} {_message(error)}"
        status = int(error.status)
        if status in _MISCONFIGURED:
            return StoreMisconfiguredError(text)
        if status == _TOO_MANY or status >= _SERVER_ERROR:
            return StoreUnavailableError(text, _wish(error))
        return StoreError(text)

    def _away(self, error: Exception) -> StoreUnavailableError:
        return StoreUnavailableError(f"{self._where}: {type(error).__name__}: {error}")


def _message(error: ApiException) -> str:
    """The server's own sentence; bodies are ``{"code": …, "message": …}``."""
    try:
        return str(json.loads(error.body)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return str(error.reason)[:300]


def _wish(error: ApiException) -> float | None:
    return retry_after(error.headers.get("Retry-After") if error.headers else None)


def _series(record: FluxRecord) -> Series:
    tags = {tag: record.values.get(tag) or "" for tag in TAGS}
    return Series(measurement=record["_measurement"], **tags)


def _point(record: FluxRecord) -> Point:
    return Point(milliseconds(record["_time"]), record["_value"])


def _judged(value: Point, mark: Point | None) -> Point:
    """A value with the status that its mark gives, if that is of the same time."""
    if mark is None or mark.time_ms != value.time_ms:
        return value
    return replace(value, status=int(mark.value))
