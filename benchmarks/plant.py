"""What is measured against: a plant of many Modbus devices, and the edge that reads it."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.children import python
from tests.support.peers import free_port, wait_for_port

USCC = "91330822MA0000015W"
GATEWAY = "gw-bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Modbus devices of one profile, polled every second; every value changes at every poll.

    Attributes:
        devices: units on one Modbus port, ids from 1.
        tags: float32 tags of each, two holding registers each from register 0.
        window: requests in flight on each connection.
    """

    devices: int
    tags: int
    window: int = 1

    def start(self, stack: ExitStack) -> int:
        """Start its simulator and wait until it listens; returns the port."""
        port = free_port()
        sizes = ("--devices", str(self.devices), "--tags", str(self.tags))
        python(stack, "-m", "simulators", "bench", "--port", str(port), *sizes)
        wait_for_port(port)
        return port

    def write_edge(self, folder: Path, modbus_port: int, mqtt_port: int) -> Path:
        """Write the configuration of an edge that reads it.

        Args:
            folder: where the configuration and the buffer go.
            modbus_port: where the simulator listens.
            mqtt_port: where the broker listens.

        Returns:
            The configuration file.
        """
        config = {
            "gateway": {"id": GATEWAY, "enterprise_uscc": USCC, "synthetic": True},
            "profiles": [self._profile()],
            "devices": [self._device(unit, modbus_port) for unit in range(1, self.devices + 1)],
            "northbound": [{"type": "mqtt", "url": f"mqtt://127.0.0.1:{mqtt_port}"}],
            "buffer": {"path": "buffer.db"},
        }
        file = folder / "gateway.yaml"
        file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
        return file

    def _profile(self) -> dict[str, Any]:
        tags = [
            {"name": f"t{n}", "address": {"table": "holding", "address": 2 * n, "type": "float32"}}
            for n in range(self.tags)
        ]
        group = {"name": "all", "interval_ms": 1000, "tags": tags}
        return {"name": "bench", "driver": "modbus", "source": "controller", "groups": [group]}

    def _device(self, unit: int, port: int) -> dict[str, Any]:
        where = {"host": "127.0.0.1", "port": port, "window": self.window, "unit": unit}
        return {
            "id": f"d{unit}",
            "driver": "modbus",
            "profile": "bench",
            "asset_no": f"A{unit}",
            "connection": where,
        }
