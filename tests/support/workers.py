"""Real workers of one city, and who of them holds what according to the database's server."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from gateway.city.partitions.claims import LEADER, PARTITION
from gateway.wire.topics import PARTITIONS
from tests.support.broker import Mosquitto
from tests.support.peers import free_port

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
        """Whether so many workers hold all partitions, and none of them more than its part."""

        def look() -> bool:
            held = self.held()
            counts = [len(partitions) for partitions in held.values()]
            most = -(-PARTITIONS // number)
            return len(counts) == number and sum(counts) == PARTITIONS and max(counts) <= most

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
