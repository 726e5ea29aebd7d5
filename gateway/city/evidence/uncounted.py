"""What is stored and is not evidence yet: gathered in memory, and known to the database.

The row of a gateway's epoch in ``watermark`` holds the span of times that is not counted. A commit
of frames widens it, writing the evidence clears it; a process that finds one which it did not
gather itself – after a kill, or of a partition it takes over – recounts that span from the store.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, update

from gateway.city.db.tables import watermark
from gateway.city.evidence.recording import record
from gateway.city.evidence.samples import Sample, Sums, add
from gateway.city.ledger.machines import MachineIds

Epoch = tuple[str, str]
"""Gateway, and its epoch as 16 hex digits."""
Span = tuple[int, int]
"""First and last time, UTC milliseconds."""

MAX_SAMPLES = 200_000
"""So many machines and days are gathered at most while the database does not take them."""


@dataclass(slots=True)
class Uncounted:
    """What one process has gathered, and what others have left behind.

    Attributes:
        writing: held while frames are committed, evidence is written or spans are read, so that
            the spans here are those of the database.
        owed: spans that others have left; to be recounted from the store.
        some_owed: set while there are any.
        has_room: set while more may be gathered.
    """

    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    owed: dict[Epoch, Span] = field(default_factory=dict)
    some_owed: asyncio.Event = field(default_factory=asyncio.Event)
    has_room: asyncio.Event = field(default_factory=asyncio.Event)
    _samples: Sums = field(default_factory=dict)
    _spans: dict[Epoch, Span] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.has_room.set()

    def gather(self, samples: Iterable[Sample], spans: Mapping[Epoch, Span]) -> None:
        """Frames are committed: keep their evidence, and the spans as the database has them now."""
        add(self._samples, samples)
        for key, span in spans.items():
            self._spans[key] = joined(span, self._spans.get(key))
        if len(self._samples) >= MAX_SAMPLES:
            self.has_room.clear()

    def owe(self, key: Epoch, span: Span | None) -> None:
        """The database was read anew, under the lock: what it says of an epoch holds."""
        # samples stay gathered: to count them twice changes nothing, to lose them would
        self._spans.pop(key, None)
        self.owed.pop(key, None)
        if span is not None:
            self._spans[key] = self.owed[key] = span
            self.some_owed.set()

    def recounted(self, key: Epoch, span: Span) -> None:
        """A span is evidence now; the next writing clears it."""
        if self.owed.get(key) == span:
            del self.owed[key]
        if not self.owed:
            self.some_owed.clear()

    def gathered(self) -> tuple[Sequence[Sample], Mapping[Epoch, Span]]:
        """What is to be written, and the spans that are evidence with it."""
        counted = {key: span for key, span in self._spans.items() if key not in self.owed}
        return list(self._samples.values()), counted

    def written(self, counted: Mapping[Epoch, Span]) -> None:
        """What was gathered is evidence; nothing has been gathered since :meth:`gathered`."""
        self._samples = {}
        for key, span in counted.items():
            if self._spans.get(key) == span:
                del self._spans[key]
        self.has_room.set()


def joined(span: Span, other: Span | None) -> Span:
    """The shortest span that holds both."""
    return span if other is None else (min(span[0], other[0]), max(span[1], other[1]))


def span_of(mark: Row[Any]) -> Span | None:
    """What a row of ``watermark`` says is not counted."""
    from_ms, to_ms = mark.uncounted_from_ms, mark.uncounted_to_ms
    return None if from_ms is None or to_ms is None else (from_ms, to_ms)


def spans_by_gateway(samples: Iterable[Sample]) -> dict[str, Span]:
    """The times of samples."""
    spans: dict[str, Span] = {}
    for one in samples:
        spans[one.gateway] = joined((one.first_ms, one.last_ms), spans.get(one.gateway))
    return spans


_CLEAR = (
    update(watermark)
    .where(
        watermark.c.gateway == bindparam("of_gateway"),
        watermark.c.epoch == bindparam("of_epoch"),
        # who else has widened it has samples that are not written here
        watermark.c.uncounted_from_ms == bindparam("from_ms"),
        watermark.c.uncounted_to_ms == bindparam("to_ms"),
    )
    .values(uncounted_from_ms=None, uncounted_to_ms=None)
)


def write_gathered(
    connection: Connection,
    samples: Sequence[Sample],
    counted: Mapping[Epoch, Span],
    ids: MachineIds,
    now_ms: int,
) -> int:
    """Make evidence of what was gathered, and say in the same transaction that it is counted.

    Returns:
        How many values belong to machines that are not in the ledger.
    """
    strangers = record(connection, samples, ids, now_ms)
    rows = [
        {"of_gateway": gateway, "of_epoch": epoch, "from_ms": span[0], "to_ms": span[1]}
        for (gateway, epoch), span in sorted(counted.items())
    ]
    if rows:
        connection.execute(_CLEAR, rows)
    return strangers
