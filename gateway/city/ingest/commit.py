"""What a batch of frames changes in the relational database, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from gateway.city.db import watermarks
from gateway.city.db.tables import edge_books, tag_schema
from gateway.city.erasing.standing import left_out
from gateway.city.evidence.counts import MachineReport, keep_counts
from gateway.city.evidence.samples import Sample
from gateway.city.evidence.uncounted import Epoch, Span, spans_by_gateway
from gateway.city.ingest import quarantine
from gateway.city.ingest.gaps import end_gaps_of_lost_lives, keep_gaps, keep_losses
from gateway.city.ingest.limits import MAX_WANT
from gateway.city.ingest.progress import Progress
from gateway.city.ledger.machines import MachineIds
from gateway.core.batch import Gap
from gateway.core.books import BY_CODE
from gateway.core.days import day_of
from gateway.core.schema import Schema, encode_schema
from gateway.relational.upsert import insert_for
from gateway.wire.messages import Ack
from gateway.wire.records import BooksRecord, GivenUp, MachineRecord

MachineDay = tuple[str, str, str, date]
"""Device, site and asset number of a machine, and day."""


@dataclass(slots=True)
class EpochUpdate:
    """What a batch of frames changes of one epoch of one gateway.

    Attributes:
        progress: frames finished; goes on with later batches.
        before: frames finished before this batch, as the database must still hold it.
        after: frames finished with this batch.
        seqs: frames to be acknowledged, those finished earlier included.
        committed: values written to the store.
        quarantined: values given up.
        unagreed: of these, values that no data agreement lets the city keep.
        gaps: gap records in order; True for those of a frame that came after a newer one.
        books: newest counters by device and day, with the number of the frame that tells them.
        machines: newest counters of machines, likewise.
        schemas: those that are new, or used for the first time today.
        want: schemas that are lacking.
        in_use: times of which earlier epochs have polls, UTC milliseconds.
        answers: the newest question that is to be answered; 0: none.
        known_ms: up to when the city knows the gateway by its other epochs, UTC milliseconds; 0:
            it does not.
        begins_ms: oldest time in the epoch's first frame, if that is in this batch and ends the
            gateway's epoch before; UTC milliseconds.
        changed: whether the batch finished any frame of it.
        uncounted: times of the values that the batch committed and that are to become evidence.
    """

    progress: Progress
    before: Progress
    after: Progress = field(default_factory=Progress)
    seqs: list[int] = field(default_factory=list)
    committed: int = 0
    quarantined: int = 0
    unagreed: int = 0
    gaps: list[tuple[Gap, bool]] = field(default_factory=list)
    books: dict[tuple[str, date], tuple[int, BooksRecord]] = field(default_factory=dict)
    machines: dict[MachineDay, tuple[int, MachineRecord]] = field(default_factory=dict)
    schemas: list[Schema] = field(default_factory=list)
    want: set[int] = field(default_factory=set)
    in_use: range = range(0)
    answers: int = 0
    known_ms: int = 0
    begins_ms: int | None = None
    changed: bool = False
    uncounted: Span | None = None

    def leave_out(self, values: int) -> None:
        """Count values that no data agreement lets the city keep."""
        self.unagreed += values
        self.quarantined += values

    def answer(self, question: int, given_up: Iterable[GivenUp]) -> bool:
        """Have a question answered once this is committed; whether it finishes any frames."""
        self.answers = question
        for one in given_up:
            if one.held_from > max(self.progress.closed, 1):  # else nothing is new in it
                self.progress.give_up(one.awaited_from, one.held_from)
                self.changed = True
        return self.changed

    def ack(self, epoch: str, now_ms: int, unstored: Mapping[str, tuple[int, int]]) -> Ack:
        """What the gateway is told once this is committed.

        Args:
            epoch: whose numbers these are.
            now_ms: the city's clock, by which an edge may confirm its own, UTC milliseconds.
            unstored: which of its values were quarantined, see ``Ack.unstored``.
        """
        want = [f"{schema_id:016x}" for schema_id in sorted(self.want)[:MAX_WANT]]
        ranges, closed = self.after.named(self.seqs)
        newest, chain = self.after.seen
        return Ack(
            epoch,
            self.after.upto,
            ranges,
            want,
            closed,
            time_ms=now_ms,
            newest=newest,
            chain=chain,
            answers=self.answers,
            known_ms=self.known_ms,
            unstored=dict(unstored),
        )

    def note(
        self, record: Gap | BooksRecord | MachineRecord | GivenUp, seq: int, *, is_late: bool
    ) -> None:
        """Note what frame ``seq`` tells; the books only if no newer frame has told them."""
        match record:
            case Gap():
                self.gaps.append((record, is_late))
            case BooksRecord(device, day):
                if self.books.get((device, day), (0,))[0] < seq:
                    self.books[device, day] = (seq, record)
            case MachineRecord(device, site_no, asset_no, day):
                key = (device, site_no, asset_no, day)
                if self.machines.get(key, (0,))[0] < seq:
                    self.machines[key] = (seq, record)
            case GivenUp(awaited_from, held_from):
                self.progress.give_up(awaited_from, held_from)


class StaleError(Exception):
    """The database knows of more frames than this batch began with; nothing was written.

    Another worker has finished frames of this gateway, or an earlier try of this batch was
    committed and the answer was lost.
    """


class ErasedError(StaleError):
    """The enterprise of some gateways was erased since the batch began; nothing was written.

    But in the store: what stands there of them is to be deleted.
    """


Updates = dict[tuple[str, str], EpochUpdate]
"""By gateway and epoch."""


def note_uncounted(updates: Updates, samples: Iterable[Sample]) -> dict[Epoch, Span]:
    """Note of what times there is no evidence until these samples are written.

    Whose epoch a sample is matters not: all that a gateway has finished frames of are noted.
    """
    spans = spans_by_gateway(samples)
    for (gateway, _), update in updates.items():
        update.uncounted = spans.get(gateway) if update.changed else None
    return {key: one.uncounted for key, one in updates.items() if one.uncounted is not None}


class Quarantined(NamedTuple):
    """What a batch refused.

    Attributes:
        entries: what is kept of it.
        gaps: gateways and the intervals that it leaves.
    """

    entries: Sequence[quarantine.Entry] = ()
    gaps: Sequence[tuple[str, Gap]] = ()


def commit(
    connection: Connection,
    updates: Updates,
    quarantined: Quarantined,
    now_ms: int,
    machines: MachineIds | None = None,
    reports: Sequence[MachineReport] = (),
) -> None:
    """Write books, gaps, schemas, quarantine and watermarks of a batch.

    Watermarks go first: they hold that a frame is counted once, whoever commits it. They say of
    what times there is no evidence yet; that is written every few seconds.

    Raises:
        StaleError: decide about the frames again; the transaction must be rolled back.
    """
    if gone := left_out(connection, {gateway for gateway, _ in updates}):
        raise ErasedError(f"erased meanwhile: enterprises {', '.join(sorted({*gone.values()}))}")
    _keep_watermarks(connection, updates, now_ms)
    keep_counts(connection, reports, machines or MachineIds(), now_ms)
    quarantine.keep(connection, quarantined.entries)
    keep_losses(connection, quarantined.gaps)
    _keep_schemas(connection, updates, now_ms)
    # Before what the new lives tell: what of it is still open, they tell again.
    lives = {key[0]: one.begins_ms for key, one in updates.items() if one.begins_ms is not None}
    end_gaps_of_lost_lives(connection, lives)
    notes = ((key[0], *note) for key, update in updates.items() for note in update.gaps)
    for is_late, some in groupby(notes, key=itemgetter(2)):
        keep_gaps(connection, [note[:2] for note in some], is_late=is_late)
    _keep_books(connection, updates)


def _keep_schemas(connection: Connection, updates: Updates, now_ms: int) -> None:
    """Write what is used, whole: it may have been deleted since it was used last."""
    rows = [
        {
            "gateway": gateway,
            "id": f"{schema.id:016x}",
            "device": schema.device,
            "body": encode_schema(schema),
            "received_ms": now_ms,
            "used_on": day_of(now_ms),
            "unit": schema.unit_key,
        }
        for (gateway, _), update in updates.items()
        for schema in update.schemas
    ]
    statement = insert_for(connection, tag_schema)
    upsert = statement.on_conflict_do_update(
        index_elements=list(tag_schema.primary_key), set_={"used_on": statement.excluded.used_on}
    )
    if rows:
        connection.execute(upsert, rows)


def _keep_books(connection: Connection, updates: Updates) -> None:
    """A frame that comes late does not turn them back; drops can fall, so counts tell no order."""
    rows = [
        {"gateway": gateway, "epoch": epoch, "seq": seq}
        | msgspec.structs.asdict(books)
        | {name: msgspec.json.encode(getattr(books, name)).decode() for name in BY_CODE}
        for (gateway, epoch), update in updates.items()
        for seq, books in update.books.values()
    ]
    statement = insert_for(connection, edge_books)
    upsert = statement.on_conflict_do_update(
        index_elements=list(edge_books.primary_key),
        set_={column.name: statement.excluded[column.name] for column in edge_books.c},
        where=statement.excluded.seq >= edge_books.c.seq,
    )
    if rows:
        connection.execute(upsert, rows)


def _keep_watermarks(connection: Connection, updates: Updates, now_ms: int) -> None:
    """All of them, if the database still holds what the batch began with."""
    rows = [_mark(*key, update, now_ms) for key, update in updates.items() if update.changed]
    kept = watermarks.move(connection, rows)
    if kept != len(rows):
        raise StaleError(f"{len(rows) - kept} of {len(rows)} gateways have gone on meanwhile")


def _mark(gateway: str, epoch: str, update: EpochUpdate, now_ms: int) -> dict[str, object]:
    after, before = update.after, update.before
    from_ms, to_ms = update.uncounted or (None, None)
    return {
        "gateway": gateway,
        "epoch": epoch,
        "upto": after.upto,
        "ranges": _ranges(after),
        "closed": after.closed,
        "seen": after.seen[0],
        "chain": after.seen[1],
        "begun_ms": after.begun_ms,
        "known_ms": after.known_ms,
        "values_committed": update.committed,
        "values_quarantined": update.quarantined,
        "values_unagreed": update.unagreed,
        "updated_ms": now_ms,
        "uncounted_from_ms": from_ms,
        "uncounted_to_ms": to_ms,
        "upto_before": before.upto,
        "ranges_before": _ranges(before),
        "closed_before": before.closed,
    }


def _ranges(progress: Progress) -> str:
    """The ranges above ``upto`` as the database holds them."""
    return msgspec.json.encode(progress.ranges).decode()
