"""What a URL of Modbus units means."""

import pytest

from edge_config.models.validation import validated
from gateway.drivers.modbus.config import Connection, Framing, Transport
from gateway.drivers.modbus.search.target import target

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
    ],
)
def test_what_is_none(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        target(url)
