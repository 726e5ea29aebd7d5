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
    at = {key: value for key, value in at.items() if value is not None}
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
        (1, 1_000, 20, {"baud": 19_200}),
        (1, 5_000, 25, {"pause_between_requests_ms": 100}),
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


@pytest.mark.parametrize(
    ("tags", "connection", "said"),
    [
        (31, {"pause_between_requests_ms": 100}, "takes 31 requests and at least 3,100 ms"),
        (1, {"pause_after_connect_ms": 4_000}, "takes 1 request and at least 4,000 ms"),
        (40, {"baud": 2_400}, "takes 40 requests and at least 4,233 ms"),
    ],
)
def test_a_reading_that_cannot_end_in_time_is_a_warning(
    tmp_path: Path, tags: int, connection: dict[str, Any], said: str
) -> None:
    (warning,) = warnings(written(tmp_path, 1, 60_000, tags, **connection))
    assert said in warning
    assert "more than its timeout_ms 3000: raise timeout_ms" in warning


def test_a_line_that_is_too_slow_for_its_devices_is_a_warning(tmp_path: Path) -> None:
    (warning,) = warnings(written(tmp_path, 30, 1_000, 2, baud=9_600))
    assert "of 30 devices at 10.0.0.1:502 needs 1,812 ms of each 1,000 ms of a line" in warning
    assert "interval_ms: 2000 fits" in warning
    assert not warnings(written(tmp_path, 30, 2_000, 2, baud=9_600))


def on_a_port(folder: Path, units: int, interval_ms: int, **connection: Any) -> list[str]:
    return warnings(written(folder, units, interval_ms, 1, host=None, **connection))


@pytest.mark.parametrize(
    ("serial", "framing", "needed", "fits"),
    [
        # one register: 22 characters of RTU, 32 of ASCII, and 5 ms of the meter's own
        ({"baud": 9_600, "parity": "even"}, "rtu", 30 * (22 * 11 / 9.6 + 5), 1_000),
        ({"baud": 9_600}, "rtu", 30 * (22 * 10 / 9.6 + 5), 1_000),
        ({"baud": 2_400, "parity": "even"}, "rtu", 30 * (22 * 11 / 2.4 + 5), 3_500),
        (
            {"baud": 9_600, "data_bits": 7, "parity": "even"},
            "ascii",
            30 * (32 * 10 / 9.6 + 5),
            1500,
        ),
    ],
)
def test_a_serial_port_is_reckoned_with_its_own_speed(
    tmp_path: Path, serial: dict[str, Any], framing: str, needed: float, fits: int
) -> None:
    way = {"serial": {"port": "/dev/ttyS0", **serial}, "framing": framing}
    said = on_a_port(tmp_path, 30, 1_000, **way)
    assert bool(said) == (needed > 1_000)
    if said:
        assert f"of 30 devices at /dev/ttyS0 needs {needed:,.0f} ms of each 1,000 ms" in said[0]
        assert f"interval_ms: {fits} fits" in said[0]
    assert not on_a_port(tmp_path, 30, fits, **way)


def test_short_intervals_are_proposed_in_smaller_steps(tmp_path: Path) -> None:
    (said,) = on_a_port(tmp_path, 4, 100, serial="/dev/ttyS0")
    assert "interval_ms: 150 fits" in said
    assert not on_a_port(tmp_path, 4, 150, serial="/dev/ttyS0")


def test_intervals_of_several_lengths_are_proposed_as_a_factor(tmp_path: Path) -> None:
    devices = load_gateway(written(tmp_path, 60, 1_000, baud=9_600), installed()).devices
    slow = [
        replace(one, groups=tuple(replace(group, interval_ms=2_000) for group in one.groups))
        for one in devices[:30]
    ]
    (said,) = doubts([*devices[30:], *slow])
    assert "intervals 1.4 times as long fit" in said
