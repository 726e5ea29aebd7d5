"""Frames in words; the bytes are those of the examples in the Modbus specifications."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.frames import Direction, Frame
from gateway.drivers.modbus.framing.explaining import explain
from gateway.drivers.modbus.framing.rtu import crc

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


def rtu(body: str) -> bytes:
    data = bytes.fromhex(body)
    return data + crc(data)


def tcp(body: str, transaction: int = 1) -> bytes:
    data = bytes.fromhex(body)
    return transaction.to_bytes(2, "big") + b"\0\0" + len(data).to_bytes(2, "big") + data


@pytest.mark.parametrize(
    ("direction", "data", "words"),
    [
        # MODBUS Application Protocol V1.1b3, the examples of sections 6.1, 6.3, 6.6, 6.12
        (SENT, tcp("01 01 0013 0013"), "transaction 1, unit 1: read 19 coils from 19 (function 1)"),
        (RECEIVED, tcp("01 01 03 cd6b05"), "3 bytes of coils: 101100111101011010100000"),
        (SENT, tcp("11 03 006b 0003"), "unit 17: read 3 holding registers from 107 (function 3)"),
        (RECEIVED, tcp("11 03 06 022b00000064"), "3 holding registers: 022b 0000 0064"),
        (SENT, tcp("01 06 0001 0003"), "write register 1: 0003 (function 6)"),
        (SENT, tcp("01 10 0001 0002 04 000a0102"), "write registers, 2 from 1: 000a 0102"),
        (RECEIVED, tcp("01 10 0001 0002"), "write registers, 2 from 1 (function 16)"),
        (RECEIVED, tcp("0a 81 02"), "unit 10: exception 2 (illegal address) to function 1"),
        (RECEIVED, rtu("07 83 0b"), "unit 7: exception 11 (gateway: target silent) to function 3"),
        (SENT, rtu("07 04 0010 007d"), "unit 7: read 125 input registers from 16 (function 4)"),
        # MODBUS over Serial Line V1.02, section 2.5.2: ':', hexadecimal digits, LRC, CR LF
        (SENT, b":110300 6B00037E\r\n".replace(b" ", b""), "unit 17: read 3 holding registers"),
        (SENT, b":1103006B00037F\r\n", "a wrong checksum"),
        (RECEIVED, tcp("01 2b 0e0101"), "function 43: 0e 01 01"),
        # the first records of the examples of 6.14, and those of 6.15, 6.16 and 6.17
        (SENT, tcp("01 14 07 06 0004 0001 0002"), "read 2 records from 1 of file 4 (function 20)"),
        (RECEIVED, tcp("01 14 06 05 06 0dfe 0020"), "unit 1: 2 records: 0dfe 0020"),
        (
            SENT,
            tcp("01 15 0d 06 0004 0007 0003 06af 04be 100d"),
            "write records of file 4, 3 from 7: 06af 04be 100d (function 21)",
        ),
        (SENT, tcp("01 16 0004 00f2 0025"), "keep 00f2 of register 4 and set 0005 (function 22)"),
        (
            SENT,
            tcp("01 17 0003 0006 000e 0003 06 00ff 00ff 00ff"),
            "write registers from 14: 00ff 00ff 00ff, read 6 from 3 (function 23)",
        ),
        (RECEIVED, tcp("01 17 04 00fe 0acd"), "unit 1: 2 holding registers: 00fe 0acd"),
        (RECEIVED, b"GET / HTTP/1.1", "14 bytes that are no whole frame"),
    ],
)
def test_a_frame_in_words(direction: Direction, data: bytes, words: str) -> None:
    assert words in explain(Frame(0.0, direction, data))


def test_frames_that_came_together_are_told_apart_and_a_rest_is_named() -> None:
    both = tcp("01 03 02 0001", 1) + tcp("01 83 02", 2) + b"\0\3\0"
    first, second, rest = explain(Frame(0.0, RECEIVED, both)).split("; ")
    assert first == "transaction 1, unit 1: 1 holding registers: 0001"
    assert second.startswith("transaction 2, unit 1: exception 2")
    assert rest == "3 bytes that are no whole frame"


def test_many_registers_are_counted() -> None:
    frame = Frame(0.0, RECEIVED, tcp("01 03 fa" + "0007" * 125))
    assert explain(frame).endswith("0007 and 115 more")


@given(st.binary(max_size=300), st.sampled_from([SENT, RECEIVED]))
def test_whatever_comes_has_words(data: bytes, direction: Direction) -> None:
    for framed in (data, data + crc(data), b":" + data.hex().encode() + b"\r\n", tcp(data.hex())):
        assert isinstance(explain(Frame(0.0, direction, framed)), str)
