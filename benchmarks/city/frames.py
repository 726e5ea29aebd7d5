"""Frames a second that one worker of the city takes: real broker, real store, real process.

Small frames of many gateways are published as edges do it: some frames of each gateway are on
their way, and an acknowledgement frees them. What counts is the processor time of the worker
alone; broker, store and the publisher share the machine and are left out.
"""

import selectors
import socket
import struct
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from benchmarks.city.codec import USCC, bench_schema, random_batch
from benchmarks.processes import HERE
from benchmarks.usage import snapshot
from gateway.city.db.operation import begin
from gateway.city.db.upgrade import open_database
from gateway.city.registry import enrolment
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import decode_ack
from gateway.wire.records import encode_begin, encode_record
from gateway.wire.topics import ack_topic, frame_topic
from tests.support.broker import Mosquitto
from tests.support.city import city_config
from tests.support.city_db import add_enterprise, add_machine
from tests.support.influxd import Influxd
from tests.support.peers import free_port
from tests.support.postgres import Postgres

EPOCH = 0xBE9C0000BE9C0000
START_MS = 1_700_000_000_000
RESEND_S = 10.0
PATIENCE_S = 60.0
"""Without any acknowledgement for so long, the city is not going to answer."""
WARM_UP = 3
"""Frames of each gateway before the clock starts: schemas are learnt, tables are made."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one worker is given to do.

    Attributes:
        influx: whether values go to a real InfluxDB 1.x; else to the embedded store.
        postgres: whether everything else goes to a real PostgreSQL; else to SQLite.
        window: messages of one gateway that are on their way.
        merged: frames of a message, as a gateway that is behind sends them.
        gateways: how many publish.
        each: frames of each.
        tags: float32 values of a frame.
    """

    influx: bool
    postgres: bool = False
    window: int = 1
    merged: int = 1
    gateways: int = 1_000
    each: int = 60
    tags: int = 30

    def __str__(self) -> str:
        store = "InfluxDB 1.x" if self.influx else "embedded store"
        database = "PostgreSQL" if self.postgres else "SQLite"
        return (
            f"frames a worker, {self.tags} values each, {self.gateways} gateways with "
            f"{self.window} messages of {self.merged} on their way, {store}, {database}"
        )


LOADS = (
    Load(influx=False, window=10),
    Load(influx=True, window=10),
    Load(influx=True),
    Load(influx=True, postgres=True),
)
DRAIN = Load(influx=True, postgres=True, window=20, merged=400, gateways=200, each=3_600)
"""What 200 gateways of one frame a second have after an hour without their city, in messages of
64 KiB before compression."""


def measure() -> list[dict[str, object]]:
    """Measure one worker under each load."""
    return list(map(_measure, LOADS))


def measure_drain() -> list[dict[str, object]]:
    """How long it takes to catch up with an hour's outage, and what that comes to for 1,000."""
    result = _measure(DRAIN)
    hour = 3_600 * 1_000 / float(str(result["frames_per_s"]))
    return [
        result | {"name": f"outage of an hour, {DRAIN}", "minutes_of_1000": round(hour / 60, 1)}
    ]


def _measure(load: Load) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        broker = stack.enter_context(
            Mosquitto(
                folder, "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100"
            )
        )
        store: dict[str, object] = {"type": "embedded"}
        if load.influx:
            server = stack.enter_context(Influxd(folder))
            server.query("CREATE DATABASE qulink")
            store = {"type": "influxdb1", "url": server.url, "database": "qulink"}
        database = "sqlite:///city.db"
        if load.postgres:
            database = stack.enter_context(Postgres(folder)).url
        names = [f"gw-{number}" for number in range(load.gateways)]
        file = _city(folder, broker.url, database, store, names)
        output = folder / "city.log"
        worker = HERE.run(stack, "-m", "gateway", "city", str(file), output=output)
        _until(lambda: ": connected" in output.read_text(), output)
        senders = [_Sender(name, load.tags) for name in names]
        publisher = _Publisher(broker.port, senders, load, output)
        publisher.run(WARM_UP)
        first = snapshot(worker.pid)
        publisher.run(load.each)
        last = snapshot(worker.pid)
        frames = (load.each - WARM_UP) * load.gateways
        return {
            "name": str(load),
            "frames_per_cpu_s": round(frames / (last.cpu_s - first.cpu_s)),
            "frames_per_s": round(frames / (last.at_s - first.at_s)),
            "cpu_ms_per_frame": round(1000 * (last.cpu_s - first.cpu_s) / frames, 3),
            "sent_again": publisher.sent_again,
            "rss_mib": round(last.rss_bytes / 2**20),
        }


def _city(
    folder: Path, url: str, database: str, store: dict[str, object], names: list[str]
) -> Path:
    """A city with its gateways enrolled; the configuration file."""
    config = city_config(url, folder, store=store, demonstration=True, database={"url": database})
    opened = open_database(config)
    with opened.engine.begin() as connection:
        begin(connection, date(2020, 1, 1))  # or the values would be from before it, no evidence
        add_enterprise(connection, USCC)
        for name in names:
            enrolment.add(connection, name, USCC, "1", 0)
            add_machine(connection, USCC, name.replace("gw-", "A"))
    opened.close()
    file = folder / "city.yaml"
    file.write_text(
        f"city: {{region: '330800', name_zh: 衢州, name_en: Quzhou}}\n"
        f"data_dir: {folder}\n"
        f"broker: {{url: '{url}'}}\n"
        f"database: {{url: '{database}'}}\n"
        f"store: {{{', '.join(f'{key}: {value!r}' for key, value in store.items())}}}\n"
        "identifier: {prefix: '88.999'}\n"
        "demonstration: true\n"
        f"console: {{listen: '127.0.0.1:{free_port()}'}}\n"
        f"node: {{type: embedded, listen: '127.0.0.1:{free_port()}'}}\n"
    )
    return file


def _until(condition: Callable[[], bool], output: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"bench: the city did not start:\n{output.read_text()}")
        time.sleep(0.1)


@dataclass(slots=True)
class _Sender:
    """One gateway: which frames are made, on their way, acknowledged."""

    name: str
    tags: int
    sent: int = 0
    acked: int = 0
    sent_s: float = 0.0
    _encoder: BodyEncoder = field(default_factory=BodyEncoder)

    def message(self, seqs: range) -> bytes:
        """Neighbouring frames, of which the very first brings the schema."""
        schema = bench_schema(self.tags, f"d{self.name.removeprefix('gw-')}")
        encoded = [encode_record(schema)] if seqs[0] == 1 else []
        for seq in seqs:
            if len(seqs) > 1:
                encoded.append(encode_begin(seq, self.tags))
            batch = random_batch(schema, START_MS + 1000 * seq, _RANDOM)
            encoded.append(encode_record(batch))
        values, before = self.tags * len(seqs), len(seqs) - 1
        return seal(self._encoder.compress(encoded), Header(EPOCH, seqs[-1], values, before))


_RANDOM = np.random.default_rng(1)


class _Publisher:
    """A plain MQTT 3.1.1 connection that costs little: the machine is shared with the worker."""

    def __init__(self, port: int, senders: list[_Sender], load: Load, output: Path) -> None:
        self._senders = {sender.name: sender for sender in senders}
        self._load = load
        self._output = output
        self._heard_s = time.monotonic()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._received = bytearray()
        self._mid = 0
        self.sent_again = 0
        self._ask(_packet(0x10, b"\0\4MQTT\4\2\0\0" + _text("bench")), 4)
        self._ask(_packet(0x82, b"\0\1" + _text(ack_topic("+")) + b"\0"), 5)
        self._socket.setblocking(False)

    def _ask(self, packet: bytes, size: int) -> None:
        self._socket.sendall(packet)
        while len(self._received) < size:
            self._received += self._socket.recv(size - len(self._received))
        self._received.clear()

    def run(self, each: int) -> None:
        """Publish until so many frames of each gateway are acknowledged."""
        self._heard_s = time.monotonic()
        waiting = deque[bytes]()
        selector = selectors.DefaultSelector()
        selector.register(self._socket, selectors.EVENT_READ)
        while any(sender.acked < each for sender in self._senders.values()):
            now = time.monotonic()
            if now - self._heard_s > PATIENCE_S:
                sys.exit(
                    f"bench: the city acknowledges nothing:\n{self._output.read_text()[-2000:]}"
                )
            for sender in self._senders.values():
                if sender.acked < sender.sent and now - sender.sent_s > RESEND_S:
                    self.sent_again += sender.sent - sender.acked
                    sender.sent = sender.acked
                room = min(each, sender.acked + self._load.window * self._load.merged)
                while sender.sent < room:
                    seqs = range(sender.sent + 1, min(sender.sent + self._load.merged, room) + 1)
                    sender.sent, sender.sent_s = seqs[-1], now
                    waiting.append(self._publish(sender, seqs))
            self._flush(waiting)
            for _ in selector.select(0.02):
                self._read()
        selector.close()

    def _publish(self, sender: _Sender, seqs: range) -> bytes:
        self._mid = self._mid % 65_535 + 1
        head = _text(frame_topic(sender.name)) + struct.pack("!H", self._mid)
        return _packet(0x32, head + sender.message(seqs))

    def _flush(self, waiting: deque[bytes]) -> None:
        data = memoryview(b"".join(waiting))
        waiting.clear()
        while data:
            try:
                data = data[self._socket.send(data[:262_144]) :]
            except BlockingIOError:
                self._read()
                time.sleep(0.001)

    def _read(self) -> None:
        try:
            self._received += self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        for kind, body in self._packets():
            if kind & 0xF0 == 0x30:
                size = int.from_bytes(body[:2], "big")
                sender = self._senders[bytes(body[2 : 2 + size]).decode().split("/")[3]]
                ack = decode_ack(bytes(body[2 + size :]))
                if not ack.again:
                    self._heard_s = time.monotonic()
                    sender.acked = max(sender.acked, ack.upto)

    def _packets(self) -> Iterator[tuple[int, bytes]]:
        data, at = self._received, 0
        while len(data) - at >= 2:
            size = shift = 0
            start = at + 1
            while start < len(data):
                size |= (data[start] & 127) << shift
                shift += 7
                start += 1
                if not data[start - 1] & 128:
                    break
            if len(data) < start + size:
                break
            yield data[at], bytes(data[start : start + size])
            at = start + size
        del data[:at]


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded


def _packet(kind: int, body: bytes) -> bytes:
    size, left = bytearray(), len(body)
    while True:
        left, digit = left >> 7, left & 127
        size.append(digit | (0x80 if left else 0))
        if not left:
            return bytes((kind,)) + bytes(size) + body
