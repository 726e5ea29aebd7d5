"""Configurations for benchmarks: many Modbus devices of one profile."""

from pathlib import Path

import yaml

USCC = "91330822MA0000015W"


def write_edge(
    folder: Path,
    *,
    devices: int,
    tags: int,
    modbus_port: int,
    mqtt_port: int,
    gateway: str = "gw-bench",
    window: int = 1,
) -> Path:
    """Write an edge configuration; all tags are float32 and are polled every second.

    Args:
        folder: where the configuration and the buffer go.
        devices: number of units on the Modbus port, ids from 1.
        tags: tags of each, two registers each from register 0.
        modbus_port: where the simulator listens.
        mqtt_port: where the broker listens.
        gateway: gateway id.
        window: Modbus requests in flight on each connection.

    Returns:
        The configuration file.
    """
    profile = {
        "name": "bench",
        "driver": "modbus",
        "source": "controller",
        "groups": [
            {
                "name": "all",
                "interval_ms": 1000,
                "tags": [
                    {"name": f"t{number}", "address": _address(number)} for number in range(tags)
                ],
            }
        ],
    }
    connection = {"host": "127.0.0.1", "port": modbus_port, "window": window}
    config = {
        "gateway": {"id": gateway, "enterprise_uscc": USCC, "synthetic": True},
        "profiles": [profile],
        "devices": [
            {
                "id": f"d{unit}",
                "driver": "modbus",
                "profile": "bench",
                "asset_no": f"A{unit}",
                "connection": connection | {"unit": unit},
            }
            for unit in range(1, devices + 1)
        ],
        "northbound": [{"type": "mqtt", "url": f"mqtt://127.0.0.1:{mqtt_port}"}],
        "buffer": {"path": "buffer.db"},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False))
    return file


def _address(number: int) -> dict[str, object]:
    return {"table": "holding", "address": 2 * number, "type": "float32"}
