"""All gateways that this process holds, as the registry in the database has them."""

import asyncio
from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from gateway.city.evidence.uncounted import Uncounted
from gateway.city.ingest.enrolled.agreements import Agreements
from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ingest.enrolled.loading import Loaded, load
from gateway.city.live.view import GatewayLive, Live
from gateway.relational.database import Database
from gateway.wire.topics import ALL_PARTITIONS, partition_of

REFRESH_MS = 2_000
"""How soon an enrolment or revocation made by another process takes effect."""


class Gateways:
    """The registry as ingest uses it; follows what ``qulink city gateway`` writes.

    Attributes:
        uncounted: what is not evidence yet, of the gateways that are or were held.
    """

    def __init__(self, database: Database, live: Live, *, demand_agreements: bool = False) -> None:
        self._database = database
        self._agreements = Agreements(is_demanded=demand_agreements)
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
            self._remove(gone)
        if gained:
            await self.refresh(self._refreshed_ms, 0)

    def _remove(self, gateway_id: str) -> None:
        """Nobody watches over what is left in the view: it would stay on its page for ever."""
        self._gateways.pop(gateway_id, None)
        self._live.forget(gateway_id)

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
                self._remove(gone)
            for one in self._gateways.values():
                self._agreements.bind(one)
            await self._add(loaded.new)

    async def reload(self, gateway_ids: Collection[str]) -> None:
        """Read what the database holds of some gateways, in place of what is in memory."""
        async with self._reading:
            known = self._gateways.keys() - set(gateway_ids)
            loaded = await self._read(known)
            await self._add(loaded.new)
            for gone in set(gateway_ids) - {view.id for _, view in loaded.new}:
                self._remove(gone)

    async def _read(self, known: Collection[str]) -> Loaded:
        """Read the database, with what it says is uncounted: that must not change meanwhile."""
        async with self.uncounted.writing:
            loaded = await self._database.run(self._load, known)
            for one, view in loaded.new:
                for epoch, span in one.uncounted.items():
                    self.uncounted.owe((view.id, epoch), span)
        return loaded

    def _load(self, connection: Connection, known: Collection[str]) -> Loaded:
        self._agreements.read(connection)
        return load(connection, known, self._partitions)

    async def _add(self, new: Sequence[tuple[Gateway, GatewayLive]]) -> None:
        for one, view in new:
            if not self._is_ours(view.id):  # handed over while it was read
                continue
            self._agreements.bind(one)
            if self._live.gateway(view.id) is None:
                self._live.enrol(view)  # before ingest can get it: the view knows all whom it gets
            for layout in one.layouts.values():
                self._live.learn(view.id, layout.schema)
            self._gateways[view.id] = one
            await asyncio.sleep(0)  # at the start there may be thousands
