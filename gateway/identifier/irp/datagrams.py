"""Messages over UDP: cut into datagrams of 512 octets, and put together again. Pure.

RFC 3652, 2.3.
"""

from collections.abc import Iterator
from struct import Struct

from gateway.identifier.irp.message import ENVELOPE_SIZE, MAX_LENGTH
from gateway.identifier.irp.octets import WireError

DATAGRAM = 512
"""Octets of a datagram, its envelope counted."""
_TRUNCATED = 0x20
_SEQUENCE = Struct(">I")
_SEQUENCE_AT, _FLAGS_AT = 12, 2
_SHARE = DATAGRAM - ENVELOPE_SIZE


def cut(message: bytes) -> Iterator[bytes]:
    """The datagrams of a whole message; one that fits stays as it is."""
    if len(message) <= DATAGRAM:
        yield message
        return
    envelope = bytearray(message[:ENVELOPE_SIZE])
    envelope[_FLAGS_AT] |= _TRUNCATED
    for number, at in enumerate(range(ENVELOPE_SIZE, len(message), _SHARE)):
        _SEQUENCE.pack_into(envelope, _SEQUENCE_AT, number)
        yield bytes(envelope) + message[at : at + _SHARE]


class Assembly:
    """One message out of the datagrams of one peer and one request, in whatever order they come.

    A datagram is a part if its flags say so, or if it announces more than it brings: servers of
    the protocol's authors leave the flag out.
    """

    def __init__(self) -> None:
        self._parts: dict[int, bytes] = {}
        self._envelope = b""

    def add(self, datagram: bytes) -> bytes | None:
        """Take a datagram; gives the message when it is whole.

        Raises:
            WireError: too short or too long, or of another message than the one before.
        """
        if len(datagram) < ENVELOPE_SIZE:
            raise WireError(f"a datagram of {len(datagram)} octets")
        length = int.from_bytes(datagram[ENVELOPE_SIZE - 4 : ENVELOPE_SIZE], "big")
        if not datagram[_FLAGS_AT] & _TRUNCATED and length <= len(datagram) - ENVELOPE_SIZE:
            return datagram
        number = int.from_bytes(datagram[_SEQUENCE_AT : _SEQUENCE_AT + 4], "big")
        if length > MAX_LENGTH or number * _SHARE >= length:
            raise WireError(f"part {number} of a message of {length} octets")
        envelope = datagram[:_SEQUENCE_AT] + bytes(4) + datagram[_SEQUENCE_AT + 4 : ENVELOPE_SIZE]
        if self._envelope not in (b"", envelope):
            raise WireError("parts of two messages under one number")
        self._envelope = envelope
        self._parts[number] = datagram[ENVELOPE_SIZE:]
        return self._whole(length)

    def _whole(self, length: int) -> bytes | None:
        if sum(map(len, self._parts.values())) < length:
            return None
        body = b"".join(self._parts[number] for number in sorted(self._parts))
        if len(body) != length or len(self._parts) != -(-length // _SHARE):
            raise WireError("parts that do not make up the message that they announce")
        envelope = bytearray(self._envelope)
        envelope[_FLAGS_AT] &= ~_TRUNCATED
        return bytes(envelope) + body
