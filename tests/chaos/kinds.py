"""Every kind of fault: what it does to what.

A kind is tried in runs. Each run has a plant of its own; its fault is committed again and again, at
random moments and with values flowing in between, until the run's time is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.parts import Part
from tests.chaos.plant import Plant, Size

DEFAULT = Size()

Fault = Callable[[Plant, Random], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault.

    Attributes:
        what: one line for the table.
        fault: commits it once; at its end the cause is gone.
        size: of the plant that it is committed on.
        one_epoch: the buffer is never rolled back by it.
    """

    what: str
    fault: Fault
    size: Size = DEFAULT
    one_epoch: bool = True


async def _kill(part: Part, chance: Random) -> None:
    """Kill a process; half the time it stays away for a while."""
    await part.kill()
    await asyncio.sleep(chance.choice([0, chance.uniform(0, 3)]))
    part.start()


async def kill_edge(plant: Plant, chance: Random) -> None:
    await _kill(plant.edge, chance)


async def kill_city(plant: Plant, chance: Random) -> None:
    await _kill(plant.city, chance)


async def kill_broker(plant: Plant, chance: Random) -> None:
    await _kill(plant.broker, chance)


async def kill_store(plant: Plant, chance: Random) -> None:
    assert plant.influxd is not None
    await asyncio.to_thread(plant.influxd.stop, kill=True)
    await asyncio.sleep(chance.uniform(0, 3))
    await asyncio.to_thread(plant.influxd.start)


async def kill_all(plant: Plant, chance: Random) -> None:
    parts = [plant.edge, plant.city, plant.broker]
    chance.shuffle(parts)
    for part in parts:
        await part.kill()
    await asyncio.sleep(chance.uniform(0, 2))
    for part in parts:
        part.start()


KINDS = {
    "kill-edge": Kind(what="kill -9 of the gateway", fault=kill_edge),
    "kill-city": Kind(what="kill -9 of the city", fault=kill_city),
    "kill-broker": Kind(what="kill -9 of the broker, which keeps nothing", fault=kill_broker),
    "kill-store": Kind(
        what="kill -9 of InfluxDB 1.x", fault=kill_store, size=Size(store="influxdb1")
    ),
    "kill-all": Kind(what="kill -9 of gateway, city and broker at once", fault=kill_all),
}
