"""Frames to the city over MQTT, oldest first; freed when the city has acknowledged them.

PUBACK proves nothing: a frame stays in the buffer until the city's own acknowledgement, and is
sent again when that does not come. Reconnection is ours; the client library's is not used.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from edge_config.models.gateway import CITY, QulinkNorthbound
from gateway.edge.buffer.outlet import Outlet
from gateway.edge.device.clock import Clock
from gateway.edge.live.records import NorthboundLive
from gateway.edge.live.view import Live
from gateway.edge.northbound.answers import Answers
from gateway.edge.northbound.preface import PREFACE_BYTES, Preface
from gateway.edge.northbound.queue import MOST_BYTES, Message, Queue, merge
from gateway.edge.northbound.signs import SignsOfLife
from gateway.edge.northbound.sizes import Sizes
from gateway.edge.northbound.window import Window
from gateway.mqtt.attempts import Attempts
from gateway.mqtt.client import LOSSES, Client, Will
from gateway.wire.frame import HEADER_BYTES, BodyEncoder, Header, seal
from gateway.wire.messages import Ack, State, encode_message
from gateway.wire.topics import ack_topic, frame_topic, state_topic

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
        wake: set after each commit of the buffer, and here.
        live: the connection is noted in it; read for signs of life.
        clock: the gateway's; the city confirms it.
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
    ) -> None:
        self._config = config
        self._gateway = gateway
        self._outlet = outlet
        self._wake = wake
        self._live = live
        self._clock = clock
        self._session_s = 0.0
        self._signs = SignsOfLife(config, gateway, software, outlet, live, clock)
        self._window = Window(config.window, config.ack_timeout_ms)
        self._encoder = BodyEncoder()
        self._queue = Queue(config.frame_interval_ms)
        self._preface = Preface(outlet)
        self._sizes = Sizes(config, gateway)
        self._attempts = Attempts(config.url, config.retry_max_ms)
        self._publishing: set[asyncio.Task[None]] = set()
        self._answers = Answers(outlet)
        self._to_commit = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Connect and send until :meth:`close`."""
        while not self._closing.is_set():
            try:
                await self._session()
            except* LOSSES as group:
                self._sizes.lost(group)
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
        self._queue.hurries = True
        self._wake.set()
        while self._outlet.pending().frames:
            self._to_commit.clear()
            if self._outlet.unfreed:
                await commit()
            else:
                await self._to_commit.wait()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._attempts.pause_s):
                await self._closing.wait()

    # -- one session ----------------------------------------------------------------------

    async def _session(self) -> None:
        async with self._client() as client:
            self._session_s = _seconds()
            await client.listen(ack_topic(self._gateway))
            self._window.restart()
            self._sizes.connected(client.max_packet_bytes)
            self._outlet.limit_frames(self._sizes.body_bytes)
            self._note(connected=True, since_ms=self._clock.now_ms(), error="")
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
                tasks.create_task(self._acknowledgements(client)),
                tasks.create_task(self._send(client, tasks)),
                tasks.create_task(self._signs.keep_saying(client)),
            ]
            await self._closing.wait()
            for task in (*running, *self._publishing):
                task.cancel()

    def _lost(self, words: str) -> None:
        before = self._status
        since_ms = self._clock.now_ms() if before.connected or not before.error else before.since_ms
        self._note(connected=False, since_ms=since_ms, error=words)

    @property
    def _status(self) -> NorthboundLive:
        return self._live.northbound(self._config.name)

    def _note(self, **changes: Any) -> None:
        self._live.set_northbound(replace(self._status, **changes), self._config.name)

    # -- frames ---------------------------------------------------------------------------

    async def _send(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        """Send for ever: what the window has room for, else wait for something to change."""
        turn = -1
        while True:
            self._wake.clear()
            if self._window.overdue(_seconds()):
                self._send_again()
            if turn != self._window.turn:
                turn = self._window.turn
                self._queue.clear(self._window.sent)
            if self._queue.has_room and self._queue.read_upto < self._outlet.last_seq:
                await self._read()
                continue  # time has passed: look again what has changed
            self._queue.drop(self._window.acknowledged)
            wait_s = self._queue.wait_s(_seconds())
            if wait_s == 0 and not self._window.full and not self._sizes.limit.waits:
                await self._send_next(client, tasks)
            else:
                await self._sleep(wait_s)

    def _send_again(self) -> None:
        """Send again what is not acknowledged; look whether the broker swallows it for its size."""
        self._sizes.overdue()
        self._outlet.limit_frames(self._sizes.body_bytes)
        self._window.restart()

    async def _read(self) -> None:
        """Take frames from memory if they have just been committed, else from the file."""
        after, last = self._queue.read_upto, self._outlet.last_seq
        frames = self._outlet.fresh(after)
        if frames is None:
            frames = await asyncio.to_thread(self._outlet.read, after, MOST_BYTES)
            last = frames[-1].seq if frames else last
        self._queue.add(frames, last)

    async def _send_next(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        most = 1 if self._preface.wanting else self._sizes.merged_bytes  # one is always taken
        frames = self._queue.next_message(most, _seconds())
        if len(frames[0].body) > self._sizes.body_bytes:
            self._cut(frames[0].seq, self._sizes.body_bytes)
            return
        for one in merge(frames, self._encoder):
            await self._send_one(client, tasks, one)

    def _cut(self, seq: int, max_bytes: int) -> None:
        """Have a frame cut; its pieces come at the end of the buffer."""
        self._outlet.resize(seq, max_bytes)
        self._window.skip(seq)
        self._to_commit.set()

    async def _send_one(self, client: Client, tasks: asyncio.TaskGroup, one: Message) -> None:
        most = self._sizes.limit.bytes - HEADER_BYTES
        body, excess = await self._preface.before(one, self._window.upto, most)
        if 0 < excess < self._sizes.body_bytes // 2 and one.first == one.seq:
            self._cut(one.seq, self._sizes.body_bytes - excess - PREFACE_BYTES)
            return
        header = Header(self._outlet.epoch, one.seq, one.values, one.seq - one.first)
        message = seal(body, header)
        again = self._window.send(one.first, one.seq, _seconds())
        now = self._status
        self._note(sent=now.sent + 1, resent=now.resent + again)
        self._sizes.limit.sent(one.seq, len(message))
        task = tasks.create_task(self._publish(client, one.seq, message))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, client: Client, seq: int, message: bytes) -> None:
        timeout = self._config.ack_timeout_ms / 1000
        await client.publish(frame_topic(self._gateway), message, qos=1, timeout=timeout)
        if client.has_refused:  # perhaps this
            return
        if not self._window.acknowledged(seq):
            self._sizes.unanswered.confirmed(seq, len(message))
        held_up = self._sizes.limit.waits
        self._sizes.limit.arrived(seq)
        if held_up:
            self._wake.set()

    async def _sleep(self, wait_s: float | None) -> None:
        """Until a commit, an acknowledgement, or the time to send or to send again."""
        waits = [self._window.patience(_seconds()), wait_s or None]
        shortest = min((one for one in waits if one is not None), default=None)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(shortest):
                await self._wake.wait()

    # -- acknowledgements -----------------------------------------------------------------

    async def _acknowledgements(self, client: Client) -> None:
        async for messages in client.received():
            for message in messages:
                payload = message.payload
                self._answered(payload if isinstance(payload, bytes) else b"")

    def _answered(self, payload: bytes) -> None:
        ack = self._answers.read(payload)
        if ack is None:
            self._note(ignored_acks=self._status.ignored_acks + 1)
            return
        self._note(acks=self._status.acks + 1)
        ranges = tuple((low, high) for low, high in ack.ranges if low <= high)
        sent_s = self._window.acknowledge(ack.upto, ranges, _seconds())
        self._hear_time(ack, sent_s)
        self._sizes.unanswered.acknowledged(self._window.newest, self._window.acknowledged)
        self._outlet.acknowledge(ack.upto, ranges, ack.closed)
        if self._preface.want(ack.want, _seconds()) or ack.again:
            self._window.restart()
        self._to_commit.set()
        self._wake.set()

    def _hear_time(self, ack: Ack, sent_s: float | None) -> None:
        """Compare clocks: an acknowledgement is younger than the session, and what it is of."""
        if ack.time_ms and self._config.name == CITY:
            since_s = self._session_s if sent_s is None else max(sent_s, self._session_s)
            self._clock.hear_city(ack.time_ms, (_seconds() - since_s) * 1000)


def _seconds() -> float:
    return asyncio.get_running_loop().time()


def _heed_cancellation() -> None:
    """End the task if it has been cancelled: a fault in the same turn outranks that in a group."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
