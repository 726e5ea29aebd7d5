"""What a URL means: of Modbus units, and of the other drivers' devices."""

import re
from typing import Any

import pytest

from edge_config.models.validation import validated
from gateway.drivers.modbus.config import Connection, Framing, Transport
from gateway.drivers.modbus.search.target import target
from gateway.drivers.registry import installed

TLS = "ca_file=a&cert_file=b&key_file=c"


@pytest.mark.parametrize(
    ("url", "host", "framing", "transport"),
    [
        ("tcp://192.0.2.7", ("192.0.2.7", 502), Framing.TCP, Transport.TCP),
        ("tcp://[2001:db8::7]:1502/", ("2001:db8::7", 1502), Framing.TCP, Transport.TCP),
        ("rtu+tcp://moxa:4001", ("moxa", 4001), Framing.RTU, Transport.TCP),
        ("ascii+udp://moxa:4001", ("moxa", 4001), Framing.ASCII, Transport.UDP),
        ("udp://192.0.2.7", ("192.0.2.7", 502), Framing.TCP, Transport.UDP),
        (f"tls://plc?{TLS}", ("plc", 802), Framing.TCP, Transport.TLS),
    ],
)
def test_hosts(url: str, host: tuple[str, int], framing: Framing, transport: Transport) -> None:
    connection = validated(Connection, target(url).connection)
    assert connection.host_port == host
    assert (connection.framing, connection.transport) == (framing, transport)


def test_a_serial_port_with_its_settings() -> None:
    found = target("serial:///dev/serial/by-id/usb-1?baud=19200&parity=even&unit=7")
    connection = validated(Connection, {**found.connection, **found.unit})
    assert connection.serial is not None
    assert connection.serial.port == "/dev/serial/by-id/usb-1"
    assert (connection.serial.baud, connection.serial.parity, connection.unit) == (19200, "even", 7)
    assert connection.framing is Framing.RTU


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("192.0.2.7:502", "is no way to Modbus units; write tcp://"),
        ("rtu://192.0.2.7", "is no way to Modbus units"),
        ("tcp+rtu://192.0.2.7", "is no way to Modbus units"),
        ("tcp://", "names no host and port"),
        ("tcp://a:0", "names no host and port"),
        ("tcp://a:70000", "names no host and port"),
        ("tcp://a/b", "names no host and port"),
        ("serial://COM3", "three strokes"),
        ("serial:///", "three strokes"),
        ("tcp://a:502?host=b", "says host behind '?', too"),
    ],
)
def test_what_is_none(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        target(url)


@pytest.mark.parametrize(
    ("driver", "url", "keys"),
    [
        ("s7", "tcp://plc", {"host": "plc", "port": 102, "rack": 0, "slot": 1}),
        ("s7", "tcp://plc:1102?rack=1&slot=2&connect_as=op", {"port": 1102, "rack": 1, "slot": 2}),
        ("s7", "tcp://logo?local_tsap=256&remote_tsap=512", {"remote_tsap": 512}),
        ("mc", "tcp://plc:5007?frame=4e&series=iqr", {"transport": "tcp", "frame": "4e"}),
        ("mc", "udp://plc:5007?network=2&pc=3", {"transport": "udp", "frame": "4e", "pc": 3}),
        ("dlt645", "tcp://moxa:4001?meter=0123", {"meter": "000000000123", "port": 4001}),
        ("dlt645", "serial:///dev/ttyUSB0?wake_up=0", {"meter": "A" * 12, "wake_up": 0}),
        ("opcua", "opc.tcp://plc:4840", {"url": "opc.tcp://plc:4840"}),
    ],
)
def test_devices_of_other_drivers(driver: str, url: str, keys: dict[str, Any]) -> None:
    spec = installed()[driver]
    assert spec.search is not None
    found = spec.search.target(url)
    connection = validated(spec.connection, {**found.connection, **found.unit})
    assert {key: getattr(connection, key) for key in keys} == keys


@pytest.mark.parametrize("driver", sorted(installed()))
def test_the_example_of_a_driver_is_a_url_of_it(driver: str) -> None:
    spec = installed()[driver]
    assert spec.search is not None
    found = spec.search.target(spec.search.example)
    validated(spec.connection, {**found.connection, **found.unit})
