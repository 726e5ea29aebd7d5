"""Which gateways live: signs of life, last wills, silence as a gap with its cause.

Works beside ingest, so that a store that is away does not make gateways look silent.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.city.db.tables import gap, gateway
from gateway.city.erasing.standing import left_out
from gateway.city.evidence.clock_doubt import Span, keep_spans
from gateway.city.ingest import quarantine
from gateway.city.ingest.admission import read_state
from gateway.city.ingest.enrolled.gateways import Gateways
from gateway.city.ingest.gaps import end_gaps_of_revoked, keep_gaps
from gateway.city.ingest.limits import MAX_WAITING
from gateway.city.ingest.uplink.api import Uplink
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.live.metrics import CityMetrics
from gateway.city.live.view import GatewayLive, Live
from gateway.city.presence.clocks import Clocks
from gateway.city.registry.enrolment import of_partitions
from gateway.core.batch import Gap
from gateway.core.days import day_of
from gateway.core.status import Reason
from gateway.relational.database import Database, words
from gateway.retry import Retry
from gateway.wire.messages import Ack, DeviceState, State, encode_message
from gateway.wire.topics import parse_uplink

log = logging.getLogger(__name__)

T = TypeVar("T")

TICK_S = 0.5
_LONGEST_PAUSE_MS = 2_000
"""While the database is away; signs of life wait meanwhile."""
SAVE_MS = 60_000
"""How often the time of the last message is written while nothing else changes."""
_SILENT = Reason.GATEWAY_SILENT


@dataclass(slots=True, kw_only=True)
class Presence:
    """Watches over the gateways.

    Attributes:
        database: where silences and last states are kept.
        gateways: the registry.
        live: the view that is kept true.
        uplink: brings state messages; tells whether the city itself can hear.
        metrics: counters.
        silence_ms: a gateway not heard of for longer is silent.
        now_ms: the clock, UTC milliseconds.
    """

    database: Database
    gateways: Gateways
    live: Live
    uplink: Uplink
    metrics: CityMetrics
    silence_ms: int
    now_ms: Callable[[], int]
    _budget: quarantine.Budget = field(default_factory=quarantine.Budget)
    _silent: dict[str, int] = field(default_factory=dict)
    _gaps: list[tuple[str, Gap]] = field(default_factory=list)
    _entries: list[quarantine.Entry] = field(default_factory=list)
    _saved: dict[str, GatewayLive] = field(default_factory=dict)
    _greeted: dict[str, int] = field(default_factory=dict)
    _clocks: Clocks = field(default_factory=Clocks)
    _followed_ms: int = -1

    @property
    def clock_problem(self) -> str:
        """What most gateways say of the city's own clock; empty: nothing."""
        return self._clocks.problem([view.id for view in self._ours() if view.online])

    async def run(self) -> None:
        """Watch until cancelled; while the database is away, with what is known."""
        attempts = Retry(
            log,
            "presence cannot be kept",
            "presence is kept again",
            longest_ms=_LONGEST_PAUSE_MS,
            level=logging.ERROR,
        )
        while True:
            await attempts.until_done(self.tick, SQLAlchemyError, words=words)
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Handle what came, look who is missing, write both down.

        Raises:
            SQLAlchemyError: the database is away; what could not be written is kept.
        """
        if self._followed_ms != self.uplink.followed_ms:
            await self._begin()
        now = self.now_ms()
        # first what came, then who is missing: what waits here is no silence
        while messages := self.uplink.states.next():
            for message in messages:
                self._handle(message)
        for gateway_id, heard_ms in self.uplink.heard_lately().items():
            view = self.live.gateway(gateway_id)
            if view is not None and heard_ms > (view.last_seen_ms or 0):
                self.live.heard(gateway_id, heard_ms)
        for revoked in [name for name in self._silent if self.live.gateway(name) is None]:
            del self._silent[revoked]
        ours = self._ours()
        for view in ours:
            self._look(view, now)
        self.metrics.gateways_online.set(sum(view.online for view in ours))
        await self._save()
        await self.gateways.refresh(now)

    async def _begin(self) -> None:
        """Learn what is known of the partitions that are heard now, forget the others."""
        following_ms = self.uplink.followed_ms
        await self.gateways.refresh(self.now_ms(), 0)
        silent = await self.database.run(_open_silences, self.gateways.partitions)
        # what is known here may not be written yet, so it goes before what the database says
        self._silent = self._of_ours(silent | self._silent)
        self._saved, self._greeted = self._of_ours(self._saved), self._of_ours(self._greeted)
        self._clocks.forget()
        self._followed_ms = following_ms

    def _of_ours(self, by_gateway: Mapping[str, T]) -> dict[str, T]:
        return {name: one for name, one in by_gateway.items() if self.uplink.hears(name)}

    def _ours(self) -> list[GatewayLive]:
        return [view for view in self.live.gateways().values() if self.uplink.hears(view.id)]

    def _handle(self, message: Incoming) -> None:
        try:
            sender = parse_uplink(message.topic).gateway
            state = read_state(message.payload)
        except ValueError as error:  # msgspec.DecodeError is one
            self._refuse(message, f"no state message: {error}")
            return
        if not self.uplink.hears(sender):
            return  # handed over since it came
        if self.gateways.get(sender) is None:
            self._refuse(message, f"gateway {sender} is not enrolled or is revoked")
            return
        self.metrics.states.inc()
        self.live.state(sender, state, message.received_ms)
        self._clocks.heard(sender, state, message.received_ms)
        if not state.online:
            self._open(sender, message.received_ms)
        self._greet(sender, state)

    def _greet(self, sender: str, state: State) -> None:
        """Ask each gateway, once a connection, for what it sent while nobody listened."""
        since = self.uplink.connected_since_ms
        if state.online and since is not None and self._greeted.get(sender) != since:
            self._greeted[sender] = since
            self.uplink.answer([(sender, Ack(state.epoch, 0, again=True, time_ms=self.now_ms()))])

    def _refuse(self, message: Incoming, reason: str) -> None:
        parts = message.topic.split("/")
        sender = parts[4][:63] if len(parts) > 4 else ""  # noqa: PLR2004 - place in the topic
        entry = quarantine.Entry.of("state", message, sender, reason)
        self.metrics.quarantined.labels("state").inc()
        if len(self._entries) < MAX_WAITING and self._budget.allows(entry):
            self._entries.append(entry)

    def _look(self, view: GatewayLive, now: int) -> None:
        gateway_id = view.id
        since = self._silent.get(gateway_id)
        if view.online and since is not None:
            self._close(gateway_id, since, view.last_seen_ms or now)
        hearing_ms = self.uplink.connected_since_ms
        if view.last_seen_ms is None or hearing_ms is None or gateway_id in self._silent:
            return
        # what was said before we heard this partition, another worker has heard
        heard_ms = max(view.last_seen_ms, hearing_ms, self.uplink.followed_ms)
        if now - heard_ms > self.silence_ms:
            log.warning("gateway %s is silent for %d ms", gateway_id, now - view.last_seen_ms)
            self.live.silent(gateway_id)
            self._open(gateway_id, view.last_seen_ms)

    def _open(self, gateway_id: str, from_ms: int) -> None:
        if gateway_id not in self._silent:
            self._silent[gateway_id] = from_ms
            self._gaps.append((gateway_id, Gap("", "", (), _SILENT, from_ms)))

    def _close(self, gateway_id: str, from_ms: int, to_ms: int) -> None:
        del self._silent[gateway_id]
        log.info("gateway %s speaks again after %d ms", gateway_id, to_ms - from_ms)
        self._gaps.append((gateway_id, Gap("", "", (), _SILENT, from_ms, to_ms)))

    async def _save(self) -> None:
        """Write in one transaction; what cannot be written is written at the next tick."""
        gaps, self._gaps = self._gaps, []
        entries, self._entries = self._entries, []
        seen, spans = self._due_to_save(), self._clocks.unwritten()
        if not (gaps or entries or seen or spans):
            return
        try:
            await self.database.run(_write, gaps, entries, seen, spans, self.now_ms())
        except SQLAlchemyError:
            self._gaps[:0], self._entries[:0] = gaps, entries
            self._clocks.put_back(spans)
            raise
        self._saved |= {view.id: view for view in seen}

    def _due_to_save(self) -> list[GatewayLive]:
        """Gateways of ours whose state has changed, or whose last message was a while ago."""
        return [view for view in self._ours() if self._is_due(view)]

    def _is_due(self, view: GatewayLive) -> bool:
        saved = self._saved.get(view.id)
        if saved is None or view.last_seen_ms is None or saved.last_seen_ms is None:
            return view.last_seen_ms is not None
        changed = (saved.online, _links(saved)) != (view.online, _links(view))
        return changed or view.last_seen_ms - saved.last_seen_ms >= SAVE_MS


def _links(view: GatewayLive) -> Mapping[str, DeviceState]:
    return view.state.devices if view.state else {}


def _open_silences(connection: Connection, partitions: Collection[int]) -> dict[str, int]:
    query = (
        select(gap.c.gateway, gap.c.from_ms)
        .join(gateway, gateway.c.id == gap.c.gateway)
        .where(
            gap.c.to_ms.is_(None),
            gap.c.cause == _SILENT.code,
            gap.c.device == "",
            of_partitions(partitions),
        )
    )
    return {row.gateway: row.from_ms for row in connection.execute(query)}


def _write(
    connection: Connection,
    gaps: Sequence[tuple[str, Gap]],
    entries: Sequence[quarantine.Entry],
    seen: Sequence[GatewayLive],
    spans: Mapping[str, Span],
    now_ms: int,
) -> None:
    gone = left_out(connection, {name for name, _ in gaps} | {one.id for one in seen} | {*spans})
    if gone:
        gaps = [one for one in gaps if one[0] not in gone]
        seen = [one for one in seen if one.id not in gone]
        spans = {name: span for name, span in spans.items() if name not in gone}
    keep_gaps(connection, gaps)
    end_gaps_of_revoked(connection, [name for name, one in gaps if one.to_ms is None])
    quarantine.keep(connection, entries)
    keep_spans(connection, spans, day_of(now_ms))
    if seen:
        known = update(gateway).where(gateway.c.id == bindparam("name"))
        rows = [{"name": one.id, "seen": one.last_seen_ms, "text": _text(one)} for one in seen]
        saved = known.values(last_seen_ms=bindparam("seen"), state=bindparam("text"))
        connection.execute(saved, rows)


def _text(view: GatewayLive) -> str | None:
    if view.state is None:
        return None
    return encode_message(msgspec.structs.replace(view.state, online=view.online)).decode()
