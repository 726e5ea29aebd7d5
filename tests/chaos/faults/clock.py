"""A clock that is set wrong, and right again; the clock that never steps goes on."""

import asyncio
from random import Random

from tests.chaos.plant import Plant

HOUR_S = 3_600
STEPS_S = (-30, 30, -HOUR_S, HOUR_S, -8 * HOUR_S, 8 * HOUR_S, -25 * HOUR_S, 25 * HOUR_S)


async def step(plant: Plant, chance: Random) -> None:
    """The gateway's clock is wrong for a while, sometimes across a restart, then right again."""
    assert plant.clock is not None
    plant.clock.set(chance.choice(STEPS_S))
    await asyncio.sleep(chance.uniform(1, 6))
    if chance.random() < 1 / 3:
        await plant.edge.kill()
        plant.edge.start()
        await asyncio.sleep(chance.uniform(0, 4))
    plant.clock.set(0)
