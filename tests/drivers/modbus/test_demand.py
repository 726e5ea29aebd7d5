"""Units that are asked more often than a serial bus can answer are named before they are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.loading.load import load_gateway
from gateway.drivers.modbus.demand import doubts
from gateway.drivers.registry import installed
from tests.edge.plant import USCC


def written(folder: Path, units: int, interval_ms: int, tags: int = 1, **connection: Any) -> Path:
    """Units of one endpoint with so many tags, each of which needs a request."""
    each = [{"name": f"t{at}", "address": f"holding:{1000 * at}"} for at in range(tags)]
    groups = [{"name": "g", "interval_ms": interval_ms, "tags": each}]
    at = {"host": "10.0.0.1", **connection}
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": USCC},
        "profiles": [{"name": "p", "driver": "modbus", "source": "sensor", "groups": groups}],
        "devices": [
            {
                "id": f"d{unit}",
                "driver": "modbus",
                "profile": "p",
                "asset_no": f"M{unit}",
                "connection": {**at, "unit": unit},
            }
            for unit in range(1, units + 1)
        ],
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def warnings(file: Path) -> list[str]:
    return [str(warning) for warning in load_gateway(file, installed()).warnings]


@pytest.mark.parametrize(
    ("units", "interval_ms", "tags", "connection"),
    [
        (50, 1_000, 1, {}),
        (50, 1_000, 4, {"connections": 4}),
        (50, 1_000, 2, {"window": 2}),
        (1, 100, 16, {}),
        (10, 1_000, 2, {"pause_between_requests_ms": 30}),
    ],
)
def test_what_a_bus_may_carry_is_no_warning(
    tmp_path: Path, units: int, interval_ms: int, tags: int, connection: dict[str, Any]
) -> None:
    assert not warnings(written(tmp_path, units, interval_ms, tags, **connection))


@pytest.mark.parametrize(
    ("units", "interval_ms", "tags", "connection", "said"),
    [
        (51, 1_000, 1, {}, "51 devices at 10.0.0.1:502 are asked 51 times a second over 1 con"),
        (50, 500, 2, {}, "are asked 200 times a second over 1 connection, which leaves 5 ms"),
        (50, 1_000, 5, {"connections": 4}, "over 4 connections, which leaves 16 ms"),
        (10, 1_000, 2, {"pause_between_requests_ms": 60}, "which leaves 0 ms for an answer"),
    ],
)
def test_what_no_bus_carries_is_a_warning_at_the_first_of_its_devices(
    tmp_path: Path,
    units: int,
    interval_ms: int,
    tags: int,
    connection: dict[str, Any],
    said: str,
) -> None:
    (warning,) = warnings(written(tmp_path, units, interval_ms, tags, **connection))
    assert said in warning
    assert "devices.0.connection:" in warning
    assert "lengthen interval_ms" in warning


def test_units_of_several_profiles_are_counted_together(tmp_path: Path) -> None:
    devices = load_gateway(written(tmp_path, 30, 1_000), installed()).devices
    others = [replace(one, groups=tuple(one.groups)) for one in devices]
    assert not list(doubts(devices))
    assert list(doubts([*devices, *others]))
