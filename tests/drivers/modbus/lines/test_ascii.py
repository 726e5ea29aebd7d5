"""ASCII framing: vectors, noise, echoes, late answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.modbus import codec
from gateway.drivers.modbus.codec import NOT_SENT, SILENT, Table
from gateway.drivers.modbus.framing.ascii import AsciiLine, frame, lrc
from gateway.drivers.modbus.framing.quirks import Quirk

READ = codec.read(Table.HOLDING, 0x6B, 3)
BODY = bytes.fromhex("AE41 5652 4340")
RIGHT = b":110306AE4156524340CC\r\n"
REFUSED = b":1183026A\r\n"


def test_vectors() -> None:
    # Serial Line V1.02, 2.5.2.2; the request and its LRC as in many manuals.
    assert frame(0x11, READ.pdu) == b":1103006B00037E\r\n"
    assert lrc(bytes.fromhex("110306AE4156524340")) == 0xCC


def test_a_series_is_one_request_at_a_time() -> None:
    line = AsciiLine()
    assert line.begin(0x11, [READ, READ], 8) == frame(0x11, READ.pdu)
    assert line.receive(RIGHT) == frame(0x11, READ.pdu)
    assert line.receive(REFUSED) == b""
    assert (line.answers, line.missing) == ([BODY, 2], 0)


def test_small_letters_are_digits_too() -> None:
    line = AsciiLine()
    line.begin(0x11, [READ])
    line.receive(RIGHT.lower())
    assert line.answers == [BODY]


@given(st.binary(max_size=60), st.integers(1, 20))
def test_noise_before_an_answer_is_passed_over(noise: bytes, size: int) -> None:
    line = AsciiLine()
    line.begin(0x11, [READ])
    stream = noise + RIGHT
    for at in range(0, len(stream), size):
        assert not line.receive(stream[at : at + size])
    assert line.answers == [BODY]


@given(st.text(":0123456789ABCDEF\r\n", max_size=300))
def test_garbage_never_becomes_a_value(garbage: str) -> None:
    line = AsciiLine()
    line.begin(0x11, [READ])
    line.receive(garbage.encode())
    assert line.missing == 1


@given(st.integers(0, len(RIGHT) - 3), st.integers(0, 255))
def test_one_wrong_character_is_noticed(place: int, other: int) -> None:
    wrong = bytearray(RIGHT)
    wrong[place] = other
    line = AsciiLine()
    line.begin(0x11, [READ])
    line.receive(bytes(wrong))
    is_same = bytes(wrong).upper() == RIGHT
    assert line.answers == ([BODY] if is_same else [NOT_SENT])


@given(
    st.integers(1, 247),
    st.binary(min_size=2, max_size=250).filter(lambda data: len(data) % 2 == 0),
    st.integers(1, 600),
)
def test_any_answer_in_any_pieces(unit: int, data: bytes, size: int) -> None:
    request = codec.read(Table.HOLDING, 0, len(data) // 2)
    line = AsciiLine()
    line.begin(unit, [request])
    stream = frame(unit, bytes((3, len(data))) + data)
    for at in range(0, len(stream), size):
        line.receive(stream[at : at + size])
    assert line.answers == [data]


def test_an_echo_is_no_answer() -> None:
    line = AsciiLine()
    line.receive(line.begin(0x11, [READ]) + RIGHT)
    assert line.answers == [BODY]
    write = codec.write_register(1, b"\0\3")
    line.receive(line.begin(0x11, [write]))
    assert line.missing == 1  # its own echo looks like the confirmation
    line.receive(frame(0x11, write.pdu))
    assert line.missing == 0


def test_after_silence_an_answer_waits_whether_another_follows() -> None:
    line = AsciiLine()
    line.begin(0x11, [READ])
    line.give_up()
    other = codec.read(Table.HOLDING, 0x200, 3)
    line.begin(0x11, [other])
    line.receive(RIGHT)  # late: of the request before
    assert line.answers == [NOT_SENT]
    line.receive(frame(0x11, b"\x03\x06\0\1\0\2\0\3"))
    line.trust()
    assert line.answers in ([b"\0\1\0\2\0\3"], [SILENT])  # never the late one


@pytest.mark.parametrize("padded", [True, False])
def test_padded_answers_are_a_quirk(padded: bool) -> None:
    line = AsciiLine()
    line.begin(0x11, [READ], 1, {Quirk.PADDED_DATA} if padded else frozenset())
    line.receive(frame(0x11, b"\x03\x08" + BODY + b"\0\0"))
    assert line.answers == ([BODY] if padded else [NOT_SENT])


def test_another_unit_that_answers_is_named() -> None:
    line = AsciiLine()
    line.begin(0x12, [READ])
    line.receive(RIGHT)
    line.give_up()
    assert line.stranger == 0x11
