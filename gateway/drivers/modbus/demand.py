"""What the units of one host and port are asked for together, before it is tried. Pure."""

from collections.abc import Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.modbus.config import endpoint, shared
from gateway.drivers.modbus.plan import merging, request_count

QUICK_MS = 20
"""A serial bus rarely answers sooner: at 9,600 baud a request and an answer of ten registers take
35 ms, and the slave's own time and the server's come to that."""


def doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """A sentence if several units are asked more often than a serial bus can answer."""
    if len(devices) == 1:
        return
    connections = [device.connection for device in devices]
    many: int = shared(connections, "connections") or 1
    pause_ms: int = shared(connections, "pause_between_requests_ms") or 0
    at_once = many * min(connection.window for connection in connections)
    rate = _requests_a_second(devices)
    room_ms = 1_000 * at_once / rate - pause_ms
    if room_ms < QUICK_MS:
        over = "1 connection" if many == 1 else f"{many} connections"
        yield (
            f"{len(devices)} devices at {endpoint(connections[0])} are asked {rate:,.0f} times a "
            f"second over {over}, which leaves {max(room_ms, 0):.0f} ms for an answer; a serial "
            "bus takes 20 to 100. What cannot be asked in time is skipped: lengthen interval_ms, "
            "or raise connections if what is there answers over several at once"
        )


def _requests_a_second(devices: Sequence[ResolvedDevice]) -> float:
    known: dict[tuple[int, tuple[int, int, int]], float] = {}
    rate = 0.0
    for device in devices:
        key = id(device.groups), merging(device.connection)
        if key not in known:  # devices of one profile share its groups
            known[key] = _of_one(device)
        rate += known[key]
    return rate


def _of_one(device: ResolvedDevice) -> float:
    return sum(
        request_count([tag.address for tag in group.tags], device.connection)
        * 1_000
        / group.interval_ms
        for group in device.groups
    )
