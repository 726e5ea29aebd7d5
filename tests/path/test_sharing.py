"""Workers of one city that live on while their locks, their database or their number change."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.city.app import City
from gateway.city.db.tables import watermark
from gateway.wire.topics import PARTITIONS
from tests.support.broker import Mosquitto
from tests.support.city import (
    are_shared,
    assembled,
    city_config,
    fill_ledger,
    rows_of,
    working,
)
from tests.support.edge import VALUES, Edge
from tests.support.postgres import Postgres
from tests.support.waiting import until

NAMES = tuple(f"gw-{number}" for number in range(1, 7))
END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'qulink city worker' LIMIT %s
"""


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, which may be stopped."""
    with (
        tempfile.TemporaryDirectory(prefix="qulink-", ignore_cleanup_errors=True) as folder,
        Postgres(Path(folder)) as server,
    ):
        yield server


class Town:
    """One city on PostgreSQL, as many workers as the test starts, and gateways that send."""

    def __init__(self, folder: Path, broker: Mosquitto, database: Postgres) -> None:
        self.database = database
        self.config = city_config(
            broker.url, folder / "data", database={"url": database.url}, silence_ms=600_000
        )
        self.begin = time.time_ns() // 1_000_000 - 3_600_000
        self.edges = [Edge(folder, name, self.begin, url=broker.url) for name in NAMES]
        self.workers: list[City] = []

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        async with assembled(self.config) as city:
            fill_ledger(city, *NAMES)
        async with contextlib.AsyncExitStack() as stack:
            for edge in self.edges:
                await stack.enter_async_context(edge.running())
            yield

    @contextlib.asynccontextmanager
    async def worker(self) -> AsyncIterator[City]:
        async with working(self.config) as city:
            self.workers.append(city)
            try:
                yield city
            finally:
                self.workers.remove(city)

    def shared(self) -> bool:
        return are_shared(self.workers)

    async def feed(self, frames: int) -> None:
        for edge in self.edges:
            await asyncio.to_thread(edge.feed, frames)

    @property
    def answered(self) -> int:
        """Frames that are acknowledged."""
        return sum(edge.acknowledged for edge in self.edges)

    @property
    def sent(self) -> int:
        return sum(edge.frames for edge in self.edges)

    async def counted_once(self) -> None:
        """Wait for all acknowledgements; nothing is lost and nothing counts twice."""
        await until(lambda: self.answered == self.sent)
        async with assembled(self.config) as city:
            await city.store.open()
            end = self.begin + 3_600_000
            assert await city.store.count(list(NAMES), self.begin, end) == self.sent * VALUES
            marks = rows_of(city, watermark)
            assert sum(row["values_committed"] for row in marks) == self.sent * VALUES
            assert sum(row["values_quarantined"] for row in marks) == 0

    def end_lock_sessions(self, most: int) -> int:
        """End the sessions that hold the locks of so many workers; how many there were."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            return len(connection.execute(END_SESSIONS, (most,)).fetchall())


@pytest.fixture
async def town(mosquitto: Mosquitto, database: Postgres, tmp_path: Path) -> AsyncIterator[Town]:
    made = Town(tmp_path, mosquitto, database)
    async with made.sending():
        yield made


async def shared(town: Town) -> None:
    await until(town.shared)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lost", [1, 2])
async def test_workers_that_lose_their_locks_share_again(town: Town, lost: int) -> None:
    """For a moment a partition may have two workers or none, but not for long."""
    async with town.worker(), town.worker():
        await shared(town)
        begun = [one.uplink.followed_ms for one in town.workers]
        await town.feed(20)
        assert await asyncio.to_thread(town.end_lock_sessions, lost) == lost
        await town.feed(20)
        await until(lambda: _changed(town, begun) >= lost)
        await shared(town)
        await town.feed(20)
        await until(lambda: town.answered == town.sent)
        assert all(one.sharing is not None and not one.sharing.problem for one in town.workers)
    await town.counted_once()


def _changed(town: Town, begun: list[int]) -> int:
    """How many workers hear something else than they did."""
    now = [one.uplink.followed_ms for one in town.workers]
    return sum(new != old for new, old in zip(now, begun, strict=True))


@pytest.mark.timeout(600)
async def test_a_worker_that_joins_takes_its_share(town: Town) -> None:
    async with town.worker() as first:
        await shared(town)
        assert len(first.uplink._partitions) == PARTITIONS
        await town.feed(20)
        async with town.worker() as second:
            await town.feed(20)
            await shared(town)
            await town.feed(20)
            await until(lambda: town.answered == town.sent)
            assert len(second.uplink._partitions) == PARTITIONS // 2
            heard = "qulink_city_partitions_heard"
            assert second.metrics.registry.get_sample_value(heard) == PARTITIONS // 2
        await shared(town)
        await town.feed(20)
        await until(lambda: town.answered == town.sent)
    await town.counted_once()


@pytest.mark.timeout(600)
async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_lost(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with town.worker() as worker:
        await shared(town)
        await town.feed(20)
        await until(lambda: town.answered == town.sent)
        assert worker.sharing is not None
        stored = town.sent
        town.database.stop()
        await town.feed(20)
        await until(lambda: worker.sharing.problem)  # type: ignore[union-attr]
        assert "none can be held here" in worker.sharing.problem
        assert town.answered == stored
        town.database.start()
        await until(lambda: town.answered == town.sent)
        await until(lambda: not worker.sharing.problem)  # type: ignore[union-attr]
    await town.counted_once()
    for once in ("partitions cannot be held", "partitions are held again"):
        assert caplog.text.count(once) == 1
