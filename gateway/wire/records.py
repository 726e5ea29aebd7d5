"""The records inside a frame: batch, changes, schema, gap, books, what was given up.

Every record is ``type u8 · length u32 · content``, so that a reader can step over a type it does
not know. Numbers are little-endian.
"""

import struct
from collections.abc import Mapping
from datetime import date
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

import msgspec
import numpy as np

from gateway.core.batch import Batch, Changes, Gap, Mask
from gateway.core.books import Counts
from gateway.core.schema import Column, Kind, Run, Schema, decode_schema, encode_schema
from gateway.core.status import Reason
from gateway.wire.columns import FrameError, Reader, decode_column, decode_runs, encode_column

_HEAD = struct.Struct("<BI")
_BATCH = struct.Struct("<QqB")
_CHANGES = struct.Struct("<QI")
_ALL_PRESENT = 1
_U32 = np.dtype("<u4")
_I64 = np.dtype("<i8")
_U8 = np.dtype("u1")


class RecordType(IntEnum):
    """First byte of a record. The numbers are part of the wire format and never change."""

    BATCH = 1
    CHANGES = 2
    SCHEMA = 3
    GAP = 4
    BOOKS = 5
    GIVEN_UP = 6


class UnknownSchemaError(FrameError):
    """A record follows a schema that the reader does not hold."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema {schema_id:016x} is not known")
        self.schema_id = schema_id


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
        )


class GivenUp(msgspec.Struct, frozen=True, array_like=True):
    """What a gateway will never send (again), because its quota took it or it was acknowledged.

    Attributes:
        settled: below this number no acknowledgement is waited for any more; at most ``below``.
        below: no frame below this number is held or will be sent; at most the number of the frame
            that this record is in.
    """

    settled: int
    below: int


class _GapBody(msgspec.Struct, frozen=True, array_like=True):
    device: str
    group: str
    tags: tuple[str, ...]
    cause: int
    from_ms: int
    to_ms: int | None


_Values = TypeVar("_Values", Batch, Changes)

Record = Batch | Changes | Schema | Gap | BooksRecord | GivenUp

_gap_decoder = msgspec.msgpack.Decoder(_GapBody)
_books_decoder = msgspec.msgpack.Decoder(BooksRecord)
_given_up_decoder = msgspec.msgpack.Decoder(GivenUp)


def encode_record(record: Record) -> bytes:
    """Bytes of one record with its head."""
    match record:
        case Batch():
            return _framed(RecordType.BATCH, _batch_body(record))
        case Changes():
            return _framed(RecordType.CHANGES, _changes_body(record))
        case Schema():
            return _framed(RecordType.SCHEMA, encode_schema(record))
        case Gap():
            body = _GapBody(
                record.device, record.group, record.tags, record.cause, record.from_ms, record.to_ms
            )
            return _framed(RecordType.GAP, msgspec.msgpack.encode(body))
        case BooksRecord():
            return _framed(RecordType.BOOKS, msgspec.msgpack.encode(record))
        case GivenUp():
            return _framed(RecordType.GIVEN_UP, msgspec.msgpack.encode(record))


def _framed(record_type: RecordType, body: bytes) -> bytes:
    return _HEAD.pack(record_type, len(body)) + body


def _batch_body(batch: Batch) -> bytes:
    schema, present = batch.schema, batch.present
    if present.all():
        parts = [_BATCH.pack(schema.id, batch.time_ms, _ALL_PRESENT)]
        parts += map(encode_column, (run.kind for run in schema.runs), batch.columns)
        return b"".join(parts)
    parts = [
        _BATCH.pack(schema.id, batch.time_ms, 0),
        np.packbits(present, bitorder="little").tobytes(),
    ]
    for run, column in zip(schema.runs, batch.columns, strict=True):
        parts.append(encode_column(run.kind, column[present[run.span]]))
    return b"".join(parts)


def _changes_body(changes: Changes) -> bytes:
    head = _CHANGES.pack(changes.schema.id, changes.count)
    parts = [
        head,
        changes.index.astype(_U32, copy=False).tobytes(),
        changes.time_ms.astype(_I64, copy=False).tobytes(),
    ]
    parts += map(
        encode_column,
        (run.kind for run in changes.schema.runs_at(changes.index)),
        changes.columns,
    )
    return b"".join(parts)


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
            return _decode_batch(Reader(body), schemas)
        case RecordType.CHANGES:
            return _decode_changes(Reader(body), schemas)
        case RecordType.SCHEMA | RecordType.GAP | RecordType.BOOKS | RecordType.GIVEN_UP:
            return _decode_packed(record_type, bytes(body))
        case _:
            return None


def _decode_packed(record_type: int, body: bytes) -> Schema | Gap | BooksRecord | GivenUp:
    try:
        if record_type == RecordType.SCHEMA:
            return decode_schema(body)
        if record_type == RecordType.BOOKS:
            return _books_decoder.decode(body)
        if record_type == RecordType.GIVEN_UP:
            return _given_up_decoder.decode(body)
        gap = _gap_decoder.decode(body)
        return Gap(gap.device, gap.group, gap.tags, Reason(gap.cause), gap.from_ms, gap.to_ms)
    except ValueError as error:  # msgspec.DecodeError is one, and so is an unknown Reason
        raise FrameError(f"{RecordType(record_type).name.lower()} record: {error}") from error


def _schema(schema_id: int, schemas: Mapping[int, Schema]) -> Schema:
    schema = schemas.get(schema_id)
    if schema is None:
        raise UnknownSchemaError(schema_id)
    return schema


def _decode_batch(reader: Reader, schemas: Mapping[int, Schema]) -> Batch:
    schema_id, time_ms, flags = reader.unpack(_BATCH)
    schema = _schema(schema_id, schemas)
    count = len(schema.tags)
    if flags & _ALL_PRESENT:
        columns = decode_runs(schema.runs, reader)
        return _finished(Batch(schema, time_ms, _all_present(count), columns), reader)
    bits = reader.array(_U8, (count + 7) // 8)
    present = np.unpackbits(bits, count=count, bitorder="little").astype(np.bool_)
    columns = tuple(_scattered(run, present[run.span], reader) for run in schema.runs)
    return _finished(Batch(schema, time_ms, present, columns), reader)


@lru_cache(maxsize=64)
def _all_present(count: int) -> Mask:
    """Shared by the batches of so many tags, so nobody may write to it."""
    mask = np.ones(count, np.bool_)
    mask.flags.writeable = False
    return mask


def _scattered(run: Run, present: Column, reader: Reader) -> Column:
    column = np.full(len(run), "" if run.kind is Kind.STRING else 0, dtype=run.kind.dtype)
    column[present] = decode_column(run.kind, int(np.count_nonzero(present)), reader)
    return column


def _decode_changes(reader: Reader, schemas: Mapping[int, Schema]) -> Changes:
    schema_id, count = reader.unpack(_CHANGES)
    schema = _schema(schema_id, schemas)
    index = reader.array(_U32, count)
    if count and int(index.max()) >= len(schema.tags):
        raise FrameError(f"tag index {int(index.max())} in a schema of {len(schema.tags)} tags")
    time_ms = reader.array(_I64, count)
    columns = decode_runs(schema.runs_at(index), reader)
    return _finished(Changes(schema, index, time_ms, columns), reader)


def _finished(record: _Values, reader: Reader) -> _Values:
    if reader.left:
        raise FrameError(f"{reader.left} bytes left over in a {type(record).__name__.lower()}")
    return record


def split_records(body: bytes) -> list[tuple[int, memoryview]]:
    """The records of a decompressed body as (type, content).

    Raises:
        FrameError: a record reaches past the end.
    """
    reader = Reader(body)
    records = []
    while reader.left:
        record_type, length = reader.unpack(_HEAD)
        records.append((record_type, reader.take(length)))
    return records
