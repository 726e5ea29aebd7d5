"""The real ``qulink run`` against a Modbus machine and mosquitto, all of them processes."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.core.status import Reason
from gateway.edge.buffer.buffer import BufferBooks, read_books
from gateway.edge.buffer.storage.file import BufferFileError
from tests.edge.city import City
from tests.edge.plant import USCC
from tests.support.broker import Mosquitto
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

TAGS = 10


class Factory:
    """Machine, broker and the configuration of a gateway between them."""

    def __init__(self, folder: Path, broker: Mosquitto, machine: int) -> None:
        self.buffer = folder / "b.db"
        self.config = folder / "gateway.yaml"
        self.log = folder / "log"
        self.broker = broker
        tags = [{"name": f"t{at}", "address": f"holding:{at}:uint16"} for at in range(TAGS)]
        group = {"name": "g", "interval_ms": 50, "tags": tags}
        profile = {"name": "press", "driver": "modbus", "source": "controller", "groups": [group]}
        devices = [
            {
                "id": f"d{at}",
                "driver": "modbus",
                "profile": "press",
                "asset_no": f"M{at}",
                "connection": {"host": "127.0.0.1", "port": machine, "unit": at + 1},
            }
            for at in range(2)
        ]
        north = {"url": broker.url, "retry_max_ms": 1_000, "ack_timeout_ms": 1_000}
        document = {
            "gateway": {"id": "gw", "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [profile],
            "devices": devices,
            "northbound": [north],
            "buffer": {"path": str(self.buffer), "commit_interval_ms": 50},
        }
        self.config.write_text(yaml.safe_dump(document), encoding="utf-8")

    @contextlib.contextmanager
    def gateway(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "gateway", "run", str(self.config), *options]
        with self.log.open("ab") as log:
            process = subprocess.Popen(command, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)

    def books(self) -> BufferBooks | None:
        try:
            return read_books(self.buffer)
        except BufferFileError:
            return None

    def accepted(self) -> int:
        books = self.books()
        return books.totals.buffered if books else 0


@pytest.fixture
def factory(tmp_path: Path) -> Iterator[Factory]:
    port = free_port()
    script = Path(__file__).parent / "modbus_machine.py"
    machine = subprocess.Popen([sys.executable, str(script), str(port)])
    try:
        wait_for_port(port)
        with Mosquitto(tmp_path, "allow_anonymous true\nset_tcp_nodelay true") as broker:
            yield Factory(tmp_path, broker, port)
    finally:
        machine.kill()
        machine.wait(10)


async def ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait, 60)


def agree(factory: Factory, city: City) -> None:
    """The city holds exactly what the buffer says it accepted and no longer holds."""
    books = factory.books()
    assert books is not None
    totals = books.totals
    assert totals.balanced
    assert totals.dropped == {}
    assert totals.buffered == len(city.points) + books.pending.values
    assert sum(city.values.values()) == len(city.points)
    assert sorted(city.values) == list(range(1, books.last_seq + 1 - books.pending.frames))


@pytest.mark.timeout(600)
async def test_sigterm_stops_drains_and_leaves_the_books_closed(factory: Factory) -> None:
    city = City(factory.broker.port, "gw")
    async with city.running():
        with factory.gateway("--drain-s", "10") as process:
            await until(lambda: len(city.points) >= 20 * TAGS)
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == 0
        await until(lambda: bool(city.states) and not city.states[-1].online)
    books = factory.books()
    assert books is not None
    assert books.pending.frames == 0
    assert books.totals.buffered == len(city.points)
    assert city.totals() == books.totals
    log = factory.log.read_text()
    assert "stopped; 0 values wait" in log
    assert "Traceback" not in log


@pytest.mark.timeout(600)
async def test_killed_again_and_again_it_loses_nothing_that_the_buffer_accepted(
    factory: Factory,
) -> None:
    city = City(factory.broker.port, "gw")
    chance = random.Random(7)
    async with city.running():
        for turn in range(5):
            with factory.gateway() as process:
                goal = factory.accepted() + chance.randrange(4, 16) * TAGS
                await until(lambda goal=goal: factory.accepted() >= goal)
                if turn == 2:
                    factory.broker.stop(kill=True)
                    await until(lambda goal=goal: factory.accepted() >= goal + 10 * TAGS)
                os.kill(process.pid, signal.SIGKILL)
                assert await ended(process) == -signal.SIGKILL
            if turn == 2:
                factory.broker.start()
        with factory.gateway("--drain-s", "15") as process:
            goal = factory.accepted() + 4 * TAGS
            await until(lambda: factory.accepted() >= goal)
            process.send_signal(signal.SIGTERM)
            assert await ended(process) == 0
    agree(factory, city)
    down = [gap for gap in city.gaps.values() if gap.cause is Reason.GATEWAY_DOWN]
    assert len(down) >= 5
    books = factory.books()
    assert books is not None
    assert books.totals.skipped >= 5 * TAGS
    assert books.pending.frames == 0


async def test_a_wrong_configuration_exits_1_and_touches_nothing(factory: Factory) -> None:
    text = factory.config.read_text().replace("interval_ms: 50", "intervall_ms: 50")
    factory.config.write_text(text)
    with factory.gateway() as process:
        assert await ended(process) == 1
    assert "did you mean 'interval_ms'" in factory.log.read_text()
    assert not factory.buffer.exists()


async def test_a_second_gateway_on_the_same_buffer_is_refused(factory: Factory) -> None:
    with factory.gateway():
        await until(lambda: factory.accepted() > 0)
        with factory.gateway() as second:
            assert await ended(second) == 1
    assert "in use by another qulink" in factory.log.read_text()
    assert "Traceback" not in factory.log.read_text()
