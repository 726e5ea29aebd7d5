"""What an edge costs: processor and memory while it polls, buffers and publishes."""

import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.children import python
from benchmarks.plant import write_edge
from benchmarks.usage import share_of_core, snapshot
from gateway.core.books import COUNTERS
from gateway.edge.buffer import read_books
from tests.support.broker import Mosquitto
from tests.support.peers import free_port, wait_for_port

_WARM_UP_S = 8.0


def measure(
    name: str, *, devices: int, tags: int, window: int, seconds: float
) -> dict[str, object]:
    """Run simulator, mosquitto, an acknowledging city and ``qulink run``; measure the last.

    Args:
        name: of the result.
        devices: Modbus devices.
        tags: float32 tags of each; every value changes at every poll.
        window: Modbus requests in flight on each connection.
        seconds: time measured, after a warm-up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto(folder))
        port = free_port()
        python(
            stack,
            "-m",
            "simulators",
            "bench",
            "--port",
            str(port),
            "--devices",
            str(devices),
            "--tags",
            str(tags),
        )
        wait_for_port(port)
        acker = python(stack, "-m", "benchmarks.acker", str(broker.port), output=folder / "acker")
        config = write_edge(
            folder,
            devices=devices,
            tags=tags,
            modbus_port=port,
            mqtt_port=broker.port,
            window=window,
        )
        edge = python(stack, "-m", "gateway", "run", str(config), output=folder / "edge.log")
        time.sleep(_WARM_UP_S)
        first, peak = snapshot(edge.pid), 0
        books = read_books(folder / "buffer.db").totals
        deadline = first.at_s + seconds
        while (last := snapshot(edge.pid)).at_s < deadline:
            peak = max(peak, last.rss_bytes)
            time.sleep(0.5)
        totals = read_books(folder / "buffer.db").totals
        received = json.loads((folder / "acker").read_text().splitlines()[-1])
        edge.terminate()
        edge.wait(timeout=20)
        acker.terminate()
    return {
        "name": name,
        "devices": devices,
        "tags": tags,
        "interval_ms": 1000,
        "window": window,
        "seconds": seconds,
        "core_percent": round(share_of_core(first, last), 2),
        "rss_mib": round(peak / 2**20, 1),
        "values_per_s": devices * tags,
        "bytes_per_value": round(received["bytes"] / max(1, received["values"]), 2),
        "lost_at_start": {"failed": books.failed, "skipped": books.skipped},
        "late_polls": (totals.skipped - books.skipped) // tags,
        "books": {name: getattr(totals, name) - getattr(books, name) for name in COUNTERS},
    }
