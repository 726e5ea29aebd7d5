"""One edge at work: what it costs, and what it really delivers meanwhile."""

import json
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.edge.plant import Plant, Running
from benchmarks.processes import Checkout
from benchmarks.usage import proportional_bytes, snapshot
from tests.support.broker import Mosquitto

_FIRST_VALUES_S = 90.0
_WARM_UP_S = 6.0
"""Connecting, schemas and what was collected meanwhile are no part of an edge at work."""
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Measured:
    """What an edge used and did in a time.

    Attributes:
        seconds: the time.
        cpu_s: processor seconds it used, user and system.
        rss_bytes: its largest resident memory.
        pss_bytes: its memory if nobody else ran the same Python, at the end.
        polled: polls that began as a share of those due, as the devices saw them.
        late_ms: quantiles of how late polls began, see ``simulators.bench.watch``.
        values: values that arrived.
        bytes: size of the frames that they arrived in.
    """

    seconds: float
    cpu_s: float
    rss_bytes: int
    pss_bytes: int
    polled: float
    late_ms: dict[str, float]
    values: int
    bytes: int


def run(plant: Plant, seconds: float, checkout: Checkout) -> Measured:
    """Run simulator, mosquitto, an acknowledging city and ``qulink run``; measure the last.

    The acknowledging city comes from the same checkout as the edge: both speak one version.

    Args:
        plant: what the edge reads.
        seconds: time measured, after a warm-up.
        checkout: what the edge runs from.

    Raises:
        TimeoutError: no value arrives; the message ends with what the edge said.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qulink-bench-")))
        broker = stack.enter_context(Mosquitto(folder))
        devices = plant.start(stack, folder)
        config = plant.write_edge(folder, devices.port, broker.port)
        city = ("-m", "benchmarks.acker", str(broker.port))
        checkout.run(stack, *city, output=folder / "acker")
        log = folder / "edge.log"
        edge = checkout.run(stack, "-m", "gateway", "run", str(config), output=log)
        _wait_for_values(folder / "acker", log)
        time.sleep(_WARM_UP_S + plant.finding_s)
        return _observe(plant, edge.pid, devices, folder / "acker", seconds, checkout)


def _wait_for_values(acker: Path, log: Path) -> None:
    deadline = time.monotonic() + _FIRST_VALUES_S
    while time.monotonic() < deadline:
        if _received(acker)["values"]:
            return
        time.sleep(_LOOK_EVERY_S)
    raise TimeoutError(
        f"no value in {_FIRST_VALUES_S:g} s; the edge says: {log.read_text()[-800:]}"
    )


def _received(acker: Path) -> dict[str, int]:
    """What the acknowledging city has received up to its last whole line."""
    lines = acker.read_text().rpartition("\n")[0].splitlines()
    counted: dict[str, int] = json.loads(lines[-1]) if lines else {"values": 0, "bytes": 0}
    return counted


def _observe(
    plant: Plant, pid: int, devices: Running, acker: Path, seconds: float, checkout: Checkout
) -> Measured:
    devices.report()  # what it has seen until now is forgotten
    before, first = _received(acker), snapshot(pid)
    peak, last = first.rss_bytes, first
    while (left := first.at_s + seconds - last.at_s) > 0:
        time.sleep(min(_LOOK_EVERY_S, left))
        last = snapshot(pid)
        peak = max(peak, last.rss_bytes)
    seen, now = devices.report(), _received(acker)
    return Measured(
        seconds=last.at_s - first.at_s,
        cpu_s=last.cpu_s - first.cpu_s,
        rss_bytes=peak,
        pss_bytes=proportional_bytes(pid, *checkout.libraries),
        polled=seen["polls"] * plant.interval_ms / 1000 / seen["seconds"] / plant.devices,
        late_ms=seen["late_ms"],
        values=now["values"] - before["values"],
        bytes=now["bytes"] - before["bytes"],
    )
