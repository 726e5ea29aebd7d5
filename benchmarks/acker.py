"""A city that only acknowledges: lets the edge be measured alone.

``python -m benchmarks.acker MQTT_PORT`` prints one JSON line a second with what it has received.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field

import aiomqtt
from msgspec import structs

from gateway.wire.frame import read_header
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import ROOT, ack_topic, parse_uplink

_ACKNOWLEDGE_EVERY_S = 0.1
"""A city gathers frames about so long before it commits and acknowledges them."""
_PRINT_EVERY = 10


@dataclass(slots=True)
class Received:
    """What has come so far."""

    values: int = 0
    frames: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Acknowledger:
    """Frames received, and those of each gateway that no acknowledgement has gone out for."""

    received: Received = field(default_factory=Received)
    due: dict[str, Ack] = field(default_factory=dict)

    async def listen(self, client: aiomqtt.Client) -> None:
        """Count every frame."""
        async for message in client.messages:
            body = bytes(message.payload)
            header = read_header(body)
            gateway = parse_uplink(str(message.topic)).gateway
            epoch = f"{header.epoch:016x}"
            if header.is_question:
                held = self.due.get(gateway) or Ack(epoch, 0)
                self.due[gateway] = structs.replace(held, answers=header.chain)
                continue
            self.received.values += header.values
            self.received.frames += 1
            self.received.bytes += len(body)
            asked = self.due[gateway].answers if gateway in self.due else 0
            self.due[gateway] = Ack(
                epoch, header.seq, newest=header.seq, chain=header.chain, answers=asked
            )

    async def answer(self, client: aiomqtt.Client) -> None:
        """Acknowledge what is due again and again: the last frame of a burst never waits."""
        turn = 0
        while True:
            await asyncio.sleep(_ACKNOWLEDGE_EVERY_S)
            due, self.due = self.due, {}
            for gateway, ack in due.items():  # at most once, as the city does
                now_ms = time.time_ns() // 1_000_000  # it confirms the edge's clock, as a city does
                message = encode_message(structs.replace(ack, time_ms=now_ms))
                await client.publish(ack_topic(gateway), message)
            turn += 1
            if turn % _PRINT_EVERY == 0:
                sys.stdout.write(json.dumps(asdict(self.received)) + "\n")
                sys.stdout.flush()


async def main(port: int) -> None:
    """Acknowledge until ended."""
    acknowledger = Acknowledger()
    async with aiomqtt.Client("127.0.0.1", port, identifier="acker") as client:
        await client.subscribe(f"{ROOT}/up/+/+/frame", qos=1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(acknowledger.listen(client))
            tasks.create_task(acknowledger.answer(client))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
