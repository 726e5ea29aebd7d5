"""Values of an identifier, as they stand in the database: msgpack, a list of lists."""

import msgspec

from gateway.identifier.irp.values import Reference, Value


class _Reference(msgspec.Struct, array_like=True, frozen=True, gc=False):
    handle: str
    index: int


class _Kept(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Fields of :class:`Value`, in its order."""

    index: int
    type: str
    data: bytes
    timestamp_s: int
    ttl_s: int
    ttl_kind: int
    permissions: int
    references: tuple[_Reference, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[_Kept, ...]).decode


def written(values: tuple[Value, ...]) -> bytes:
    """As they are kept.

    Raises:
        UnicodeEncodeError: a type is no text that has a UTF-8.
    """
    return _encode([_kept(one) for one in values])


def _kept(one: Value) -> _Kept:
    references = tuple(_Reference(other.handle, other.index) for other in one.references)
    return _Kept(
        one.index,
        one.type,
        one.data,
        one.timestamp_s,
        one.ttl_s,
        one.ttl_kind,
        one.permissions,
        references,
    )


def read(contents: bytes) -> tuple[Value, ...]:
    """What is kept."""
    return tuple(
        Value(
            one.index,
            one.type,
            one.data,
            one.timestamp_s,
            one.ttl_s,
            one.ttl_kind,
            one.permissions,
            tuple(Reference(other.handle, other.index) for other in one.references)
            if one.references
            else (),
        )
        for one in _decode(contents)
    )
