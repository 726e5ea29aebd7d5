"""The real ``qulink city`` killed again and again: what it acknowledged is there, and once."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.city.db.tables import watermark
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, city_file, fill_ledger, proofs_of, rows_of
from tests.support.dying_city import STAGES
from tests.support.edge import VALUES, Edge
from tests.support.waiting import SOON_S, until

KILLS = 3

pytestmark = pytest.mark.long


async def enrolled(folder: Path, broker: Mosquitto) -> Path:
    """The configuration of a city that knows the gateway."""
    async with assembled(city_config(broker.url, folder / "data")) as city:
        fill_ledger(city, "gw-1")
    return city_file(folder, broker.url, data_dir=str(folder / "data"))


@contextlib.contextmanager
def city_process(config: Path) -> Iterator[subprocess.Popen[bytes]]:
    with process_of(config, "gateway", "city", str(config)) as process:
        yield process


@contextlib.contextmanager
def process_of(config: Path, *module: str) -> Iterator[subprocess.Popen[bytes]]:
    with (config.parent / "city.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", *module], stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@contextlib.asynccontextmanager
async def feeding(edge: Edge) -> AsyncIterator[None]:
    async def feed() -> None:
        while True:
            await asyncio.to_thread(edge.feed, 3)
            await asyncio.sleep(0.05)  # else what waits for a city that starts is most of the work

    task = asyncio.create_task(feed())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def held(folder: Path, broker: Mosquitto, edge: Edge, frames: int) -> dict[str, int]:
    """What store and database hold of the first ``frames`` frames, and in all."""
    async with assembled(city_config(broker.url, folder / "data")) as city:
        await city.store.open()
        begin = edge.begin_ms
        return {
            "first": await city.store.count(["gw-1"], begin, begin + frames),
            "all": await city.store.count(["gw-1"], begin, begin + edge.frames),
            "committed": sum(row["values_committed"] for row in rows_of(city, watermark)),
            "quarantined": sum(row["values_quarantined"] for row in rows_of(city, watermark)),
            "evidence": max(
                (row["last_ms"] - begin + 1 for row in await proofs_of(city)), default=0
            )
            * VALUES,
        }


async def drained(edge: Edge, config: Path) -> None:
    """Let a city live until it has everything, and end it in good order."""
    with city_process(config) as process:
        await edge.drained()
        process.terminate()
        assert await asyncio.to_thread(process.wait, SOON_S) == 0


async def holds_all(folder: Path, broker: Mosquitto, edge: Edge) -> None:
    sent = edge.frames * VALUES
    found = await held(folder, broker, edge, edge.frames)
    expected = {"first": sent, "all": sent, "committed": sent, "quarantined": 0, "evidence": sent}
    assert found == expected


@pytest.mark.timeout(600)
async def test_killed_again_and_again_the_city_keeps_its_word(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    config = await enrolled(tmp_path, mosquitto)
    begin = time.time_ns() // 1_000_000 - 3_600_000
    # Nothing may wait for a time-out: a city that comes back asks for what it missed.
    edge = Edge(tmp_path, "gw-1", begin, url=mosquitto.url, ack_timeout_ms=600_000)
    chance = random.Random(3)
    async with edge.running():
        async with feeding(edge):
            for _ in range(KILLS):
                with city_process(config):
                    goal = edge.acknowledged + chance.randrange(20, 120)
                    await until(lambda goal=goal: edge.acknowledged >= goal, 120)
                    await asyncio.sleep(chance.uniform(0, 0.12))  # anywhere in a round
                word = edge.acknowledged
                found = await held(tmp_path, mosquitto, edge, word)
                assert found["first"] == word * VALUES
                assert found["all"] >= found["committed"] == found["evidence"]
                assert found["committed"] >= word * VALUES
        await drained(edge, config)
    await holds_all(tmp_path, mosquitto, edge)
    assert edge.acknowledged == edge.frames
    assert "Traceback" not in (tmp_path / "city.log").read_text()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("stage", STAGES)
async def test_killed_at_each_stage_of_a_batch_it_loses_and_doubles_nothing(
    mosquitto: Mosquitto, tmp_path: Path, stage: str
) -> None:
    config = await enrolled(tmp_path, mosquitto)
    begin = time.time_ns() // 1_000_000 - 3_600_000
    edge = Edge(tmp_path, "gw-1", begin, url=mosquitto.url, ack_timeout_ms=600_000)
    async with edge.running():
        async with feeding(edge):
            # The first batch of a process holds the edge's question; then the first frames, and
            # some among others.
            for number in ("2", "4"):
                module = ("tests.support.dying_city", stage, number, str(config))
                with process_of(config, *module) as process:
                    ended = await asyncio.to_thread(process.wait, 120)
                    assert ended == -signal.SIGKILL
                word = edge.acknowledged
                found = await held(tmp_path, mosquitto, edge, word)
                assert found["first"] == word * VALUES
                assert found["committed"] >= word * VALUES
                assert (found["all"] > found["committed"]) or stage != "stored"
                assert (found["committed"] > word * VALUES) or stage != "committed"
        await drained(edge, config)
    await holds_all(tmp_path, mosquitto, edge)
