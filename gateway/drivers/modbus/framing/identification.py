"""How long an identification is (function 43/14), whose answer alone does not say it. Pure.

Source: MODBUS Application Protocol Specification V1.1b3, section 6.21.
"""

IDENTIFICATION = b"\x2b\x0e"
"""Function 43 with MEI type 14: read device identification."""

IDENTIFICATION_HEAD = 7
"""Bytes before its objects: the two, level, conformity, whether more follows, where, how many."""


def object_end(data: bytes, at: int) -> int:
    """Where an object of an identification ends (id, length, text), or where what came ends."""
    return at + 2 + data[at + 1] if at + 1 < len(data) else len(data) + 1


def identification_size(pdu: bytes) -> int:
    """Length of an identification, bytes; 0: it has not come whole."""
    if len(pdu) < IDENTIFICATION_HEAD:
        return 0
    at = IDENTIFICATION_HEAD
    for _ in range(pdu[at - 1]):
        at = object_end(pdu, at)
    return at if at <= len(pdu) else 0
