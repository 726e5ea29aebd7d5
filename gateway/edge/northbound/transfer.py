"""Frames to the city, oldest first, and its acknowledgements, over sessions that come and go.

PUBACK proves nothing: a frame stays in the buffer until the city's own acknowledgement. When that
stays away the city is asked what it has, and what it lacks is sent again when it has answered.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence

from edge_config.models.gateway import CITY
from gateway.edge.buffer.cutting import Cut
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.northbound.acks.answers import Answers
from gateway.edge.northbound.preface import Preface
from gateway.edge.northbound.queue import MOST_BYTES, Message, Queue, merge
from gateway.edge.northbound.shared import Shared
from gateway.edge.northbound.sizes import Sizes
from gateway.edge.northbound.window import Window
from gateway.mqtt.client import Client
from gateway.wire.frame import HEADER_BYTES, BodyEncoder, Header, seal
from gateway.wire.messages import Ack
from gateway.wire.topics import frame_topic


class Transfer:
    """Sends what waits, and frees what is acknowledged.

    Args:
        shared: broker, outlet, live view and clock.
        wake: set after each commit of the buffer, and here.

    Attributes:
        publishing: what is on its way to the broker.
        to_commit: set when a commit would free or cut frames.
    """

    def __init__(self, shared: Shared, wake: asyncio.Event) -> None:
        config, outlet = shared.config, shared.outlet
        self._shared = shared
        self._config = config
        self._topic = frame_topic(shared.gateway)
        self._outlet = outlet
        self._wake = wake
        self._window = Window(config.window, config.ack_timeout_ms)
        self._encoder = BodyEncoder()
        self._queue = Queue(config.frame_interval_ms)
        self._preface = Preface(outlet)
        self._sizes = Sizes(config, shared.gateway)
        self._answers = Answers(shared, self._confirmed)
        self._session_s = 0.0
        self.publishing: set[asyncio.Task[None]] = set()
        self.to_commit = asyncio.Event()

    # -- sessions -------------------------------------------------------------------------

    def begin(self, client: Client) -> None:
        """A session begins: what the city lacks goes out when it has said what it has."""
        self._session_s = _seconds()
        self._window.restart()
        self._sizes.connected(client.max_packet_bytes)
        self._preface.connected(self._sizes.limit.bytes)
        self._outlet.limit_frames(self._sizes.body_bytes)
        self._answers.begin()

    def lost(self, group: BaseExceptionGroup[Exception]) -> None:
        """A session has ended by a fault, perhaps for the size of a message."""
        self._answers.end()
        self._sizes.lost(group)

    @property
    def acknowledged(self) -> int:
        """All frames up to and including this one are acknowledged."""
        return self._window.upto

    def hurry(self) -> None:
        """Nothing waits for its second to end any more."""
        self._queue.hurries = True
        self._wake.set()

    # -- frames ---------------------------------------------------------------------------

    async def send(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        """Send for ever: what the window has room for, else wait for something to change."""
        turn = -1
        while True:
            # Before looking: whatever changes from here on wakes us again.
            self._wake.clear()
            if await self._answers.heed():
                continue
            if self._window.overdue(_seconds()):
                self._miss()
            if self._answers.question.is_open:
                await self._ask(client, tasks)
                continue
            # Sending began anew: what was read ahead is behind the frames that go next.
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

    def _miss(self) -> None:
        """Acknowledgements stay away: for the size of a message, or the city hears nothing."""
        self._sizes.overdue()
        self._outlet.limit_frames(self._sizes.body_bytes)
        self._window.restart()
        self._answers.question.open()

    async def _ask(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        """Ask the city what it has, or wait for the answer."""
        if self._answers.question.is_due(_seconds()):
            message = self._answers.message(_seconds())
            self._start(tasks, self._publish_question(client, message))
        self._answers.look(_seconds())
        await self._sleep(self._answers.question.wait_s(_seconds()))

    async def _read(self) -> None:
        """Take frames from memory if they have just been committed, else from the file."""
        # Noted before reading: what is committed meanwhile is looked for the next time.
        after, last = self._queue.read_upto, self._outlet.last_seq
        frames = self._outlet.fresh(after)
        if frames is None:
            frames = await asyncio.to_thread(self._outlet.read, after, MOST_BYTES)
            last = frames[-1].seq if frames else last
        self._queue.add(frames, last)

    async def _send_next(self, client: Client, tasks: asyncio.TaskGroup) -> None:
        most = 1 if self._preface.wanting else self._sizes.merged_bytes  # one always leaves
        frames = self._queue.next_message(most, _seconds())
        if any(map(self._is_unfit, frames)):
            await self._send_fit(client, tasks, frames)
            return
        for one in merge(frames, self._encoder):
            await self._send_one(client, tasks, one)

    def _is_unfit(self, frame: StoredFrame) -> bool:
        """Whether a frame cannot be sent as it is."""
        return len(frame.body) > self._sizes.body_bytes or self._preface.cannot_send(frame)

    async def _send_fit(
        self, client: Client, tasks: asyncio.TaskGroup, frames: Sequence[StoredFrame]
    ) -> None:
        """Send what can be sent, each frame alone, and have the others cut."""
        for frame in frames:
            if self._is_unfit(frame):
                self._cut(frame.seq, self._sizes.body_bytes)
                continue
            (one,) = merge([frame])
            await self._send_one(client, tasks, one)

    def _cut(self, seq: int, max_bytes: int) -> None:
        """Have a frame cut; its pieces come at the end of the buffer."""
        self._outlet.resize(seq, Cut(max_bytes, self._preface.impossible))
        self._window.skip(seq)
        self.to_commit.set()

    async def _send_one(self, client: Client, tasks: asyncio.TaskGroup, one: Message) -> None:
        most = self._sizes.limit.bytes - HEADER_BYTES
        body, room = await self._preface.before(one, self._window.upto, most)
        if room and one.first == one.seq:
            self._cut(one.seq, room)
            return
        header = Header(
            self._outlet.epoch,
            one.seq,
            one.values,
            one.seq - one.first,
            one.chain,
            one.first_ms,
            one.last_ms,
        )
        message = seal(body, header)
        again = self._window.send(one.first, one.seq, _seconds())
        now = self._shared.status
        self._shared.note(sent=now.sent + 1, resent=now.resent + again)
        self._sizes.limit.sent(one.seq, len(message))
        self._start(tasks, self._publish(client, one.seq, message))

    def _start(self, tasks: asyncio.TaskGroup, publishing: Coroutine[None, None, None]) -> None:
        task = tasks.create_task(publishing)
        self.publishing.add(task)
        task.add_done_callback(self.publishing.discard)

    async def _publish_question(self, client: Client, message: bytes) -> None:
        timeout = self._config.ack_timeout_ms / 1000
        await client.publish(self._topic, message, qos=1, timeout=timeout)

    async def _publish(self, client: Client, seq: int, message: bytes) -> None:
        timeout = self._config.ack_timeout_ms / 1000
        await client.publish(self._topic, message, qos=1, timeout=timeout)
        if client.has_refused:  # perhaps this
            return
        if not self._window.acknowledged(seq):
            self._sizes.unanswered.confirmed(seq, len(message))
        # Others wait until this one, alone on its way, has got through.
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

    def hear(self, payload: bytes) -> None:
        """Heed an acknowledgement."""
        ack = self._answers.read(payload)
        now = self._shared.status
        if ack is None:
            self._shared.note(ignored_acks=now.ignored_acks + 1)
            return
        self._shared.note(acks=now.acks + 1)
        if ack.refused:
            self._answers.refused(ack.refused)
        elif self._answers.hear(ack):
            self._wake.set()
        elif self._answers.is_to_ask(ack):
            self._answers.begin()
            self._wake.set()
        elif self._answers.is_compared:
            self._acknowledged(ack)
        # Else it may be of numbers that another life of this buffer has used.

    def _confirmed(self, ack: Ack) -> None:
        """The city has answered what it has: what it lacks goes out (again)."""
        self._acknowledged(ack)
        self._window.restart()

    def _acknowledged(self, ack: Ack) -> None:
        """Heed an acknowledgement of frames that are ours."""
        ranges = tuple((low, high) for low, high in ack.ranges if low <= high)
        sent_s = self._window.acknowledge(ack.upto, ranges, _seconds())
        self._hear_time(ack, sent_s)
        if self._config.name == CITY:
            self._shared.unstored.hear(ack.unstored)
        self._sizes.unanswered.acknowledged(self._window.newest, self._window.acknowledged)
        self._outlet.acknowledge(ack.upto, ranges, ack.closed)
        if self._preface.want(ack.want, _seconds()):
            self._window.restart()
        self.to_commit.set()
        self._wake.set()

    def _hear_time(self, ack: Ack, sent_s: float | None) -> None:
        """Compare clocks: an acknowledgement is younger than the session, and what it is of."""
        if ack.time_ms and self._config.name == CITY:
            since_s = self._session_s if sent_s is None else max(sent_s, self._session_s)
            self._shared.clock.hear_city(ack.time_ms, (_seconds() - since_s) * 1000)


def _seconds() -> float:
    return asyncio.get_running_loop().time()
