"""Frames of DL/T 645-2007: bytes of the standard and of others, and whatever else comes."""

from itertools import pairwise

import pytest
from dlt645.protocol.protocol import DLT645Protocol
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.dlt645.codec import (
    ANYBODY,
    LONGEST,
    Frame,
    Hearing,
    Request,
    encode,
    error_words,
    read,
    read_more,
)
from gateway.drivers.dlt645.explain import explain
from gateway.drivers.frames import Direction
from gateway.drivers.frames import Frame as Kept

METER = "000000000001"
ASKED = bytes.fromhex("68 01 00 00 00 00 00 68 11 04 33 34 34 35 B6 16")
"""Voltage of phase A of meter 1: 02010100, low byte first, with 33H added (7.1)."""
ANSWERED = bytes.fromhex("FE FE FE FE 68 01 00 00 00 00 00 68 91 06 33 34 34 35 C3 55 50 16")
"""229.0 V: 2290 as BCD, low byte first, with 33H added."""
REFUSED = bytes.fromhex("68 01 00 00 00 00 00 68 D1 01 35 D8 16")
METERS = st.from_regex(r"[0-9]{12}", fullmatch=True)
FRAMES = st.builds(Frame, METERS, st.integers(0, 255), st.binary(max_size=200))


def test_a_request_is_that_of_the_standard() -> None:
    assert encode(read(METER, 0x02010100).frame) == ASKED


def test_an_address_has_its_low_byte_first() -> None:
    assert encode(read("123456789012", 0).frame)[1:7] == bytes.fromhex("129078563412")
    assert encode(read(ANYBODY, 0).frame)[1:7] == b"\xaa" * 6


def test_an_answer_is_understood() -> None:
    assert Hearing().receive(ANSWERED) == [Frame(METER, 0x91, bytes.fromhex("00 01 01 02 90 22"))]
    assert read(METER, 0x02010100).is_answered_by(Hearing().receive(ANSWERED)[0])


def test_a_refusal_is_an_answer() -> None:
    (frame,) = Hearing().receive(REFUSED)
    assert read(METER, 0x02010100).is_answered_by(frame)
    assert error_words(frame.data[0]) == "no such data"


def test_the_next_frame_is_asked_for_by_its_number() -> None:
    request = read_more(METER, 0x06000001, 1)
    assert request.frame == Frame(METER, 0x12, bytes.fromhex("01 00 00 06 01"))
    assert request.is_answered_by(Frame(METER, 0xB2, bytes.fromhex("01 00 00 06 55 01")))


@pytest.mark.parametrize(
    "other",
    [
        Frame("000000000002", 0x91, bytes.fromhex("000101029022")),
        Frame(METER, 0x91, bytes.fromhex("000201029022")),
        Frame(METER, 0x92, bytes.fromhex("000101029022")),
        Frame(METER, 0x11, bytes.fromhex("00010102")),
        Frame(METER, 0x91, b""),
        Frame("000000000002", 0xD1, b"\2"),
    ],
    ids=["meter", "identifier", "control", "echo", "empty", "refusal of another"],
)
def test_what_is_of_another_is_no_answer(other: Frame) -> None:
    assert not read(METER, 0x02010100).is_answered_by(other)


@given(METERS, st.binary(min_size=4, max_size=4))
def test_the_library_builds_the_same_frames(meter: str, item: bytes) -> None:
    """Of PyPI ``dlt645``; it wants the address as on the wire, and begins with four FE."""
    theirs = DLT645Protocol.build_frame(bytes.fromhex(meter)[::-1], 0x11, item)
    ours = encode(read(meter, int.from_bytes(item, "little")).frame)
    assert bytes(theirs).lstrip(b"\xfe") == ours


@given(FRAMES)
def test_what_was_encoded_is_understood(frame: Frame) -> None:
    assert Hearing().receive(encode(frame)) == [frame]


@given(st.lists(FRAMES, max_size=3), st.lists(st.integers(0, 700), max_size=4))
def test_frames_come_in_any_pieces(frames: list[Frame], cuts: list[int]) -> None:
    whole = b"\xfe\xfe".join(map(encode, frames))
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    hearing, found = Hearing(), list[Frame]()
    for begin, end in pairwise(places):
        found += hearing.receive(whole[begin:end])
    assert [one for one in found if one in frames] == frames


@given(st.binary(max_size=40), FRAMES, st.binary(max_size=20))
def test_noise_around_a_frame_hides_it_not(before: bytes, frame: Frame, after: bytes) -> None:
    hearing = Hearing()
    found = hearing.receive(before + encode(frame) + after)
    found += hearing.receive(bytes(2 * LONGEST))  # what noise had begun is over
    assert frame in found


def test_a_frame_within_a_torn_one_is_found() -> None:
    assert Hearing().receive(ANSWERED[:14] + ANSWERED)[0].control == 0x91


@given(st.integers(0, 8 * (len(ANSWERED) - 4) - 1))
def test_one_wrong_bit_is_noticed(bit: int) -> None:
    wrong = bytearray(ANSWERED[4:])
    wrong[bit // 8] ^= 1 << bit % 8
    assert Hearing().receive(bytes(wrong)) == []


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_whatever_comes_is_borne(pieces: list[bytes]) -> None:
    hearing = Hearing()
    for piece in pieces:
        hearing.receive(piece)
        assert len(hearing._rest) <= 2 * LONGEST
        explain(Kept(0.0, Direction.RECEIVED, piece))


def test_frames_are_explained() -> None:
    def words(data: bytes) -> str:
        return explain(Kept(0.0, Direction.SENT, data))

    assert words(ASKED) == "meter 000000000001: read 02010100 (A相电压)"
    assert words(ANSWERED) == "meter 000000000001: 02010100 (A相电压) = 229.0"
    for item, data, said in [
        ("02020100", "500280", "02020100 (A相电流) = -0.250"),
        ("0201FF00", "902201230010", "0201FF00 = 229.0 230.1 100.0"),
        ("02010100", "FFFF", "02010100 (A相电压) = FFF.F"),
        ("0280000A", "01000000", "0280000A = 1"),
        ("04000101", "05271126", "04000101 (日期) = 26112705"),
        ("0F000001", "0102", "0F000001 = 0201"),
    ]:
        frame = Frame(METER, 0x91, bytes.fromhex(item)[::-1] + bytes.fromhex(data))
        assert words(encode(frame)) == f"meter 000000000001: {said}"
    assert words(REFUSED) == "meter 000000000001: refuses: no such data"
    assert words(b"\0\1") == "2 bytes"
    assert words(encode(Frame(METER, 0x14, b""))).startswith("meter 000000000001: control 14H")
    assert words(b"") == ""


def test_a_request_without_an_identifier_is_answered_by_its_control() -> None:
    assert Request(Frame(METER, 0x13, b"")).is_answered_by(Frame(METER, 0x93, b"\1"))
