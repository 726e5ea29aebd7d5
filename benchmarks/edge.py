"""What an edge costs: processor and memory while it polls, buffers and publishes."""

import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.children import python
from benchmarks.plant import Plant
from benchmarks.usage import Snapshot, share_of_core, snapshot
from gateway.core.books import COUNTERS, Counts
from gateway.edge.buffer.buffer import read_books
from tests.support.broker import Mosquitto

_WARM_UP_S = 8.0
_LOOK_EVERY_S = 0.5


def measure(name: str, plant: Plant, seconds: float) -> dict[str, object]:
    """Run simulator, mosquitto, an acknowledging city and ``qulink run``; measure the last.

    Args:
        name: of the result.
        plant: what it reads.
        seconds: time measured, after a warm-up.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto(folder))
        config = plant.write_edge(folder, plant.start(stack), broker.port)
        acker = python(stack, "-m", "benchmarks.acker", str(broker.port), output=folder / "acker")
        edge = python(stack, "-m", "gateway", "run", str(config), output=folder / "edge.log")
        time.sleep(_WARM_UP_S)
        seen = _observe(edge.pid, folder / "buffer.db", seconds)
        received = json.loads((folder / "acker").read_text().splitlines()[-1])
        edge.terminate()
        edge.wait(timeout=20)
        acker.terminate()
    return {
        "name": name,
        "devices": plant.devices,
        "tags": plant.tags,
        "interval_ms": 1000,
        "window": plant.window,
        "seconds": seconds,
        "core_percent": round(share_of_core(seen.first, seen.last), 2),
        "rss_mib": round(seen.peak_bytes / 2**20, 1),
        "values_per_s": plant.devices * plant.tags,
        "bytes_per_value": round(received["bytes"] / max(1, received["values"]), 2),
        "lost_at_start": {"failed": seen.before.failed, "skipped": seen.before.skipped},
        "late_polls": (seen.after.skipped - seen.before.skipped) // plant.tags,
        "books": {
            name: getattr(seen.after, name) - getattr(seen.before, name) for name in COUNTERS
        },
    }


@dataclass(frozen=True, slots=True)
class _Observed:
    """An edge's use of processor and memory, and its books, over a time."""

    first: Snapshot
    last: Snapshot
    peak_bytes: int
    before: Counts
    after: Counts


def _observe(pid: int, buffer: Path, seconds: float) -> _Observed:
    before, first, peak = read_books(buffer).totals, snapshot(pid), 0
    while (last := snapshot(pid)).at_s < first.at_s + seconds:
        peak = max(peak, last.rss_bytes)
        time.sleep(_LOOK_EVERY_S)
    return _Observed(first, last, peak, before, read_books(buffer).totals)
