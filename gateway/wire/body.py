"""What can be read of an encoded body without decoding it; for whoever holds frames."""

import zstandard

from gateway.core.batch import Gap
from gateway.core.schema import Schema
from gateway.wire.compression import decompress
from gateway.wire.records import RecordType, decode_record, split_records

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Largest decompressed body that a reader accepts."""

ZSTD = 1
"""Flag of a body that is compressed."""


def plain(flags: int, payload: memoryview) -> bytes:
    """The records of a body.

    Raises:
        FrameError: it does not decompress, or to more than ``MAX_BODY_BYTES``.
    """
    return decompress(payload, MAX_BODY_BYTES) if flags & ZSTD else bytes(payload)


def read_gaps(body: bytes) -> list[Gap]:
    """The gap records of a body from ``frame.BodyEncoder``; needs no schema.

    Raises:
        FrameError: the bytes break the format.
    """
    gaps = (
        decode_record(record_type, content, {})
        for record_type, content in split_records(plain(body[0], memoryview(body)[1:]))
        if record_type == RecordType.GAP
    )
    return [gap for gap in gaps if isinstance(gap, Gap)]


def plain_bytes(body: bytes) -> int:
    """Size of a body from ``frame.BodyEncoder`` before compression; its own if it says none.

    A damaged body may say anything.
    """
    if not body or not body[0] & ZSTD:
        return len(body)
    try:
        # The longest head of a zstd frame has 18 bytes (RFC 8878, 3.1.1).
        return max(zstandard.frame_content_size(body[1:19]), len(body))
    except zstandard.ZstdError:
        return len(body)


def schemas_in(body: bytes) -> frozenset[int]:
    """Ids of all schemas that a body from ``frame.BodyEncoder`` needs or holds.

    Raises:
        FrameError: the bytes break the format.
    """
    needed, inside = schemas_of(plain(body[0], memoryview(body)[1:]))
    return frozenset(needed | inside)


def schemas_of(records: bytes) -> tuple[set[int], set[int]]:
    """Ids of schemas that values need, and of those that are there."""
    needed, inside = set(), set()
    for record_type, content in split_records(records):
        if record_type in (RecordType.BATCH, RecordType.CHANGES):
            # Both records begin with the id of their schema.
            needed.add(int.from_bytes(content[:8], "little"))
        elif record_type == RecordType.SCHEMA:
            record = decode_record(record_type, content, {})
            inside |= {record.id} if isinstance(record, Schema) else set()
    return needed, inside
