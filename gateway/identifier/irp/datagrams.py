"""Messages over UDP: cut into datagrams of 512 octets, and put together again. Pure.

RFC 3652, 2.3.
"""

from collections.abc import Hashable, Iterator
from struct import Struct

from gateway.identifier.irp.message import ENVELOPE_SIZE, MAX_LENGTH
from gateway.identifier.irp.octets import WireError

DATAGRAM = 512
"""Octets of a datagram, its envelope counted."""
_TRUNCATED = 0x20
_SEQUENCE = Struct(">I")
_SEQUENCE_AT, _FLAGS_AT = 12, 2
_SHARE = DATAGRAM - ENVELOPE_SIZE
_NUMBER = slice(8, 12)
_MOST_ASSEMBLIES, _PATIENCE_S = 64, 5.0
"""Messages that wait for the rest of their datagrams, and how long each of them may."""


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


def truncated(message: bytes) -> bytes:
    """A datagram that is marked as truncated and yet whole: the answer is to be had by TCP."""
    envelope = bytearray(message[:ENVELOPE_SIZE])
    envelope[_FLAGS_AT] |= _TRUNCATED
    return bytes(envelope) + message[ENVELOPE_SIZE:]


def is_truncated(datagram: bytes) -> bool:
    """Whether a datagram is a :func:`truncated` one; parts of a message announce more."""
    if len(datagram) < ENVELOPE_SIZE or not datagram[_FLAGS_AT] & _TRUNCATED:
        return False
    length = int.from_bytes(datagram[ENVELOPE_SIZE - 4 : ENVELOPE_SIZE], "big")
    return length == len(datagram) - ENVELOPE_SIZE


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


class Assemblies:
    """Requests out of the datagrams of many peers; a bounded number of them is under way."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Hashable, bytes], tuple[Assembly, float]] = {}

    def add(self, datagram: bytes, peer: Hashable, now_s: float) -> bytes | None:
        """Take a datagram; gives the message when it is whole.

        Args:
            datagram: as it came.
            peer: from where.
            now_s: a clock that only runs.

        Raises:
            WireError: as of :meth:`Assembly.add`; what came of that message before is forgotten.
        """
        if len(datagram) >= ENVELOPE_SIZE and not datagram[_FLAGS_AT] & _TRUNCATED:
            return datagram
        key = peer, datagram[_NUMBER]
        self._forget(now_s)
        assembly, _ = self._kept.pop(key, (None, 0.0))
        assembly = assembly or Assembly()
        whole = assembly.add(datagram)
        if whole is None:
            self._kept[key] = assembly, now_s + _PATIENCE_S
        return whole

    def _forget(self, now_s: float) -> None:
        """Those that are late, and the oldest if there are too many."""
        while self._kept:
            oldest = next(iter(self._kept))
            if len(self._kept) < _MOST_ASSEMBLIES and self._kept[oldest][1] > now_s:
                return
            del self._kept[oldest]
