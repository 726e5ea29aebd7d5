"""Read and Publish responses → values. Pure.

Only what is needed is read; the rest is skipped. Layouts: OPC UA Part 4, 5.11.2 and 5.14.5.
"""

from dataclasses import dataclass

from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.values import Values, decode_values, joined

READ_RESPONSE = 634
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
    if kind != expected:
        raise CodecError(f"response of type {kind}, expected {expected}")
    cursor.skip(12)  # time, request handle
    result = cursor.uint32()
    cursor.skip_diagnostic_info()
    for _ in range(cursor.count(4)):
        cursor.bytestring()
    cursor.skip_extension_object()
    if result >= BAD:
        raise ServiceFaultError(result)


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


def decode_publish(body: bytes) -> Published:
    """Decode a PublishResponse.

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
    parts, ended = _notifications(cursor)
    return Published(subscription, sequence, joined(parts) if parts else None, ended)


def _notifications(cursor: Cursor) -> tuple[list[Values], int | None]:
    parts: list[Values] = []
    ended = None
    for _ in range(cursor.count(2)):
        kind, end = cursor.extension_object()
        if kind == DATA_CHANGE:
            inner = Cursor(cursor.body[:end], cursor.at) if end < len(cursor.body) else cursor
            parts.append(decode_values(inner, inner.count(5), keyed=True))
        elif kind == STATUS_CHANGE:
            ended = cursor.uint32()
        cursor.at = end
    return parts, ended
