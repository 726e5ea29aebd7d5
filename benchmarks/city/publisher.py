"""Many gateways over one plain connection, which send as much as the city acknowledges."""

import selectors
import socket
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.city.codec import bench_schema, random_batch
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.messages import decode_ack
from gateway.wire.records import encode_begin, encode_record
from gateway.wire.topics import ack_topic, frame_topic

_EPOCH = 0xBE9C0000BE9C0000
_START_MS = 1_700_000_000_000
_RESEND_S = 10.0
_PATIENCE_S = 60.0
"""Without any acknowledgement for so long, the city is not going to answer."""
_RANDOM = np.random.default_rng(1)


@dataclass(slots=True)
class Sender:
    """One gateway: which frames are made, on their way, acknowledged."""

    name: str
    tags: int
    sent: int = 0
    acked: int = 0
    sent_s: float = 0.0
    _encoder: BodyEncoder = field(default_factory=BodyEncoder)

    def message(self, seqs: range) -> bytes:
        """Neighbouring frames, of which the very first brings the schema."""
        # A city takes no values of a schema that it has not seen.
        schema = bench_schema(self.tags, f"d{self.name.removeprefix('gw-')}")
        encoded = [encode_record(schema)] if seqs[0] == 1 else []
        for seq in seqs:
            if len(seqs) > 1:
                encoded.append(encode_begin(seq, self.tags))
            batch = random_batch(schema, _START_MS + 1000 * seq, _RANDOM)
            encoded.append(encode_record(batch))
        values, before = self.tags * len(seqs), len(seqs) - 1
        return seal(self._encoder.compress(encoded), Header(_EPOCH, seqs[-1], values, before))


class Publisher:
    """A plain MQTT 3.1.1 connection that costs little: the machine is shared with the worker.

    Args:
        port: of the broker on this machine.
        senders: whose frames it publishes.
        window: messages of one gateway that are on their way.
        merged: frames of a message.
        output: what the city has said, for the case that it does not answer.

    Attributes:
        sent_again: frames that were, because they were not acknowledged in time.
    """

    def __init__(
        self, port: int, senders: list[Sender], window: int, merged: int, output: Path
    ) -> None:
        self._senders = {sender.name: sender for sender in senders}
        self._merged = merged
        self._ahead = window * merged
        self._output = output
        self._heard_s = time.monotonic()
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._received = bytearray()
        self._mid = 0
        self.sent_again = 0
        # CONNECT and SUBSCRIBE with their answers, whose lengths are known.
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
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while any(sender.acked < each for sender in self._senders.values()):
                self._flush(list(self._due(each, self._now())))
                for _ in selector.select(0.02):
                    self._read()

    def _now(self) -> float:
        now = time.monotonic()
        if now - self._heard_s > _PATIENCE_S:
            said = self._output.read_text()[-2000:]
            sys.exit(f"bench: the city acknowledges nothing:\n{said}")
        return now

    def _due(self, each: int, now: float) -> Iterator[bytes]:
        """What may be sent now: new frames, and again those whose acknowledgement stays away."""
        for sender in self._senders.values():
            if sender.acked < sender.sent and now - sender.sent_s > _RESEND_S:
                self.sent_again += sender.sent - sender.acked
                sender.sent = sender.acked
            allowed = min(each, sender.acked + self._ahead)
            while sender.sent < allowed:
                seqs = range(sender.sent + 1, min(sender.sent + self._merged, allowed) + 1)
                sender.sent, sender.sent_s = seqs[-1], now
                yield self._publish(sender, seqs)

    def _publish(self, sender: Sender, seqs: range) -> bytes:
        self._mid = self._mid % 65_535 + 1
        head = _text(frame_topic(sender.name)) + struct.pack("!H", self._mid)
        return _packet(0x32, head + sender.message(seqs))

    def _flush(self, packets: list[bytes]) -> None:
        data = memoryview(b"".join(packets))
        while data:
            try:
                data = data[self._socket.send(data[:262_144]) :]
            except BlockingIOError:
                # The broker may be waiting for us to read before it reads any more itself.
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
                # "again" says that the city has just begun to listen; what was sent before it may
                # be lost, and _due sends it once more.
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
