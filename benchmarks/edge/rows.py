"""The rows of an edge's table: one load each, and beside it an older edge if one is named."""

from collections.abc import Sequence
from statistics import fmean

from benchmarks.edge.plant import Plant
from benchmarks.edge.run import Measured, run
from benchmarks.processes import HERE, Checkout

_MIB = 2**20

Result = dict[str, object]


def measure(plants: Sequence[Plant], seconds: float, against: Checkout | None) -> list[Result]:
    """Measure each load.

    Args:
        plants: the loads.
        seconds: time measured of each.
        against: an older copy of the project. It takes turns with this one, two turns each of
            half the time, so that both meet the machine in the same states.
    """
    return [row(plant, seconds, against) for plant in plants]


def row(plant: Plant, seconds: float, against: Checkout | None) -> Result:
    """What one load costs; with ``against`` also what it cost there, and the ratio."""
    described: Result = {"name": name(plant), "values_per_s_due": round(plant.values_per_s)}
    if against is None:
        return described | figures(plant, [run(plant, seconds, HERE)])
    now, then = [], []
    for _ in range(2):
        then.append(run(plant, seconds / 2, against))
        now.append(run(plant, seconds / 2, HERE))
    ours, theirs = figures(plant, now), figures(plant, then)
    ratio = {what: _ratio(ours[what], theirs[what]) for what in ("core_percent", "pss_mib")}
    return described | ours | {"against": theirs, "ratio": ratio}


def name(plant: Plant) -> str:
    """Devices × tags at an interval, and how they are reached."""
    reached = f"{plant.addresses} endpoints"
    if plant.protocol == "opcua":
        reached = f"OPC UA, {plant.addresses} servers" + (", encrypted" if plant.encrypted else "")
    windows = {None: ", window found", 1: ""}
    window = windows.get(plant.window, f", {plant.window} in flight")
    return f"{plant.devices} x {plant.tags} at {plant.interval_ms} ms, {reached}{window}"


def figures(plant: Plant, turns: Sequence[Measured]) -> dict[str, float | dict[str, float]]:
    """The figures of an edge over all of its turns."""
    seconds = sum(turn.seconds for turn in turns)
    values = sum(turn.values for turn in turns)
    polled = {"polled_percent": round(100 * fmean(turn.polled for turn in turns), 1)}
    late = {key: round(fmean(turn.late_ms[key] for turn in turns), 2) for key in ("p50", "p99")}
    return {
        "seconds": round(seconds, 1),
        "core_percent": round(100 * sum(turn.cpu_s for turn in turns) / seconds, 2),
        "rss_mib": round(max(turn.rss_bytes for turn in turns) / _MIB, 1),
        "pss_mib": round(max(turn.pss_bytes for turn in turns) / _MIB, 1),
        "arrived_percent": round(100 * values / seconds / plant.values_per_s, 1),
        "bytes_per_value": round(sum(turn.bytes for turn in turns) / max(1, values), 2),
        **(polled | {"late_ms": late} if plant.protocol == "modbus" else {}),
    }


def _ratio(ours: object, theirs: object) -> float | None:
    if isinstance(ours, float) and isinstance(theirs, float) and theirs:
        return round(ours / theirs, 2)
    return None
