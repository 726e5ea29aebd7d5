"""One round of ingest: what is gathered until the next commit, and what becomes of each frame."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gateway.city.ingest import quarantine
from gateway.city.ingest.commit import Account, Accounts
from gateway.city.ingest.gateways import Peer
from gateway.city.ingest.layout import batch_rows, change_rows
from gateway.city.ingest.limits import ROUND_FRAMES, ROUND_VALUES, ROW_VALUES
from gateway.city.ingest.progress import Progress
from gateway.city.ingest.uplink import Incoming
from gateway.city.ingest.verdict import Accepted, Broken, Decision, Duplicate, Early, Waiting
from gateway.city.stores.api import Rejection, Rows
from gateway.core.batch import Batch, Changes, Gap
from gateway.core.schema import Schema
from gateway.wire.frame import Frame
from gateway.wire.records import Record


@dataclass(slots=True)
class Round:
    """What is gathered until the next commit.

    Attributes:
        budget: limits what is kept in quarantine.
        messages: what was handled.
        outcomes: frames by what becomes of them.
        peers: gateways that take part.
        accounts: what changes, by gateway and epoch.
        batches: values to be written, by gateway and schema.
        changes: values that came one by one.
        refused: messages and parts that are not accepted, by kind of reason.
        refused_values: values in them.
        entries: what of them is kept in quarantine.
        size: its weight, in values.
    """

    budget: quarantine.Budget
    messages: list[Incoming] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    peers: dict[str, Peer] = field(default_factory=dict)
    accounts: Accounts = field(default_factory=dict)
    batches: dict[tuple[str, int], list[Batch]] = field(default_factory=dict)
    changes: list[tuple[str, Changes]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    refused_values: int = 0
    entries: list[quarantine.Entry] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        """Whether it should be committed now."""
        return self.size >= ROUND_VALUES or len(self.messages) >= ROUND_FRAMES

    def add(self, message: Incoming, peer: Peer, decision: Decision) -> None:
        """Enter one frame of an enrolled gateway as it was decided."""
        sender = peer.enrolment.gateway
        self.peers[sender] = peer
        match decision:
            case Accepted(epoch, frame):
                is_late = frame.header.seq < self._account(peer, epoch).progress.newest
                account = self._settled(peer, epoch, frame.header.seqs)
                self._accept(message, peer, account, frame, is_late)
                self.outcomes["committed"] += 1
            case Duplicate(epoch, seq):
                self._account(peer, epoch).seqs.append(seq)
                self.outcomes["duplicate"] += 1
            case Waiting(epoch, want):
                self._account(peer, epoch).want |= want
                self.outcomes["wait_schema"] += 1
            case Early(epoch):
                self._account(peer, epoch)
                self.outcomes["early"] += 1
            case Broken(kind, reason, epoch, seq, values, merged):
                if epoch is not None:
                    self._settled(peer, epoch, range(seq - merged, seq + 1)).quarantined += values
                    _lose(peer, "", "", values, [message.received_ms])
                self.outcomes["quarantined"] += 1
                self.refuse(message, kind, sender, reason, values)

    def _account(self, peer: Peer, epoch: str) -> Account:
        key = (peer.enrolment.gateway, epoch)
        if key not in self.accounts:
            progress = peer.progress.get(epoch) or Progress()
            self.accounts[key] = Account(progress, progress.copy())
        return self.accounts[key]

    def _settled(self, peer: Peer, epoch: str, seqs: range) -> Account:
        """The account of an epoch with more frames settled, neighbours of one message.

        Numbers are entered in the gateway's own progress at once: a round is never given up, so
        what it holds will be committed, or is read from the database again.
        """
        account = self._account(peer, epoch)
        peer.progress[epoch] = account.progress
        for seq in seqs:
            account.progress.add(seq)
        account.seqs.append(seqs[-1])
        account.settled = True
        return account

    def _accept(
        self, message: Incoming, peer: Peer, account: Account, frame: Frame, is_late: bool
    ) -> None:
        sender = peer.enrolment.gateway
        refused = defaultdict[int, list[Batch | Changes]](list)
        for record in frame.records:
            match record:
                case Schema():
                    if peer.learn(record):
                        account.schemas.append(record)
                case Batch() | Changes() if record.schema.id not in peer.layouts:
                    refused[record.schema.id].append(record)
                case Batch():
                    self.batches.setdefault((sender, record.schema.id), []).append(record)
                    account.committed += record.count
                case Changes():
                    self.changes.append((sender, record))
                    account.committed += record.count
                case _:
                    account.note(record, frame.header.seq, is_late=is_late)
        self.size += sum(map(_weight, frame.records))
        for schema_id, records in refused.items():
            count = sum(record.count for record in records)
            account.quarantined += count
            self.refuse(message, "schema", sender, peer.why_refused(schema_id), count)
            schema, times = records[0].schema, chain.from_iterable(map(_span, records))
            _lose(peer, schema.device, schema.group, count, list(times))

    def refuse(
        self, message: Incoming, kind: str, sender: str, reason: str, values: int = 0
    ) -> None:
        """Put a message into quarantine."""
        self._keep(quarantine.Entry.of(kind, message, sender, reason, values))

    def reject(self, rejections: Sequence[Rejection], now_ms: int) -> None:
        """Enter what the store refused for good."""
        for refusal in rejections:
            series = refusal.series
            self._take_back(series.gateway, refusal.values)
            peer = self.peers[series.gateway]
            _lose(peer, series.device, "", refusal.values, [refusal.time_ms])
            line = refusal.line.encode("utf-8", "replace")
            topic = f"{series.device}/{series.equipment} at {refusal.time_ms}"
            told = Incoming(topic, line, now_ms)
            self._keep(
                quarantine.Entry.of("store", told, series.gateway, refusal.reason, refusal.values)
            )

    def _take_back(self, gateway_id: str, values: int) -> None:
        """Count values as quarantined; of which epoch matters not, and nearly always is clear."""
        for (name, _), account in self.accounts.items():
            if name == gateway_id:
                part = min(values, account.committed)
                account.committed -= part
                account.quarantined += part
                values -= part

    def _keep(self, entry: quarantine.Entry) -> None:
        self.refused[entry.kind] += 1
        self.refused_values += entry.values
        if self.budget.allows(entry):
            self.entries.append(entry)

    def lost(self) -> list[tuple[str, Gap]]:
        """The intervals of what was quarantined, by gateway; those told once are not told again."""
        return [(name, one) for name, peer in self.peers.items() for one in peer.losses.take()]

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


def _lose(peer: Peer, device: str, group: str, values: int, times_ms: Sequence[int]) -> None:
    """Note an interval; what held no value leaves none."""
    if values:
        peer.losses.note(device, group, times_ms)


def _span(record: Batch | Changes) -> Sequence[int]:
    """The first and the last time of the values, if there are any."""
    if not record.count:
        return ()
    if isinstance(record, Batch):
        return (record.time_ms,)
    return int(record.time_ms.min()), int(record.time_ms.max())


def _weight(record: Record) -> int:
    """What a record costs, in values."""
    match record:
        case Schema() | Gap():
            return ROW_VALUES + len(record.tags)
        case Batch() | Changes():
            return record.cells
        case _:
            return ROW_VALUES
