"""PUBLISH packets by the bufferful, in place of the library's reading a packet at a time.

The library reads a packet with four system calls, makes some objects for it and answers it with a
call of its own: a tenth of a millisecond, half of what a small frame costs a city. Here everything
that has come is read at once; PUBLISH packets are cut out, the answers to them go together, and
every other packet is handed to the library.
"""

# ruff: noqa: SLF001 - the library has no public way to read by the bufferful

from collections.abc import Callable
from time import monotonic

from paho.mqtt.client import MQTT_ERR_AGAIN, MQTT_ERR_CONN_LOST, MQTT_ERR_PROTOCOL
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion

READ_BYTES = 256 * 1024
_PUBLISH, _PUBACK = 0x30, 0x40
_TYPE, _QOS, _RETAINED = 0xF0, 0x06, 0x01
_CONTINUES = 0x80
_LENGTH_BYTES = 4
"""MQTT writes a length in at most so many bytes."""

Deliver = Callable[[list[tuple[str, bytes]]], None]
"""Takes messages as (topic, payload), in the order in which they came."""


class _MalformedError(ValueError):
    """The bytes are no MQTT."""


class Receiver:
    """Reads what a broker sends.

    Args:
        client: the library's client, whose reading this takes over.
        deliver: called from the event loop with all messages of a bufferful; must not wait.
    """

    def __init__(self, client: Paho, deliver: Deliver) -> None:
        self._client, self._deliver = client, deliver
        self._buffer = bytearray()
        client._packet_read = self.read  # type: ignore[method-assign]

    def read(self) -> MQTTErrorCode:
        """Read once, as the library's ``_packet_read`` does for one packet."""
        try:
            received = self._client._sock_recv(READ_BYTES)
        except BlockingIOError:
            return MQTT_ERR_AGAIN
        except OSError:
            return MQTT_ERR_CONN_LOST
        if not received:
            return MQTT_ERR_CONN_LOST
        self._client._last_bytes_received = monotonic()
        self._buffer += received
        try:
            return self._handle()
        except _MalformedError:
            return MQTT_ERR_PROTOCOL

    def _handle(self) -> MQTTErrorCode:
        """Deal with every packet that is complete; the rest of the bytes stays."""
        buffer, at = self._buffer, 0
        messages: list[tuple[str, bytes]] = []
        answers = bytearray()
        result = MQTT_ERR_AGAIN  # tells the library that there is nothing left to read
        while (found := _bounds(buffer, at)) is not None and result == MQTT_ERR_AGAIN:
            start, end = found
            if buffer[at] & _TYPE == _PUBLISH:
                message = self._message(buffer[at], memoryview(buffer)[start:end], answers)
                # Nobody of ours has a broker keep messages: such a one would come again at each
                # subscription, and make a gateway that is dead speak.
                if not buffer[at] & _RETAINED:
                    messages.append(message)
            else:
                result = self._hand_over(buffer[at], buffer[start:end])
            at = end
        del buffer[:at]
        if answers:
            send(self._client, answers)
        if messages:
            self._deliver(messages)
        return result

    def _message(self, head: int, body: memoryview, answers: bytearray) -> tuple[str, bytes]:
        """Topic and payload of a PUBLISH; its answer is added to ``answers``."""
        at = 2 + int.from_bytes(body[:2], "big")
        topic = bytes(body[2:at])
        if head & _QOS:
            answers += b"\x40\x02"
            answers += body[at : at + 2]
            at += 2
        if self._client.protocol == MQTTProtocolVersion.MQTTv5:
            found = _bounds(body, at - 1)  # properties are written like the rest of a packet
            if found is None:
                raise _MalformedError
            at = found[1]
        if at > len(body):
            raise _MalformedError
        return topic.decode("utf-8", "replace"), bytes(body[at:])

    def _hand_over(self, head: int, body: bytearray) -> MQTTErrorCode:
        """Let the library deal with a packet, as if it had read it."""
        packet = {"command": head, "remaining_length": len(body), "packet": body, "pos": 0}
        client, nothing = self._client, self._client._in_packet
        client._in_packet = packet | {  # type: ignore[assignment]
            "have_remaining": 1,
            "remaining_count": [],
            "remaining_mult": 1,
            "to_process": 0,
        }
        try:
            return client._packet_handle() or MQTT_ERR_AGAIN
        finally:
            client._in_packet = nothing


def send(client: Paho, packets: bytearray) -> None:
    """Write ready-made packets in one go.

    They are given to the library as if they were one PUBACK: the only kind about which it does
    nothing once it is written.
    """
    client._packet_queue(_PUBACK, packets, 0, 0)


def publish_packet(topic: str, payload: bytes, protocol: MQTTProtocolVersion) -> bytes:
    """A PUBLISH of QoS 0."""
    name = topic.encode()
    head = len(name).to_bytes(2, "big") + name
    if protocol == MQTTProtocolVersion.MQTTv5:
        head += b"\0"  # no properties
    size, left = bytearray(), len(head) + len(payload)
    while left >= _CONTINUES:
        size.append(left % _CONTINUES | _CONTINUES)
        left //= _CONTINUES
    size.append(left)
    return bytes((_PUBLISH,)) + size + head + payload


def _bounds(buffer: bytearray | memoryview, at: int) -> tuple[int, int] | None:
    """Begin and end of what follows the byte at ``at`` and a length; None if not all is there."""
    size = shift = 0
    for place in range(at + 1, at + 1 + _LENGTH_BYTES):
        if place >= len(buffer):
            return None
        size |= (buffer[place] & ~_CONTINUES) << shift
        shift += 7
        if buffer[place] < _CONTINUES:
            end = place + 1 + size
            return (place + 1, end) if end <= len(buffer) else None
    raise _MalformedError
