"""A city of a few lines: receives frames from a real broker, decodes them, acknowledges them."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator

import aiomqtt

from gateway.core.batch import Batch, Changes, Gap, GapKey
from gateway.core.books import Counts
from gateway.core.schema import Schema
from gateway.wire.columns import FrameError, UnknownSchemaError
from gateway.wire.commands import CommandAnswer, decode_answer
from gateway.wire.frame import Header, decode_frame, read_header
from gateway.wire.messages import Ack, State, decode_state, encode_message
from gateway.wire.records import BooksRecord, GivenUp, Record
from gateway.wire.topics import ack_topic

NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class City:
    """What it holds is plain to see; ``answer`` False keeps it from acknowledging.

    ``tells_time`` True lets it confirm clocks, or contradict them; ``times`` are those of the
    polls of each device, in the order in which they came.
    """

    def __init__(self, port: int, gateway: str, *, forgetful: bool = False) -> None:
        self.port = port
        self.gateway = gateway
        self.answer = True
        self.tells_time = False
        self.unstored: dict[str, tuple[int, int]] = {}  # of ``Ack``
        self.times: dict[str, list[int]] = {}
        self.forgetful = forgetful
        self.schemas: dict[int, Schema] = {}
        self.order: list[int] = []
        self.messages = 0
        self.questions = 0
        self.newest = (0, 0)
        self.values: dict[int, int] = {}
        self.points: set[tuple[str, str, int]] = set()
        self.gaps: dict[GapKey, Gap] = {}
        self.books: dict[tuple[str, object], BooksRecord] = {}
        self.states: list[State] = []
        self.replies: list[CommandAnswer] = []
        self.epoch = 0
        self.upto = 0
        self.above: set[int] = set()
        self.wanted = 0
        self.quarantined: list[int] = []
        self.client: aiomqtt.Client | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["City"]:
        ready = asyncio.Event()
        task = asyncio.create_task(self._run(ready))
        await ready.wait()
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self, ready: asyncio.Event) -> None:
        while True:
            try:
                async with aiomqtt.Client(
                    "127.0.0.1", self.port, socket_options=[NO_DELAY]
                ) as client:
                    self.client = client
                    await client.subscribe("qulink/2/up/+/+/+", qos=1)
                    ready.set()
                    async for message in client.messages:
                        await self._take(client, str(message.topic), bytes(message.payload))
            except aiomqtt.MqttError:
                await asyncio.sleep(0.05)

    async def _take(self, client: aiomqtt.Client, topic: str, body: bytes) -> None:
        if topic.endswith("/state"):
            self.states.append(decode_state(body))
            return
        if topic.endswith("/reply"):
            self.replies.append(decode_answer(body))
            return
        header = read_header(body)
        if header.is_question:
            await self._answer(client, body, header)
            return
        self.order += header.seqs
        self.messages += 1
        self._renew(header.epoch)
        want: list[str] = []
        if self.answer:
            want = self._commit(body, header)
            self.wanted += len(want)
            await self.acknowledge(client, want)

    async def _answer(self, client: aiomqtt.Client, body: bytes, header: Header) -> None:
        self.questions += 1
        if not self.answer:
            return
        self._renew(header.epoch)
        for record in decode_frame(body, {}).records:
            self._keep(record)
        await self.acknowledge(client, [], header.chain)

    def _renew(self, epoch: int) -> None:
        """Another epoch begins at nothing."""
        if self.epoch not in (0, epoch):
            self.upto, self.above, self.values, self.newest = 0, set(), {}, (0, 0)
        self.epoch = epoch

    def _commit(self, body: bytes, header: Header) -> list[str]:
        try:
            frame = decode_frame(body, self.schemas).without(self.values.__contains__)
        except UnknownSchemaError as error:
            return [f"{error.schema_id:016x}"]
        except FrameError:
            self.quarantined += header.seqs
            self._settle(header.seqs, 0)
            return []
        for record in frame.records:
            self._keep(record)
        self.newest = max(self.newest, (header.seq, header.chain))
        self._settle(header.seqs, frame.header.values)
        self.forgetful = False
        return []

    def _settle(self, seqs: range, values: int) -> None:
        for seq in seqs:
            self.values.setdefault(seq, 0)
            self.above.add(seq)
        self.values[seqs[-1]] += values

    def _keep(self, record: Record) -> None:
        match record:
            case Schema():
                if not self.forgetful:
                    self.schemas[record.id] = record
            case Batch():
                self.times.setdefault(record.schema.device, []).append(record.time_ms)
                for at in record.present.nonzero()[0].tolist():
                    name = record.schema.tags[at].name
                    self.points.add((record.schema.device, name, record.time_ms))
            case Changes():
                for at, time in zip(record.index.tolist(), record.time_ms.tolist(), strict=True):
                    self.points.add((record.schema.device, record.schema.tags[at].name, time))
            case Gap():
                self.gaps[record.key] = record
            case GivenUp():
                self.upto = max(self.upto, record.awaited_from - 1)
            case BooksRecord():
                self.books[record.device, record.day] = record

    async def acknowledge(self, client: aiomqtt.Client, want: list[str], answers: int = 0) -> None:
        while self.upto + 1 in self.values:
            self.upto += 1
        self.above = {seq for seq in self.above if seq > self.upto}
        ranges = [(seq, seq) for seq in sorted(self.above)]
        newest, chain = self.newest
        ack = Ack(
            f"{self.epoch:016x}",
            self.upto,
            ranges,
            want,
            newest=newest,
            chain=chain,
            answers=answers,
            time_ms=time.time_ns() // 1_000_000 if self.tells_time else 0,
            unstored=self.unstored,
        )
        await client.publish(ack_topic(self.gateway), encode_message(ack), qos=1)

    def totals(self) -> Counts:
        total = Counts()
        for record in self.books.values():
            total.add(
                Counts(
                    record.due,
                    record.ok,
                    record.failed,
                    record.skipped,
                    record.suppressed,
                    record.buffered,
                    dict(record.dropped),
                    dict(record.uncertain),
                )
            )
        return total
