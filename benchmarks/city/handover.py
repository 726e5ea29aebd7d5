"""How long the gateways of a worker that is killed are heard by nobody: three real workers."""

import asyncio
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from edge_config.models.city import CityConfig
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, fill_ledger
from tests.support.postgres import Postgres
from tests.support.workers import Workers

KILLS = 5
_PAUSE_S = 0.05
_PATIENCE_S = 90.0


def measure() -> list[dict[str, object]]:
    """Kill one of three workers again and again, and start another in its place."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(Mosquitto(folder, "allow_anonymous true"))
        server = stack.enter_context(Postgres(folder))
        config = city_config(broker.url, folder / "data", database={"url": server.url})
        asyncio.run(_enrol(config))
        workers = Workers(folder, broker, server.url)
        stack.enter_context(workers.running(3))
        _until_shared(workers, 3)
        took = []
        for _ in range(KILLS):
            victim = workers.processes.pop(0)
            began = time.monotonic()
            victim.kill()
            _until_shared(workers, 2)
            took.append(time.monotonic() - began)
            victim.wait()
            stack.enter_context(workers.running(1))
            _until_shared(workers, 3)
        return [
            {
                "name": f"partitions of a killed worker held by two others, {KILLS} times",
                "longest_s": round(max(took), 1),
                "median_s": round(sorted(took)[KILLS // 2], 1),
            }
        ]


async def _enrol(config: CityConfig) -> None:
    async with assembled(config) as city:
        fill_ledger(city, "gw-1")


def _until_shared(workers: Workers, number: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not workers.shared(number)():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{number} workers do not share the partitions: {workers.held()}")
        time.sleep(_PAUSE_S)
