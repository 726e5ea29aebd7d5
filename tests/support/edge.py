"""The sending half of an edge for tests: a real buffer and the real northbound, fed by the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from edge_config.models.gateway import QulinkNorthbound
from edge_config.models.validation import validated
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit, NewFrame
from gateway.edge.live.view import DeviceRecord, Live
from gateway.edge.northbound.acks.unstored import Unstored
from gateway.edge.northbound.session import Northbound
from gateway.wire.frame import BodyEncoder
from tests.support.city import batch_of, schema_of
from tests.support.clocks import FixedClock
from tests.support.consumers import for_city

SCHEMA = schema_of("speed", "power")
VALUES = len(SCHEMA.tags)
"""Values of one frame."""


@contextlib.asynccontextmanager
async def sending(north: Northbound, buffer: Buffer) -> AsyncIterator[None]:
    """Send until the end of the block; then close both."""
    task = asyncio.create_task(north.run())
    try:
        yield
    finally:
        north.close()
        async with asyncio.timeout(60):
            await task
        buffer.close()


class Edge:
    """A gateway that has one frame a millisecond of its own time, from ``begin_ms`` on."""

    def __init__(
        self, folder: Path, gateway: str, begin_ms: int, quota: int = 1 << 30, **broker: Any
    ) -> None:
        self.buffer = Buffer.open(folder / f"{gateway}.db", for_city(quota, 1 << 50))
        self.begin_ms = begin_ms
        self.frames = 0
        self.gaps = self.buffer.gaps()
        self.live = Live()
        self.live.add_device(DeviceRecord(SCHEMA.device, "here", "modbus", "grinder", "B-001"))
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        settings = {"ack_timeout_ms": 1_000, "state_interval_ms": 500, "retry_max_ms": 1_000}
        self.north = Northbound(
            config=validated(QulinkNorthbound, settings | broker),
            gateway=gateway,
            software="1",
            outlet=self.buffer.city,
            wake=self._wake,
            live=self.live,
            clock=FixedClock(begin_ms),
            unstored=Unstored(),
        )

    def feed(self, frames: int, *, told: bool = True) -> None:
        """Make frames durable in one commit, each of one time.

        Args:
            frames: how many.
            told: whether each has its schema in it; else the city must know it or ask.
        """
        made, schemas = [], (SCHEMA,) if told else ()
        day = day_of(self.begin_ms)
        for _ in range(frames):
            at = self.begin_ms + self.frames
            self.frames += 1
            batch = batch_of(SCHEMA, at, *(float(self.frames),) * VALUES)
            share = ((SCHEMA.device, day, VALUES),)
            gaps = () if made else self.gaps
            body = BodyEncoder().encode([*schemas, batch, *gaps])
            made.append(NewFrame(body, VALUES, at, at, share, len(gaps)))
        values = frames * VALUES
        counts = {(SCHEMA.device, day): Counts(due=values, ok=values, buffered=values)}
        gaps_told = self.gaps if frames else ()
        commit = Commit(made, counts, gaps=gaps_told, schemas=(SCHEMA,))
        appended = self.buffer.append(commit, self.begin_ms)
        self.gaps = [*(() if frames else self.gaps), *appended.gaps]
        self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def acknowledged(self) -> int:
        """All frames up to and including this one are acknowledged."""
        return self.north.acknowledged

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Edge"]:
        """Send until the end of the block."""
        async with sending(self.north, self.buffer):
            yield self

    async def drained(self, timeout_s: float = 120.0) -> None:
        """Wait until the city has acknowledged everything."""
        async with asyncio.timeout(timeout_s):
            await self.north.drain(self._flush)

    async def _flush(self) -> None:
        await asyncio.to_thread(self.buffer.append, Commit(), self.begin_ms)
