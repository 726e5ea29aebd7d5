"""Values of a handle (RFC 3651, 3.1). Pure."""

from struct import Struct

import msgspec

from gateway.identifier.irp.octets import U32, Octets, blob, many, text

_FIXED = Struct(">IIBIB")
_LEAST = _FIXED.size + 3 * U32.size
_REFERENCE_LEAST = 2 * U32.size
DAY_S = 86_400
MAX_LEFT_S = 2 * DAY_S
"""Longest time that a value is taken for fresh, whatever it says."""
RELATIVE, ABSOLUTE = 0, 1
"""Kinds of a time to live: seconds from now, or seconds since 1970."""
ADMIN_READ, ADMIN_WRITE, PUBLIC_READ, PUBLIC_WRITE = 8, 4, 2, 1
USUAL = ADMIN_READ | ADMIN_WRITE | PUBLIC_READ
HIDDEN = ADMIN_READ | ADMIN_WRITE


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A value of another handle, as keys are named.

    Attributes:
        handle: of which.
        index: of the value; 0: all of them.
    """

    handle: str
    index: int


class Value(msgspec.Struct, frozen=True, gc=False):
    """One value.

    Attributes:
        index: its number within the handle, at least 1.
        type: as URL, HS_ADMIN, 0.TYPE/…
        data: octets, as the type wants them.
        timestamp_s: of its last change, seconds since 1970.
        ttl_s: how long it may be kept, by ``ttl_kind``.
        ttl_kind: RELATIVE or ABSOLUTE.
        permissions: who may read and write it.
        references: to values of other handles.
    """

    index: int
    type: str
    data: bytes
    timestamp_s: int = 0
    ttl_s: int = DAY_S
    ttl_kind: int = RELATIVE
    permissions: int = USUAL
    references: tuple[Reference, ...] = ()

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it."""
        return bool(self.permissions & PUBLIC_READ)


def left_s(value: Value, now_s: float) -> int:
    """How long a value that came just now may be kept, 0 to two days."""
    told_s = value.ttl_s if value.ttl_kind == RELATIVE else value.ttl_s - int(now_s)
    return min(max(told_s, 0), MAX_LEFT_S)


def write_value(value: Value) -> bytes:
    """A value, as messages carry it."""
    head = _FIXED.pack(
        value.index, value.timestamp_s, value.ttl_kind, value.ttl_s, value.permissions
    )
    return head + text(value.type) + blob(value.data) + write_references(value.references)


def read_value(octets: Octets) -> Value:
    """The next value.

    Raises:
        WireError: fewer octets are left, or a text is no UTF-8.
    """
    index, timestamp_s, ttl_kind, ttl_s, permissions = octets.unpack(_FIXED)
    kind, data = octets.text(), octets.blob()
    references = read_references(octets)
    return Value(index, kind, data, timestamp_s, ttl_s, ttl_kind, permissions, references)


def write_values(values: tuple[Value, ...]) -> bytes:
    """Values behind their number."""
    return many([write_value(value) for value in values])


def read_values(octets: Octets) -> tuple[Value, ...]:
    """Values behind their number."""
    return octets.many(read_value, _LEAST)


def write_references(references: tuple[Reference, ...]) -> bytes:
    """References behind their number; an HS_VLIST is nothing else."""
    return many([text(one.handle) + U32.pack(one.index) for one in references])


def read_references(octets: Octets) -> tuple[Reference, ...]:
    """References behind their number."""
    return octets.many(_read_reference, _REFERENCE_LEAST)


def _read_reference(octets: Octets) -> Reference:
    return Reference(octets.text(), octets.u32())
