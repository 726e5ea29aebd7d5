"""Processes that are gone from one instruction to the next."""

import asyncio
from collections.abc import Sequence
from random import Random

from tests.chaos.parts import Part
from tests.chaos.plant import Plant

MOST_CALLS = 150
"""Writes and syncs after which the fatal one comes; a commit of the gateway has about ten."""

START_CALLS = 40
"""Of them a start has about so many."""

PATIENCE_S = 20.0


async def kill_edge(plant: Plant, chance: Random) -> None:
    await _killed([plant.edge], chance)


async def kill_city(plant: Plant, chance: Random) -> None:
    await _killed([plant.city], chance)


async def kill_broker(plant: Plant, chance: Random) -> None:
    await _killed([plant.broker], chance)


async def kill_all(plant: Plant, chance: Random) -> None:
    await _killed(chance.sample([plant.edge, plant.city, plant.broker], 3), chance)


async def kill_store(plant: Plant, chance: Random) -> None:
    assert plant.influxd is not None
    await asyncio.to_thread(plant.influxd.stop, kill=True)
    await asyncio.sleep(chance.uniform(0, 3))
    await asyncio.to_thread(plant.influxd.start)


async def _killed(parts: Sequence[Part], chance: Random) -> None:
    """Kill processes; half the time they stay away for a while."""
    for part in parts:
        await part.kill()
    await asyncio.sleep(chance.choice([0, chance.uniform(0, 3)]))
    for part in parts:
        part.start()


async def freeze(plant: Plant, chance: Random) -> None:
    """Gateway, city or broker stands still for a while, and goes on as if nothing had been."""
    part = chance.choice([plant.edge, plant.city, plant.broker])
    part.freeze(is_frozen=True)
    await asyncio.sleep(chance.uniform(0.1, 8))
    part.freeze(is_frozen=False)


async def kill_in_a_write(plant: Plant, chance: Random) -> None:
    """Kill the preloaded process in a write or sync, and often once more while it starts."""
    plan, part = plant.plan, plant.preloaded
    assert plan is not None
    most = MOST_CALLS
    while True:
        part.is_to_end = True
        plan.kill_at(chance.randint(1, most), torn=chance.random() < 1 / 3)
        if not await part.gone(PATIENCE_S):
            await part.kill()
        plan.spare()
        part.start()
        if chance.random() < 1 / 2:
            return
        most = START_CALLS
