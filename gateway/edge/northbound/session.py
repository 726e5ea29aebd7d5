"""The connection of an edge to a city over MQTT: made, kept, made again, and ended in order.

Reconnection is ours; the client library's is not used.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from edge_config.models.gateway import CITY, QulinkNorthbound
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.commands.writer import Writer
from gateway.edge.device.clock import Clock
from gateway.edge.live.view import Live
from gateway.edge.northbound.acks.unstored import Unstored
from gateway.edge.northbound.orders import Orders, bytes_of
from gateway.edge.northbound.shared import Shared
from gateway.edge.northbound.signs import SignsOfLife
from gateway.edge.northbound.transfer import Transfer
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, Will
from gateway.retry import heed_cancellation
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import ack_topic, state_topic

log = logging.getLogger(__name__)

MAX_INFLIGHT = 20
"""Publishes without PUBACK; brokers allow 20 unless told otherwise (mosquitto, MQTT 5)."""


class Northbound:
    """Sends what the buffer holds.

    Args:
        config: the broker.
        gateway: gateway id.
        software: version of qulink, for signs of life.
        outlet: what to send.
        wake: set after each commit of the buffer, and by acknowledgements.
        live: the connection is noted in it; read for signs of life.
        clock: the gateway's; the city confirms it.
        unstored: told what the city could not store.
        writer: carries out what the city commands; None: it commands nothing.
    """

    def __init__(
        self,
        *,
        config: QulinkNorthbound,
        gateway: str,
        software: str,
        outlet: Outlet,
        wake: asyncio.Event,
        live: Live,
        clock: Clock,
        unstored: Unstored,
        writer: Writer | None = None,
    ) -> None:
        self._shared = shared = Shared(config, gateway, outlet, live, clock, unstored)
        self._config = config
        self._gateway = gateway
        self._outlet = outlet
        self._signs = SignsOfLife(shared, software)
        self._transfer = Transfer(shared, wake)
        # The city of the books alone may command: there is one word on what a machine does.
        self._orders = Orders(gateway, writer if config.name == CITY else None)
        self._attempts = Attempts(config.url, config.retry_max_ms)
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Connect and send until :meth:`close`."""
        while not self._closing.is_set():
            try:
                await self._session()
            except* LOSSES as group:
                self._transfer.lost(group)
                self._lost(self._attempts.failed(group))
            heed_cancellation()  # a fault in the same turn outranks it in a group
            await self._pause()

    def close(self) -> None:
        """Say goodbye, if a session stands, and make :meth:`run` return."""
        self._closing.set()

    @property
    def acknowledged(self) -> int:
        """All frames up to and including this one are acknowledged."""
        return self._transfer.acknowledged

    async def drain(self, commit: Callable[[], Awaitable[object]]) -> None:
        """Wait until the city has acknowledged everything that the buffer holds.

        Args:
            commit: makes the buffer free what is acknowledged; may add frames.
        """
        self._transfer.hurry()
        while self._outlet.pending().frames:
            self._transfer.to_commit.clear()
            if self._outlet.unfreed:
                await commit()
            else:
                await self._transfer.to_commit.wait()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._attempts.pause_s):
                await self._closing.wait()

    # -- one session ----------------------------------------------------------------------

    async def _session(self) -> None:
        async with self._client() as client:
            self._transfer.begin(client)
            await client.listen(ack_topic(self._gateway))
            await self._orders.begin(client)
            self._shared.note(connected=True, since_ms=self._shared.clock.now_ms(), error="")
            with self._attempts.session():
                await self._serve(client)
            await self._signs.say(client, online=False)

    def _client(self) -> Client:
        """A client whose will says that the gateway is offline."""
        gateway = self._gateway
        return Client(
            self._config,
            username=self._config.username or gateway,
            identifier=f"qulink-{gateway}",
            will=Will(state_topic(gateway), encode_message(State(online=False)), qos=1),
            inflight=min(self._config.window + 2, MAX_INFLIGHT),
        )

    async def _serve(self, client: Client) -> None:
        """Send, listen and say that we live, until :meth:`close`."""
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(self._hear(client, tasks)),
                tasks.create_task(self._transfer.send(client, tasks)),
                tasks.create_task(self._signs.keep_saying(client)),
            ]
            await self._closing.wait()
            for task in (*running, *self._transfer.publishing, *self._orders.answering):
                task.cancel()

    async def _hear(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        """Heed acknowledgements and commands until the session ends."""
        async for messages in client.received():
            for message in messages:
                if self._orders.are_on(message.topic.value):
                    self._orders.hear(client, tasks, message)
                else:
                    self._transfer.hear(bytes_of(message))

    def _lost(self, words: str) -> None:
        before = self._shared.status
        since_ms = (
            self._shared.clock.now_ms() if before.connected or not before.error else before.since_ms
        )
        self._shared.note(connected=False, since_ms=since_ms, error=words)
