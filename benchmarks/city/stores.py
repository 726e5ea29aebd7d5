"""What a write to a store takes: tables of values in, committed by the store out."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.city.codec import USCC
from benchmarks.city.ingest import START_MS
from edge_config.models.base import Secret
from edge_config.models.city import Influx1Store, Influx2Store
from gateway.city.stores.api import Rows, Series, Store
from gateway.city.stores.delivery import batches
from gateway.city.stores.embedded import EmbeddedStore
from gateway.city.stores.influx1 import Influx1
from gateway.city.stores.influx2 import Influx2
from gateway.city.stores.line_protocol import encode
from gateway.city.stores.marks import Doubts
from tests.support.influxd import Influxd

_REAL2 = "QULINK_TEST_INFLUX2_"
_FIELDS = 30
_MACHINES = 100
_TIMES = 50
"""Lines of a machine in one write: as a backlog is caught up with."""


def measure(seconds: float) -> list[dict[str, object]]:
    """Write wide lines to the embedded store, to a real InfluxDB 1.x, and to a real 2.x.

    The last one is that of the tests' environment variables ``QULINK_TEST_INFLUX2_URL``,
    ``_TOKEN``, ``_ORG`` and ``_BUCKET``; without them it is left out.

    Args:
        seconds: time measured of each.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        embedded = EmbeddedStore(folder / "telemetry.db")
        results = [asyncio.run(_whole("embedded store, write", embedded, seconds))]
        server = stack.enter_context(Influxd(folder))
        config = Influx1Store(type="influxdb1", url=server.url, database="qulink")
        results += asyncio.run(_influx("InfluxDB 1.x", Influx1(config), seconds))
    if f"{_REAL2}URL" in os.environ:
        results += asyncio.run(_influx("InfluxDB 2.x", _real2(), seconds))
    return results


def _real2() -> Influx2:
    url, org, bucket = (os.environ[_REAL2 + name] for name in ("URL", "ORG", "BUCKET"))
    token = Secret(env=f"{_REAL2}TOKEN")
    return Influx2(Influx2Store(type="influxdb2", url=url, org=org, bucket=bucket, token=token))


async def _influx(
    name: str, store: Influx1 | Influx2, seconds: float
) -> Sequence[dict[str, object]]:
    return [
        await _whole(f"{name}, encode and write", store, seconds),
        await _posts(f"{name}, write apart from encoding", store, seconds),
    ]


async def _whole(name: str, store: Store, seconds: float) -> dict[str, object]:
    """The store's own ``write``: everything between values and commit."""
    await store.open()
    spent = values = 0.0
    for number in count():
        tables = _tables(number)  # made before the clock starts: it is no work of a store
        started = time.perf_counter()
        refused = await store.write(tables)
        spent += time.perf_counter() - started
        values += sum(table.present.sum() for table in tables)
        if refused:
            raise RuntimeError(f"{name}: {refused[0].reason}")
        if spent >= seconds:
            break
    await store.close()
    return _result(name, values, spent)


async def _posts(name: str, store: Influx1 | Influx2, seconds: float) -> dict[str, object]:
    """Only what comes after encoding: compress, send, parse and commit by the server."""
    await store.open()
    doubts = Doubts()
    spent = values = 0.0
    for number in count():
        lines = [line for table in _tables(number, "gw-post") for line in encode(table, doubts)[0]]
        for batch in batches(lines):
            body = b"\n".join(line.body for line in batch)
            started = time.perf_counter()
            answer = await store.post(body)
            spent += time.perf_counter() - started
            values += sum(line.values for line in batch)
            if not answer.good:
                raise RuntimeError(f"{name}: {answer.status} {answer.message}")
        if spent >= seconds:
            break
    await store.close()
    return _result(name, values, spent)


def _result(name: str, values: float, spent: float) -> dict[str, object]:
    return {
        "name": f"{name}, {_FIELDS} fields a line",
        "values_per_s": round(values / spent),
        "lines_per_s": round(values / spent / _FIELDS),
    }


def _tables(number: int, gateway: str = "gw-bench") -> list[Rows]:
    """The next lines of every machine; no value and no time comes twice."""
    return list(map(partial(_table, number, gateway), range(_MACHINES)))


def _table(number: int, gateway: str, machine: int) -> Rows:
    generator = np.random.default_rng((number, machine))
    return Rows(
        Series("bench", USCC, "1", gateway, f"d{machine}", f"A{machine}"),
        tuple(f"t{field}" for field in range(_FIELDS)),
        START_MS + 1000 * (number * _TIMES + np.arange(_TIMES, dtype=np.int64)),
        (generator.random((_TIMES, _FIELDS), dtype=np.float32) * 1000,),
        np.ones((_TIMES, _FIELDS), np.bool_),
    )
