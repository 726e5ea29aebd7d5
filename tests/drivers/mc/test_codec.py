"""Messages are those of the manual, byte by byte, and what is none is never taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.mc.codec import (
    Answer,
    Inbox,
    Request,
    Words,
    WrongAnswerError,
    framed,
    outcome,
    read,
    read_random,
    write_bit,
    write_words,
)
from gateway.drivers.mc.config import Frame, Route, Series

OWN = Route(0, 0xFF, 0x3FF, 0)
Q = Series.Q


def body(request: Request) -> str:
    """Command, subcommand and data as they are printed in the manual."""
    head = request.command.to_bytes(2, "little") + request.subcommand.to_bytes(2, "little")
    return (head + request.data).hex(" ").upper()


def test_commands_are_those_of_the_manual() -> None:
    """SLMP reference manual SH-080956ENG, examples of 5.2: Read, Write and Read Random."""
    assert body(read(Words("TN", 100, 3), Q)) == "01 04 00 00 64 00 00 C2 03 00"
    assert body(read(Words("M", 100, 2), Q)) == "01 04 00 00 64 00 00 90 02 00"
    words = bytes.fromhex("95 19 02 12 30 11")
    expected = "01 14 00 00 64 00 00 A8 03 00 95 19 02 12 30 11"
    assert body(write_words("D", 100, words, Q)) == expected
    scattered = [Words("D", 0, 1), Words("TN", 0, 1), Words("M", 100, 1), Words("X", 0x20, 1)]
    expected = "03 04 00 00 04 00 00 00 00 A8 00 00 00 C2 64 00 00 90 20 00 00 9C"
    assert body(read_random(scattered, Q)) == expected


def test_a_bit_is_the_upper_half_of_its_byte() -> None:
    assert body(write_bit("Y", 0x2F, True, Q)) == "01 14 01 00 2F 00 00 9D 01 00 10"
    assert body(write_bit("M", 50, False, Q)) == "01 14 01 00 32 00 00 90 01 00 00"


def test_words_of_bit_devices_at_random_are_16_apart() -> None:
    expected = "03 04 00 00 02 00 10 00 00 90 20 00 00 90"
    assert body(read_random([Words("M", 16, 2)], Q)) == expected


def test_devices_of_iq_r_have_wider_numbers() -> None:
    request = read(Words("D", 100, 3), Series.IQR)
    assert body(request) == "01 04 02 00 64 00 00 00 A8 00 03 00"


def test_frames_are_those_of_the_manual() -> None:
    request = read(Words("D", 100, 3), Q)
    expected = "5000 00ff ff03 00 0c00 0400 0104 0000 640000a8 0300"
    assert framed(request, OWN, 1_000, None) == bytes.fromhex(expected)
    expected = "5400 3412 0000 00ff ff03 00 0c00 0400 0104 0000 640000a8 0300"
    assert framed(request, OWN, 1_000, 0x1234) == bytes.fromhex(expected)
    other = framed(request, Route(2, 3, 0x3E1, 0), 251, None)
    assert other[2:7] == bytes.fromhex("02 03 e1 03 00")
    assert other[9:11] == b"\x02\0"  # a part of a step counts as a whole one


ANSWER = bytes.fromhex("d000 00ff ff03 00 0800 0000 3412 0200 ef1d")
NUMBERED = bytes.fromhex("d400 3412 0000 00ff ff03 00 0800 0000 3412 0200 ef1d")


def test_an_answer_of_the_manual_is_understood() -> None:
    words = bytes.fromhex("34 12 02 00 EF 1D")
    assert Inbox(Frame.E3).receive(ANSWER) == [Answer(None, OWN, 0, words)]
    assert Inbox(Frame.E4).receive(NUMBERED) == [Answer(0x1234, OWN, 0, words)]


def test_a_refusal_is_its_end_code() -> None:
    request = read(Words("D", 100, 3), Q)
    refusal = bytes.fromhex("d000 00ff ff03 00 0b00 51c0 00ff ff03 00 0104 0000")
    (answer,) = Inbox(Frame.E3).receive(refusal)
    assert outcome(answer, request, OWN) == 0xC051
    (bare,) = Inbox(Frame.E3).receive(bytes.fromhex("d000 00ff ff03 00 0200 51c0"))
    assert outcome(bare, request, OWN) == 0xC051


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(None, OWN, 0, b"1234"), "4 bytes"),
        (Answer(None, OWN, 0, b"12345678"), "8 bytes"),
        (Answer(None, Route(1, 0xFF, 0x3FF, 0), 0, b"123456"), "network 1"),
        (Answer(None, OWN, 0xC051, bytes.fromhex("00ff ff03 00 0114 0000")), "1401"),
    ],
)
def test_the_answer_to_another_request_is_none(answer: Answer, why: str) -> None:
    with pytest.raises(WrongAnswerError, match=why):
        outcome(answer, read(Words("D", 100, 3), Q), OWN)


@pytest.mark.parametrize(
    "wrong",
    [
        "d400 3412 0000",  # 4E where 3E was asked
        "5000",  # our own request comes back
        "d000 00ff ff03 00 0100 00",  # too short for an end code
        "d000 00ff ff03 00 ffff 0000",  # longer than any answer
        "44 30 30 30",  # ASCII code
    ],
)
def test_what_is_no_answer_is_said(wrong: str) -> None:
    with pytest.raises(WrongAnswerError):
        Inbox(Frame.E3).receive(bytes.fromhex(wrong))


@given(st.lists(st.binary(max_size=40), max_size=4), st.data())
def test_answers_come_whole_in_whatever_pieces(bodies: list[bytes], data: st.DataObject) -> None:
    answers = [Answer(serial, OWN, 0, body) for serial, body in enumerate(bodies)]
    stream = b"".join(
        b"\xd4\0" + serial.to_bytes(2, "little") + b"\0\0" + bytes.fromhex("00ffff0300")
        + (len(body) + 2).to_bytes(2, "little") + b"\0\0" + body
        for serial, body in enumerate(bodies)
    )  # fmt: skip
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    inbox, found = Inbox(Frame.E4), []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += inbox.receive(stream[start:stop])
    assert found == answers


@given(st.binary(max_size=60), st.sampled_from(Frame))
def test_any_bytes_are_an_answer_or_said_to_be_none(noise: bytes, frame: Frame) -> None:
    try:
        answers = Inbox(frame).receive(noise)
    except WrongAnswerError:
        return
    for answer in answers:
        assert len(answer.data) < len(noise)


def test_too_much_at_once_is_refused() -> None:
    for much in (0, 961):
        with pytest.raises(ValueError, match=str(much)):
            read(Words("D", 0, much), Q)
    with pytest.raises(ValueError, match="193"):
        read_random([Words("D", 0, 193)], Q)
    with pytest.raises(ValueError, match="97"):
        read_random([Words("D", 0, 97)], Series.IQR)
