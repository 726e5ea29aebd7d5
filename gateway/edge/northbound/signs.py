"""Signs of life: what a gateway says of itself every few seconds, and when a link changes."""

import asyncio
import contextlib
import logging

import msgspec

from gateway.edge.northbound.limit import PACKET_BYTES
from gateway.edge.northbound.shared import Shared
from gateway.mqtt.client import Client
from gateway.wire.messages import State, encode_message
from gateway.wire.topics import state_topic

_log = logging.getLogger(__name__)


class SignsOfLife:
    """Says that the gateway lives, and how.

    Args:
        shared: broker, how much waits, the links, and the clock.
        software: version of qulink.
    """

    def __init__(self, shared: Shared, software: str) -> None:
        self._config = shared.config
        self._topic = state_topic(shared.gateway)
        self._software = software
        self._outlet = shared.outlet
        self._live = shared.live
        self._clock = shared.clock
        self._is_logged = False

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
        await client.publish(self._topic, message, qos=1, timeout=timeout)

    def _fitting(self, state: State, max_bytes: int | None) -> bytes:
        """A state that the broker takes: one that is refused would end each session."""
        message = encode_message(state)
        size = len(message) + len(self._topic) + PACKET_BYTES
        if max_bytes is None or size <= max_bytes:
            return message
        if not self._is_logged:
            self._is_logged = True
            _log.error(
                "broker %s takes no message of %d bytes, so the state of the devices is not sent; "
                "raise its limit, or divide the gateway",
                self._config.url,
                size,
            )
        return encode_message(msgspec.structs.replace(state, devices={}))
