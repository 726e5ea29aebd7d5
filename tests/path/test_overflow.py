"""What an OPC UA server had no room for: the mark on the next value reaches store and evidence."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.city.app import City
from gateway.city.db.tables import edge_books
from gateway.city.stores.api import Point, SeriesHours
from gateway.core.status import Reason, uncertain
from tests.drivers.opcua.server import URI, ForeignServer
from tests.support.broker import Mosquitto
from tests.support.city import USCC, city_on, proofs_of, rows_of
from tests.support.waiting import until

AFTER_LOSS = uncertain(Reason.OVERFLOW)
DAY_MS = 86_400_000


def written(folder: Path, broker: Mosquitto, server: ForeignServer) -> Path:
    """A gateway of one machine whose server keeps two values of an item."""
    quick = {"url": server.url, "publishing_ms": 50, "sampling_ms": 50}
    tags = [{"name": "count", "address": f"nsu={URI};s=Item.0|float64"}]
    group = {"name": "g", "interval_ms": 50, "mode": "subscribe", "tags": tags}
    profile = {"name": "press", "driver": "opcua", "source": "controller", "groups": [group]}
    device = {"id": "d", "driver": "opcua", "profile": "press", "asset_no": "B-001"}
    document = {
        "gateway": {"id": "gw-1", "enterprise_uscc": USCC, "site_no": "1"},
        "profiles": [profile],
        "devices": [device | {"connection": quick}],
        "northbound": [{"url": broker.url}],
        "buffer": {"path": str(folder / "b.db"), "commit_interval_ms": 50},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


@contextlib.contextmanager
def gateway_process(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gateway", "run", str(config), "--drain-s", "20"]
    with (config.parent / "edge.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def hours(city: City) -> list[SeriesHours]:
    now_ms = time.time_ns() // 1_000_000
    return list(await city.store.hours("gw-1", now_ms - DAY_MS, now_ms + DAY_MS))


async def points(city: City) -> list[Point]:
    """All values that the store holds: not thinned, with a window of 1 ms."""
    now_ms = time.time_ns() // 1_000_000
    series = {one.series for one in await hours(city)}
    return [
        point
        for one in series
        for point in await city.store.history(
            one, "count", now_ms - DAY_MS, now_ms + DAY_MS, 2 * DAY_MS
        )
    ]


async def comes(city: City, status: int) -> None:
    """Wait for a value with this status byte."""
    async with asyncio.timeout(120):
        while all(one.status != status for one in await points(city)):  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_a_loss_in_the_servers_queue_is_seen_in_the_store_and_counted(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """While the gateway stands still, a fast writer overruns what the server keeps of an item."""
    async with city_on(mosquitto.url, tmp_path / "city", "gw-1") as city:
        with ForeignServer(tmp_path / "pki", items=1) as server:
            server.tell(ramp=10)
            with gateway_process(written(tmp_path, mosquitto, server)) as edge:
                await until(lambda: rows_of(city, edge_books), 120)
                edge.send_signal(signal.SIGSTOP)
                await asyncio.sleep(2)  # forty samples, of which it keeps two
                edge.send_signal(signal.SIGCONT)
                await comes(city, AFTER_LOSS)
                edge.send_signal(signal.SIGTERM)
                assert await asyncio.to_thread(edge.wait, 60) == 0
        marked = sum(one.status == AFTER_LOSS for one in await points(city))
        assert sum(one.uncertain for one in await hours(city)) == marked >= 1
        books = rows_of(city, edge_books)
        assert sum(row["ok"] for row in books) > marked
        counted = sum(json.loads(row["uncertain"]).get("overflow", 0) for row in books)
        assert counted == marked
        (proof,) = await proofs_of(city)
        assert proof["uncertain_hours"] and proof["good_hours"]
