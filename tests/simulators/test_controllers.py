"""Clients by others read the simulated controllers: plc-comm-slmp and python-snap7."""

import struct
from collections.abc import Iterator

import pytest
from slmp import SlmpClient, SlmpTarget
from slmp.errors import SlmpError
from snap7.client import Client
from snap7.util import getters

from simulators.servers.melsec import Memory, answered
from tests.simulators.process import Simulator, simulator

OWN = SlmpTarget(network=0, station=255, module_io=0x3FF, multidrop=0)
STATES = range(8)


@pytest.fixture(scope="module")
def press() -> Iterator[Simulator]:
    with simulator("press", "--seed", "3") as running:
        yield running


@pytest.mark.parametrize("profile", ["melsec:qnu", "melsec:qnudv", "melsec:lcpu"])
def test_an_slmp_client_reads_and_writes(press: Simulator, profile: str) -> None:
    how = {"transport": "tcp", "default_target": OWN, "plc_profile": profile}
    with SlmpClient("127.0.0.1", press.controllers[0], **how) as plc:
        assert plc.read_devices("D100", 1, bit_unit=False)[0] in STATES
        assert 1000 < plc.read_float32("D110") < 2000
        text = struct.pack("<4H", *plc.read_devices("D120", 4, bit_unit=False))
        assert text.rstrip(b"\0") == b"M-1042"
        assert plc.read_devices("M100", 3, bit_unit=True)[1:] == [False, False]
        found = plc.read_random(word_devices=["D100", "D1000"], dword_devices=["D102"])
        assert set(found.word) == {"D100", "D1000"}
        plc.write_devices("D1000", [7, 0xFFFF, 0x8000], bit_unit=False)
        assert plc.read_devices("D1000", 3, bit_unit=False) == [7, 0xFFFF, 0x8000]
        plc.write_devices("M200", [True, False, True], bit_unit=True)
        assert plc.read_devices("M200", 3, bit_unit=True) == [True, False, True]
        assert plc.read_devices("M192", 1, bit_unit=False) == [0b101 << 8]


def test_what_a_controller_does_not_have_is_refused(press: Simulator) -> None:
    how = {"transport": "tcp", "default_target": OWN, "plc_profile": "melsec:qnu"}
    with SlmpClient("127.0.0.1", press.controllers[0], **how) as plc:
        with pytest.raises(SlmpError, match="4031"):
            plc.read_devices("D12287", 2, bit_unit=False)
        assert plc.read_devices("D12287", 1, bit_unit=False) == [0]


def test_a_snap7_client_reads_and_writes(press: Simulator) -> None:
    client = Client()
    client.connect("127.0.0.1", 0, 1, press.controllers[1])
    data = client.db_read(10, 0, 64)
    assert getters.get_int(data, 0) in STATES
    assert 480 < getters.get_real(data, 12) < 520
    assert getters.get_bool(data, 24, 3)
    assert getters.get_string(data, 26).startswith("B0")
    client.db_write(10, 200, bytearray(b"\x12\x34"))
    assert client.db_read(10, 200, 2) == b"\x12\x34"
    client.disconnect()


@pytest.mark.parametrize(
    "message",
    [
        "5000 00ffff0300 0600 0400 0101 0000",  # a command it does not know
        "5000 00ffff0300 0600 0400 0104 0500",  # nor this unit
        "5000 00ffff0300 0700 0400 0104 0000 00",  # cut short
        "5000 00ffff0300 0c00 0400 0104 0000 000000ff 0100",  # no such device
        "5000 00ffff0300 0c00 0400 0104 0100 000000a8 0100",  # bits of words
        "5000 00ffff0300 0e00 0400 0114 0000 000000a8 0200 0100",  # too few data
    ],
)
def test_what_means_nothing_has_an_end_code(message: str) -> None:
    answer = answered(Memory(), bytes.fromhex(message))
    assert answer[9:11] != b"\0\0"
    assert answer[-4:] == bytes.fromhex(message)[11:15]
