"""Frames a second that one worker of the city takes: real broker, real store, real process.

Small frames of many gateways are published as edges do it: some frames of each gateway are on
their way, and an acknowledgement frees them. What counts is the processor time of the worker
alone; broker, store and the publisher share the machine and are left out.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.city.codec import USCC
from benchmarks.city.publisher import Publisher, Sender
from benchmarks.city.settings import write_city
from benchmarks.processes import HERE
from benchmarks.usage import Snapshot, snapshot
from edge_config.loading.load import load_city
from gateway.city.db.operation import begin
from gateway.city.db.upgrade import open_database
from gateway.city.registry import enrolment
from tests.support.broker import Mosquitto
from tests.support.city_db import add_enterprise, add_machine
from tests.support.influxd import Influxd
from tests.support.peers import free_port
from tests.support.postgres import Postgres

# The broker is to hold nobody up: its default of 1,000 queued messages drops a burst's rest.
_BROKER = "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100"
WARM_UP = 3
"""Frames of each gateway before the clock starts: schemas are learnt, tables are made."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one worker is given to do.

    Attributes:
        influx: whether values go to a real InfluxDB 1.x; else to the embedded store.
        postgres: whether everything else goes to a real PostgreSQL; else to SQLite.
        window: messages of one gateway that are on their way.
        merged: frames of a message, as a gateway that is behind sends them.
        gateways: how many publish.
        each: frames of each.
        tags: float32 values of a frame.
    """

    influx: bool
    postgres: bool = False
    window: int = 1
    merged: int = 1
    gateways: int = 1_000
    each: int = 60
    tags: int = 30

    def __str__(self) -> str:
        store = "InfluxDB 1.x" if self.influx else "embedded store"
        database = "PostgreSQL" if self.postgres else "SQLite"
        return (
            f"frames a worker, {self.tags} values each, {self.gateways} gateways with "
            f"{self.window} messages of {self.merged} on their way, {store}, {database}"
        )


LOADS = (
    Load(influx=False, window=10),
    Load(influx=True, window=10),
    Load(influx=True),
    Load(influx=True, postgres=True),
)
DRAIN = Load(influx=True, postgres=True, window=20, merged=400, gateways=200, each=3_600)
"""What 200 gateways of one frame a second have after an hour without their city, in messages of
64 KiB before compression."""


def measure() -> list[dict[str, object]]:
    """Measure one worker under each load."""
    return list(map(_measure, LOADS))


def measure_drain() -> list[dict[str, object]]:
    """How long it takes to catch up with an hour's outage, and what that comes to for 1,000."""
    result = _measure(DRAIN)
    hour = 3_600 * 1_000 / float(str(result["frames_per_s"]))
    return [
        result | {"name": f"outage of an hour, {DRAIN}", "minutes_of_1000": round(hour / 60, 1)}
    ]


def _measure(load: Load) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, names = Path(name), [f"gw-{number}" for number in range(load.gateways)]
        broker = stack.enter_context(Mosquitto(folder, _BROKER))
        file = write_city(folder, broker.url, free_port(), **_stores(load, folder, stack))
        _enrol(file, names)
        output = folder / "city.log"
        worker = HERE.run(stack, "-m", "gateway", "city", str(file), output=output)
        _until(lambda: ": connected" in output.read_text(), output)
        senders = [Sender(name, load.tags) for name in names]
        publisher = Publisher(broker.port, senders, load.window, load.merged, output)
        publisher.run(WARM_UP)
        first = snapshot(worker.pid)
        publisher.run(load.each)
        frames = (load.each - WARM_UP) * load.gateways
        found = _figures(first, snapshot(worker.pid), frames)
        return {"name": str(load), **found, "sent_again": publisher.sent_again}


def _figures(first: Snapshot, last: Snapshot, frames: int) -> dict[str, object]:
    cpu_s = last.cpu_s - first.cpu_s
    return {
        "frames_per_cpu_s": round(frames / cpu_s),
        "frames_per_s": round(frames / (last.at_s - first.at_s)),
        "cpu_ms_per_frame": round(1000 * cpu_s / frames, 3),
        "rss_mib": round(last.rss_bytes / 2**20),
    }


def _stores(load: Load, folder: Path, stack: ExitStack) -> dict[str, object]:
    """The settings of the servers that the load wants, which run while the stack lasts."""
    settings: dict[str, object] = {}
    if load.influx:
        server = stack.enter_context(Influxd(folder))
        server.query("CREATE DATABASE qulink")
        settings["store"] = {"type": "influxdb1", "url": server.url, "database": "qulink"}
    if load.postgres:
        settings["database"] = {"url": stack.enter_context(Postgres(folder)).url}
    return settings


def _enrol(file: Path, names: list[str]) -> None:
    """Have the city know its gateways, and a machine of each."""
    opened = open_database(load_city(file))
    with opened.engine.begin() as connection:
        begin(connection, date(2020, 1, 1))  # or the values would be from before it, no evidence
        add_enterprise(connection, USCC)
        for name in names:
            enrolment.add(connection, name, USCC, "1", 0)
            add_machine(connection, USCC, name.replace("gw-", "A"))
    opened.close()


def _until(condition: Callable[[], bool], output: Path, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"bench: the city did not start:\n{output.read_text()}")
        time.sleep(0.1)
