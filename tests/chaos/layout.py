"""What a plant is like, and the gateway's configuration for it."""

from dataclasses import dataclass
from pathlib import Path

from tests.chaos.devices import CONSTANT, DEADBAND, FIRST_NOISE, LEVEL, NUMBER, STATE
from tests.chaos.found import DEVICE
from tests.support.city import USCC

GATEWAY = "gw-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a plant is like.

    Attributes:
        units: devices.
        interval_ms: of their polls.
        noise: further tags of each, which change at every poll.
        quota_mib: of the gateway's buffer.
        store: ``embedded`` or ``influxdb1``.
        preloaded: ``edge`` or ``city``: whose writes can be made to fail; empty: nobody's.
        disk_mib: the buffer has a disk of its own of this size; 0: it has not.
        has_lines: the ways to devices, broker and store can be disturbed.
        has_false_clock: the gateway's clock can be set.
    """

    units: int = 4
    interval_ms: int = 200
    noise: int = 3
    quota_mib: float = 256
    store: str = "embedded"
    preloaded: str = ""
    disk_mib: int = 0
    has_lines: bool = False
    has_false_clock: bool = False


def machine_of(unit: int) -> str:
    """The ledger's number of the machine that a unit is."""
    return f"M-{unit}"


def gateway_document(layout: Layout, devices: int, broker: int, buffer: Path) -> dict[str, object]:
    """The gateway's configuration.

    Args:
        layout: of the plant.
        devices: port of the devices.
        broker: port of the broker, or of the line to it.
        buffer: the buffer's file.
    """
    north = {
        "url": f"mqtt://127.0.0.1:{broker}",
        "retry_max_ms": 1_000,
        "ack_timeout_ms": 2_000,
        "state_interval_ms": 500,
        "frame_interval_ms": 200,
        "keepalive_s": 5,
        "connect_timeout_ms": 2_000,
    }
    stored = {"path": str(buffer), "commit_interval_ms": 200, "quota_mib": layout.quota_mib}
    return {
        "gateway": {"id": GATEWAY, "enterprise_uscc": USCC, "synthetic": True},
        "profiles": [_profile(layout)],
        "devices": [_device(unit, devices) for unit in range(1, layout.units + 1)],
        "northbound": [north],
        "buffer": stored,
    }


def _profile(layout: Layout) -> dict[str, object]:
    """No tag is sent for having been silent: what is stale must stay so, and be found."""
    addresses = {
        NUMBER: "holding:0:uint32",
        STATE: "holding:2:uint16",
        LEVEL: "holding:3:uint16",
        CONSTANT: "holding:4:uint16",
    } | {f"n{at}": f"holding:{FIRST_NOISE + at}:uint16" for at in range(layout.noise)}
    tags = [
        {"name": name, "address": address, "max_silence_ms": 86_400_000}
        | ({"deadband": DEADBAND} if name == LEVEL else {})
        for name, address in addresses.items()
    ]
    group = {"name": "all", "interval_ms": layout.interval_ms, "tags": tags}
    return {"name": "press", "driver": "modbus", "source": "controller", "groups": [group]}


def _device(unit: int, port: int) -> dict[str, object]:
    return {
        "id": f"{DEVICE}{unit}",
        "driver": "modbus",
        "profile": "press",
        "asset_no": machine_of(unit),
        "connection": {"host": "127.0.0.1", "port": port, "unit": unit},
        "retry_min_ms": 100,
        "retry_max_ms": 1_000,
    }
