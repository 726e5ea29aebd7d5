"""A frame: one row of the edge's buffer; a message carries one, or several neighbours merged.

::

    version u8 = 4 · flags u8 (bit 0: zstd) · merged u16
    epoch u64 · seq u64 · first_ms i64 · last_ms i64 · values u32 · chain u32 · crc32 u32
    body: records, one after another, compressed as a whole

``seq`` is the newest frame in the message and ``merged`` how many lie before it there. In a merged
body each frame begins with a record that names it, so that a reader who holds some of them – sent
before in other company – leaves just those out. Numbers are little-endian. The checksum covers the
body as it travels; the compressed body has one of its own, which covers it from its making on, so
that a bit that flips in a buffer is noticed.

Frames are numbered from 1. A message with the number 0 is a *question*: what does the reader have
of this epoch? It comes on the same way as frames, so its answer speaks of all that came before it.
"""

import struct
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from zlib import crc32

import zstandard

from gateway.core.batch import Batch, Changes
from gateway.core.schema import Schema
from gateway.wire.body import ZSTD, plain, schemas_of
from gateway.wire.columns import FrameError
from gateway.wire.records import (
    Record,
    RecordType,
    decode_begin,
    decode_record,
    encode_begin,
    encode_record,
    split_records,
)

VERSION = 4
MAX_CELLS = 2_097_152
"""Most changes, and places for values in batches, that a reader accepts: what is absent costs a
bit to send and a whole value to read. An edge fills 256 KiB, so it cannot come to more."""

_HEADER = struct.Struct("<BBHQQqqIII")
HEADER_BYTES = _HEADER.size
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed part of a message: who comes when, readable without decompressing.

    Attributes:
        epoch: of the sender's buffer.
        seq: number of the frame, of the newest if there are several.
        values: values in all of them.
        merged: how many frames lie before the newest; their numbers have no hole.
        chain: the sender's checksum over the frame and all before it in its buffer: two buffers
            with the same history have the same. Of a question: what the answer repeats.
        first_ms: oldest time in the frames, UTC milliseconds: a body that cannot be read leaves a
            gap of its own time all the same; 0: not told.
        last_ms: the newest.
    """

    epoch: int
    seq: int
    values: int
    merged: int = 0
    chain: int = 0
    first_ms: int = 0
    last_ms: int = 0

    @property
    def is_question(self) -> bool:
        """Whether the message asks what the reader has, and holds no frame."""
        return self.seq == 0

    @property
    def seqs(self) -> range:
        """Numbers of the frames in the message."""
        return range(self.seq - self.merged, self.seq + 1)


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded message.

    Attributes:
        header: its fixed part.
        records: all its records, in order.
        parts: of a merged message (number of a frame, values in it, its records); empty otherwise.
            Records in front of the first are of no frame: what the reader has to know before.
    """

    header: Header
    records: tuple[Record, ...]
    parts: tuple[tuple[int, int, tuple[Record, ...]], ...] = ()

    def without(self, held: Callable[[int], bool]) -> "Frame":
        """The same without frames that a reader holds already; itself if it holds none.

        Args:
            held: tells of a frame's number whether the reader holds it.
        """
        new = [part for part in self.parts if not held(part[0])]
        if len(new) == len(self.parts):
            return self
        # Records before the first frame, such as schemas, are needed whichever frames are left out.
        kept = (self._front, *(records for _, _, records in new))
        values = sum(count for _, count, _ in new)
        return Frame(replace(self.header, values=values), tuple(chain(*kept)), tuple(new))

    def numbered(self) -> Iterator[tuple[int, Record]]:
        """All records in order, each with the number of the frame that it is of.

        Those in front of the first frame have the message's.
        """
        if not self.parts:
            yield from zip(repeat(self.header.seq), self.records, strict=False)
            return
        yield from zip(repeat(self.header.seq), self._front, strict=False)
        for seq, _, records in self.parts:
            yield from zip(repeat(seq), records, strict=False)

    @property
    def _front(self) -> tuple[Record, ...]:
        return self.records[: len(self.records) - sum(len(part[2]) for part in self.parts)]


class BodyEncoder:
    """Encodes records to compressed bodies; holds the compressor. Not for several threads."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)

    def encode(self, records: Iterable[Record]) -> bytes:
        """One flags byte and the body: what :func:`seal` turns into a frame."""
        return self.compress(map(encode_record, records))

    def compress(self, encoded: Iterable[bytes]) -> bytes:
        """The same from records that :func:`encode_record` has encoded already."""
        return bytes((ZSTD,)) + self._compressor.compress(b"".join(encoded))


def prepend(body: bytes, records: Iterable[Record]) -> bytes:
    """The same body with more records in front, as when a reader lacks a schema.

    Args:
        body: flags byte and body from :meth:`BodyEncoder.encode`.
        records: what to put in front.

    Raises:
        FrameError: the body does not decompress.
    """
    return BodyEncoder().compress(
        [*map(encode_record, records), plain(body[0], memoryview(body)[1:])]
    )


def join(frames: Iterable[tuple[int, int, bytes]], encoder: BodyEncoder | None = None) -> bytes:
    """One body of several neighbouring frames, for a message of ``Header.merged`` ones.

    Args:
        frames: (number, values, flags byte and body from :meth:`BodyEncoder.encode`), ascending.
        encoder: one to be used again; None: a new one.

    Raises:
        FrameError: a body does not decompress.
    """
    encoded: list[bytes] = []
    for seq, values, body in frames:
        encoded += (encode_begin(seq, values), plain(body[0], memoryview(body)[1:]))
    return (encoder or BodyEncoder()).compress(encoded)


def seal(body: bytes, header: Header) -> bytes:
    """Put the header before an encoded body.

    Args:
        body: flags byte and body from :meth:`BodyEncoder.encode`.
        header: epoch, sequence number and count of values.
    """
    payload = memoryview(body)[1:]
    head = _HEADER.pack(
        VERSION,
        body[0],
        header.merged,
        header.epoch,
        header.seq,
        header.first_ms,
        header.last_ms,
        header.values,
        header.chain,
        crc32(payload),
    )
    return head + payload


def read_header(frame: bytes) -> Header:
    """The header of a frame; cheap, for finding duplicates before decoding.

    Raises:
        FrameError: too short, or a version this reader does not know.
    """
    return _unpack(frame)[1]


def _unpack(frame: bytes) -> tuple[int, Header, int]:
    if len(frame) < _HEADER.size:
        raise FrameError(f"{len(frame)} bytes are too short for a frame")
    version, flags, merged, epoch, seq, first, last, values, chain, checksum = _HEADER.unpack_from(
        frame
    )
    if version != VERSION:
        raise FrameError(
            f"format version {version} is not {VERSION}: edge and city must run the same qulink"
        )
    # Frames are numbered from 1; nothing lies before a question.
    if merged >= max(seq, 1):
        raise FrameError(f"frame {seq} cannot have {merged} before it")
    return flags, Header(epoch, seq, values, merged, chain, first, last), checksum


def decode_frame(frame: bytes, schemas: MutableMapping[int, Schema]) -> Frame:
    """Read a frame. Schemas inside it are known to the records behind them.

    Args:
        frame: the bytes of one message.
        schemas: schemas by id that the reader already holds.

    Raises:
        UnknownSchemaError: a record's schema is neither in ``schemas`` nor earlier in the frame.
        FrameError: the bytes break the format, or hold more than ``MAX_BODY_BYTES`` or
            ``MAX_CELLS``.
    """
    header, body = _opened(frame)
    known: dict[int, Schema] = {}
    lookup = ChainMap(known, schemas)
    records: list[Record] = []
    begins: list[tuple[int, int, int]] = []
    cells = 0
    for record_type, content in split_records(body):
        if record_type == RecordType.BEGIN:
            # It only divides the records, and is none of them.
            begins.append((len(records), *decode_begin(content)))
            continue
        record = decode_record(record_type, content, lookup)
        # Counted as they come: a small message could unfold to gigabytes.
        cells += record.cells if isinstance(record, Batch | Changes) else 0
        if cells > MAX_CELLS:
            raise FrameError(f"more than {MAX_CELLS} changes and places for values")
        if isinstance(record, Schema):
            known[record.id] = record
        if record is not None:
            records.append(record)
    return Frame(header, tuple(records), _parts(header, tuple(records), begins))


def _parts(
    header: Header, records: tuple[Record, ...], begins: Sequence[tuple[int, int, int]]
) -> tuple[tuple[int, int, tuple[Record, ...]], ...]:
    """The frames of a merged message.

    Args:
        header: of the message.
        records: of the message.
        begins: (position of its first record, number, values) of each frame.
    """
    if [seq for _, seq, _ in begins] != (list(header.seqs) if header.merged else []):
        raise FrameError(f"the frames inside are not {header.seqs[0]} to {header.seq}")
    ends = [*(at for at, _, _ in begins[1:]), len(records)]
    return tuple(
        (seq, values, records[at:end])
        for (at, seq, values), end in zip(begins, ends, strict=bool(begins))
    )


def unknown_schemas(frame: bytes, schemas: Mapping[int, Schema]) -> frozenset[int]:
    """Ids of all schemas that a reader lacks for a frame, so that it can ask for them at once.

    Raises:
        FrameError: the bytes break the format.
    """
    needed, inside = schemas_of(_opened(frame)[1])
    return frozenset(needed - inside - schemas.keys())


def _opened(frame: bytes) -> tuple[Header, bytes]:
    """Header and plain body, if the checksum is right."""
    flags, header, checksum = _unpack(frame)
    payload = memoryview(frame)[_HEADER.size :]
    if crc32(payload) != checksum:
        raise FrameError("checksum differs")
    return header, plain(flags, payload)
