"""One round of ingest: what is gathered until the next commit, and what becomes of each frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.city import quarantine
from gateway.city.decide import Accepted, Broken, Decision, Duplicate, Waiting
from gateway.city.metrics import CityMetrics
from gateway.city.peers import Peer
from gateway.city.progress import Progress
from gateway.city.rows import batch_rows, change_rows
from gateway.city.settle import Account, Accounts
from gateway.city.stores.api import Rejection, Rows
from gateway.city.uplink import Incoming
from gateway.core.batch import Batch, Changes, Gap
from gateway.core.schema import Schema
from gateway.wire.records import BooksRecord, Record

ROUND_VALUES = 100_000
ROUND_FRAMES = 500


@dataclass(slots=True)
class Round:
    """What is gathered until the next commit.

    Attributes:
        metrics: counters.
        budget: limits what is kept in quarantine.
        peers: gateways that take part.
        accounts: what changes, by gateway and epoch.
        batches: values to be written, by gateway and schema.
        changes: values that came one by one.
        entries: what goes to quarantine.
        values: how many values are to be written.
        frames: how many messages were handled.
    """

    metrics: CityMetrics
    budget: quarantine.Budget
    peers: dict[str, Peer] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=dict)
    batches: dict[tuple[str, int], list[Batch]] = field(default_factory=dict)
    changes: list[tuple[str, Changes]] = field(default_factory=list)
    entries: list[quarantine.Entry] = field(default_factory=list)
    values: int = 0
    frames: int = 0

    @property
    def full(self) -> bool:
        """Whether it should be committed now."""
        return self.values >= ROUND_VALUES or self.frames >= ROUND_FRAMES

    def add(self, message: Incoming, peer: Peer, decision: Decision) -> None:
        """Enter one frame of an enrolled gateway as it was decided."""
        sender = peer.enrolment.gateway
        self.peers[sender] = peer
        match decision:
            case Accepted(epoch, frame, values):
                account = self._account(peer, epoch, frame.header.seq)
                self._accept(message, peer, account, frame.records)
                self.values += values
                self.metrics.frames.labels("committed").inc()
            case Duplicate(epoch):
                self._account(peer, epoch)
                self.metrics.frames.labels("duplicate").inc()
            case Waiting(epoch, want):
                self._account(peer, epoch).want |= want
                self.metrics.frames.labels("wait_schema").inc()
            case Broken(kind, reason, epoch, seq, values):
                if epoch is not None:
                    self._account(peer, epoch, seq).quarantined += values
                self.metrics.frames.labels("quarantined").inc()
                self.refuse(message, kind, sender, reason, values)

    def _account(self, peer: Peer, epoch: str, seq: int | None = None) -> Account:
        """The account of an epoch; settles the frame ``seq`` if one is given.

        Numbers are entered in the gateway's own progress at once: a round is never given up, so
        what it holds will be committed or the process ends, and then nothing was acknowledged.
        """
        if seq is None:
            progress = peer.progress.get(epoch) or Progress()
        else:
            progress = peer.progress.setdefault(epoch, Progress())
            progress.add(seq)
        key = (peer.enrolment.gateway, epoch)
        account = self.accounts.setdefault(key, Account(progress))
        if seq is not None:
            account.progress, account.settled = progress, True
        return account

    def _accept(
        self, message: Incoming, peer: Peer, account: Account, records: Sequence[Record]
    ) -> None:
        sender = peer.enrolment.gateway
        refused: dict[int, int] = {}
        for record in records:
            match record:
                case Schema():
                    if peer.learn(record):
                        account.schemas.append(record)
                case Batch() | Changes() if record.schema.id in peer.refused:
                    refused[record.schema.id] = refused.get(record.schema.id, 0) + record.count
                case Batch() | Changes():
                    self._values(sender, account, record)
                case Gap():
                    account.gaps.append(record)
                case BooksRecord():
                    account.books[record.device, record.day] = record
        for schema_id, count in refused.items():
            account.quarantined += count
            self.refuse(message, "schema", sender, peer.refused[schema_id], count)

    def _values(self, sender: str, account: Account, record: Batch | Changes) -> None:
        account.committed += record.count
        if isinstance(record, Batch):
            self.batches.setdefault((sender, record.schema.id), []).append(record)
        else:
            self.changes.append((sender, record))

    def refuse(
        self, message: Incoming, kind: str, sender: str, reason: str, values: int = 0
    ) -> None:
        """Put a message into quarantine."""
        topic, payload = message.topic, message.payload
        self._keep(
            quarantine.Entry(kind, message.received_ms, topic, sender, reason, values, payload)
        )

    def reject(self, rejections: Sequence[Rejection], now_ms: int) -> None:
        """Enter what the store refused for good."""
        newest = {gateway_id: account for (gateway_id, _), account in self.accounts.items()}
        for refusal in rejections:
            series = refusal.series
            account = newest[series.gateway]
            account.committed -= refusal.values
            account.quarantined += refusal.values
            line = refusal.line.encode("utf-8", "replace")
            topic = f"{series.device}/{series.equipment} at {refusal.time_ms}"
            self._keep(
                quarantine.Entry(
                    "store", now_ms, topic, series.gateway, refusal.reason, refusal.values, line
                )
            )

    def _keep(self, entry: quarantine.Entry) -> None:
        self.metrics.quarantined.labels(entry.kind).inc()
        self.metrics.values.labels("quarantined").inc(entry.values)
        if self.budget.allows(entry):
            self.entries.append(entry)

    def tables(self) -> Iterator[tuple[Schema, Rows]]:
        """Everything to be written, with the schema it follows."""
        for (sender, schema_id), batches in self.batches.items():
            layout = self.peers[sender].layouts[schema_id]
            for rows in batch_rows(layout, batches):
                yield layout.schema, rows
        for sender, changes in self.changes:
            layout = self.peers[sender].layouts[changes.schema.id]
            for rows in change_rows(layout, changes):
                yield layout.schema, rows

    def received(self) -> Iterator[tuple[str, Batch | Changes]]:
        """All values with their gateway, in the order of their coming."""
        for (sender, _), batches in self.batches.items():
            for batch in batches:
                yield sender, batch
        yield from self.changes
