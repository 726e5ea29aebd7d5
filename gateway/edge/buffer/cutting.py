"""What becomes of records that are too large for their way: pieces, or drops and gaps. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from gateway.core.batch import Batch, Changes, Gap
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.core.schema import Schema
from gateway.core.status import Reason
from gateway.edge.buffer.frames import Entry, entries_of, frames_of
from gateway.edge.buffer.incoming import NewFrame
from gateway.wire.frame import BodyEncoder
from gateway.wire.records import Record
from gateway.wire.split import as_changes

_HEADS_BYTES = 128
"""What compression and the heads of records may add to a frame, beside half a hundredth of it."""

Values = Batch | Changes


@dataclass(frozen=True, slots=True)
class Cut:
    """What may be made of a frame.

    Attributes:
        max_bytes: of the body of a piece.
        without: ids of schemas that no message can carry; their values go nowhere.
    """

    max_bytes: int
    without: frozenset[int] = frozenset()


@dataclass(slots=True)
class Cuttings:
    """What was made of the records of a frame.

    Attributes:
        frames: the pieces.
        counts: values that are dropped, by device and day.
        gaps: of single values that are too large.
        without_schema: gaps of groups whose schema cannot be sent.
    """

    frames: list[NewFrame] = field(default_factory=list)
    counts: dict[tuple[str, date], Counts] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    without_schema: list[Gap] = field(default_factory=list)

    def drop(self, values: Values) -> None:
        """Count values as dropped."""
        for time_ms in _times(values):
            dropped = self.counts.setdefault((values.schema.device, day_of(time_ms)), Counts())
            code = Reason.TOO_LARGE.code
            dropped.dropped[code] = dropped.dropped.get(code, 0) + 1


def cut_records(records: Iterable[Record], cut: Cut, now_ms: int) -> Cuttings:
    """Make pieces of the records of a frame.

    Books, counters and gaps are left out: they are told again as they stand now, since these
    would come after newer ones.

    Args:
        records: in their order.
        cut: what may be made of them.
        now_ms: age of a piece without values, UTC milliseconds.
    """
    made = Cuttings()
    room = max(cut.max_bytes - cut.max_bytes // 200 - _HEADS_BYTES, 1)
    encoder = BodyEncoder()
    entries: list[Entry] = []
    for record in records:
        if isinstance(record, Schema):
            entries += [] if record.id in cut.without else [Entry.note(record)]
        elif isinstance(record, Values) and record.schema.id in cut.without:
            made.drop(record)
            made.without_schema.append(_gap(record))
        elif isinstance(record, Values):
            for part, entry in entries_of(record.schema.device, record, room):
                if len(entry.body) <= room or len(encoder.compress([entry.body])) <= cut.max_bytes:
                    entries.append(entry)
                else:
                    made.drop(part)
                    made.gaps += _gaps_of_values(part)
    frames = frames_of(entries, encoder, now_ms, room)
    # A schema that does not fit here may fit elsewhere: the city asks for it.
    made.frames = [one for one in frames if one.values or len(one.body) <= cut.max_bytes]
    return made


def _times(values: Values) -> list[int]:
    """The time of each value."""
    if isinstance(values, Batch):
        return [values.time_ms] * values.count
    times: list[int] = values.time_ms.tolist()
    return times


def _gap(values: Values) -> Gap:
    """The gap of all values of a record."""
    times, schema = _times(values), values.schema
    return Gap(schema.device, schema.group, (), Reason.TOO_LARGE, min(times), max(times) + 1)


def _gaps_of_values(part: Values) -> list[Gap]:
    """A gap of each value, with its tag."""
    schema = part.schema
    values = as_changes(part) if isinstance(part, Batch) else part
    return [
        Gap(
            schema.device,
            schema.group,
            (schema.tags[place].name,),
            Reason.TOO_LARGE,
            time_ms,
            time_ms + 1,
        )
        for place, time_ms in zip(values.index.tolist(), values.time_ms.tolist(), strict=True)
    ]
