"""The enrolled gateways in memory: identity, progress, schemas."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table, select

from edge_config.models.limits import MAX_GATEWAY_TAGS, MAX_SCHEMAS, MAX_TAGS
from gateway.city.db.database import Database, chunks
from gateway.city.db.tables import gateway as gateway_table
from gateway.city.db.tables import tag_schema, watermark
from gateway.city.evidence.samples import Origin
from gateway.city.evidence.uncounted import Span, Uncounted, span_of
from gateway.city.ingest.admission import Enrolment, objection
from gateway.city.ingest.layout import Layout, layout_of
from gateway.city.ingest.limits import MAX_REFUSED, UNUSED_DAYS
from gateway.city.ingest.losses import Losses
from gateway.city.ingest.progress import Progress
from gateway.city.live.view import GatewayLive, Live
from gateway.city.registry.enrolment import of_partitions
from gateway.core.schema import Schema, decode_schema
from gateway.wire.messages import State, decode_state
from gateway.wire.topics import ALL_PARTITIONS, partition_of

log = logging.getLogger(__name__)

REFRESH_MS = 2_000
"""How soon an enrolment or revocation made by another process takes effect."""


@dataclass(slots=True)
class Gateway:
    """One enrolled gateway.

    Attributes:
        enrolment: what the registry says.
        progress: finished frames by epoch (16 hex digits).
        schemas: schemas by id that the city holds, some refused ones included.
        layouts: how to cut the accepted ones.
        refused: why the others were refused, oldest first.
        used_on: on which day values of an accepted one last came, by the city's clock.
        tags: tags in the accepted ones.
        losses: when values of it were quarantined.
        uncounted: spans by epoch that were no evidence when it was read from the database.
    """

    enrolment: Enrolment
    progress: dict[str, Progress] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    layouts: dict[int, Layout] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    used_on: dict[int, date] = field(default_factory=dict)
    tags: int = 0
    losses: Losses = field(default_factory=Losses)
    uncounted: dict[str, Span | None] = field(default_factory=dict)

    def learn(self, schema: Schema, today: date) -> bool:
        """Take a schema; returns whether it is new and accepted.

        Args:
            schema: as the gateway sent it.
            today: counts as the last day of its use.
        """
        if schema.id in self.schemas:
            return False
        self._make_room(schema, today)
        self.schemas[schema.id] = schema
        reason = objection(schema, self.enrolment) or self._full(schema)
        if reason is not None:
            self._refuse(schema, reason)
            return False
        self.layouts[schema.id] = layout_of(self.enrolment.gateway, schema)
        self.used_on[schema.id] = today
        self.tags += len(schema.tags)
        return True

    def is_first_use(self, schema_id: int, today: date) -> bool:
        """Whether values of an accepted schema came for the first time on a day; notes it."""
        if self.used_on[schema_id] == today:
            return False
        self.used_on[schema_id] = today
        return True

    def _make_room(self, schema: Schema, today: date) -> None:
        """Forget what is out of use if a schema has no room beside it.

        Nothing is lost by it: what comes into use again is asked for.
        """
        if self._full(schema) is None:
            return
        for old in [one for one, day in self.used_on.items() if (today - day).days >= UNUSED_DAYS]:
            self.tags -= len(self.schemas.pop(old).tags)
            del self.layouts[old], self.used_on[old]

    def _full(self, more: Schema) -> str | None:
        if len(self.layouts) < MAX_SCHEMAS and self.tags + len(more.tags) <= MAX_GATEWAY_TAGS:
            return None
        return (
            f"gateway uses {len(self.layouts)} schemas with {self.tags} tags, and {MAX_SCHEMAS} "
            f"schemas with {MAX_GATEWAY_TAGS} tags are allowed; those of which nothing came for "
            f"{UNUSED_DAYS} days make room, or revoke it and enrol it again to begin anew"
        )

    def _refuse(self, schema: Schema, reason: str) -> None:
        """Remember why; a schema too large to hold, or an old one, will be asked for again."""
        self.refused[schema.id] = reason
        if len(schema.tags) > MAX_TAGS:
            del self.schemas[schema.id]
        if len(self.refused) > MAX_REFUSED:
            oldest = next(iter(self.refused))
            del self.refused[oldest]
            self.schemas.pop(oldest, None)

    def origin_of(self, device: str) -> Origin | None:
        """What a device is, as the accepted schema of it that came last says."""
        schemas = (layout.schema for layout in reversed(self.layouts.values()))
        newest = next((one for one in schemas if one.device == device), None)
        if newest is None:
            return None
        return Origin(self.enrolment.gateway, newest.source, newest.synthetic)

    def why_refused(self, schema_id: int) -> str:
        """Why values of a schema are not accepted."""
        return self.refused.get(schema_id, "its schema was refused")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Who is enrolled, and those of them that were not known."""

    enrolled: frozenset[str]
    new: list[tuple[Gateway, GatewayLive]] = field(default_factory=list)


class Gateways:
    """The registry as ingest uses it; follows what ``qulink city gateway`` writes.

    Attributes:
        uncounted: what is not evidence yet, of the gateways that are or were held.
    """

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._gateways: dict[str, Gateway] = {}
        self._partitions = ALL_PARTITIONS
        self._reading = asyncio.Lock()
        self._refreshed_ms = 0
        self.uncounted = Uncounted()

    @property
    def partitions(self) -> frozenset[int]:
        """Those whose gateways are held."""
        return self._partitions

    def get(self, gateway_id: str) -> Gateway | None:
        """An enrolled gateway; None if it is unknown or revoked."""
        return self._gateways.get(gateway_id)

    async def hold(self, partitions: Collection[int]) -> None:
        """Hold the gateways of these partitions and no others, as the database knows them."""
        gained = not self._partitions.issuperset(partitions)
        self._partitions = frozenset(partitions)
        for gone in [name for name in self._gateways if not self._is_ours(name)]:
            del self._gateways[gone]
            self._live.forget(gone)
        if gained:
            await self.refresh(self._refreshed_ms, 0)

    def _is_ours(self, gateway_id: str) -> bool:
        return partition_of(gateway_id) in self._partitions

    async def refresh(self, now_ms: int, max_age_ms: int = REFRESH_MS) -> None:
        """Read the registry again if the last reading is older than ``max_age_ms``."""
        async with self._reading:
            if 0 <= now_ms - self._refreshed_ms < max_age_ms:  # the clock may have been set back
                return
            loaded = await self._read(frozenset(self._gateways))
            self._refreshed_ms = now_ms
            for gone in self._gateways.keys() - loaded.enrolled:
                del self._gateways[gone]
                self._live.forget(gone)
            await self._add(loaded.new)

    async def reload(self, gateway_ids: Collection[str]) -> None:
        """Read what the database holds of some gateways, in place of what is in memory."""
        async with self._reading:
            known = self._gateways.keys() - set(gateway_ids)
            loaded = await self._read(known)
            await self._add(loaded.new)
            for gone in set(gateway_ids) - {view.id for _, view in loaded.new}:
                self._gateways.pop(gone, None)

    async def _read(self, known: Collection[str]) -> _Loaded:
        """Read the database, with what it says is uncounted: that must not change meanwhile."""
        async with self.uncounted.writing:
            loaded = await self._database.run(_load, known, self._partitions)
            for one, view in loaded.new:
                for epoch, span in one.uncounted.items():
                    self.uncounted.owe((view.id, epoch), span)
        return loaded

    async def _add(self, new: Sequence[tuple[Gateway, GatewayLive]]) -> None:
        for one, view in new:
            if not self._is_ours(view.id):  # handed over while it was read
                continue
            if self._live.gateway(view.id) is None:
                self._live.enrol(view)
            for layout in one.layouts.values():
                self._live.learn(view.id, layout.schema)
            self._gateways[view.id] = one
            await asyncio.sleep(0)  # at the start there may be thousands


def _load(connection: Connection, known: Collection[str], partitions: Collection[int]) -> _Loaded:
    """Who of these partitions is enrolled, and everything of those that are not known yet."""
    enrolled = select(gateway_table.c.id).where(
        gateway_table.c.revoked_ms.is_(None), of_partitions(partitions)
    )
    loaded = _Loaded(frozenset(connection.scalars(enrolled)))
    new = sorted(loaded.enrolled - set(known))
    for part in chunks(new):
        loaded.new.extend(_some(connection, part))
    return loaded


def _some(connection: Connection, names: Sequence[str]) -> Iterator[tuple[Gateway, GatewayLive]]:
    marks, schemas = (_by_gateway(connection, table, names) for table in (watermark, tag_schema))
    for row in connection.execute(select(gateway_table).where(gateway_table.c.id.in_(names))):
        one = Gateway(Enrolment(row.id, row.uscc, row.site_no))
        for mark in marks[row.id]:
            ranges = msgspec.json.decode(mark.ranges, type=list[tuple[int, int]])
            one.progress[mark.epoch] = Progress(mark.upto, ranges, mark.closed)
            one.uncounted[mark.epoch] = span_of(mark)
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
