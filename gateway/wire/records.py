"""The records inside a frame: batch, changes, schema, gap, books, what was given up.

Every record is ``type u8 · length u32 · content``, so that a reader can step over a type it does
not know. Numbers are little-endian.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import date
from enum import IntEnum

import msgspec

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.books import Counts
from gateway.core.schema import Schema, decode_schema, encode_schema
from gateway.core.status import Reason
from gateway.wire.columns import FrameError, Reader
from gateway.wire.values import (
    decode_batch,
    decode_changes,
    encode_batch,
    encode_changes,
)

_HEAD = struct.Struct("<BI")
_BEGIN = struct.Struct("<QI")
BEGIN_BYTES = _HEAD.size + _BEGIN.size
"""What each frame adds to a merged message."""


class RecordType(IntEnum):
    """First byte of a record. The numbers are part of the wire format and never change."""

    BATCH = 1
    CHANGES = 2
    SCHEMA = 3
    GAP = 4
    BOOKS = 5
    GIVEN_UP = 6
    BEGIN = 7
    """Of a merged message only: the records from here on are of another frame."""
    MACHINE = 8


class BooksRecord(msgspec.Struct, frozen=True):
    """Cumulative counters of one device and Asia/Shanghai day.

    They are as of the commit before: the values of the frame they are in are not counted yet.
    """

    device: str
    day: date
    due: int
    ok: int
    failed: int
    skipped: int
    suppressed: int
    buffered: int
    dropped: dict[str, int]
    uncertain: dict[str, int]

    @classmethod
    def of(cls, device: str, day: date, counts: Counts) -> "BooksRecord":
        """Take the counters of a device and day as they stand."""
        return cls(
            device,
            day,
            counts.due,
            counts.ok,
            counts.failed,
            counts.skipped,
            counts.suppressed,
            counts.buffered,
            dict(counts.dropped),
            dict(counts.uncertain),
        )


class MachineRecord(msgspec.Struct, frozen=True):
    """Cumulative counters of one machine behind one device, and Asia/Shanghai day.

    The enterprise is the gateway's. As of the commit before, as the books are; the counters are
    those of ``gateway.core.machines.MachineCounts``.
    """

    device: str
    site_no: str
    asset_no: str
    day: date
    valid: int
    expected: int
    first_ms: int | None
    last_ms: int | None


class GivenUp(msgspec.Struct, frozen=True, array_like=True):
    """What a gateway will never send (again), because its quota took it or it was acknowledged.

    Attributes:
        awaited_from: below this number no acknowledgement is awaited; at most ``held_from``.
        held_from: no frame below this number is held or will be sent; at most the number of the
            frame that this record is in, but in a question.
    """

    awaited_from: int
    held_from: int


class _GapBody(msgspec.Struct, frozen=True, array_like=True):
    device: str
    group: str
    tags: tuple[str, ...]
    cause: int
    from_ms: int
    to_ms: int | None


Record = Batch | Changes | Schema | Gap | BooksRecord | MachineRecord | GivenUp
_Packed = Schema | Gap | BooksRecord | MachineRecord | GivenUp

_gap_decoder = msgspec.msgpack.Decoder(_GapBody)


def encode_record(record: Record) -> bytes:
    """Bytes of one record with its head."""
    match record:
        case Batch():
            return _framed(RecordType.BATCH, encode_batch(record))
        case Changes():
            return _framed(RecordType.CHANGES, encode_changes(record))
        case Schema():
            return _framed(RecordType.SCHEMA, encode_schema(record))
        case Gap():
            body = _GapBody(
                record.device, record.group, record.tags, record.cause, record.from_ms, record.to_ms
            )
            return _framed(RecordType.GAP, msgspec.msgpack.encode(body))
        case _:
            return _framed(_PLAIN[type(record)], msgspec.msgpack.encode(record))


_PLAIN = {
    BooksRecord: RecordType.BOOKS,
    MachineRecord: RecordType.MACHINE,
    GivenUp: RecordType.GIVEN_UP,
}
"""Records that travel just as they are in memory."""


def encode_begin(seq: int, values: int) -> bytes:
    """Bytes of the record with which a frame begins in a merged message."""
    return _framed(RecordType.BEGIN, _BEGIN.pack(seq, values))


def decode_begin(content: memoryview) -> tuple[int, int]:
    """Number of the frame that begins here, and values in it.

    Raises:
        FrameError: truncated, or something is left over.
    """
    reader = Reader(content)
    seq, values = reader.unpack(_BEGIN)
    if reader.left:
        raise FrameError(f"{reader.left} bytes left over where a frame begins")
    return seq, values


def _framed(record_type: RecordType, body: bytes) -> bytes:
    return _HEAD.pack(record_type, len(body)) + body


def decode_record(
    record_type: int, body: memoryview, schemas: Mapping[int, Schema]
) -> Record | None:
    """Read the content of one record.

    Args:
        record_type: the record's first byte.
        body: the content, without the head.
        schemas: schemas by id, as the reader holds them.

    Returns:
        The record; None for a type this version does not know.

    Raises:
        UnknownSchemaError: a batch or changes of a schema that is not in ``schemas``.
        FrameError: the content breaks the format.
    """
    match record_type:
        case RecordType.BATCH:
            return decode_batch(Reader(body), schemas)
        case RecordType.CHANGES:
            return decode_changes(Reader(body), schemas)
        case _:
            return _decode_packed(record_type, bytes(body))


def _decode_packed(record_type: int, body: bytes) -> _Packed | None:
    # A newer sender may have records that we do not know; they are stepped over.
    decode = _PACKED.get(record_type)
    if decode is None:
        return None
    try:
        return decode(body)
    except ValueError as error:  # msgspec.DecodeError is one, and so is an unknown Reason
        raise FrameError(f"{RecordType(record_type).name.lower()} record: {error}") from error


def _decode_gap(body: bytes) -> Gap:
    gap = _gap_decoder.decode(body)
    return Gap(gap.device, gap.group, gap.tags, Reason(gap.cause), gap.from_ms, gap.to_ms)


_PACKED: Mapping[int, Callable[[bytes], _Packed]] = {
    RecordType.SCHEMA: decode_schema,
    RecordType.GAP: _decode_gap,
    RecordType.BOOKS: msgspec.msgpack.Decoder(BooksRecord).decode,
    RecordType.MACHINE: msgspec.msgpack.Decoder(MachineRecord).decode,
    RecordType.GIVEN_UP: msgspec.msgpack.Decoder(GivenUp).decode,
}
"""How the content of records that are MessagePack is read."""


def split_records(body: bytes) -> list[tuple[int, memoryview]]:
    """The records of a decompressed body as (type, content).

    Raises:
        FrameError: a record reaches past the end.
    """
    reader = Reader(body)
    records = []
    while reader.left:
        record_type, length = reader.unpack(_HEAD)
        records.append((record_type, reader.read(length)))
    return records
