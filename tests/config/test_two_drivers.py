"""A serial port or serial server that two drivers want is said before anything is opened."""

from pathlib import Path

import pytest

from edge_config.loading.load import load_gateway
from edge_config.mistakes.problems import ConfigError
from gateway.drivers.registry import installed

FILE = """\
gateway: {{id: gw-1, enterprise_uscc: 91330822MA0000015W}}
northbound: [{{kind: qulink, url: "mqtt://127.0.0.1:1883"}}]
buffer: {{path: b.db}}
devices:
- id: m1
  driver: modbus
  profile: meter_sdm120
  asset_no: A1
  connection: {{unit: 1, {one}}}
- id: m2
  driver: dlt645
  profile: meter_dlt645
  asset_no: A2
  connection: {{meter: "1", {other}}}
- id: m3
  driver: dlt645
  profile: meter_dlt645
  asset_no: A3
  connection: {{meter: "2", {other}}}
"""


def written(folder: Path, one: str, other: str) -> Path:
    file = folder / "gateway.yaml"
    file.write_text(FILE.format(one=one, other=other), "utf-8")
    return file


def test_a_serial_port_is_one_drivers(tmp_path: Path) -> None:
    file = written(tmp_path, "serial: /dev/ttyS0", "serial: {port: /dev/ttyS0, baud: 2400}")
    with pytest.raises(ConfigError) as caught:
        load_gateway(file, installed())
    (problem,) = caught.value.problems
    assert problem.path == "devices.1.connection"
    why = (
        "/dev/ttyS0 is the port of 'm1' (driver modbus) too: only one driver can open a serial port"
    )
    assert problem.message == why


def test_two_drivers_behind_one_serial_server_are_doubtful(tmp_path: Path) -> None:
    one, other = "host: Server, port: 4001, framing: rtu", "host: server, port: 4001"
    loaded = load_gateway(written(tmp_path, one, other), installed())
    (doubt,) = [one.message for one in loaded.warnings if "two drivers" in one.message]
    assert doubt.startswith("server:4001 is where 'm1' (driver modbus) is, too")


def test_ports_of_their_own_are_not(tmp_path: Path) -> None:
    file = written(tmp_path, "serial: /dev/ttyS0", "serial: /dev/ttyS1")
    assert not load_gateway(file, installed()).warnings
