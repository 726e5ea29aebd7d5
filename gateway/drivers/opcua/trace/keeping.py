"""What is kept of a message: its beginning, as it was before encryption, without secrets. Pure.

Keys of the channel are made of nonces, a session is whoever knows its token, and a login carries
a password. So of the services that have these, and of those that are not known here, the header
alone is kept, and of every request all but the token.
"""

from struct import Struct

from gateway.drivers.frames import LONGEST
from gateway.drivers.opcua.encoding.binary import CodecError, Cursor
from gateway.drivers.opcua.encoding.codec import service_result
from gateway.drivers.opcua.trace.services import OPEN_CHANNEL, REQUESTS, RESPONSES, SECRET

HEAD = Struct("<3scII")
"""Type of the message, ``F``, bytes of it all as if it went whole and unsecured, and the number of
its request: the header of Part 6, 7.1.2.2 without the parts of the secure channel."""

NO_TOKEN = bytes(2)
"""A null node id."""
_OPEN_REQUEST = 12
"""Version of the protocol, whether it is a renewal, mode; the nonce follows."""
_OPEN_RESPONSE = 24
"""Version of the protocol, channel, token's number, time, lifetime; the nonce follows."""


def kept_request(kind: bytes, number: int, body: bytes) -> bytes:
    """What is kept of a message that we send.

    Args:
        kind: type of the message, ``MSG``, ``OPN`` or ``CLO``.
        number: of the request.
        body: all of it, before encryption.
    """
    return _head(kind, number, body) + _request(body[:LONGEST])


def kept_response(kind: bytes, number: int, body: bytes) -> bytes:
    """What is kept of a message that came; see :func:`kept_request`."""
    return _head(kind, number, body) + _response(body[:LONGEST])


def _head(kind: bytes, number: int, body: bytes) -> bytes:
    return HEAD.pack(kind, b"F", HEAD.size + len(body), number)


def _request(body: bytes) -> bytes:
    cursor = Cursor(body)
    try:
        service = REQUESTS.get(cursor.node_id() or 0)
        token_at = cursor.at
        cursor.node_id()
        rest_at = cursor.at
        cursor.at = token_at
        skip_request_header(cursor)
        end = _end(service, cursor, _OPEN_REQUEST)
    except CodecError:  # longer than what is kept, which none of ours is
        return b""
    return body[:token_at] + NO_TOKEN + body[rest_at:end]


def _response(body: bytes) -> bytes:
    cursor = Cursor(body)
    try:
        service = RESPONSES.get(cursor.node_id() or 0)
        service_result(cursor)
        return body[: _end(service, cursor, _OPEN_RESPONSE)]
    except CodecError:
        return b""


def _end(service: str | None, cursor: Cursor, opening: int) -> int | None:
    """Where what may be kept ends, with the cursor behind the header; None: nowhere."""
    if service is not None and service not in SECRET:
        return None
    return cursor.at + (opening if service == OPEN_CHANNEL else 0)


def skip_request_header(cursor: Cursor) -> None:
    """Leave out a RequestHeader (Part 4, 7.32).

    Raises:
        CodecError: it is cut short.
    """
    cursor.node_id()
    cursor.skip(16)  # time, number, which diagnostics
    cursor.bytestring()
    cursor.skip(4)
    cursor.skip_extension_object()
