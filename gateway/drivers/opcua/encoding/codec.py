"""Publish requests, and Read and Publish responses → values. Pure.

Only what is needed is read; the rest is skipped. Layouts: OPC UA Part 4, 5.11.2, 5.14.5 and 7.33.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.values import Values, decode_values, joined

SERVICE_FAULT = 397
READ_RESPONSE = 634
PUBLISH_REQUEST = 826
PUBLISH_RESPONSE = 829
DATA_CHANGE = 811
STATUS_CHANGE = 820
"""Numbers of the binary encodings (Part 6, annex A)."""

BAD = 0x8000_0000
"""First StatusCode of severity Bad."""


def decode_read(body: bytes) -> Values:
    """The values of a ReadResponse, in the order of the request.

    Raises:
        CodecError: the bytes are malformed.
        ServiceFaultError: the server refused the whole request.
    """
    cursor = Cursor(body)
    _response(cursor, READ_RESPONSE)
    return decode_values(cursor, cursor.count(), keyed=False)


class ServiceFaultError(Exception):
    """The response's header carries a Bad StatusCode (``code``)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"service result 0x{code:08X}")
        self.code = code


def _response(cursor: Cursor, expected: int) -> None:
    kind = cursor.node_id()
    if kind not in (expected, SERVICE_FAULT):
        raise CodecError(f"response of type {kind}, expected {expected}")
    result = service_result(cursor)
    if result >= BAD:
        raise ServiceFaultError(result)
    if kind == SERVICE_FAULT:
        raise CodecError("the server answered with a fault that is none")


def service_result(cursor: Cursor) -> int:
    """The StatusCode of a ResponseHeader (Part 4, 7.33); the cursor stands behind it then.

    Raises:
        CodecError: it is cut short.
    """
    cursor.skip(12)  # time, request handle
    result = cursor.uint32()
    cursor.skip_diagnostic_info()
    for _ in range(cursor.count(4)):
        cursor.bytestring()
    cursor.skip_extension_object()
    return result


EPOCH_TICKS = 116_444_736_000_000_000
"""100 ns from 1601-01-01 to 1970-01-01."""
TICKS_PER_MS = 10_000
_KIND = bytes((1, 0)) + PUBLISH_REQUEST.to_bytes(2, "little")
_HEADER = struct.Struct("<qIIiI3s")
"""Time, request handle, no diagnostics, no audit entry, no time-out, no additional header."""
_ACKNOWLEDGEMENT = struct.Struct("<II")

Acknowledgement = tuple[int, int]
"""Subscription id and sequence number of a message that was received."""


def encode_publish(
    token: bytes, handle: int, time_ns: int, received: Sequence[Acknowledgement]
) -> bytes:
    """A PublishRequest; one goes out for every message that comes.

    Args:
        token: the session's authentication token, an encoded node id.
        handle: the request's number.
        time_ns: now, in nanoseconds since 1970.
        received: messages that the server need not keep any more.
    """
    header = _HEADER.pack(time_ns // 100 + EPOCH_TICKS, handle, 0, -1, 0, bytes(3))
    numbers = b"".join(_ACKNOWLEDGEMENT.pack(*one) for one in received)
    return _KIND + token + header + len(received).to_bytes(4, "little") + numbers


@dataclass(frozen=True, slots=True)
class Published:
    """One PublishResponse.

    Attributes:
        subscription: id of the subscription.
        sequence: sequence number; that of the next message if this one is a sign of life.
        values: what changed; None for a sign of life.
        ended: StatusCode with which the server ended the subscription, else None.
    """

    subscription: int
    sequence: int
    values: Values | None
    ended: int | None


def decode_publish(body: bytes, *, by_server: bool = False) -> Published:
    """Decode a PublishResponse.

    Args:
        body: the message.
        by_server: the server's times of values count, and their sources' if there are none.

    Raises:
        CodecError: the bytes are malformed.
        ServiceFaultError: the server answered with a Bad service result.
    """
    cursor = Cursor(body)
    _response(cursor, PUBLISH_RESPONSE)
    subscription = cursor.uint32()
    cursor.skip(4 * cursor.count(4))  # sequence numbers that may be asked for again
    cursor.skip(1)  # more notifications: we ask on in any case
    sequence = cursor.uint32()
    cursor.skip(8)  # publish time
    parts, ended = _notifications(cursor, by_server=by_server)
    return Published(subscription, sequence, joined(parts) if parts else None, ended)


def _notifications(cursor: Cursor, *, by_server: bool) -> tuple[list[Values], int | None]:
    parts: list[Values] = []
    ended = None
    for _ in range(cursor.count(2)):
        kind, end = cursor.extension_object()
        if kind == DATA_CHANGE:
            inner = Cursor(cursor.body[:end], cursor.at) if end < len(cursor.body) else cursor
            parts.append(decode_values(inner, inner.count(5), keyed=True, by_server=by_server))
        elif kind == STATUS_CHANGE:
            ended = cursor.uint32()
        cursor.at = end
    return parts, ended
