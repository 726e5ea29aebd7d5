"""A city that is away for longer than the buffer lasts."""

import asyncio
from random import Random

from gateway.edge.buffer.buffer import read_books
from tests.chaos.plant import Plant
from tests.support.waiting import until

LONGEST_S = 90.0
DROPPED = 20_000
"""Values, so that much more was dropped than a few frames."""


async def outlast(plant: Plant, chance: Random) -> None:
    """Acknowledgements get lost, then the city dies until the quota has dropped a good deal.

    What was sent last is stored by then, and the gateway, which is started anew half the time, may
    not count it as dropped.
    """
    plant.lines["city"].stall(to_target=True, to_client=False)
    await asyncio.sleep(chance.uniform(0, 4))
    await plant.city.kill()
    plant.lines["city"].mend()
    if chance.random() < 1 / 2:
        await plant.edge.kill()
        plant.edge.start()
    goal = dropped(plant) + DROPPED
    await until(lambda: dropped(plant) >= goal, LONGEST_S)
    plant.city.start()


def dropped(plant: Plant) -> int:
    """Values that the gateway says it has dropped."""
    return sum(read_books(plant.buffer / "buffer.db").totals.dropped.values())
