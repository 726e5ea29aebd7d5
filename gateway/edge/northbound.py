"""Frames to the city over MQTT, oldest first; freed when the city has acknowledged them.

PUBACK proves nothing: a frame stays in the buffer until the city's own acknowledgement, and is
sent again when that does not come. Reconnection is ours; the client library's is not used.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiomqtt
import msgspec

from edge_config.base import SecretUnavailableError
from edge_config.gateway import MqttNorthbound
from gateway.core.schedule import backoff_ms, phase_ms
from gateway.edge.buffer import Buffer
from gateway.edge.commit import StoredFrame
from gateway.edge.live import Live
from gateway.edge.mqtt import heed_cancellation, make_client
from gateway.edge.window import Window
from gateway.wire.frame import Header, prepend, seal
from gateway.wire.messages import State, decode_ack, encode_message
from gateway.wire.topics import ack_topic, frame_topic, state_topic

_log = logging.getLogger(__name__)

RETRY_MIN_MS = 500
READ_BYTES = 1024 * 1024
"""Frames are taken from the buffer in portions of about this size."""

WANT_PAUSE_MS = 1_000
"""A schema is not sent again for requests that come closer together than this."""


class Northbound:
    """Sends what the buffer holds.

    Args:
        config: the broker.
        gateway: gateway id.
        software: version of qulink, for signs of life.
        buffer: what to send.
        wake: set after each commit of the buffer, and here.
        live: told about the connection; read for signs of life.
        now_ms: the gateway's clock, UTC milliseconds.
    """

    def __init__(
        self,
        *,
        config: MqttNorthbound,
        gateway: str,
        software: str,
        buffer: Buffer,
        wake: asyncio.Event,
        live: Live,
        now_ms: Callable[[], int],
    ) -> None:
        self._config = config
        self._gateway = gateway
        self._software = software
        self._buffer = buffer
        self._wake = wake
        self._live = live
        self._now_ms = now_ms
        self._epoch = f"{buffer.epoch:016x}"
        self._window = Window(config.window, config.ack_timeout_ms)
        self._wanted: set[str] = set()
        self._want_until = 0.0
        self._failures = 0
        self._publishing: set[asyncio.Task[None]] = set()
        self._acked = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Connect and send until :meth:`close`."""
        while not self._closing.is_set():
            self._failures += 1
            try:
                await self._session()
            except* (aiomqtt.MqttError, OSError, TimeoutError, SecretUnavailableError) as group:
                self._lost(_words(group))
            heed_cancellation()
            await self._pause()

    def close(self) -> None:
        """Say goodbye, if a session stands, and make :meth:`run` return."""
        self._closing.set()

    async def drain(self) -> None:
        """Wait until the city has acknowledged everything; for when nothing is appended."""
        while self._buffer.pending().frames:
            self._acked.clear()
            if self._buffer.unfreed:
                await asyncio.to_thread(self._buffer.flush, self._now_ms())
            else:
                await self._acked.wait()

    async def _pause(self) -> None:
        """Wait before the next attempt, a little differently at every gateway."""
        if self._closing.is_set():
            return
        wait_ms = backoff_ms(max(self._failures, 1), RETRY_MIN_MS, self._config.retry_max_ms)
        wait_ms = wait_ms // 2 + phase_ms(self._gateway, wait_ms // 2)
        try:
            async with asyncio.timeout(wait_ms / 1000):
                await self._closing.wait()
        except TimeoutError:
            return

    # -- one session ----------------------------------------------------------------------

    async def _session(self) -> None:
        async with make_client(self._config, self._gateway) as client:
            async with asyncio.timeout(self._config.connect_timeout_ms / 1000):
                await client.subscribe(ack_topic(self._gateway), qos=1)
            heed_cancellation()
            self._connected()
            async with asyncio.TaskGroup() as tasks:
                running = [
                    tasks.create_task(self._acknowledgements(client)),
                    tasks.create_task(self._send(client, tasks)),
                    tasks.create_task(self._states(client)),
                ]
                await self._closing.wait()
                for task in (*running, *self._publishing):
                    task.cancel()
            await self._say(client, online=False)

    def _connected(self) -> None:
        self._window.restart()
        if self._failures > 1:
            _log.info("broker %s: connected after %d attempts", self._config.url, self._failures)
        self._failures = 0
        self._note(connected=True, since_ms=self._now_ms(), error="")

    def _lost(self, error: str) -> None:
        if self._live.northbound().error == "":
            _log.warning("broker %s: %s; frames are kept and tried again", self._config.url, error)
            self._note(connected=False, since_ms=self._now_ms(), error=error)
        self._failures = max(self._failures, 1)

    def _note(self, **changes: Any) -> None:
        self._live.set_northbound(replace(self._live.northbound(), **changes))

    # -- frames ---------------------------------------------------------------------------

    async def _send(self, client: aiomqtt.Client, tasks: asyncio.TaskGroup) -> None:
        """Send for ever: what the window has room for, else wait for something to change."""
        queue: deque[StoredFrame] = deque()
        turn = -1
        while True:
            self._wake.clear()
            if self._window.overdue(_seconds()):
                self._window.restart()
            if turn != self._window.turn:
                turn = self._window.turn
                queue.clear()
            if not self._window.full and not queue:
                queue.extend(await asyncio.to_thread(self._read))
            elif not self._window.full:
                await self._send_one(client, tasks, queue.popleft())
                continue
            if not queue or self._window.full:
                await self._sleep()

    def _read(self) -> list[StoredFrame]:
        return self._buffer.read(self._window.sent, READ_BYTES)

    async def _send_one(
        self, client: aiomqtt.Client, tasks: asyncio.TaskGroup, frame: StoredFrame
    ) -> None:
        if self._window.acknowledged(frame.seq):
            self._window.skip(frame.seq)
            return
        body = await self._with_wanted(frame.body)
        message = seal(body, Header(self._buffer.epoch, frame.seq, frame.values))
        again = self._window.send(frame.seq, _seconds())
        now = self._live.northbound()
        self._note(sent=now.sent + 1, resent=now.resent + again)
        task = tasks.create_task(self._publish(client, message))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, client: aiomqtt.Client, message: bytes) -> None:
        timeout = self._config.ack_timeout_ms / 1000
        await client.publish(frame_topic(self._gateway), message, qos=1, timeout=timeout)

    async def _sleep(self) -> None:
        """Until a commit, an acknowledgement, or the time to send again."""
        try:
            async with asyncio.timeout(self._window.patience(_seconds())):
                await self._wake.wait()
        except TimeoutError:
            return

    # -- acknowledgements -----------------------------------------------------------------

    async def _acknowledgements(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            self._acknowledged(payload if isinstance(payload, bytes) else b"")

    def _acknowledged(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except msgspec.DecodeError:
            self._ignore()
            return
        last = self._buffer.last_seq
        tops = [ack.upto, *(high for _, high in ack.ranges)]
        lows = [ack.upto, *(low for low, _ in ack.ranges)]
        if ack.epoch != self._epoch or max(tops) > last or min(lows) < 0:
            self._ignore()
            return
        self._note(acks=self._live.northbound().acks + 1)
        ranges = tuple((low, high) for low, high in ack.ranges if low <= high)
        self._window.acknowledge(ack.upto, ranges, _seconds())
        self._buffer.acknowledge(self._window.upto, self._window.ranges)
        if ack.want and _seconds() >= self._want_until:
            self._want_until = _seconds() + WANT_PAUSE_MS / 1000
            self._wanted.update(ack.want)
            self._window.restart()
        self._acked.set()
        self._wake.set()

    def _ignore(self) -> None:
        self._note(ignored_acks=self._live.northbound().ignored_acks + 1)

    async def _with_wanted(self, body: bytes) -> bytes:
        """Put schemas that the city asked for in front of the frame."""
        if not self._wanted:
            return body
        wanted, self._wanted = self._wanted, set()
        schemas = await asyncio.to_thread(self._buffer.schemas, wanted)
        return prepend(body, schemas) if schemas else body

    # -- signs of life --------------------------------------------------------------------

    async def _states(self, client: aiomqtt.Client) -> None:
        while True:
            await self._say(client, online=True)
            heed_cancellation()
            try:
                async with asyncio.timeout(self._config.state_interval_ms / 1000):
                    await self._live.links_changed()
            except TimeoutError:
                continue

    async def _say(self, client: aiomqtt.Client, *, online: bool) -> None:
        pending = self._buffer.pending()
        state = State(
            online,
            self._now_ms(),
            self._epoch,
            self._buffer.last_seq,
            pending.frames,
            pending.values,
            self._software,
            self._live.links(),
        )
        timeout = self._config.connect_timeout_ms / 1000
        await client.publish(
            state_topic(self._gateway), encode_message(state), qos=1, timeout=timeout
        )


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def _words(group: BaseExceptionGroup[BaseException]) -> str:
    """The first fault of a group in words."""
    fault: BaseException = group
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return str(fault) or type(fault).__name__
