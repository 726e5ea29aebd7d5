"""Signs of life: what a gateway says of itself every few seconds, and when a link changes."""

import asyncio
import contextlib

from edge_config.models.gateway import QulinkNorthbound
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.device.clock import Clock
from gateway.edge.live.view import Live
from gateway.mqtt.client import Client
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import state_topic


class SignsOfLife:
    """Says that the gateway lives, and how.

    Args:
        config: the broker.
        gateway: gateway id.
        software: version of qulink.
        outlet: how much waits.
        live: the links.
        clock: the gateway's.
    """

    def __init__(
        self,
        config: QulinkNorthbound,
        gateway: str,
        software: str,
        outlet: Outlet,
        live: Live,
        clock: Clock,
    ) -> None:
        self._config = config
        self._gateway = gateway
        self._software = software
        self._outlet = outlet
        self._live = live
        self._clock = clock

    async def keep_saying(self, client: Client) -> None:
        """Say it for ever."""
        while True:
            await self.say(client, online=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.state_interval_ms / 1000):
                    await self._live.links_changed()

    async def say(self, client: Client, *, online: bool) -> None:
        """Say it once."""
        pending = self._outlet.pending()
        state = State(
            online,
            self._clock.now_ms(),
            f"{self._outlet.epoch:016x}",
            self._outlet.last_seq,
            pending.frames,
            pending.values,
            self._software,
            self._live.links(),
            self._clock.steady_since_ms,
            self._clock.in_doubt,
        )
        timeout = self._config.connect_timeout_ms / 1000
        await client.publish(
            state_topic(self._gateway), encode_message(state), qos=1, timeout=timeout
        )
