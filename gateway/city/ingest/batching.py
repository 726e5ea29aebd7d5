"""What is decoded, stored, committed and acknowledged together."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain

from gateway.city.evidence.counts import MachineReport
from gateway.city.ingest import quarantine
from gateway.city.ingest.commit import EpochUpdate, Updates
from gateway.city.ingest.enrolled import lives
from gateway.city.ingest.enrolled.agreed import Sifting
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.layout import Layout, batch_rows, change_rows
from gateway.city.ingest.limits import BATCH_FRAMES, BATCH_VALUES, weight
from gateway.city.ingest.losses import believed, span_of
from gateway.city.ingest.progress import Progress
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ingest.verdict import (
    Accepted,
    Asked,
    Duplicate,
    Malformed,
    SchemaMissing,
    TooManyHoles,
    Verdict,
)
from gateway.city.ledger.names import MachineName
from gateway.city.stores.api import Rejection, Rows
from gateway.core.batch import Batch, Changes, Gap
from gateway.core.schema import Schema
from gateway.wire.frame import Frame
from gateway.wire.messages import Ack
from gateway.wire.records import Record


@dataclass(slots=True)
class FrameBatch:
    """Frames of many gateways on their common way to store and database.

    Attributes:
        budget: limits what is kept in quarantine.
        today: Asia/Shanghai day on which it began.
        messages: what was handled.
        outcomes: frames by what becomes of them.
        gateways: those that take part.
        updates: what changes, by gateway and epoch.
        batches: values to be written, by gateway and schema.
        changes: values that came one by one.
        layouts: how to cut both; a gateway may have forgotten them when they are written.
        refused: messages and parts that are not accepted, by kind of reason.
        refused_values: values in them.
        entries: what of them is kept in quarantine.
        size: its weight, in values.
        begun_s: when its first frame came, monotonic seconds.
    """

    budget: quarantine.Budget
    today: date
    messages: list[Incoming] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    updates: Updates = field(default_factory=dict)
    batches: dict[tuple[str, int], list[Batch]] = field(default_factory=dict)
    changes: list[tuple[str, Changes]] = field(default_factory=list)
    layouts: dict[tuple[str, int], Layout] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    refused_values: int = 0
    entries: list[quarantine.Entry] = field(default_factory=list)
    size: int = 0
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def full(self) -> bool:
        """Whether no more should be added."""
        return self.size >= BATCH_VALUES or len(self.messages) >= BATCH_FRAMES

    def acks(self, now_ms: int) -> Iterator[tuple[str, Ack]]:
        """What the gateways are told once the batch is committed.

        Args:
            now_ms: the city's clock, by which an edge may confirm its own, UTC milliseconds.
        """
        for (gateway_id, epoch), update in self.updates.items():
            unstored = self.gateways[gateway_id].losses.unstored
            yield gateway_id, update.ack(epoch, now_ms, unstored)

    def add(self, message: Incoming, gateway: Gateway, verdict: Verdict) -> None:
        """Enter one frame of an enrolled gateway with the verdict on it."""
        sender = gateway.enrolment.gateway
        self.gateways[sender] = gateway
        match verdict:
            case Accepted(epoch, frame):
                update = self._update(gateway, epoch)
                newest = update.progress.newest
                lives.begin(gateway, update, frame.header, message.received_ms)
                self._finish(gateway, epoch, update, frame.header.seqs)
                update.progress.see(frame.header.seq, frame.header.chain)
                self._accept(message, gateway, update, frame, newest)
                lives.know(update.progress, frame, message.received_ms)
                self.outcomes["committed"] += 1
            case Asked(epoch, question, given_up):
                if self._update(gateway, epoch).answer(question, given_up):
                    gateway.progress[epoch] = self._update(gateway, epoch).progress
                self.outcomes["question"] += 1
            case Duplicate(epoch, seq):
                self._update(gateway, epoch).seqs.append(seq)
                self.outcomes["duplicate"] += 1
            case SchemaMissing(epoch, want):
                self._update(gateway, epoch).want |= want
                self.outcomes["schema_missing"] += 1
            case TooManyHoles(epoch):
                self._update(gateway, epoch)
                self.outcomes["too_many_holes"] += 1
            case Malformed(kind, reason, epoch, seq, values, merged, span_ms):
                if epoch is not None:
                    update = self._update(gateway, epoch)
                    self._finish(gateway, epoch, update, range(seq - merged, seq + 1))
                    update.quarantined += values
                    times_ms = believed(span_ms, message.received_ms) if values else ()
                    gateway.losses.note("", "", times_ms, span_ms[1])
                self.outcomes["quarantined"] += 1
                self.refuse(message, kind, sender, reason, values)

    def _update(self, gateway: Gateway, epoch: str) -> EpochUpdate:
        key = (gateway.enrolment.gateway, epoch)
        update = self.updates.get(key)
        if update is None:
            progress = gateway.progress.get(epoch) or Progress()
            update = self.updates[key] = EpochUpdate(progress, before=progress.copy())
        return update

    @staticmethod
    def _finish(gateway: Gateway, epoch: str, update: EpochUpdate, seqs: range) -> None:
        """Mark frames, neighbours of one message, as finished in the gateway's own progress.

        At once, because the next batch is decided while this one is stored: what is entered will
        be committed before the next, or both are decided anew.
        """
        gateway.progress[epoch] = update.progress
        for seq in seqs:
            update.progress.add(seq)
        update.seqs.append(seqs[-1])
        update.changed = True

    def _accept(
        self, message: Incoming, gateway: Gateway, update: EpochUpdate, frame: Frame, newest: int
    ) -> None:
        sender = gateway.enrolment.gateway
        refused = defaultdict[tuple[str, int], list[Batch | Changes]](list)
        # Each frame by its own number: a message can hold old ones beside the newest.
        for seq, record in self._sifted(message, gateway, update, frame):
            match record:
                case Batch() | Changes() if not self._is_usable(record.schema, gateway, update):
                    refused["schema", record.schema.id].append(record)
                case Batch() if record.time_ms in update.in_use:
                    refused["time", record.schema.id].append(record)
                case Batch():
                    self.batches.setdefault((sender, record.schema.id), []).append(record)
                    self._use(record, gateway, update)
                case Changes():
                    self.changes.append((sender, record))
                    self._use(record, gateway, update)
                case Schema():
                    if gateway.learn(record, self.today):
                        update.schemas.append(record)
                case _:
                    update.note(record, seq, is_late=seq < newest)
            self.size += weight(record)
        for (kind, schema_id), records in refused.items():
            reason = lives.POLLS_OF_TWO_LIVES if kind == "time" else gateway.why_refused(schema_id)
            self._refuse_part(message, gateway, update, records, kind, reason)

    def _sifted(
        self, message: Incoming, gateway: Gateway, update: EpochUpdate, frame: Frame
    ) -> Iterable[tuple[int, Record]]:
        """The numbered records of a frame, without what no data agreement lets the city keep."""
        if gateway.agreed is None:
            return frame.numbered()
        sifting = Sifting(gateway.agreed, gateway.schemas.values(), self.today)
        kept = list(sifting.sift(frame.numbered()))
        for one in sifting.outside.values():
            update.leave_out(one.count)
            self.refuse(message, "agreement", gateway.enrolment.gateway, one.reason, one.count)
        sifting.tell(gateway.losses)
        return kept

    def _is_usable(self, schema: Schema, gateway: Gateway, update: EpochUpdate) -> bool:
        """Whether values of a schema are accepted; one that found no room may find some now."""
        if schema.id in gateway.layouts:
            return True
        if gateway.learn_again(schema, self.today):
            update.schemas.append(schema)
            return True
        return False

    def _use(self, values: Batch | Changes, gateway: Gateway, update: EpochUpdate) -> None:
        schema_id = values.schema.id
        update.committed += values.count
        self.layouts[gateway.enrolment.gateway, schema_id] = gateway.layouts[schema_id]
        if gateway.is_first_use(schema_id, self.today):
            update.schemas.append(values.schema)

    def _refuse_part(
        self,
        message: Incoming,
        gateway: Gateway,
        update: EpochUpdate,
        records: Sequence[Batch | Changes],
        kind: str,
        reason: str,
    ) -> None:
        """Put values of one schema into quarantine."""
        count = sum(record.count for record in records)
        update.quarantined += count
        self.refuse(message, kind, gateway.enrolment.gateway, reason, count)
        schema, times = records[0].schema, list(chain.from_iterable(map(span_of, records)))
        gateway.losses.note(schema.device, schema.group, times)

    def refuse(
        self, message: Incoming, kind: str, sender: str, reason: str, values: int = 0
    ) -> None:
        """Put a message into quarantine; where points are agreed, nothing of its contents."""
        entry = quarantine.Entry.of(kind, message, sender, reason, values)
        gateway = self.gateways.get(sender)
        if gateway is not None and gateway.agreed is not None:
            entry = replace(entry, payload=b"")
        self.refused[kind] += 1
        self.refused_values += values
        if self.budget.allows(entry):
            self.entries.append(entry)

    def reject(self, rejections: Sequence[Rejection], now_ms: int) -> None:
        """Enter what the store refused for good."""
        for refusal in rejections:
            series = refusal.series
            self._uncommit(series.gateway, refusal.values)
            losses = self.gateways[series.gateway].losses
            losses.note(series.device, "", [refusal.time_ms])
            line = refusal.line.encode("utf-8", "replace")
            topic = f"{series.device}/{series.equipment} at {refusal.time_ms}"
            message = Incoming(topic, line, now_ms)
            self.refuse(message, "store", series.gateway, refusal.reason, refusal.values)

    def _uncommit(self, gateway_id: str, values: int) -> None:
        """Count values as quarantined; of which epoch matters not, and nearly always is clear."""
        for (name, _), update in self.updates.items():
            if name == gateway_id:
                part = min(values, update.committed)
                update.committed -= part
                update.quarantined += part
                values -= part

    def seal(self) -> None:
        """Nothing more is added: hold the progress as it is, later batches will change it."""
        for (sender, epoch), update in self.updates.items():
            update.after = update.progress.copy()  # the acknowledgement must not run ahead
            lives.seal(self.gateways[sender], epoch, update)

    def lost(self) -> list[tuple[str, Gap]]:
        """The intervals of what was quarantined, by gateway; those told once are not told again."""
        return [(name, one) for name, its in self.gateways.items() for one in its.losses.changed()]

    def reports(self) -> Iterator[MachineReport]:
        """The newest counters of machines."""
        for (sender, epoch), update in self.updates.items():
            gateway = self.gateways[sender]
            for seq, counts in update.machines.values():
                machine = MachineName(gateway.enrolment.uscc, counts.site_no, counts.asset_no)
                origin = gateway.origin_of(counts.device)
                yield MachineReport(sender, epoch, seq, machine, counts, origin)

    def tables(self) -> Iterator[tuple[Schema, Rows]]:
        """Everything to be written, with the schema it follows."""
        for (sender, schema_id), batches in self.batches.items():
            layout = self.layouts[sender, schema_id]
            for rows in batch_rows(layout, batches):
                yield layout.schema, rows
        for sender, changes in self.changes:
            layout = self.layouts[sender, changes.schema.id]
            for rows in change_rows(layout, changes):
                yield layout.schema, rows

    def newest(self, latest_ms: int) -> Iterator[tuple[str, Batch | Changes]]:
        """What the live view has to see of the values: a whole batch hides those before it.

        Args:
            latest_ms: later values are not shown; they would hide those of the present.
        """
        for (sender, _), batches in self.batches.items():
            shown = sorted(
                (one for one in batches if one.time_ms <= latest_ms), key=lambda one: one.time_ms
            )
            if shown and shown[-1].present.all():
                shown = shown[-1:]
            for batch in shown:
                yield sender, batch
        yield from self.changes
