"""Columns ↔ bytes: little-endian arrays, one byte a bool, MessagePack for strings."""

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from gateway.core.schema import Column, Kind, Run

_LENGTH = struct.Struct("<I")
_WIRE_DTYPE: dict[Kind, np.dtype[Any]] = {
    Kind.FLOAT64: np.dtype("<f8"),
    Kind.FLOAT32: np.dtype("<f4"),
    Kind.INT64: np.dtype("<i8"),
    Kind.UINT64: np.dtype("<u8"),
    Kind.BOOL: np.dtype("u1"),
}
_strings = msgspec.msgpack.Decoder(list[str])


class FrameError(ValueError):
    """A frame's bytes break the format; the message says where and how."""


class UnknownSchemaError(FrameError):
    """A record follows a schema that the reader does not hold."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema {schema_id:016x} is not known")
        self.schema_id = schema_id


class Reader:
    """A cursor over bytes that refuses to read past their end."""

    __slots__ = ("body", "position")

    def __init__(self, body: bytes | memoryview) -> None:
        self.body = memoryview(body)
        self.position = 0

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self.body) - self.position

    def read(self, size: int) -> memoryview:
        """The next ``size`` bytes.

        Raises:
            FrameError: fewer are left.
        """
        start = self._skip(size)
        return self.body[start : self.position]

    def _skip(self, size: int) -> int:
        """Step over bytes; where they begin."""
        start = self.position
        # Lengths come from the sender: never trusted beyond what is there.
        if start + size > len(self.body):
            raise FrameError(f"truncated: {size} bytes wanted at {start}, {self.left} left")
        self.position = start + size
        return start

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        """The next bytes by a ``struct`` layout of whole numbers."""
        return layout.unpack_from(self.body, self._skip(layout.size))

    def array(self, dtype: np.dtype[Any], count: int) -> Column:
        """The next ``count`` numbers as a read-only array on the bytes themselves."""
        start = self._skip(dtype.itemsize * count)
        return np.frombuffer(self.body, dtype, count, start)


def encode_column(kind: Kind, column: Column) -> bytes:
    """Bytes of one column."""
    if kind is Kind.STRING:
        body = msgspec.msgpack.encode(column.tolist())
        return _LENGTH.pack(len(body)) + body
    return column.astype(_WIRE_DTYPE[kind], copy=False).tobytes()


def decode_column(kind: Kind, count: int, reader: Reader) -> Column:
    """Read one column of ``count`` values.

    Raises:
        FrameError: truncated, or not ``count`` strings.
    """
    if kind is Kind.STRING:
        return _decode_strings(count, reader)
    column = reader.array(_WIRE_DTYPE[kind], count)
    return column.astype(np.bool_) if kind is Kind.BOOL else column


def _decode_strings(count: int, reader: Reader) -> Column:
    (size,) = reader.unpack(_LENGTH)
    try:
        texts = _strings.decode(reader.read(size))
    except ValueError as error:  # msgspec.DecodeError is one, and so is text that is not UTF-8
        raise FrameError(f"string column: {error}") from error
    # MessagePack brings its own count, which need not be that of the record.
    if len(texts) != count:
        raise FrameError(f"string column holds {len(texts)} values, {count} announced")
    return np.array(texts, dtype=object)


def decode_runs(runs: Sequence[Run], reader: Reader) -> tuple[Column, ...]:
    """Read one column a run."""
    return tuple(decode_column(run.kind, len(run), reader) for run in runs)
