"""Frames to the city over MQTT, oldest first; freed when the city has acknowledged them.

PUBACK proves nothing: a frame stays in the buffer until the city's own acknowledgement, and is
sent again when that does not come. Reconnection is ours; the client library's is not used.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec

from edge_config.models.gateway import MqttNorthbound
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.commit import StoredFrame
from gateway.edge.live.view import Live
from gateway.edge.northbound.preface import Preface
from gateway.edge.northbound.window import Window
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, Will
from gateway.wire.frame import Header, seal
from gateway.wire.messages import State, decode_ack, encode_message
from gateway.wire.topics import ack_topic, frame_topic, state_topic

log = logging.getLogger(__name__)

MAX_INFLIGHT = 20
"""Publishes without PUBACK; brokers allow 20 unless told otherwise (mosquitto, MQTT 5)."""

READ_BYTES = 1024 * 1024
"""Frames are taken from the buffer in portions of about this size."""


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
        self._preface = Preface(buffer)
        self._attempts = Attempts(config.url, config.retry_max_ms)
        self._publishing: set[asyncio.Task[None]] = set()
        self._suspected = False
        self._acked = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Connect and send until :meth:`close`."""
        while not self._closing.is_set():
            try:
                await self._session()
            except* LOSSES as group:
                self._lost(self._attempts.failed(group))
            _heed_cancellation()
            await self._pause()

    def close(self) -> None:
        """Say goodbye, if a session stands, and make :meth:`run` return."""
        self._closing.set()

    async def drain(self, commit: Callable[[], Awaitable[object]]) -> None:
        """Wait until the city has acknowledged everything that the buffer holds.

        Args:
            commit: makes the buffer free what is acknowledged; may add frames.
        """
        while self._buffer.pending().frames:
            self._acked.clear()
            if self._buffer.unfreed:
                await commit()
            else:
                await self._acked.wait()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._attempts.pause_s):
                await self._closing.wait()

    # -- one session ----------------------------------------------------------------------

    async def _session(self) -> None:
        async with self._client() as client:
            await client.listen(ack_topic(self._gateway))
            self._window.restart()
            self._note(connected=True, since_ms=self._now_ms(), error="")
            with self._attempts.session():
                await self._serve(client)
            await self._say(client, online=False)

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
                tasks.create_task(self._acknowledgements(client)),
                tasks.create_task(self._send(client, tasks)),
                tasks.create_task(self._states(client)),
            ]
            await self._closing.wait()
            for task in (*running, *self._publishing):
                task.cancel()

    def _lost(self, words: str) -> None:
        before = self._live.northbound()
        since_ms = self._now_ms() if before.connected or not before.error else before.since_ms
        self._note(connected=False, since_ms=since_ms, error=words)

    def _note(self, **changes: Any) -> None:
        self._live.set_northbound(replace(self._live.northbound(), **changes))

    # -- frames ---------------------------------------------------------------------------

    async def _send(self, client: Client, tasks: asyncio.TaskGroup) -> None:
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
            if queue and not self._window.full:
                await self._send_one(client, tasks, queue.popleft())
                continue
            if not self._window.full and self._window.sent < self._buffer.last_seq:
                queue.extend(await asyncio.to_thread(self._read))
            if not queue or self._window.full:
                await self._sleep()

    def _read(self) -> list[StoredFrame]:
        return self._buffer.read(self._window.sent, READ_BYTES)

    async def _send_one(self, client: Client, tasks: asyncio.TaskGroup, frame: StoredFrame) -> None:
        if self._window.acknowledged(frame.seq):
            self._window.skip(frame.seq)
            return
        body = await self._preface.before(frame, self._window.upto)
        message = seal(body, Header(self._buffer.epoch, frame.seq, frame.values))
        again = self._window.send(frame.seq, _seconds())
        now = self._live.northbound()
        self._note(sent=now.sent + 1, resent=now.resent + again)
        task = tasks.create_task(self._publish(client, message))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, client: Client, message: bytes) -> None:
        timeout = self._config.ack_timeout_ms / 1000
        await client.publish(frame_topic(self._gateway), message, qos=1, timeout=timeout)

    async def _sleep(self) -> None:
        """Until a commit, an acknowledgement, or the time to send again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._window.patience(_seconds())):
                await self._wake.wait()

    # -- acknowledgements -----------------------------------------------------------------

    async def _acknowledgements(self, client: Client) -> None:
        async for messages in client.received():
            for message in messages:
                payload = message.payload
                self._acknowledged(payload if isinstance(payload, bytes) else b"")

    def _acknowledged(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except msgspec.DecodeError:
            self._ignore()
            return
        last = self._buffer.last_seq
        tops = [ack.upto, ack.closed - 1, *(high for _, high in ack.ranges)]
        lows = [ack.upto, ack.closed, *(low for low, _ in ack.ranges)]
        if ack.epoch != self._epoch or max(tops) > last or min(lows) < 0:
            self._ignore()
            if ack.epoch == self._epoch and max(tops) > last:
                self._suspect(max(tops), last)
            return
        self._note(acks=self._live.northbound().acks + 1)
        ranges = tuple((low, high) for low, high in ack.ranges if low <= high)
        self._window.acknowledge(ack.upto, ranges, _seconds())
        self._buffer.acknowledge(ack.upto, ranges, ack.closed)
        if self._preface.want(ack.want, _seconds()) or ack.again:
            self._window.restart()
        self._acked.set()
        self._wake.set()

    def _ignore(self) -> None:
        self._note(ignored_acks=self._live.northbound().ignored_acks + 1)

    def _suspect(self, told: int, last: int) -> None:
        """Say once that the buffer has been set back: its next numbers are used already."""
        if not self._suspected:
            self._suspected = True
            log.error(
                "the city holds frame %d of this buffer, whose last is %d: the buffer is an older "
                "copy, and new values may be taken for old ones; stop the gateway, remove the "
                "buffer's files, and start it again",
                told,
                last,
            )

    # -- signs of life --------------------------------------------------------------------

    async def _states(self, client: Client) -> None:
        while True:
            await self._say(client, online=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._config.state_interval_ms / 1000):
                    await self._live.links_changed()

    async def _say(self, client: Client, *, online: bool) -> None:
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


def _heed_cancellation() -> None:
    """End the task if it has been cancelled: a fault in the same turn outranks that in a group."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
