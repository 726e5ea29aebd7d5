"""Connections that break, stand still, half end or crawl, and messages that come again."""

import asyncio
from collections.abc import Sequence
from random import Random

import aiomqtt

from tests.chaos.bent.line import Line
from tests.chaos.plant import Plant

MOST_MESSAGES = 2_000


async def disturb(plant: Plant, chance: Random) -> None:
    """One of the lines – gateway or city to the broker, city to its store – for a while."""
    await _disturb([line for name, line in plant.lines.items() if name != "devices"], chance)


async def disturb_devices(plant: Plant, chance: Random) -> None:
    """The line between gateway and devices, for a while."""
    await _disturb([plant.lines["devices"]], chance)


async def _disturb(lines: Sequence[Line], chance: Random) -> None:
    line = chance.choice(lines)
    fault = chance.choice(["cut", "stall", "half", "slow"])
    match fault:
        case "cut":
            line.cut()
        case "stall":
            ways = chance.choice([(True, True), (True, False), (False, True)])
            line.stall(to_target=ways[0], to_client=ways[1])
        case "half":
            line.half_close()
        case "slow":
            line.slow(chance.choice([16, 200, 1_500]), chance.uniform(0.001, 0.05))
    await asyncio.sleep(chance.choice([0.05, chance.uniform(0.3, 6)]))
    line.mend()


async def replay(plant: Plant, chance: Random) -> None:
    """All that the broker passed on for a while comes again, some twice, out of order.

    Acknowledgements and signs of life are among it. Half the time the city starts anew, and knows
    what it has only from its database.
    """
    async with aiomqtt.Client("127.0.0.1", plant.ports["broker"], identifier="replay") as client:
        await client.subscribe("#", qos=1)
        heard = await _heard(client, chance.uniform(1, 4))
        plant.captured += [(message.topic.value, bytes(message.payload)) for message in heard]
        await client.unsubscribe("#")
        if chance.random() < 1 / 2:
            await plant.city.kill()
            plant.city.start()
        again = [message for message in plant.captured if chance.random() < 2 / 3]
        again += chance.choices(plant.captured, k=min(50, len(plant.captured)))
        chance.shuffle(again)
        for topic, payload in again[:MOST_MESSAGES]:
            await client.publish(topic, payload, qos=1)


async def _heard(client: aiomqtt.Client, seconds: float) -> list[aiomqtt.Message]:
    heard: list[aiomqtt.Message] = []
    try:
        async with asyncio.timeout(seconds):
            async for message in client.messages:
                heard.append(message)  # noqa: PERF401 - the time-out must keep what came
    except TimeoutError:
        pass
    return heard
