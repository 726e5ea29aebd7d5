"""Values on the wire: the contents of the records of batches and of changes.

::

    batch    schema u64 · time i64 · flags u8 · [present bits] · [status u8…] · columns
    changes  schema u64 · count u32 · flags u8 · [status u8…] · tags u32… · times i64… · columns

What is in brackets is there only if the flags say so: a batch of which every value travels, and
is GOOD, pays for neither.
"""

import struct
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

import numpy as np

from gateway.core.batch import Batch, Changes, Mask, Status
from gateway.core.schema import Column, Kind, Run, Schema
from gateway.core.status import travels
from gateway.wire.columns import (
    FrameError,
    Reader,
    UnknownSchemaError,
    decode_column,
    decode_runs,
    encode_column,
)

_BATCH = struct.Struct("<QqB")
_CHANGES = struct.Struct("<QIB")
_ALL_PRESENT = 1
_HAS_STATUS = 2
"""Flags of a record; without the second every value in it is GOOD, which costs nothing more."""
_U32 = np.dtype("<u4")
_I64 = np.dtype("<i8")
_U8 = np.dtype("u1")

_Values = TypeVar("_Values", Batch, Changes)


def encode_batch(batch: Batch) -> bytes:
    """Content of the record of a batch."""
    schema, present, status = batch.schema, batch.present, batch.status
    flags = 0 if status is None else _HAS_STATUS
    if batch.count == batch.cells:
        # Mostly so: neither bits nor a selection of values is made.
        parts = [_BATCH.pack(schema.id, batch.time_ms, flags | _ALL_PRESENT)]
        parts += [] if status is None else [status.tobytes()]
        parts += map(encode_column, (run.kind for run in schema.runs), batch.columns)
        return b"".join(parts)
    parts = [
        _BATCH.pack(schema.id, batch.time_ms, flags),
        np.packbits(present, bitorder="little").tobytes(),
    ]
    parts += [] if status is None else [status[present].tobytes()]
    for run, column in zip(schema.runs, batch.columns, strict=True):
        parts.append(encode_column(run.kind, column[present[run.span]]))
    return b"".join(parts)


def encode_changes(changes: Changes) -> bytes:
    """Content of the record of changes."""
    flags = 0 if changes.status is None else _HAS_STATUS
    parts = [
        _CHANGES.pack(changes.schema.id, changes.count, flags),
        b"" if changes.status is None else changes.status.tobytes(),
        changes.index.astype(_U32, copy=False).tobytes(),
        changes.time_ms.astype(_I64, copy=False).tobytes(),
    ]
    parts += map(
        encode_column,
        (run.kind for run in changes.schema.runs_at(changes.index)),
        changes.columns,
    )
    return b"".join(parts)


def _schema(schema_id: int, schemas: Mapping[int, Schema]) -> Schema:
    schema = schemas.get(schema_id)
    if schema is None:
        raise UnknownSchemaError(schema_id)
    return schema


def decode_batch(reader: Reader, schemas: Mapping[int, Schema]) -> Batch:
    """Read the content of a batch.

    Raises:
        UnknownSchemaError: its schema is not in ``schemas``.
        FrameError: the content breaks the format.
    """
    schema_id, time_ms, flags = reader.unpack(_BATCH)
    schema = _schema(schema_id, schemas)
    count = len(schema.tags)
    if flags & _ALL_PRESENT:
        status = _decode_status(flags, count, reader)
        columns = decode_runs(schema.runs, reader)
        return _finished(Batch(schema, time_ms, _all_present(count), columns, status), reader)
    bits = reader.array(_U8, (count + 7) // 8)
    present = np.unpackbits(bits, count=count, bitorder="little").astype(np.bool_)
    status = _full_status(_decode_status(flags, int(np.count_nonzero(present)), reader), present)
    columns = tuple(_scattered(run, present[run.span], reader) for run in schema.runs)
    return _finished(Batch(schema, time_ms, present, columns, status), reader)


_TRAVELS = np.array([travels(code) for code in range(256)])
"""By status byte: whether a value with it may be in a frame."""


def _decode_status(flags: int, count: int, reader: Reader) -> Status | None:
    """The status bytes of the values that follow; None if all are GOOD."""
    if not flags & _HAS_STATUS:
        return None
    status = reader.array(_U8, count)
    if not (known := _TRAVELS[status]).all():
        raise FrameError(f"status byte {int(status[~known][0]):#04x} cannot be in a frame")
    return status


def _full_status(status: Status | None, present: Mask) -> Status | None:
    """Status bytes of values that are present, each at the place of its tag."""
    if status is None:
        return None
    full = np.zeros(len(present), np.uint8)
    full[present] = status
    return full


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


def decode_changes(reader: Reader, schemas: Mapping[int, Schema]) -> Changes:
    """Read the content of changes.

    Raises:
        UnknownSchemaError: its schema is not in ``schemas``.
        FrameError: the content breaks the format.
    """
    schema_id, count, flags = reader.unpack(_CHANGES)
    schema = _schema(schema_id, schemas)
    status = _decode_status(flags, count, reader)
    index = reader.array(_U32, count)
    if count and int(index.max()) >= len(schema.tags):
        raise FrameError(f"tag index {int(index.max())} in a schema of {len(schema.tags)} tags")
    time_ms = reader.array(_I64, count)
    columns = decode_runs(schema.runs_at(index), reader)
    return _finished(Changes(schema, index, time_ms, columns, status), reader)


def _finished(record: _Values, reader: Reader) -> _Values:
    if reader.left:
        raise FrameError(f"{reader.left} bytes left over in a {type(record).__name__.lower()}")
    return record
