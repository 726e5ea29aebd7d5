"""From the tick of a poll to the store's commit, seen from outside, with edge and city for real."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import aiomqtt
import numpy as np

from benchmarks.city.settings import write_city
from benchmarks.edge.plant import GATEWAY, USCC, Plant
from benchmarks.processes import HERE
from benchmarks.usage import share_of_core, snapshot
from edge_config.loading.load import load_city
from gateway.city.db.upgrade import open_database
from gateway.city.ledger.importer import import_files
from gateway.city.registry.enrolment import add
from gateway.core.batch import Batch
from gateway.core.schema import Schema
from gateway.wire.frame import decode_frame
from gateway.wire.messages import decode_ack
from gateway.wire.topics import ack_topic, frame_topic
from tests.support.broker import Mosquitto
from tests.support.peers import free_port, wait_for_port

_WARM_UP_S = 8.0


def measure(plant: Plant, seconds: float) -> dict[str, object]:
    """Run simulator, mosquitto, edge and city with the embedded store; watch the broker.

    Args:
        plant: what the edge reads.
        seconds: time measured, after a warm-up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto(folder))
        edge_file = plant.write_edge(folder, plant.start(stack, folder).port, broker.port)
        city = _start_city(stack, folder, broker.port)

        def start_edge() -> int:
            command = ("-m", "gateway", "run", str(edge_file))
            return HERE.run(stack, *command, output=folder / "edge.log").pid

        delays, edge, after = asyncio.run(_watch(broker.port, start_edge, city, seconds))
    p50, p99 = np.percentile(delays, (50, 99)).tolist() if delays else (None, None)
    return {
        "name": "poll to store commit",
        "store": "embedded",
        "devices": plant.devices,
        "tags": plant.tags,
        "polls_seen": len(delays),
        "p50_ms": p50 and round(p50),
        "p99_ms": p99 and round(p99),
        "edge_core_percent": round(edge, 2),
        "city_core_percent": round(after[0], 2),
        "city_rss_mib": round(after[1] / 2**20, 1),
    }


def _start_city(stack: ExitStack, folder: Path, mqtt_port: int) -> int:
    """A city that knows the gateway, listening; returns its process id."""
    console = free_port()
    file = write_city(folder, f"mqtt://127.0.0.1:{mqtt_port}", console)
    _fill(file, folder)
    city = HERE.run(stack, "-m", "gateway", "city", str(file), output=folder / "city.log")
    wait_for_port(console)
    return city.pid


async def _watch(
    port: int, start_edge: Callable[[], int], city_pid: int, seconds: float
) -> tuple[list[float], float, tuple[float, int]]:
    """Listen before the edge speaks, so that its schemas are known; measure after a warm-up.

    Returns:
        Delays in ms of every poll acknowledged, the edge's share of a core, and the city's with
        its resident bytes.
    """
    delays: list[float] = []
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(frame_topic(GATEWAY))
        await client.subscribe(ack_topic(GATEWAY))
        listening = asyncio.create_task(_listen(client, delays))
        pids = start_edge(), city_pid
        await asyncio.sleep(_WARM_UP_S)
        delays.clear()
        before = [snapshot(pid) for pid in pids]
        await asyncio.sleep(seconds)
        after = [snapshot(pid) for pid in pids]
        listening.cancel()
    edge, city = (share_of_core(first, last) for first, last in zip(before, after, strict=True))
    return delays, edge, (city, after[1].rss_bytes)


async def _listen(client: aiomqtt.Client, delays: list[float]) -> None:
    waiting: dict[int, list[int]] = {}
    schemas: dict[int, Schema] = {}
    async for message in client.messages:
        now_ms = time.time_ns() / 1e6
        body = bytes(message.payload)
        if str(message.topic) == frame_topic(GATEWAY):
            _note(body, schemas, waiting)
            continue
        upto = decode_ack(body).upto
        for seq in [seq for seq in waiting if seq <= upto]:
            delays += [now_ms - tick for tick in waiting.pop(seq)]


def _note(body: bytes, schemas: dict[int, Schema], waiting: dict[int, list[int]]) -> None:
    frame = decode_frame(body, schemas)
    schemas.update((r.id, r) for r in frame.records if isinstance(r, Schema))
    ticks = [record.time_ms for record in frame.records if isinstance(record, Batch)]
    waiting[frame.header.seq] = ticks


def _fill(city_file: Path, folder: Path) -> None:
    ledger = folder / "enterprises.csv"
    ledger.write_text(
        f"uscc,name,county,industry,above_scale,identifier_code\n{USCC},Bench,330822,3451,yes,1\n"
    )
    database = open_database(load_city(city_file))
    now_ms = time.time_ns() // 1_000_000
    database.run_now(import_files, [ledger], now_ms)
    database.run_now(add, GATEWAY, USCC, "1", now_ms)
    database.close()
