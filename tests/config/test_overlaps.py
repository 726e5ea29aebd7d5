"""``check`` says which tags write over each other, are one register, or count a machine twice."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.loading.load import load_gateway
from gateway.drivers.registry import installed

HOSTS = {
    "modbus": {"host": "10.0.0.1"},
    "s7": {"host": "10.0.0.1"},
    "mc": {"host": "10.0.0.1", "port": 5007},
}


def warnings(
    folder: Path, driver: str, addresses: Sequence[str], access: str, *connections: dict[str, Any]
) -> list[str]:
    tags = [
        {"name": f"t{at}", "address": one, "access": access} for at, one in enumerate(addresses)
    ]
    document = {
        "gateway": {"id": "gw", "enterprise_uscc": "91330800MA2DGX3Y5B"},
        "profiles": [
            {
                "name": "p",
                "driver": driver,
                "source": "sensor",
                "groups": [{"name": "g", "tags": tags}],
            }
        ],
        "devices": [
            {
                "id": f"d{at}",
                "driver": driver,
                "profile": "p",
                "asset_no": f"M{at}",
                "connection": connection,
            }
            for at, connection in enumerate(connections or (HOSTS[driver],))
        ],
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document))
    return list(map(str, load_gateway(file, installed()).warnings))


@pytest.mark.parametrize(
    ("driver", "addresses"),
    [
        ("modbus", ["holding:0:uint32", "holding:1"]),
        ("modbus", ["holding:1", "holding:0:uint32"]),
        ("modbus", ["holding:0:string[8]", "holding:9", "holding:7:float32"]),
        ("modbus", ["holding:7", "holding:7.3"]),
        ("modbus", ["holding:7.4-7", "holding:7.6-9"]),
        ("modbus", ["holding:7.8:uint8", "holding:7.12"]),
        ("modbus", ["holding:0.20:uint32", "holding:0.4"]),
        ("modbus", ["holding:0.20:uint32:CDAB", "holding:1.4"]),
        ("modbus", ["holding:0:int16[4]", "holding:3"]),
        ("modbus", ["coil:1:bool[4]", "coil:4"]),
        ("s7", ["DB1.DBD0:real", "DB1.DBX3.1"]),
        ("s7", ["MW4:int", "MB5"]),
        ("mc", ["D100:float32", "D101"]),
        ("mc", ["M16", "M16"]),
    ],
)
def test_tags_that_write_over_each_other_are_told(
    tmp_path: Path, driver: str, addresses: list[str]
) -> None:
    said = [one for one in warnings(tmp_path, driver, addresses, "read-write") if "may both" in one]
    assert len(said) == 1
    assert "gateway.yaml:" in said[0]
    assert "what is written to one changes the other" in said[0]
    assert not [one for one in warnings(tmp_path, driver, addresses, "read") if "may both" in one]


@pytest.mark.parametrize(
    ("driver", "addresses"),
    [
        ("modbus", ["holding:0:uint32", "holding:2", "input:0", "coil:0"]),
        ("modbus", ["holding:7.3", "holding:7.4-7", "holding:7.8:uint8"]),
        ("modbus", ["holding:0.20:uint32", "holding:0.21:uint32", "holding:0.3", "holding:1.4"]),
        ("s7", ["DB1.DBD0:real", "DB2.DBD0:real", "DB1.DBX4.0", "DB1.DBX4.1"]),
        ("mc", ["D100:float32", "D102", "M100", "W100"]),
    ],
)
def test_neighbours_are_not(tmp_path: Path, driver: str, addresses: list[str]) -> None:
    said = warnings(tmp_path, driver, addresses, "read-write")
    assert not [one for one in said if "may both" in one]


def test_others_of_a_kind_are_told_with_their_lines(tmp_path: Path) -> None:
    addresses = ["holding:0", "holding:0", "holding:5", "holding:5", "holding:0"]
    (said,) = warnings(tmp_path, "modbus", addresses, "read")
    first = int(said.split(":")[1])
    assert said.endswith(f"; 2 more like it, on line {first + 6}, {first + 9}")


def test_many_others_are_counted(tmp_path: Path) -> None:
    (said,) = warnings(tmp_path, "modbus", ["holding:0"] * 30, "read")
    assert "; 28 more like it, on line " in said
    assert said.endswith(", …")
    assert said.count(",") == 8 + 1  # eight lines, and that there are more


def test_one_function_for_both_tables_makes_two_tags_one_register(tmp_path: Path) -> None:
    one = {"host": "10.0.0.1", "read_function": 3}
    (said,) = warnings(tmp_path, "modbus", ["holding:4", "input:4"], "read", one)
    assert "'t0' (holding:4:uint16) and 't1' (input:4:uint16) are read from the same" in said
    assert not warnings(tmp_path, "modbus", ["holding:4", "input:5"], "read", one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"host": "plc"}, {"host": "PLC", "request_timeout_ms": 500}),
        ({"host": "10.0.0.1"}, {"host": "10.0.0.1", "transport": "udp"}),
        ({"host": "10.0.0.1"}, {"host": "10.0.0.1", "port": 502, "unit": 1, "max_gap": 0}),
        ({"serial": "/dev/ttyS0"}, {"serial": {"port": "/dev/ttyS0", "baud": 9600}}),
        ({"serial": "/dev/ttyS0"}, {"serial": "//dev/../dev/ttyS0"}),
    ],
)
def test_one_unit_in_two_notations_counts_as_one_machine(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    said = warnings(tmp_path, "modbus", ["holding:4"], "read", one, other)
    assert [one for one in said if "one machine would count as two" in one]
    second = {**other, "unit": 9}
    assert not [
        one
        for one in warnings(tmp_path, "modbus", ["holding:4"], "read", one, second)
        if "count as two" in one
    ]
