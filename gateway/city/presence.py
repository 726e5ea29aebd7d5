"""Which gateways live: signs of life, last wills, silence as a gap with its cause.

Works beside ingest, so that a store that is away does not make gateways look silent.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import SQLAlchemyError

from gateway.city import quarantine
from gateway.city.db.database import Database
from gateway.city.db.tables import gap, gateway
from gateway.city.live import GatewayLive, Live
from gateway.city.metrics import CityMetrics
from gateway.city.peers import Peers
from gateway.city.settle import keep_gap
from gateway.city.uplink import Incoming, Uplink
from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.wire.messages import State, decode_state, encode_message
from gateway.wire.topics import parse_uplink

log = logging.getLogger(__name__)

TICK_S = 0.5
SAVE_MS = 5_000
"""How often the time of the last message is written, at most."""
_SILENT = Reason.GATEWAY_SILENT


class Presence:
    """Watches over the gateways.

    Args:
        database: where silences and last states are kept.
        peers: the registry.
        live: the view that is kept true.
        uplink: brings state messages; tells whether the city itself can hear.
        metrics: counters.
        silence_ms: a gateway not heard of for longer is silent.
        now_ms: the clock, UTC milliseconds.
    """

    def __init__(
        self,
        *,
        database: Database,
        peers: Peers,
        live: Live,
        uplink: Uplink,
        metrics: CityMetrics,
        silence_ms: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._peers = peers
        self._live = live
        self._uplink = uplink
        self._metrics = metrics
        self._silence_ms = silence_ms
        self._now_ms = now_ms
        self._budget = quarantine.Budget()
        self._silent: dict[str, int] = {}
        self._gaps: list[tuple[str, Gap]] = []
        self._entries: list[quarantine.Entry] = []
        self._saved: dict[str, _Seen] = {}
        self._failing = False

    async def run(self) -> None:
        """Watch until cancelled."""
        self._silent = await self._database.run(_open_silences)
        while True:
            await self.tick()
            await asyncio.sleep(TICK_S)

    async def tick(self) -> None:
        """Handle what came, look who is missing, write both down."""
        now = self._now_ms()
        await self._peers.refresh(now)
        while (message := self._uplink.states.take()) is not None:
            self._handle(message)
        for gateway_id, heard_ms in self._uplink.take_heard().items():
            view = self._live.gateways().get(gateway_id)
            if view is not None and heard_ms > (view.last_seen_ms or 0):
                self._live.heard(gateway_id, heard_ms)
        for view in self._ours():
            self._look(view, now)
        await self._save()
        online = sum(g.online for g in self._live.gateways().values())
        self._metrics.gateways_online.set(online)

    def _ours(self) -> list[GatewayLive]:
        """Gateways that this worker hears; of the others it can say nothing."""
        return [view for view in self._live.gateways().values() if self._uplink.hears(view.id)]

    def _handle(self, message: Incoming) -> None:
        try:
            sender = parse_uplink(message.topic).gateway
            state = decode_state(message.payload)
        except ValueError as error:  # msgspec.DecodeError is one
            self._refuse(message, f"no state message: {error}")
            return
        if self._peers.get(sender) is None:
            self._refuse(message, f"gateway {sender} is not enrolled or is revoked")
            return
        self._metrics.states.inc()
        self._live.state(sender, state, message.received_ms)
        if not state.online:
            self._open(sender, message.received_ms)

    def _refuse(self, message: Incoming, reason: str) -> None:
        parts = message.topic.split("/")
        sender = parts[4] if len(parts) > 4 else ""  # noqa: PLR2004 - place in the topic
        entry = quarantine.Entry(
            "state", message.received_ms, message.topic, sender, reason, 0, message.payload
        )
        self._metrics.quarantined.labels("state").inc()
        if self._budget.allows(entry):
            self._entries.append(entry)

    def _look(self, view: GatewayLive, now: int) -> None:
        gateway_id = view.id
        since = self._silent.get(gateway_id)
        if view.online and since is not None:
            self._close(gateway_id, since, view.last_seen_ms or now)
        hearing_ms = self._uplink.connected_since_ms
        if view.last_seen_ms is None or hearing_ms is None or gateway_id in self._silent:
            return
        if now - max(view.last_seen_ms, hearing_ms) > self._silence_ms:
            log.warning("gateway %s is silent for %d ms", gateway_id, now - view.last_seen_ms)
            self._live.silent(gateway_id)
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
        seen = self._due_to_save()
        if not (gaps or entries or seen):
            return
        try:
            await self._database.run(_write, gaps, entries, seen)
        except SQLAlchemyError as error:
            self._gaps[:0], self._entries[:0] = gaps, entries
            if not self._failing:
                log.error("presence cannot be written, trying again: %s", error)  # noqa: TRY400
            self._failing = True
        else:
            self._failing = False
            self._saved |= {row.gateway: row for row in seen}

    def _due_to_save(self) -> list["_Seen"]:
        due = []
        for view in self._ours():
            saved = self._saved.get(view.id)
            if view.last_seen_ms is None:
                continue
            if (
                saved is None
                or saved.state is not view.state
                or view.last_seen_ms - saved.last_seen_ms >= SAVE_MS
            ):
                due.append(_Seen(view.id, view.last_seen_ms, view.state))
        return due


@dataclass(frozen=True, slots=True)
class _Seen:
    gateway: str
    last_seen_ms: int
    state: State | None


def _open_silences(connection: Connection) -> dict[str, int]:
    query = select(gap.c.gateway, gap.c.from_ms).where(
        gap.c.to_ms.is_(None), gap.c.cause == _SILENT.code, gap.c.device == ""
    )
    return {row.gateway: row.from_ms for row in connection.execute(query)}


def _write(
    connection: Connection,
    gaps: Sequence[tuple[str, Gap]],
    entries: Sequence[quarantine.Entry],
    seen: Sequence[_Seen],
) -> None:
    for gateway_id, one in gaps:
        keep_gap(connection, gateway_id, one)
    quarantine.keep(connection, entries)
    for row in seen:
        values: dict[str, object] = {"last_seen_ms": row.last_seen_ms}
        if row.state is not None:
            values["state"] = encode_message(row.state).decode()
        connection.execute(update(gateway).where(gateway.c.id == row.gateway).values(values))
