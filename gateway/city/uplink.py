"""The city's connection to the broker: one inbox for frames, one for signs of life.

The inbox of frames is bounded in bytes. When the store is away and the inbox is full, frames are
shed and counted, not queued: the edges keep them until they are acknowledged and send them again,
so the only durable queue stays the one on the edge. Shedding rather than not reading keeps the
connection alive and the signs of life flowing.
"""

import asyncio
import logging
import random
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiomqtt

from edge_config.base import SecretUnavailableError
from edge_config.city import BrokerConfig
from gateway.city.metrics import CityMetrics
from gateway.core.schedule import backoff_ms
from gateway.wire.topics import ROOT, partition_of

log = logging.getLogger(__name__)

INBOX_BYTES = 64 * 1024 * 1024
"""Most bytes of frames that wait to be handled."""
STATE_MESSAGES = 20_000
"""Most state messages that wait."""
_RETRY_MIN_MS = 500
_LEVELS = 6
_REFUSED = 0x80
_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as it came."""

    topic: str
    payload: bytes
    received_ms: int


class Inbox:
    """Messages that wait, bounded in bytes and number; what comes above is shed."""

    def __init__(self, max_bytes: int, max_messages: int) -> None:
        self._limit = (max_bytes, max_messages)
        self._waiting: deque[Incoming] = deque()
        self._some = asyncio.Event()
        self.bytes = 0

    def put(self, message: Incoming) -> bool:
        """Take a message in; returns False if there is no room."""
        size = len(message.payload)
        max_bytes, max_messages = self._limit
        if self._waiting and (self.bytes + size > max_bytes or len(self._waiting) >= max_messages):
            return False
        self.bytes += size
        self._waiting.append(message)
        self._some.set()
        return True

    def take(self) -> Incoming | None:
        """The oldest message; None if none waits."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self.bytes -= len(message.payload)
        return message

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
        self._client: aiomqtt.Client | None = None
        self.frames = Inbox(INBOX_BYTES, 100_000)
        self.states = Inbox(INBOX_BYTES, STATE_MESSAGES)
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
        failures = 0
        while True:
            try:
                async with self._new_client() as client:
                    await self._subscribe(client)
                    heed_cancellation()
                    self._up(client, failures)
                    failures = 0
                    await self._receive(client)
            except (aiomqtt.MqttError, OSError, SecretUnavailableError) as error:
                heed_cancellation()
                failures += 1
                if failures == 1:
                    log.warning("broker %s lost: %s; trying again", self._config.url, error)
            finally:
                self._down()
            await asyncio.sleep(self._pause_s(failures))

    def _pause_s(self, failures: int) -> float:
        longest = backoff_ms(max(failures, 1), _RETRY_MIN_MS, self._config.retry_max_ms)
        return longest * random.uniform(0.5, 1.0) / 1000  # noqa: S311 - spreads reconnections

    async def publish(self, topic: str, payload: bytes) -> None:
        """Publish at most once; while the broker is away nothing happens.

        An acknowledgement that is lost is repeated when the edge sends the frame again.
        """
        client = self._client
        if client is None:
            return
        try:
            await client.publish(topic, payload, qos=0)
        except aiomqtt.MqttError as error:
            log.debug("publishing to %s failed: %s", topic, error)
        heed_cancellation()

    def _new_client(self) -> aiomqtt.Client:
        config = self._config
        address = urlsplit(config.url)
        return aiomqtt.Client(
            address.hostname or "",
            address.port or _PORTS[address.scheme],
            username=config.username,
            password=config.password.reveal() if config.password else None,
            protocol=(
                aiomqtt.ProtocolVersion.V5
                if config.protocol == "5"
                else aiomqtt.ProtocolVersion.V311
            ),
            keepalive=config.keepalive_s,
            timeout=config.connect_timeout_ms / 1000,
            tls_context=_tls(config) if address.scheme == "mqtts" else None,
        )

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        for partition in partitions(self._config):
            for channel in ("frame", "state"):
                topic = f"{ROOT}/up/{partition}/+/{channel}"
                for granted in await client.subscribe(topic, qos=1):
                    code = granted if isinstance(granted, int) else granted.value
                    if code >= _REFUSED:
                        raise aiomqtt.MqttError(f"the broker refuses to subscribe us to {topic}")

    async def _receive(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            topic = message.topic.value
            incoming = Incoming(topic, payload, self._now_ms())
            inbox = self.states if topic.endswith("/state") else self.frames
            if inbox is self.frames and len(levels := topic.split("/")) == _LEVELS:
                self._heard[levels[4]] = incoming.received_ms
            if not inbox.put(incoming):
                self._metrics.shed.inc()
            self._metrics.inbox_bytes.set(self.frames.bytes + self.states.bytes)

    def _up(self, client: aiomqtt.Client, failures: int) -> None:
        self._client = client
        self.connected_since_ms = self._now_ms()
        self._metrics.connected.set(1)
        log.info("broker %s connected after %d failed attempts", self._config.url, failures)

    def _down(self) -> None:
        self._client = None
        self.connected_since_ms = None
        self._metrics.connected.set(0)


def heed_cancellation() -> None:
    """End the task if it has been cancelled and the MQTT client has swallowed that.

    The client waits with ``asyncio.wait_for``, which in Python 3.11 loses a cancellation that
    comes in the same turn as the answer; and leaving the client may put its own error in place.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def partitions(config: BrokerConfig) -> list[str]:
    """Partition levels to subscribe to: one wildcard for all 256, else each by number."""
    first, last = config.first_partition, config.last_partition
    if (first, last) == (0, 255):
        return ["+"]
    return [str(number) for number in range(first, last + 1)]


def _tls(config: BrokerConfig) -> ssl.SSLContext:
    tls = config.tls
    context = ssl.create_default_context(
        cafile=str(tls.ca_file) if tls is not None and tls.ca_file else None
    )
    if tls is not None and tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context
