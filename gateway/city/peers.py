"""The enrolled gateways in memory: identity, progress, schemas."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from gateway.city.admission import Enrolment, objection
from gateway.city.db.database import Database
from gateway.city.db.tables import gateway, tag_schema, watermark
from gateway.city.live import GatewayLive, Live
from gateway.city.progress import Progress
from gateway.city.rows import Layout, layout_of
from gateway.core.schema import Schema, decode_schema
from gateway.wire.messages import decode_state

log = logging.getLogger(__name__)

REFRESH_MS = 2_000
"""How soon an enrolment or revocation made by another process takes effect."""


@dataclass(slots=True)
class Peer:
    """One enrolled gateway.

    Attributes:
        enrolment: what the registry says.
        progress: settled frames by epoch (16 hex digits).
        schemas: schemas by id that the city holds, refused ones included.
        layouts: how to cut the accepted ones.
        refused: why the others were refused.
    """

    enrolment: Enrolment
    progress: dict[str, Progress] = field(default_factory=dict)
    schemas: dict[int, Schema] = field(default_factory=dict)
    layouts: dict[int, Layout] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)

    def learn(self, schema: Schema) -> bool:
        """Take a schema; returns whether it is new and accepted."""
        if schema.id in self.schemas:
            return False
        self.schemas[schema.id] = schema
        reason = objection(schema, self.enrolment)
        if reason is not None:
            self.refused[schema.id] = reason
            return False
        self.layouts[schema.id] = layout_of(self.enrolment.gateway, schema)
        return True


@dataclass(frozen=True, slots=True)
class _Loaded:
    """Rows of the registry."""

    gateways: Sequence[Row[Any]]
    watermarks: Sequence[Row[Any]]
    schemas: Sequence[Row[Any]]


class Peers:
    """The registry as ingest uses it; follows what ``qulink city gateway`` writes."""

    def __init__(self, database: Database, live: Live) -> None:
        self._database = database
        self._live = live
        self._peers: dict[str, Peer] = {}
        self._refreshed_ms = 0

    def get(self, gateway_id: str) -> Peer | None:
        """An enrolled gateway; None if it is unknown or revoked."""
        return self._peers.get(gateway_id)

    def ids(self) -> list[str]:
        """Ids of all enrolled gateways."""
        return list(self._peers)

    async def refresh(self, now_ms: int, max_age_ms: int = REFRESH_MS) -> None:
        """Read the registry again if the last reading is older than ``max_age_ms``."""
        if now_ms - self._refreshed_ms < max_age_ms:
            return
        self._refreshed_ms = now_ms
        loaded = await self._database.run(_load, set(self._peers))
        enrolled = {row.id for row in loaded.gateways if row.revoked_ms is None}
        for gone in set(self._peers) - enrolled:
            del self._peers[gone]
            self._live.forget(gone)
        for row in loaded.gateways:
            if row.id in enrolled and row.id not in self._peers:
                self._add(row, loaded)

    def _add(self, row: Row[Any], loaded: _Loaded) -> None:
        peer = Peer(Enrolment(row.id, row.uscc, row.site_no))
        for mark in loaded.watermarks:
            if mark.gateway == row.id:
                ranges = msgspec.json.decode(mark.ranges, type=list[tuple[int, int]])
                peer.progress[mark.epoch] = Progress(mark.upto, ranges)
        self._live.enrol(_live_gateway(row))
        for schema in (decode_schema(s.body) for s in loaded.schemas if s.gateway == row.id):
            if peer.learn(schema):
                self._live.learn(row.id, schema)
        self._peers[row.id] = peer


def _load(connection: Connection, known: set[str]) -> _Loaded:
    gateways = connection.execute(select(gateway)).all()
    new = [row.id for row in gateways if row.id not in known and row.revoked_ms is None]
    if not new:
        return _Loaded(gateways, (), ())
    marks = connection.execute(select(watermark).where(watermark.c.gateway.in_(new))).all()
    schemas = connection.execute(select(tag_schema).where(tag_schema.c.gateway.in_(new))).all()
    return _Loaded(gateways, marks, schemas)


def _live_gateway(row: Row[Any]) -> GatewayLive:
    state = None
    if row.state:
        try:
            state = decode_state(row.state.encode())
        except msgspec.DecodeError as error:
            log.warning("last state of gateway %s in the database is unreadable: %s", row.id, error)
    return GatewayLive(row.id, row.uscc, row.site_no, False, row.last_seen_ms, state)
