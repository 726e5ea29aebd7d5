"""What is written of meters and their lines: mistakes, shared ports, and what a line carries."""

from pathlib import Path
from typing import Any

import pytest

from edge_config.loading.load import load_gateway
from edge_config.loading.resolved import LoadedGateway
from edge_config.models.validation import validated
from gateway.drivers.dlt645 import SPEC
from gateway.drivers.dlt645.config import Connection, port_of
from gateway.drivers.dlt645.demand import request_ms
from gateway.drivers.dlt645.link import DltLink
from gateway.drivers.registry import installed

PORT = "/dev/serial/by-id/usb-x"


def connection(**written: Any) -> Connection:
    return validated(SPEC.connection, {"meter": "1", **written})


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ({"meter": "999999999999", "serial": PORT}, "none of them answers"),
        ({"serial": {"port": PORT, "data_bits": 7}}, "8 data bits"),
    ],
)
def test_what_no_meter_can_answer_is_refused(written: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        connection(**written)


@pytest.mark.parametrize(
    ("written", "meter"),
    [
        ("1", "000000000001"),
        ("2026 1127 0001", "202611270001"),
        ("１２", "000000000012"),
        ("aaaaaaaaaaaa", "AAAAAAAAAAAA"),
    ],
)
def test_a_meter_is_its_plate(written: str, meter: str) -> None:
    assert connection(meter=written, serial=PORT).meter == meter


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"serial": PORT, "meter": "12A"}, "no meter address: up to 12 digits"),
        ({"serial": PORT, "meter": "1234567890123"}, "up to 12 digits"),
        ({}, "exactly one of 'host'"),
        ({"host": "h", "port": 1, "serial": PORT}, "exactly one of 'host'"),
        ({"host": "h"}, "'host' and 'port' go together"),
        ({"serial": "COM3"}, "a name of Windows"),
        ({"serial": PORT, "password": "00"}, "password"),
    ],
)
def test_mistakes_are_named(written: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        connection(**written)


def test_the_usual_line_is_2400_8e1() -> None:
    port = port_of([connection(serial=PORT)])
    assert port is not None
    assert str(port) == f"{PORT} (2400 8E1)"
    assert port_of([connection(host="h", port=1)]) is None


def test_meters_of_a_port_share_a_line_and_its_settings() -> None:
    one = connection(serial={"port": PORT, "baud": 9600})
    other = connection(meter="2", serial=PORT)
    assert SPEC.link is not None
    assert SPEC.link.key(one) == SPEC.link.key(other)
    assert SPEC.unit(one) != SPEC.unit(other)
    assert str(port_of([other, one])) == f"{PORT} (9600 8E1)"
    fast = connection(meter="3", serial={"port": PORT, "baud": 4800})
    assert list(SPEC.link.conflicts([one, other, fast])) == [
        (2, "serial", f"baud: 4800 contradicts 9600 of another device at {PORT}")
    ]


def test_anybody_is_for_one_meter_alone() -> None:
    anybody = connection(meter="A" * 12, host="h", port=1)
    assert SPEC.link is not None
    assert not list(SPEC.link.conflicts([anybody]))
    ((position, key, why),) = SPEC.link.conflicts([connection(host="h", port=1), anybody])
    assert (position, key) == (1, "meter")
    assert "for a line with one meter" in why


async def test_changed_settings_of_a_port_open_it_anew() -> None:
    link = DltLink([connection(serial=PORT)])
    before = link._way
    link.configure([connection(serial=PORT)])
    assert link._way == before
    link.configure([connection(serial={"port": PORT, "baud": 9600})])
    assert link._way != before


# -- qulink check -------------------------------------------------------------------------

GATEWAY = """
gateway: {{id: gw-1, enterprise_uscc: 91330803MA00000312, site_no: "1"}}
northbound: [{{kind: qulink, url: "mqtt://127.0.0.1"}}]
buffer: {{path: b.db}}
profiles:
  - name: m
    driver: dlt645
    title_zh: 表
    title_en: meter
    source: sensor
    provenance: test
    groups:
      - name: main
        interval_ms: {interval_ms}
        tags: [{{name: u, address: A相电压}}, {{name: p, address: "02030000"}}]
devices:
"""
DEVICE = """
  - {{id: m{at}, driver: dlt645, profile: m, asset_no: M{at},
      connection: {{meter: "{at}", serial: /dev/ttyS0}}}}
"""


def loaded(folder: Path, interval_ms: int, meters: int) -> LoadedGateway:

    file = folder / "gateway.yaml"
    devices = "".join(DEVICE.format(at=at) for at in range(1, meters + 1))
    file.write_text(GATEWAY.format(interval_ms=interval_ms) + devices, encoding="utf-8")
    return load_gateway(file, installed())


def test_check_says_what_a_line_cannot_carry(tmp_path: Path) -> None:
    """A meter's two requests take 430 ms, of which 20 pass before each answer; usually 590."""
    of = "ms of each 1,000 ms of /dev/ttyS0 (2400 8E1)"
    (said,) = map(str, loaded(tmp_path, 10_000, 30).overloads)
    assert f"what is asked of 30 meters needs at least 1,289 {of}" in said
    (said,) = map(str, loaded(tmp_path, 20_000, 30).warnings)
    assert f"what is asked of 30 meters needs 884 {of}" in said
    assert "interval_ms: 22500 fits" in said
    fitting = loaded(tmp_path, 22_500, 30)
    assert not fitting.warnings
    assert not fitting.overloads


def test_a_request_takes_what_its_characters_take() -> None:
    """Voltage: 4 + 16 bytes out, 4 + 18 in, of 11 bits, and 100 ms for the meter."""
    assert request_ms(2, 4, 11 / 2400) == pytest.approx(100 + 42 * 11 / 2.4)
