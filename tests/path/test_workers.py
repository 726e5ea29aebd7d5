"""Three real workers of one city, killed one after the other: none of their gateways is lost."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.city.db.tables import watermark
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, fill_ledger, proofs_of, rows_of
from tests.support.city_db import postgres_copy
from tests.support.edge import VALUES, Edge
from tests.support.postgres import Postgres
from tests.support.waiting import until
from tests.support.workers import Workers

NAMES = tuple(f"gw-{number}" for number in range(1, 7))
HAND_OVER_S = 120.0


def in_thread(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A condition that asks a server and must not hold up the edges of the test."""
    return lambda: asyncio.to_thread(condition)


async def console_answers(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_killed_workers_are_replaced_and_nothing_is_lost_or_doubled(
    mosquitto: Mosquitto, postgres: Postgres, tmp_path: Path
) -> None:
    url = postgres_copy(postgres.url, "workers")
    workers = Workers(tmp_path, mosquitto, url)
    config = city_config(mosquitto.url, tmp_path / "data", database={"url": url})
    async with assembled(config) as city:
        fill_ledger(city, *NAMES)
    begin = time.time_ns() // 1_000_000 - 3_600_000
    edges = [
        # what a dead worker has not answered is asked for by the next one, not timed out
        Edge(tmp_path, name, begin, url=mosquitto.url, ack_timeout_ms=600_000)
        for name in NAMES
    ]
    async with contextlib.AsyncExitStack() as stack:
        for edge in edges:
            await stack.enter_async_context(edge.running())
        stack.enter_context(workers.running(3))
        await until(in_thread(workers.shared(3)), HAND_OVER_S)
        await feed(edges, 50)
        await until(in_thread(workers.led))
        follower = next(one for one in workers.processes if one is not workers.leader())
        for number, victim in ((2, follower), (1, workers.leader())):
            await feed(edges, 50, wait=False)
            victim.kill()  # kill -9, with frames on their way
            await until(in_thread(workers.shared(number)), HAND_OVER_S)
            await until(in_thread(workers.led), HAND_OVER_S)
            await feed(edges, 50)
        assert workers.leader() is not victim
        await console_answers(workers.console)
        for edge in edges:
            await edge.drained()
    sent = sum(edge.frames for edge in edges) * VALUES
    async with assembled(config) as city:
        await city.store.open()
        assert await city.store.count(list(NAMES), begin, begin + 3_600_000) == sent
        marks = rows_of(city, watermark)
        assert {row["gateway"]: row["upto"] for row in marks} == {
            name: edge.frames for name, edge in zip(NAMES, edges, strict=True)
        }
        assert sum(row["values_committed"] for row in marks) == sent
        assert sum(row["values_quarantined"] for row in marks) == 0
        days = await proofs_of(city)
        assert min(row["first_ms"] for row in days) == begin
        assert max(row["last_ms"] for row in days) == begin + max(e.frames for e in edges) - 1
    assert "Traceback" not in (tmp_path / "city.log").read_text()


async def feed(edges: list[Edge], frames: int, *, wait: bool = True) -> None:
    """Every gateway sends; ``wait`` until all of it is acknowledged."""
    for edge in edges:
        await asyncio.to_thread(edge.feed, frames)
    for edge in edges:
        if wait:
            await until(lambda edge=edge: edge.acknowledged == edge.frames, HAND_OVER_S)
