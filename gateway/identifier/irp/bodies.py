"""Bodies of requests and answers (RFC 3652, 3). Pure.

All ``read_…`` raise WireError for octets that are too few, too many, or no UTF-8.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

from gateway.identifier.irp.octets import U32, Octets, blob, many, text
from gateway.identifier.irp.values import Value, read_values, write_values

T = TypeVar("T")


def _whole(body: bytes, read: Callable[[Octets], T]) -> T:
    octets = Octets(body)
    found = read(octets)
    octets.ended()
    return found


class Question(msgspec.Struct, frozen=True, gc=False):
    """What is asked of a handle.

    Attributes:
        handle: which.
        indexes: values by number; with ``types`` empty, all values.
        types: values by type; a dot at the end means the types below it too.
    """

    handle: str
    indexes: tuple[int, ...] = ()
    types: tuple[str, ...] = ()

    def wants(self, value: Value) -> bool:
        """Whether a value is asked for."""
        if not self.indexes and not self.types:
            return True
        return value.index in self.indexes or any(
            value.type == one or (one.endswith(".") and value.type.startswith(one))
            for one in self.types
        )


def write_question(question: Question, *, with_auth: bool = False) -> bytes:
    """Body of a resolution; recursive nodes of one maker want an empty authentication behind it."""
    parts = (
        text(question.handle),
        many([U32.pack(index) for index in question.indexes]),
        many([text(one) for one in question.types]),
        bytes(U32.size) if with_auth else b"",
    )
    return b"".join(parts)


def read_question(body: bytes) -> Question:
    """Body of a resolution, with or without an authentication behind it."""
    octets = Octets(body)
    handle = octets.text()
    indexes, types = octets.many(Octets.u32, U32.size), octets.many(Octets.text, U32.size)
    if octets.left:
        octets.blob()
        octets.ended()
    return Question(handle, indexes, types)


class Held(msgspec.Struct, frozen=True, gc=False):
    """A handle with values: answer to a resolution; request to create, add or modify."""

    handle: str
    values: tuple[Value, ...]


def write_held(held: Held) -> bytes:
    """Body with a handle and values."""
    return text(held.handle) + write_values(held.values)


def read_held(body: bytes) -> Held:
    """Body with a handle and values."""
    return _whole(body, lambda octets: Held(octets.text(), read_values(octets)))


class Removal(msgspec.Struct, frozen=True, gc=False):
    """Values that are to be removed, by number."""

    handle: str
    indexes: tuple[int, ...]


def write_removal(removal: Removal) -> bytes:
    """Body of a removal."""
    return text(removal.handle) + many([U32.pack(index) for index in removal.indexes])


def read_removal(body: bytes) -> Removal:
    """Body of a removal."""
    return _whole(body, lambda octets: Removal(octets.text(), octets.many(Octets.u32, U32.size)))


def write_handle(handle: str) -> bytes:
    """Body that is a handle: deletion, homing, listing; ``/`` where a site is asked for."""
    return text(handle)


def read_handle(body: bytes) -> str:
    """Body that is a handle."""
    return _whole(body, Octets.text)


def write_list(handles: tuple[str, ...]) -> bytes:
    """Answer to a listing."""
    return many([text(handle) for handle in handles])


def read_list(body: bytes) -> tuple[str, ...]:
    """Answer to a listing."""
    return _whole(body, lambda octets: octets.many(Octets.text, U32.size))


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Why something was refused.

    Attributes:
        message: in words; may be empty.
        indexes: of values that are the cause.
    """

    message: str = ""
    indexes: tuple[int, ...] = ()


def write_fault(fault: Fault) -> bytes:
    """Body of a refusal."""
    indexes = many([U32.pack(index) for index in fault.indexes]) if fault.indexes else b""
    return text(fault.message) + indexes


def read_fault(body: bytes) -> Fault:
    """Body of a refusal; servers leave all of it out, or the indexes."""
    octets = Octets(body)
    message = octets.text() if octets.left else ""
    indexes = octets.many(Octets.u32, U32.size) if octets.left else ()
    octets.ended()
    return Fault(message, indexes)


class Referral(msgspec.Struct, frozen=True, gc=False):
    """Who knows better.

    Attributes:
        handle: whose values say where to ask; empty: ``values`` say so themselves.
        values: HS_SITE and the like.
    """

    handle: str = ""
    values: tuple[Value, ...] = ()


def write_referral(referral: Referral) -> bytes:
    """Body of a referral."""
    return text(referral.handle) + (write_values(referral.values) if referral.values else b"")


def read_referral(body: bytes) -> Referral:
    """Body of a referral."""
    octets = Octets(body)
    handle = octets.text()
    values = read_values(octets) if octets.left else ()
    octets.ended()
    return Referral(handle, values)


def write_challenge(nonce: bytes) -> bytes:
    """Body of a challenge; the digest of the request stands before it."""
    return blob(nonce)


def read_challenge(body: bytes) -> bytes:
    """Body of a challenge."""
    return _whole(body, Octets.blob)


class Proof(msgspec.Struct, frozen=True, gc=False):
    """Answer to a challenge.

    Attributes:
        kind: HS_PUBKEY or HS_SECKEY.
        key_handle: handle of the value that holds the key.
        key_index: index of that value.
        answer: octets, by kind.
    """

    kind: str
    key_handle: str
    key_index: int
    answer: bytes


def write_proof(proof: Proof) -> bytes:
    """Body of an answer to a challenge."""
    return b"".join(
        (text(proof.kind), text(proof.key_handle), U32.pack(proof.key_index), blob(proof.answer))
    )


def read_proof(body: bytes) -> Proof:
    """Body of an answer to a challenge."""
    return _whole(
        body, lambda octets: Proof(octets.text(), octets.text(), octets.u32(), octets.blob())
    )
