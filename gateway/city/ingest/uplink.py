"""What the gateways send, and how they are answered: one inbox for frames, one for signs of life.

An inbox is bounded, and serves the gateways in turn: one that floods it takes no more than its
turn. When the store is away and the inbox of frames is full, frames are shed and counted, not
queued: the edges keep them until they are acknowledged and send them again, so the only durable
queue stays the one on the edge. Shedding rather than not reading keeps the connection alive and the
signs of life flowing.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from edge_config.models.city import BrokerConfig
from gateway.city.ingest.limits import (
    INBOX_FRAMES,
    INBOX_STATES,
    SENDER_FRAMES,
    SENDER_STATES,
    TURN_FRAMES,
    Room,
)
from gateway.city.live.metrics import CityMetrics
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, MqttError
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import (
    ALL_PARTITIONS,
    PARTITIONS,
    ROOT,
    ack_topic,
    is_gateway_id,
    partition_of,
)

_LEVELS = 6


class Incoming(NamedTuple):
    """One message as it came."""

    topic: str
    payload: bytes
    received_ms: int

    @property
    def sender(self) -> str:
        """The gateway that the topic names; empty if it names none."""
        return _sender(self.topic)


@lru_cache(maxsize=131_072)
def _sender(topic: str) -> str:
    levels = topic.split("/")
    return levels[4] if len(levels) == _LEVELS and is_gateway_id(levels[4]) else ""


class Uplink(Protocol):
    """Where frames come from and acknowledgements go: MQTT today.

    Whatever stands behind it – a broker, the consumer group of a log – delivers at least once and
    keeps nothing for us: a frame is sent again until it is acknowledged.

    Attributes:
        frames: what waits to be stored.
        states: signs of life.
        connected_since_ms: since when we hear, UTC milliseconds; None while we do not.
        followed_ms: since when we hear these partitions, UTC milliseconds; 0: from the beginning.
    """

    frames: "Inbox"
    states: "Inbox"
    connected_since_ms: int | None
    followed_ms: int

    async def run(self) -> None:
        """Receive until cancelled."""

    async def follow(self, partitions: Collection[int]) -> None:
        """Hear these partitions and no others; what waits of others is dropped."""

    def hears(self, gateway_id: str) -> bool:
        """Whether a gateway's partition is one of this worker's; else another worker hears it."""

    def heard_lately(self) -> dict[str, int]:
        """When a frame of a gateway last came, of those of which one came since the last call."""

    def answer(self, acks: Iterable[tuple[str, Ack]]) -> None:
        """Send acknowledgements to gateways that are heard, at most once; an edge asks again."""


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

    def put_back(self, messages: Iterable[Incoming]) -> None:
        """Let messages that were handed out already come again, before all others."""
        for message in reversed(list(messages)):
            mine = self._waiting.setdefault(message.sender, _Queue())
            self._waiting.move_to_end(message.sender, last=False)
            self._count(mine, len(message.payload), 1)
            mine.messages.appendleft(message)
            self._some.set()

    def _make_room(self, mine: _Queue, size: int) -> int:
        before = len(mine.messages)
        while not self._of_sender.has(mine.bytes, len(mine.messages), size):
            self._count(mine, -len(mine.messages.popleft().payload), -1)
        return before - len(mine.messages)

    def next(self, most: int = TURN_FRAMES) -> list[Incoming]:
        """The oldest messages, at most so many, of the gateway whose turn it is."""
        if not self._waiting:
            return []
        sender, mine = self._waiting.popitem(last=False)
        turn = [mine.messages.popleft() for _ in range(min(most, len(mine.messages)))]
        self._count(mine, -sum(len(message.payload) for message in turn), -len(turn))
        if mine.messages:
            self._waiting[sender] = mine
        return turn

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Drop what waits of gateways that are not wanted."""
        for sender in [name for name in self._waiting if name and not wanted(name)]:
            mine = self._waiting.pop(sender)
            self._count(mine, -mine.bytes, -len(mine.messages))

    def _count(self, mine: _Queue, size: int, number: int) -> None:
        mine.bytes += size
        self.bytes += size
        self.messages += number

    async def wait(self) -> None:
        """Wait until a message is there."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()


class MqttUplink:
    """The uplink by an MQTT broker.

    Args:
        config: the broker.
        metrics: counters.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        config: BrokerConfig,
        metrics: CityMetrics,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._metrics = metrics
        self._now_ms = now_ms
        self._client: Client | None = None
        self._partitions = ALL_PARTITIONS
        self._subscribed = frozenset[str]()
        self._subscribing = asyncio.Lock()
        self.frames = Inbox(INBOX_FRAMES, SENDER_FRAMES)
        self.states = Inbox(INBOX_STATES, SENDER_STATES, newest_counts=True)
        self.connected_since_ms: int | None = None
        self.followed_ms = 0
        self._heard: dict[str, int] = {}

    def hears(self, gateway_id: str) -> bool:
        """Whether a gateway's partition is one of this worker's; else another worker hears it."""
        return partition_of(gateway_id) in self._partitions

    def heard_lately(self) -> dict[str, int]:
        """When a frame of a gateway last came, of those of which one came since the last call."""
        heard, self._heard = self._heard, {}
        return heard

    async def follow(self, partitions: Collection[int]) -> None:
        """Hear these partitions and no others; what waits of others is dropped."""
        self._partitions = frozenset(partitions)
        self.followed_ms = max(self._now_ms(), self.followed_ms + 1)
        for inbox in (self.frames, self.states):
            inbox.keep(self.hears)
        if self._client is not None:
            # a session that ends meanwhile is made again, and then subscribes to what is wanted
            with contextlib.suppress(*LOSSES):
                await self._subscribe(self._client)

    async def run(self) -> None:
        """Stay connected until cancelled; one log line a loss and one a recovery."""
        attempts = Attempts(self._config.url, self._config.retry_max_ms)
        while True:
            try:
                async with self._make_client() as client:
                    self._subscribed = frozenset()
                    self._client = client
                    await self._subscribe(client)
                    with attempts.session():
                        self._up()
                        await client.ended()
            except LOSSES as error:
                attempts.failed(error)
            finally:
                self._down()
            await asyncio.sleep(attempts.pause_s)

    def _make_client(self) -> Client:
        return Client(self._config, username=self._config.username, deliver=self._deliver)

    def answer(self, acks: Iterable[tuple[str, Ack]]) -> None:
        """Send acknowledgements together; while the broker is away nothing happens."""
        if self._client is not None:
            ours = ((name, ack) for name, ack in acks if self.hears(name))
            try:
                self._client.send((ack_topic(name), encode_message(ack)) for name, ack in ours)
            except MqttError:
                self._client = None  # the session ends; an edge sends again what is not answered

    async def _subscribe(self, client: Client) -> None:
        """Make what we are subscribed to what we want."""
        async with self._subscribing:
            wanted = frozenset(filters(self._partitions))
            if new := sorted(wanted - self._subscribed):
                await client.listen(*new)
            if old := sorted(self._subscribed - wanted):
                await client.unsubscribe(old)
            self._subscribed = wanted

    def _deliver(self, messages: list[tuple[str, bytes]]) -> None:
        now, shed = self._now_ms(), 0
        for topic, payload in messages:
            incoming = Incoming(topic, payload, now)
            if topic.endswith("/state"):
                shed += self.states.put(incoming)
            else:
                shed += self.frames.put(incoming)
                self._note(incoming)
        self._metrics.shed.inc(shed)
        self._metrics.inbox_bytes.set(self.frames.bytes + self.states.bytes)

    def _note(self, message: Incoming) -> None:
        """Remember who was heard; names come from outside and must not fill memory."""
        if message.sender and len(self._heard) < INBOX_FRAMES.messages:
            self._heard[message.sender] = message.received_ms

    def _up(self) -> None:
        self.connected_since_ms = self._now_ms()
        self._metrics.connected.set(1)

    def _down(self) -> None:
        self._client = None
        self.connected_since_ms = None
        self._metrics.connected.set(0)


def filters(partitions: Collection[int]) -> list[str]:
    """Topic filters of partitions: two for all, else two for each."""
    levels = ["+"] if len(partitions) == PARTITIONS else sorted(map(str, partitions))
    return [f"{ROOT}/up/{level}/+/{channel}" for level in levels for channel in ("frame", "state")]
