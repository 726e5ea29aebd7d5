"""Serial settings: what is written, what devices of a port agree on."""

import pytest
from pydantic import TypeAdapter, ValidationError

from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.settings import (
    Parity,
    Port,
    SerialSettings,
    agreed_port,
    port_conflicts,
)

READER = TypeAdapter(SerialSettings)
USUAL = Port("", 9_600, Parity.NONE, 1)


def read(written: object) -> SerialSettings:
    return READER.validate_python(written)


def test_a_path_alone_is_enough() -> None:
    assert read("/dev/ttyS0") == SerialSettings(port="/dev/ttyS0")
    assert agreed_port([read("/dev/ttyS0")], USUAL) == Port("/dev/ttyS0", 9_600, Parity.NONE, 1)


@pytest.mark.parametrize(("letter", "parity"), [("E", "even"), ("n", "none"), ("O", "odd")])
def test_parity_may_be_a_letter(letter: str, parity: str) -> None:
    assert read({"port": "/dev/ttyS0", "parity": letter}).parity == Parity(parity)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("COM3", "'COM3' is a name of Windows; must be a path: /dev/serial/by-id/usb-"),
        ("ttyUSB0", "must be a path"),
        ({"port": "/dev/ttyS0", "baud": 9.6}, "baud"),
        ({"port": "/dev/ttyS0", "baud": 0}, "baud"),
        ({"port": "/dev/ttyS0", "stop_bits": 3}, "stop_bits"),
        ({"port": "/dev/ttyS0", "parity": "x"}, "parity"),
        ({"port": "/dev/ttyS0", "speed": 9600}, "speed"),
        ({}, "port"),
    ],
)
def test_what_cannot_be_is_refused(written: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        read(written)


def test_devices_of_a_port_agree() -> None:
    port = "/dev/ttyS0"
    together = [read(port), read({"port": port, "baud": 2_400, "parity": "E"}), read(port)]
    agreed = agreed_port(together, USUAL)
    assert agreed == Port(port, 2_400, Parity.EVEN, 1)
    assert not list(port_conflicts(together))
    assert str(agreed) == "/dev/ttyS0 (2400 8E1)"


def test_contradictions_are_named() -> None:
    port = "/dev/ttyS0"
    together = [
        read({"port": port, "baud": 9_600}),
        read(port),
        read({"port": port, "baud": 19_200, "parity": "odd"}),
    ]
    (conflict,) = port_conflicts(together)
    assert conflict == (2, "baud", "19200 contradicts 9600 of another device at /dev/ttyS0")


@pytest.mark.parametrize(
    ("baud", "parity", "stop_bits", "bits"),
    [(9_600, Parity.NONE, 1, 10), (9_600, Parity.EVEN, 1, 11), (19_200, Parity.NONE, 2, 11)],
)
def test_a_character_takes_its_bits(baud: int, parity: Parity, stop_bits: int, bits: int) -> None:
    assert Port("", baud, parity, stop_bits).character_s == pytest.approx(bits / baud)


def test_endpoints() -> None:
    assert endpoint_of("192.0.2.7", 502) == "192.0.2.7:502"
    assert endpoint_of("fe80::1", 802, "tls") == "[fe80::1]:802/tls"
