"""What one round of frames changes in the relational database, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import msgspec
from sqlalchemy import Connection

from gateway.city import evidence, quarantine
from gateway.city.db.tables import edge_books, gap, tag_schema, watermark
from gateway.city.db.upsert import insert_for
from gateway.city.progress import Progress
from gateway.core.batch import Gap
from gateway.core.schema import Schema, encode_schema
from gateway.wire.records import BooksRecord


@dataclass(slots=True)
class Account:
    """What a round brings for one epoch of one gateway.

    Attributes:
        progress: frames settled, this round included.
        before: frames settled before this round, as the database must still hold it.
        seqs: frames to be acknowledged, those settled earlier included.
        committed: values written to the store.
        quarantined: values given up.
        gaps: gap records in order.
        books: newest counters by device and day.
        schemas: newly accepted schemas.
        want: schemas that are lacking.
        settled: whether the round settled any frame of it.
    """

    progress: Progress
    before: Progress
    seqs: list[int] = field(default_factory=list)
    committed: int = 0
    quarantined: int = 0
    gaps: list[Gap] = field(default_factory=list)
    books: dict[tuple[str, object], BooksRecord] = field(default_factory=dict)
    schemas: list[Schema] = field(default_factory=list)
    want: set[int] = field(default_factory=set)
    settled: bool = False


class StaleError(Exception):
    """The database knows of more frames than this round began with; nothing was written.

    Another worker has settled frames of this gateway, or an earlier try of this round was
    committed and the answer was lost.
    """


Accounts = dict[tuple[str, str], Account]
"""By gateway and epoch."""


def settle(
    connection: Connection,
    accounts: Accounts,
    samples: Sequence[evidence.Sample],
    entries: Sequence[quarantine.Entry],
    now_ms: int,
) -> int:
    """Write evidence, books, gaps, schemas, quarantine and watermarks of a round.

    Watermarks go first: they hold that a frame is counted once, whoever settles it.

    Returns:
        How many values belong to machines that are not in the ledger.

    Raises:
        StaleError: decide about the frames again; the transaction must be rolled back.
    """
    for (gateway, epoch), account in accounts.items():
        if account.settled:
            _keep_watermark(connection, gateway, epoch, account, now_ms)
    orphans = evidence.record(connection, samples)
    quarantine.keep(connection, entries)
    for (gateway, epoch), account in accounts.items():
        for schema in account.schemas:
            _keep_schema(connection, gateway, schema, now_ms)
        for one in account.gaps:
            keep_gap(connection, gateway, one)
        for books in account.books.values():
            _keep_books(connection, gateway, epoch, books)
    return orphans


def _keep_schema(connection: Connection, gateway: str, schema: Schema, now_ms: int) -> None:
    statement = insert_for(connection, tag_schema).on_conflict_do_nothing()
    row = {
        "gateway": gateway,
        "id": f"{schema.id:016x}",
        "device": schema.device,
        "body": encode_schema(schema),
        "received_ms": now_ms,
    }
    connection.execute(statement, row)


def keep_gap(connection: Connection, gateway: str, one: Gap) -> None:
    """Write a gap, or the end of one that is known."""
    tags = msgspec.json.encode(one.tags).decode()
    row = {
        "gateway": gateway,
        "device": one.device,
        "tag_group": one.group,
        "tags": tags,
        "tags_key": blake2b(tags.encode(), digest_size=8).hexdigest(),
        "cause": one.cause.code,
        "from_ms": one.from_ms,
        "to_ms": one.to_ms,
    }
    statement = insert_for(connection, gap)
    key = ["gateway", "device", "tag_group", "tags_key", "from_ms"]
    changes = {"cause": statement.excluded.cause, "to_ms": statement.excluded.to_ms}
    connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changes), row)


def _keep_books(connection: Connection, gateway: str, epoch: str, books: BooksRecord) -> None:
    """Counters only grow: a frame that comes late does not turn them back."""
    statement = insert_for(connection, edge_books)
    row = {"gateway": gateway, "epoch": epoch} | msgspec.structs.asdict(books)
    row["dropped"] = msgspec.json.encode(books.dropped).decode()
    values = {name: statement.excluded[name] for name in row}
    upsert = statement.on_conflict_do_update(
        index_elements=list(edge_books.primary_key),
        set_=values,
        where=statement.excluded.due >= edge_books.c.due,
    )
    connection.execute(upsert, row)


def _keep_watermark(
    connection: Connection, gateway: str, epoch: str, account: Account, now_ms: int
) -> None:
    statement = insert_for(connection, watermark)
    new, old = statement.excluded, watermark.c
    row = {
        "gateway": gateway,
        "epoch": epoch,
        "upto": account.progress.upto,
        "ranges": _ranges(account.progress),
        "values_committed": account.committed,
        "values_quarantined": account.quarantined,
        "updated_ms": now_ms,
    }
    changes = {
        "upto": new.upto,
        "ranges": new.ranges,
        "values_committed": old.values_committed + new.values_committed,
        "values_quarantined": old.values_quarantined + new.values_quarantined,
        "updated_ms": new.updated_ms,
    }
    upsert = statement.on_conflict_do_update(
        index_elements=list(watermark.primary_key),
        set_=changes,
        where=(old.upto == account.before.upto) & (old.ranges == _ranges(account.before)),
    )
    if not connection.execute(upsert, row).rowcount:
        raise StaleError(f"gateway {gateway}, epoch {epoch}: some were settled in the meantime")


def _ranges(progress: Progress) -> str:
    return msgspec.json.encode(progress.ranges).decode()
