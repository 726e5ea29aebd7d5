"""Messages: envelope, header, body, credential (RFC 3652, 2.1 and 2.2). Pure."""

import hashlib
from collections.abc import Iterator
from struct import Struct

import msgspec

from gateway.identifier.irp.codes import ASKING, Flag, Rc
from gateway.identifier.irp.octets import U32, WireError

_ENVELOPE = Struct(">BBBBIIII")
_HEADER = Struct(">IIIHBBII")
ENVELOPE_SIZE, HEADER_SIZE = _ENVELOPE.size, _HEADER.size
_LEAST = HEADER_SIZE + U32.size
_FLAGS_AT = ENVELOPE_SIZE + 8
MAX_LENGTH = 262_144
"""Octets behind an envelope; one that announces more is refused before they are read."""
VERSION, SUGGESTED = (2, 10), (2, 11)
"""Of messages that are sent, and the one that peers may use."""
_COMPRESSED, _ENCRYPTED, _TRUNCATED, _MAJOR = 0x80, 0x40, 0x20, 0x1F
_DIGESTS = {1: "md5", 2: "sha1", 3: "sha256"}
SHA256 = 3
"""Number of the digest that is asked for and sent."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A request or an answer.

    Attributes:
        op: what is asked, one of ``Op`` (others pass through).
        request_id: of the sender; an answer repeats it.
        body: octets; of an answer behind the digest.
        rc: 0 in requests, else one of ``Rc``.
        flags: ``Flag`` together.
        session_id: 0 without a session.
        version: of the protocol, (major, minor).
        suggested: the highest that the sender speaks.
        site_serial: of the site as the sender knows it; 0xFFFF: it knows none.
        recursion: how often it was passed on.
        expires_s: seconds since 1970; 0: never.
        digest: of the request that is answered, its algorithm's number first; empty if not asked.
        credential: of a session; empty without one.
    """

    op: int
    request_id: int
    body: bytes
    rc: int = 0
    flags: int = int(ASKING)
    session_id: int = 0
    version: tuple[int, int] = VERSION
    suggested: tuple[int, int] = SUGGESTED
    site_serial: int = 0xFFFF
    recursion: int = 0
    expires_s: int = 0
    digest: bytes = b""
    credential: bytes = b""

    @property
    def is_answer(self) -> bool:
        """Whether it is one."""
        return self.rc != Rc.REQUEST

    @property
    def is_continued(self) -> bool:
        """Whether another answer to the same request follows, as of listings."""
        return bool(self.flags & Flag.CONTINUOUS)


def encode(message: Message) -> bytes:
    """A whole message, as TCP carries it."""
    body, credential = message.digest + message.body, message.credential
    length = _LEAST + len(body) + len(credential)
    ids = message.session_id, message.request_id
    asked = message.op, message.rc, message.flags
    known = message.site_serial, message.recursion
    return b"".join(
        (
            _ENVELOPE.pack(*message.version, *message.suggested, *ids, 0, length),
            _HEADER.pack(*asked, *known, 0, message.expires_s, len(body)),
            body,
            U32.pack(len(credential)),
            credential,
        )
    )


def decode(data: bytes) -> Message:
    """A whole message.

    Raises:
        WireError: it is cut off, longer than it says, compressed, encrypted, or a part of one.
    """
    if len(data) < ENVELOPE_SIZE + _LEAST:
        raise WireError(f"a message of {len(data)} octets; {ENVELOPE_SIZE + _LEAST} are the least")
    major, minor, bits, low, session_id, request_id, _, length = _ENVELOPE.unpack_from(data)
    op, rc, flags, serial, recursion, _, expires_s, size = _HEADER.unpack_from(data, ENVELOPE_SIZE)
    _demand_whole(data, bits, length, size)
    start, end = ENVELOPE_SIZE + HEADER_SIZE, ENVELOPE_SIZE + HEADER_SIZE + size
    digest = _digest(data, start, end) if rc and flags & Flag.RETURN_DIGEST else b""
    return Message(
        op=op,
        request_id=request_id,
        body=data[start + len(digest) : end],
        rc=rc,
        flags=flags,
        session_id=session_id,
        version=(major, minor),
        suggested=(bits & _MAJOR, low),
        site_serial=serial,
        recursion=recursion,
        expires_s=expires_s,
        digest=digest,
        credential=data[end + U32.size :],
    )


def _demand_whole(data: bytes, bits: int, length: int, size: int) -> None:
    if bits & (_COMPRESSED | _ENCRYPTED | _TRUNCATED):
        raise WireError("a message that is compressed, encrypted or a part of one")
    end = ENVELOPE_SIZE + HEADER_SIZE + size
    if length != len(data) - ENVELOPE_SIZE or end + U32.size > len(data):
        raise WireError(f"{length} octets announced, {size} of them body; {len(data)} came")
    if end + U32.size + int.from_bytes(data[end : end + U32.size], "big") != len(data):
        raise WireError("a credential of another length than it says")


def _digest(data: bytes, start: int, end: int) -> bytes:
    """The digest of its request that an answer begins with."""
    name = _DIGESTS.get(data[start]) if start < end else None
    if name is None:
        raise WireError("an answer without the digest that its flags announce")
    until = start + 1 + hashlib.new(name, usedforsecurity=False).digest_size
    if until > end:
        raise WireError("an answer whose digest is cut off")
    return data[start:until]


def request_digest(request: bytes, algorithm: int = SHA256) -> bytes:
    """What an answer to a whole request begins with: over its header and body.

    Raises:
        WireError: an algorithm without a number.
    """
    name = _DIGESTS.get(algorithm)
    if name is None:
        raise WireError(f"digest {algorithm} is none of {', '.join(map(str, _DIGESTS))}")
    body_length = int.from_bytes(
        request[ENVELOPE_SIZE + HEADER_SIZE - U32.size : ENVELOPE_SIZE + HEADER_SIZE], "big"
    )
    covered = request[ENVELOPE_SIZE : ENVELOPE_SIZE + HEADER_SIZE + body_length]
    return bytes([algorithm]) + hashlib.new(name, covered, usedforsecurity=False).digest()


def keeps_alive(message: bytes) -> bool:
    """Whether the sender of a whole message leaves its connection open for another."""
    flags = int.from_bytes(message[_FLAGS_AT : _FLAGS_AT + U32.size], "big")
    return bool(flags & Flag.KEEP_ALIVE)


class Stream:
    """Whole messages out of the pieces that a connection brings."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; gives the messages that are whole with it.

        Raises:
            WireError: an envelope announces more than MAX_LENGTH; the connection is of no use.
        """
        held = self._held
        held += piece
        while len(held) >= ENVELOPE_SIZE:
            length = int.from_bytes(held[ENVELOPE_SIZE - U32.size : ENVELOPE_SIZE], "big")
            if length > MAX_LENGTH:
                raise WireError(f"a message of {length} octets; {MAX_LENGTH} are the most")
            if len(held) < (end := ENVELOPE_SIZE + length):
                return
            whole = bytes(held[:end])
            del held[:end]
            yield whole
