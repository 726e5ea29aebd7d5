"""The uplink by an MQTT broker: one inbox for frames, one for signs of life."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable

from edge_config.models.city import BrokerConfig
from gateway.city.ingest.limits import INBOX_FRAMES, INBOX_STATES, SENDER_FRAMES, SENDER_STATES
from gateway.city.ingest.uplink.inbox import Inbox, Incoming
from gateway.city.live.metrics import CityMetrics
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, MqttError
from gateway.wire.messages import Ack, encode_message
from gateway.wire.topics import (
    ALL_PARTITIONS,
    PARTITIONS,
    ROOT,
    ack_topic,
    partition_of,
)


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
        # never the same twice: presence knows by it that partitions have changed
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
