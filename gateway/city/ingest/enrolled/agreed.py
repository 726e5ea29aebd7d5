"""What of a gateway's values the data agreements of its enterprise let the city keep. Pure.

Decided once for a schema and a day; a value costs a look at a mask, and nothing where no
agreement narrows its schema.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from edge_config.models.limits import MAX_SCHEMAS
from gateway.city.ingest.losses import Losses, span_of
from gateway.city.ledger.agreements.agreement import Terms
from gateway.core.batch import Batch, Changes, Mask
from gateway.core.days import day_of
from gateway.core.schema import Schema
from gateway.wire.records import MachineRecord, Record


@dataclass(slots=True)
class Outside:
    """Values of one schema that are not kept.

    Attributes:
        schema: theirs.
        tags: names of the tags that may not be collected; empty: none of them may.
        count: how many values.
        times_ms: first and last time of each record, UTC milliseconds.
    """

    schema: Schema
    tags: tuple[str, ...]
    count: int = 0
    times_ms: list[int] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why, for a person."""
        where = f"device {self.schema.device}, group {self.schema.group}"
        what = f"points {', '.join(self.tags)}" if self.tags else "points"
        return f"{what} of {where} are outside of the enterprise's data agreements"


class Agreed:
    """What of one gateway's values may be kept.

    Args:
        terms: what is agreed with its enterprise.
    """

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.since_ms = terms.since_ms
        self._day = date.min
        self._masks: dict[int, Mask] = {}
        self._earlier: Mapping[int, Mask] = {}

    def renewed(self, terms: Terms) -> "Agreed":
        """The same with other terms; remembers what was kept by the old ones."""
        made = Agreed(terms)
        made._earlier = self._masks
        return made

    def mask(self, schema: Schema, today: date) -> Mask:
        """Which tags may be kept of what comes today: bool[n]."""
        if today != self._day:
            self._earlier = self._masks or self._earlier
            self._day, self._masks = today, {}
        found = self._masks.get(schema.id)
        if found is None:
            if len(self._masks) >= MAX_SCHEMAS:  # of refused ones there may be any number
                self._masks.clear()
            found = self._masks[schema.id] = self.terms.mask(schema, today)
        return found

    def has_widened(self, schema: Schema, today: date) -> bool:
        """Whether more of a schema is kept than before; told once.

        What was not sent anew meanwhile, because it stood still, is to come again.
        """
        mask = self.mask(schema, today)
        if not self._earlier:
            return False
        before = self._earlier.get(schema.id)
        if before is None:
            return False
        self._earlier = {key: one for key, one in self._earlier.items() if key != schema.id}
        return bool(np.any(mask & ~before))


@dataclass(slots=True)
class Sifting:
    """Takes out of one frame what may not be kept.

    Attributes:
        agreed: of the gateway.
        schemas: those of the gateway that are accepted.
        today: Asia/Shanghai day, by the city's clock.
        outside: what was taken out, by schema.
        widened: devices of which more is kept than before, with the time of the values that came.
    """

    agreed: Agreed
    schemas: Iterable[Schema]
    today: date
    outside: dict[int, Outside] = field(default_factory=dict)
    widened: dict[str, int] = field(default_factory=dict)

    def sift(self, records: Iterable[tuple[int, Record]]) -> Iterator[tuple[int, Record]]:
        """What may be kept of numbered records."""
        for seq, record in records:
            kept = self._kept(record)
            if kept is not None:
                yield seq, kept

    def tell(self, losses: Losses) -> None:
        """Note what is missing now, and what is to come again."""
        for one in self.outside.values():
            losses.note_outside(one.schema.device, one.schema.group, one.tags, one.times_ms)
        for device, time_ms in self.widened.items():
            losses.tell(device, time_ms)

    def _kept(self, record: Record) -> Record | None:
        match record:
            case Batch() | Changes():
                return self._values(record)
            case MachineRecord():
                return record if self._counts(record) else None
            case _:
                return record

    def _values(self, record: Batch | Changes) -> Batch | Changes | None:
        schema, since_ms = record.schema, self.agreed.since_ms
        mask = self.agreed.mask(schema, self.today)
        times = span_of(record)
        if times and self.agreed.has_widened(schema, self.today):
            self.widened[schema.device] = times[-1]
        if mask.all() and (not times or times[0] >= since_ms):
            return record
        kept = _narrowed(record, mask, since_ms)
        if kept.count < record.count:
            self._note(record, mask, record.count - kept.count)
        return kept if kept.count else None

    def _note(self, record: Batch | Changes, mask: Mask, count: int) -> None:
        schema = record.schema
        partly = mask.any() and not mask.all()
        tags = tuple(tag.name for tag, kept in zip(schema.tags, mask, strict=True) if not kept)
        made = Outside(schema, tags if partly else ())
        one = self.outside.setdefault(schema.id, made)
        one.count += count
        one.times_ms += span_of(record)

    def _counts(self, record: MachineRecord) -> bool:
        """Whether a machine's counters may be kept: some point of its device is."""
        if record.day < day_of(self.agreed.since_ms) or not self.agreed.terms.hold(self.today):
            return False
        own = [one for one in self.schemas if one.device == record.device]
        return not own or any(self.agreed.mask(one, self.today).any() for one in own)


def _narrowed(record: Batch | Changes, mask: Mask, since_ms: int) -> Batch | Changes:
    """What of a record is in a mask and not older than the first agreement."""
    if isinstance(record, Batch):
        present = record.present & mask & (record.time_ms >= since_ms)
        return replace(record, present=present)
    keep = mask[record.index] & (record.time_ms >= since_ms)
    columns = [
        column[keep[run.span]]
        for run, column in zip(record.schema.runs_at(record.index), record.columns, strict=True)
    ]
    return Changes(
        record.schema,
        record.index[keep],
        record.time_ms[keep],
        tuple(column for column in columns if len(column)),
        None if record.status is None else record.status[keep],
    )
