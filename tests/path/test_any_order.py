"""Whatever network, quota and kills do: a value is stored once, or in a gap, and the books balance.

Buffer, northbound, ingest, store and database are real; the network is a list that loses,
doubles, delays and reorders far beyond what a broker may.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gateway.city.app import City, assembled
from gateway.city.db.tables import gap, watermark
from gateway.city.ingest.batching import FrameBatch
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.ingest.worker import Stages
from gateway.core.days import day_of
from gateway.core.status import Reason
from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.northbound.queue import merge, pop_neighbours
from gateway.wire.records import GivenUp
from tests.support.city import city_config, fill_ledger, proofs_of, rows_of
from tests.support.edge import VALUES, Edge

STEPS = 150
QUOTA = 6_000


class Link:
    """One direction of the network: what was published and has not come yet."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.flying: list[tuple[str, bytes]] = []
        self.has_refused = False  # as a client of a broker that takes everything

    async def publish(self, topic: str, payload: bytes, **_: Any) -> None:
        self.flying.append((topic, payload))

    def send(self, messages: Iterable[tuple[str, bytes]]) -> None:
        self.flying += messages

    def arriving(self, *, is_fair: bool) -> list[tuple[str, bytes]]:
        """What comes now: all in order, or some of it in any order, lost or twice."""
        if is_fair:
            come, self.flying = self.flying, []
            return come
        come, stay = [], []
        for message in self.flying:
            fate = self.chance.random()
            if fate < 0.35:
                stay.append(message)
            if 0.25 < fate < 0.8:
                come.append(message)
        self.flying = stay
        self.chance.shuffle(come)
        return come


class World:
    """One gateway, one city, and what is between them."""

    def __init__(self, folder: Path, city: City, seed: int) -> None:
        self.folder, self.city = folder, city
        self.chance = random.Random(seed)
        self.up, self.down = Link(self.chance), Link(self.chance)
        self.begin = time.time_ns() // 1_000_000 - 3_600_000
        self.edge = self._edge()
        self.batch = self._begin_city()

    def _edge(self) -> Edge:
        edge = Edge(self.folder, "gw-1", self.begin, quota=QUOTA, url="mqtt://127.0.0.1:1")
        edge.north._transfer._answers.is_compared = True  # the network loses no question here
        return edge

    def _begin_city(self) -> FrameBatch:
        self.city.uplink._client = self.down  # type: ignore[assignment]
        return FrameBatch(self.city.ingest._budget, day_of(self.begin))

    def feed(self) -> None:
        self.edge.feed(self.chance.randrange(1, 8))

    async def send(self, most: int = 8) -> None:
        transfer = self.edge.north._transfer
        if self.chance.random() < 0.3:
            transfer._window.restart()
        queue = self.waiting(self.chance.randrange(most + 1))
        while queue:
            if self.chance.random() < 0.2:
                self.feed()  # the quota may take what is about to be sent
            await self.pass_on(queue)

    def waiting(self, most: int) -> deque[StoredFrame]:
        window = self.edge.north._transfer._window
        frames = self.edge.buffer.city.read(window.sent, 1 << 20)[:most]
        return deque(one for one in frames if not window.acknowledged(one.seq))

    async def pass_on(self, queue: deque[StoredFrame]) -> None:
        """Send what is next, alone or with others in one message."""
        for one in merge(pop_neighbours(queue, self.chance.choice([1, 1 << 20]))):
            await self.edge.north._transfer._send_one(self.up, asyncio, one)  # type: ignore[arg-type]
            await asyncio.sleep(0)  # lets it be published

    async def receive(self, *, is_fair: bool = False) -> None:
        for topic, payload in self.up.arriving(is_fair=is_fair):
            message = Incoming(topic, payload, self.begin)
            self.batch.messages.append(message)
            await self.city.ingest.handle(message, self.batch)

    async def commit(self) -> None:
        self.batch.seal()
        ingest, stages = self.city.ingest, Stages()
        await stages.storing.acquire()
        ingest._on_their_way.append(self.batch)
        await ingest.deliver(self.batch, stages)
        self.batch = FrameBatch(self.city.ingest._budget, day_of(self.begin))

    def hear(self, *, is_fair: bool = False) -> None:
        for _, payload in self.down.arriving(is_fair=is_fair):
            self.edge.north._transfer.hear(payload)

    def kill_edge(self) -> None:
        frames = self.edge.frames
        self.edge.buffer.close()
        self.edge = self._edge()
        self.edge.frames = frames

    async def kill_city(self) -> None:
        """At any moment: before a batch is written, or after the store has it."""
        if self.chance.random() < 0.5:
            await self.city.store.write([rows for _, rows in self.batch.tables()])
        store = self.city.store
        self.city = City(self.city.config, self.city.database, self.city.now_ms)
        await self.city.store.close()
        self.city.store = self.city.ingest.store = self.city.ingest.evidence.store = store
        await self.city.gateways.refresh(self.city.now_ms(), 0)
        self.batch = self._begin_city()

    async def step(self) -> None:
        match self.chance.choices(range(7), (5, 8, 5, 5, 5, 1, 1))[0]:
            case 0:
                self.feed()
            case 1:
                await self.send()
            case 2:
                await self.receive()
            case 3:
                await self.commit()
            case 4:
                self.hear()
            case 5:
                self.kill_edge()
            case _:
                await self.kill_city()

    async def finish(self) -> None:
        """A fair network from now on, until nothing is open between the two."""
        for _ in range(60):
            self.edge.feed(1 if self.is_open else 0)
            self.edge.north._transfer._window.restart()
            queue = self.waiting(1_000)
            while queue:
                await self.pass_on(queue)
            await self.receive(is_fair=True)
            await self.commit()
            self.hear(is_fair=True)
            self.edge.feed(0)  # frees what is acknowledged
            if not self.is_open:
                return
        raise AssertionError("edge and city do not come to an end")

    @property
    def is_open(self) -> bool:
        """Whether the edge holds anything, or one of the two must still be told of a loss."""
        buffer = self.edge.buffer
        told = self.edge.acknowledged == buffer.last_seq and not self.edge.gaps
        return not told or buffer.city.given_up() != GivenUp(
            buffer.last_seq + 1, buffer.last_seq + 1
        )


@pytest.mark.parametrize("seed", range(6))
async def test_every_value_is_stored_once_or_in_a_gap(tmp_path: Path, seed: int) -> None:
    async with assembled(city_config("mqtt://127.0.0.1:1", tmp_path / "city")) as city:
        fill_ledger(city, "gw-1")
        await city.store.open()
        world = World(tmp_path, city, seed)
        for _ in range(STEPS):
            await world.step()
        await world.finish()
        totals, frames = world.edge.buffer.totals(), world.edge.frames
        (mark,) = rows_of(city, watermark)
        assert mark["values_quarantined"] == 0
        assert mark["upto"] == world.edge.buffer.last_seq  # the holes are closed again
        assert mark["ranges"] == "[]"
        dropped = totals.dropped.get("quota", 0)
        assert dropped  # otherwise the quota took nothing and the test shows little
        assert totals.buffered == frames * VALUES == mark["values_committed"] + dropped
        (proof,) = await proofs_of(world.city)
        assert world.begin <= proof["first_ms"] <= proof["last_ms"] < world.begin + frames
        gaps = [row for row in rows_of(city, gap) if row["cause"] == Reason.QUOTA.code]
        for at in range(world.begin, world.begin + frames):
            held = await city.store.count(["gw-1"], at, at + 1)
            assert held in (0, VALUES)
            assert held or any(row["from_ms"] <= at < row["to_ms"] for row in gaps), at
        world.edge.buffer.close()
