"""Three real workers of one city, killed one after the other: none of their gateways is lost."""

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.city.db.tables import watermark
from gateway.city.partitions.claims import LEADER, PARTITION
from gateway.wire.topics import PARTITIONS
from tests.support.broker import Mosquitto
from tests.support.city import assembled, city_config, fill_ledger, proofs_of, rows_of
from tests.support.edge import VALUES, Edge
from tests.support.peers import free_port
from tests.support.postgres import Postgres
from tests.support.waiting import until

NAMES = tuple(f"gw-{number}" for number in range(1, 7))
HAND_OVER_S = 30.0
HELD = """
    SELECT a.pid, a.client_port, l.classid::bigint, l.objid::bigint
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.objsubid = 2
"""


class Workers:
    """Processes of one city, and who of them holds what according to the server."""

    def __init__(self, folder: Path, broker: Mosquitto, url: str) -> None:
        self.folder, self.url = folder, url
        self.console = free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        self.file = folder / "city.yaml"
        self.file.write_text(
            f"""
city: {{region: "330800", name_zh: 衢州, name_en: Quzhou}}
data_dir: {folder}/data
broker: {{url: "{broker.url}", retry_max_ms: 1000}}
database: {{url: "{url}"}}
identifier: {{prefix: "88.999"}}
console: {{listen: "127.0.0.1:{self.console}"}}
node: {{type: embedded, listen: "127.0.0.1:{free_port()}"}}
"""
        )

    @contextlib.contextmanager
    def running(self, number: int) -> Iterator[None]:
        with (self.folder / "city.log").open("ab") as log:
            for _ in range(number):
                command = [sys.executable, "-m", "gateway", "city", str(self.file), "--worker"]
                self.processes.append(subprocess.Popen(command, stderr=log))
        try:
            yield
        finally:
            for process in self.processes:
                process.kill()
            for process in self.processes:
                process.wait(10)

    def held(self) -> dict[int, set[int]]:
        """Partitions by session."""
        found: dict[int, set[int]] = {}
        for session, _, kind, number in self._locks():
            if kind == PARTITION:
                found.setdefault(session, set()).add(number)
        return found

    def leader(self) -> subprocess.Popen[bytes]:
        """The process whose session holds the leader's lock."""
        port = next(port for _, port, kind, _ in self._locks() if kind == LEADER)
        return next(one for one in self.processes if port in ports_of(one.pid))

    def shared(self, number: int) -> Callable[[], bool]:
        """Whether so many workers hold all partitions."""

        def look() -> bool:
            held = self.held()
            return len(held) == number and sum(map(len, held.values())) == PARTITIONS

        return look

    def led(self) -> bool:
        return any(kind == LEADER for _, _, kind, _ in self._locks())

    def _locks(self) -> list[tuple[int, int, int, int]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(HELD).fetchall()


def ports_of(pid: int) -> set[int]:
    """Local TCP ports of a process."""
    inodes = set[str]()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(line[1].split(":")[1], 16) for line in lines if line[9] in inodes}


def in_thread(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A condition that asks a server and must not hold up the edges of the test."""
    return lambda: asyncio.to_thread(condition)


async def console_answers(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_killed_workers_are_replaced_and_nothing_is_lost_or_doubled(
    mosquitto: Mosquitto, postgres: Postgres, tmp_path: Path
) -> None:
    workers = Workers(tmp_path, mosquitto, postgres.url)
    config = city_config(mosquitto.url, tmp_path / "data", database={"url": postgres.url})
    async with assembled(config) as city:
        fill_ledger(city, *NAMES)
    begin = time.time_ns() // 1_000_000 - 3_600_000
    edges = [
        # what a dead worker has not answered is asked for by the next one, not timed out
        Edge(tmp_path, name, begin, url=mosquitto.url, ack_timeout_ms=600_000)
        for name in NAMES
    ]
    async with contextlib.AsyncExitStack() as stack:
        for edge in edges:
            await stack.enter_async_context(edge.running())
        stack.enter_context(workers.running(3))
        await until(in_thread(workers.shared(3)), 90)
        assert {len(share) for share in workers.held().values()} <= {340, 341, 342}
        await feed(edges, 50)
        await until(in_thread(workers.led))
        follower = next(one for one in workers.processes if one is not workers.leader())
        for number, victim in ((2, follower), (1, workers.leader())):
            await feed(edges, 50, wait=False)
            victim.kill()  # kill -9, with frames on their way
            await until(in_thread(workers.shared(number)), HAND_OVER_S)
            await until(in_thread(workers.led), HAND_OVER_S)
            await feed(edges, 50)
        assert workers.leader() is not victim
        await console_answers(workers.console)
        for edge in edges:
            await edge.drained()
    sent = sum(edge.frames for edge in edges) * VALUES
    async with assembled(config) as city:
        await city.store.open()
        assert await city.store.count(list(NAMES), begin, begin + 3_600_000) == sent
        marks = rows_of(city, watermark)
        assert {row["gateway"]: row["upto"] for row in marks} == {
            name: edge.frames for name, edge in zip(NAMES, edges, strict=True)
        }
        assert sum(row["values_committed"] for row in marks) == sent
        assert sum(row["values_quarantined"] for row in marks) == 0
        days = await proofs_of(city)
        assert min(row["first_ms"] for row in days) == begin
        assert max(row["last_ms"] for row in days) == begin + max(e.frames for e in edges) - 1
    assert "Traceback" not in (tmp_path / "city.log").read_text()


async def feed(edges: list[Edge], frames: int, *, wait: bool = True) -> None:
    """Every gateway sends; ``wait`` until all of it is acknowledged."""
    for edge in edges:
        await asyncio.to_thread(edge.feed, frames)
    for edge in edges:
        if wait:
            await until(lambda edge=edge: edge.acknowledged == edge.frames, 90)
