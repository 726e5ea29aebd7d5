"""A city that only acknowledges: lets the edge be measured alone.

``python -m benchmarks.acker MQTT_PORT`` prints one JSON line a second with what it has received.
"""

import asyncio
import json
import sys
import time

import aiomqtt

from gateway.wire.frame import read_header
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import ROOT, ack_topic, parse_uplink

_ACK_EVERY_S = 0.2


async def main(port: int) -> None:
    """Acknowledge everything, at most five times a second for each gateway."""
    values = frames = size = 0
    acked: dict[str, float] = {}
    reported = time.monotonic()
    async with aiomqtt.Client("127.0.0.1", port, identifier="acker") as client:
        await client.subscribe(f"{ROOT}/up/+/+/frame", qos=1)
        async for message in client.messages:
            now = time.monotonic()
            body = bytes(message.payload)
            header = read_header(body)
            values, frames, size = values + header.values, frames + 1, size + len(body)
            gateway = parse_uplink(str(message.topic)).gateway
            if now - acked.get(gateway, 0) >= _ACK_EVERY_S:
                acked[gateway] = now
                ack = encode_message(Ack(f"{header.epoch:016x}", header.seq))
                await client.publish(ack_topic(gateway), ack)  # at most once, as the city does
            if now - reported >= 1:
                reported = now
                line = {"values": values, "frames": frames, "bytes": size}
                sys.stdout.write(json.dumps(line) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
