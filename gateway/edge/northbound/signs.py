"""Signs of life: what a gateway says of itself every few seconds, and when a link changes."""

import asyncio
import contextlib
import logging

import msgspec

from edge_config.models.gateway import QulinkNorthbound
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.device.clock import Clock
from gateway.edge.live.view import Live
from gateway.edge.northbound.limit import PACKET_BYTES
from gateway.mqtt.client import Client
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import state_topic

_log = logging.getLogger(__name__)


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
        self._is_told = False

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
        message = self._fitting(state, client.max_packet_bytes)
        await client.publish(state_topic(self._gateway), message, qos=1, timeout=timeout)

    def _fitting(self, state: State, max_bytes: int | None) -> bytes:
        """A state that the broker takes: one that is refused would end each session."""
        message = encode_message(state)
        size = len(message) + len(state_topic(self._gateway)) + PACKET_BYTES
        if max_bytes is None or size <= max_bytes:
            return message
        if not self._is_told:
            self._is_told = True
            _log.error(
                "broker %s takes no message of %d bytes, so the state of the devices is not sent; "
                "raise its limit, or divide the gateway",
                self._config.url,
                size,
            )
        return encode_message(msgspec.structs.replace(state, devices={}))
