"""What the database knows of gateways: who is enrolled, their progress, schemas and last state."""

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, select

from edge_config.models.limits import MAX_GATEWAY_TAGS, MAX_SCHEMAS
from gateway.city.db.tables import gateway as gateway_table
from gateway.city.db.tables import tag_schema, watermark
from gateway.city.evidence.uncounted import span_of
from gateway.city.ingest.admission import Enrolment
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.gaps import unstored_since
from gateway.city.ingest.progress import Progress
from gateway.city.live.view import GatewayLive
from gateway.city.registry.enrolment import of_partitions
from gateway.core.days import DAY_MS
from gateway.core.schema import Schema, decode_schema
from gateway.relational.database import chunks
from gateway.wire.messages import State, decode_state

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Who is enrolled, and those of them that were not known."""

    enrolled: frozenset[str]
    new: list[tuple[Gateway, GatewayLive]] = field(default_factory=list)


def load(connection: Connection, known: Collection[str], partitions: Collection[int]) -> Loaded:
    """Who of these partitions is enrolled, and everything of those that are not known yet."""
    enrolled = select(gateway_table.c.id).where(
        gateway_table.c.revoked_ms.is_(None), of_partitions(partitions)
    )
    loaded = Loaded(frozenset(connection.scalars(enrolled)))
    new = sorted(loaded.enrolled - set(known))
    for part in chunks(new):
        loaded.new.extend(_some(connection, part))
    return loaded


def _some(connection: Connection, names: Sequence[str]) -> Iterator[tuple[Gateway, GatewayLive]]:
    marks, schemas = (_by_gateway(connection, table, names) for table in (watermark, tag_schema))
    # Within the longest silence of a tag every value has been sent anew.
    unstored = unstored_since(connection, names, time.time_ns() // 1_000_000 - DAY_MS)
    for row in connection.execute(select(gateway_table).where(gateway_table.c.id.in_(names))):
        one = Gateway(Enrolment(row.id, row.uscc, row.site_no))
        for mark in marks[row.id]:
            ranges = msgspec.json.decode(mark.ranges, type=list[tuple[int, int]])
            one.progress[mark.epoch] = Progress(
                mark.upto,
                ranges,
                mark.closed,
                (mark.seen, mark.chain),
                mark.begun_ms,
                mark.known_ms,
            )
            one.uncounted[mark.epoch] = span_of(mark)
        one.losses.recall(unstored[row.id])
        for schema, used_on in _in_use(schemas[row.id]):
            one.learn(schema, used_on)
        yield one, _live_gateway(row)


def _in_use(rows: Sequence[Row[Any]]) -> Iterator[tuple[Schema, date]]:
    """Schemas and their last days, in the order in which they came; of too many, those used last.

    The database keeps what has made room for others, for as long as there may be values of it.
    """
    kept: list[tuple[int, Schema, date]] = []
    tags = 0
    for row in sorted(rows, key=attrgetter("used_on", "received_ms"), reverse=True)[:MAX_SCHEMAS]:
        schema = decode_schema(row.body)
        tags += len(schema.tags)
        if tags > MAX_GATEWAY_TAGS:
            break
        kept.append((row.received_ms, schema, row.used_on))
    # the newest of a device tells what it is (Gateway.origin_of), so their order matters
    for _, schema, used_on in sorted(kept, key=itemgetter(0)):
        yield schema, used_on


def _by_gateway(
    connection: Connection, table: Table, names: Sequence[str]
) -> Mapping[str, list[Row[Any]]]:
    rows = defaultdict[str, list[Row[Any]]](list)
    for row in connection.execute(select(table).where(table.c.gateway.in_(names))):
        rows[row.gateway].append(row)
    return rows


def _live_gateway(row: Row[Any]) -> GatewayLive:
    return GatewayLive(
        row.id, row.uscc, row.site_no, False, row.last_seen_ms, saved_state(row.id, row.state)
    )


def saved_state(gateway_id: str, text: str | None) -> State | None:
    """The last state of a gateway as the database holds it; None if there is none."""
    if not text:
        return None
    try:
        return decode_state(text.encode())
    except msgspec.DecodeError as error:
        log.warning("last state of gateway %s in the database is unreadable: %s", gateway_id, error)
        return None
