"""The city's connection to the broker: one inbox for frames, one for signs of life.

An inbox is bounded, and serves the gateways in turn: one that floods it takes no more than its
turn. When the store is away and the inbox of frames is full, frames are shed and counted, not
queued: the edges keep them until they are acknowledged and send them again, so the only durable
queue stays the one on the edge. Shedding rather than not reading keeps the connection alive and the
signs of life flowing.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_config.models.city import BrokerConfig
from gateway.city.ingest.limits import (
    INBOX_FRAMES,
    INBOX_STATES,
    SENDER_FRAMES,
    SENDER_STATES,
    Room,
)
from gateway.city.live.metrics import CityMetrics
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, Message, MqttError
from gateway.wire.topics import PARTITIONS, ROOT, is_gateway_id, partition_of

log = logging.getLogger(__name__)

_LEVELS = 6


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came."""

    topic: str
    payload: bytes
    received_ms: int

    @property
    def sender(self) -> str:
        """The gateway that the topic names; empty if it names none."""
        levels = self.topic.split("/")
        return levels[4] if len(levels) == _LEVELS and is_gateway_id(levels[4]) else ""


@dataclass(slots=True)
class _Queue:
    """What waits of one gateway."""

    messages: deque[Incoming] = field(default_factory=deque)
    bytes: int = 0


class Inbox:
    """Messages that wait, of each gateway in turn; what comes above a limit is shed.

    Args:
        room: for all messages.
        of_sender: for those of one gateway, so that a flood leaves room for the others.
        newest_counts: whether a gateway that has filled its room loses what it said first, not
            what it says last.
    """

    def __init__(self, room: Room, of_sender: Room, *, newest_counts: bool = False) -> None:
        self._room, self._of_sender = room, of_sender
        self._newest_counts = newest_counts
        self._waiting = OrderedDict[str, _Queue]()
        self._some = asyncio.Event()
        self.bytes = self.messages = 0

    def put(self, message: Incoming) -> int:
        """Take a message in; returns how many were shed for want of room, this one or older."""
        size, sender = len(message.payload), message.sender
        mine = self._waiting.get(sender) or _Queue()
        shed = self._make_room(mine, size) if self._newest_counts else 0
        if not (
            self._room.has(self.bytes, self.messages, size)
            and self._of_sender.has(mine.bytes, len(mine.messages), size)
        ):
            return shed + 1
        self._count(mine, size, 1)
        mine.messages.append(message)
        self._waiting[sender] = mine
        self._some.set()
        return shed

    def _make_room(self, mine: _Queue, size: int) -> int:
        before = len(mine.messages)
        while not self._of_sender.has(mine.bytes, len(mine.messages), size):
            self._count(mine, -len(mine.messages.popleft().payload), -1)
        return before - len(mine.messages)

    def take(self) -> Incoming | None:
        """The oldest message of the gateway whose turn it is; None if none waits."""
        if not self._waiting:
            return None
        sender, mine = self._waiting.popitem(last=False)
        message = mine.messages.popleft()
        self._count(mine, -len(message.payload), -1)
        if mine.messages:
            self._waiting[sender] = mine
        return message

    def _count(self, mine: _Queue, size: int, number: int) -> None:
        mine.bytes += size
        self.bytes += size
        self.messages += number

    async def wait(self) -> None:
        """Wait until a message is there."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()


class Uplink:
    """Receives what the gateways publish; publishes acknowledgements."""

    def __init__(
        self, config: BrokerConfig, metrics: CityMetrics, now_ms: Callable[[], int]
    ) -> None:
        self._config = config
        self._metrics = metrics
        self._now_ms = now_ms
        self._client: Client | None = None
        self.frames = Inbox(INBOX_FRAMES, SENDER_FRAMES)
        self.states = Inbox(INBOX_STATES, SENDER_STATES, newest_counts=True)
        self.connected_since_ms: int | None = None
        self._heard: dict[str, int] = {}

    def hears(self, gateway_id: str) -> bool:
        """Whether a gateway's partition is one of this worker's; else another worker hears it."""
        config = self._config
        return config.first_partition <= partition_of(gateway_id) <= config.last_partition

    def take_heard(self) -> dict[str, int]:
        """When a frame of a gateway last came, for those of which one came since the last call."""
        heard, self._heard = self._heard, {}
        return heard

    async def run(self) -> None:
        """Stay connected until cancelled; one log line a loss and one a recovery."""
        attempts = Attempts(self._config.url, self._config.retry_max_ms)
        while True:
            try:
                async with Client(self._config, username=self._config.username) as client:
                    await self._subscribe(client)
                    with attempts.session():
                        self._up(client)
                        await self._receive(client)
            except LOSSES as error:
                attempts.failed(error)
            finally:
                self._down()
            await asyncio.sleep(attempts.pause_s)

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at most once; while the broker is away nothing happens.

        An acknowledgement that is lost is repeated when the edge sends the frame again.
        """
        client = self._client
        if client is None:
            return
        try:
            await client.publish(topic, payload, qos=0)
        except MqttError as error:
            log.debug("publishing to %s failed: %s", topic, error)

    async def _subscribe(self, client: Client) -> None:
        for partition in partitions(self._config):
            for channel in ("frame", "state"):
                await client.listen(f"{ROOT}/up/{partition}/+/{channel}")

    async def _receive(self, client: Client) -> None:
        async for messages in client.received():
            for message in messages:
                self._take(message)
            self._metrics.inbox_bytes.set(self.frames.bytes + self.states.bytes)

    def _take(self, message: Message) -> None:
        payload = message.payload if isinstance(message.payload, bytes) else b""
        incoming = Incoming(message.topic.value, payload, self._now_ms())
        if incoming.topic.endswith("/state"):
            inbox = self.states
        else:
            inbox = self.frames
            self._note(incoming)
        self._metrics.shed.inc(inbox.put(incoming))

    def _note(self, message: Incoming) -> None:
        """Remember who was heard; names come from outside and must not fill memory."""
        if message.sender and len(self._heard) < INBOX_FRAMES.messages:
            self._heard[message.sender] = message.received_ms

    def _up(self, client: Client) -> None:
        self._client = client
        self.connected_since_ms = self._now_ms()
        self._metrics.connected.set(1)

    def _down(self) -> None:
        self._client = None
        self.connected_since_ms = None
        self._metrics.connected.set(0)


def partitions(config: BrokerConfig) -> list[str]:
    """Partition levels to subscribe to: one wildcard for all, else each by number."""
    first, last = config.first_partition, config.last_partition
    if (first, last) == (0, PARTITIONS - 1):
        return ["+"]
    return [str(number) for number in range(first, last + 1)]
