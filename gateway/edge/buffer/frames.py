"""Cut encoded records into frames of a handy size. Pure apart from the compressor."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.days import day_of
from gateway.core.schema import Schema
from gateway.edge.buffer.incoming import NewFrame, Share
from gateway.wire.frame import BodyEncoder
from gateway.wire.records import BooksRecord, MachineRecord, encode_record
from gateway.wire.split import cut

MAX_BYTES = 256 * 1024
"""Records of one frame before compression; larger records are cut."""

MAX_VALUES = 65_536


@dataclass(frozen=True, slots=True)
class Entry:
    """One encoded record and what the buffer has to know of it."""

    body: bytes
    values: int = 0
    first_ms: int = 0
    last_ms: int = 0
    shares: tuple[Share, ...] = ()
    gaps: int = 0

    @classmethod
    def of(cls, device: str, record: Batch | Changes) -> Self:
        """Encode values of a device."""
        if isinstance(record, Changes):
            return cls._of_changes(device, record)
        time_ms, values = record.time_ms, record.count
        share = (device, day_of(time_ms), values)
        return cls(encode_record(record), values, time_ms, time_ms, (share,))

    @classmethod
    def _of_changes(cls, device: str, changes: Changes) -> Self:
        first_ms, last_ms = int(changes.time_ms.min()), int(changes.time_ms.max())
        if day_of(first_ms) == day_of(last_ms):
            days = {day_of(first_ms): changes.count}
        else:
            days = Counter(map(day_of, changes.time_ms.tolist()))
        shares = tuple((device, day, values) for day, values in days.items())
        return cls(encode_record(changes), changes.count, first_ms, last_ms, shares)

    @classmethod
    def note(cls, record: Schema | Gap | BooksRecord | MachineRecord) -> Self:
        """Encode a record without values."""
        return cls(encode_record(record), gaps=int(isinstance(record, Gap)))


def entries_of(
    device: str, record: Batch | Changes, max_bytes: int = MAX_BYTES
) -> list[tuple[Batch | Changes, Entry]]:
    """Values in records of at most so many bytes, with their entries; a single value may be larger.

    Args:
        device: whose values.
        record: the values.
        max_bytes: of a record, encoded.
    """
    entry = Entry.of(device, record)
    if len(entry.body) <= max_bytes:
        return [(record, entry)]
    return [(part, Entry.of(device, part)) for part in cut(record, max_bytes)]


def newest_by_device(entries: Iterable[Entry]) -> dict[str, int]:
    """The newest time of the values of each device, UTC milliseconds."""
    newest: dict[str, int] = {}
    for entry in entries:
        for device, _, _ in entry.shares:
            newest[device] = max(entry.last_ms, newest.get(device, entry.last_ms))
    return newest


def frames_of(
    entries: Iterable[Entry], encoder: BodyEncoder, now_ms: int, max_bytes: int = MAX_BYTES
) -> list[NewFrame]:
    """Frames of the entries, in their order; one without values is as old as ``now_ms``.

    Args:
        entries: encoded records.
        encoder: compresses them.
        now_ms: UTC milliseconds.
        max_bytes: records of one frame before compression; a single larger one is alone.
    """
    return [_frame(part, encoder, now_ms) for part in _parts(entries, max_bytes)]


def _parts(entries: Iterable[Entry], max_bytes: int) -> Iterator[list[Entry]]:
    part: list[Entry] = []
    size = values = 0
    for entry in entries:
        if part and (size + len(entry.body) > max_bytes or values + entry.values > MAX_VALUES):
            yield part
            part, size, values = [], 0, 0
        part.append(entry)
        size += len(entry.body)
        values += entry.values
    if part:
        yield part


def _frame(entries: list[Entry], encoder: BodyEncoder, now_ms: int) -> NewFrame:
    timed = [entry for entry in entries if entry.values]
    return NewFrame(
        encoder.compress(entry.body for entry in entries),
        sum(entry.values for entry in entries),
        min((entry.first_ms for entry in timed), default=now_ms),
        max((entry.last_ms for entry in timed), default=now_ms),
        _shares(entries),
        sum(entry.gaps for entry in entries),
    )


def _shares(entries: Iterable[Entry]) -> tuple[Share, ...]:
    totals: dict[tuple[str, object], Share] = {}
    for entry in entries:
        for device, day, values in entry.shares:
            before = totals.get((device, day))
            totals[device, day] = (device, day, values + (before[2] if before else 0))
    return tuple(totals.values())
