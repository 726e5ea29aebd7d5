"""RTU framing: vectors, noise, echoes, late answers of others."""

import asyncio
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.kit.conformance import values_of
from gateway.drivers.modbus import codec
from gateway.drivers.modbus.codec import NOT_SENT, SILENT, Table
from gateway.drivers.modbus.config import Framing
from gateway.drivers.modbus.framing.rtu import RtuLine, crc, frame
from tests.drivers.modbus.support import connected, points

READ = codec.read(Table.HOLDING, 0x6B, 3)
BODY = bytes.fromhex("022B 0000 0064")


def whole(body: bytes) -> bytes:
    return body + crc(body)


RIGHT = whole(b"\x11\x03\x06" + BODY)


def test_vectors() -> None:
    # The check value of CRC-16/MODBUS, and a request as it stands in many manuals.
    assert crc(b"123456789") == bytes.fromhex("374b")
    assert frame(0x11, READ.pdu) == bytes.fromhex("1103006B00037687")


def test_a_series_is_one_request_at_a_time() -> None:
    line = RtuLine()
    assert line.begin(0x11, [READ, READ], 8) == frame(0x11, READ.pdu)
    assert line.receive(RIGHT) == frame(0x11, READ.pdu)
    assert line.receive(whole(b"\x11\x83\x02")) == b""
    assert (line.answers, line.missing) == ([BODY, 2], 0)


@pytest.mark.parametrize("code", [10, 11])
def test_a_unit_that_is_gone_is_not_asked_further(code: int) -> None:
    line = RtuLine()
    line.begin(0x11, [READ, READ])
    assert not line.receive(whole(bytes([0x11, 0x83, code])))
    assert (line.answers, line.missing) == ([code, NOT_SENT], 0)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_noise_before_an_answer_is_passed_over(noise: bytes, size: int) -> None:
    line = RtuLine()
    line.begin(0x11, [READ])
    stream = noise + RIGHT
    for at in range(0, len(stream), size):
        assert not line.receive(stream[at : at + size])
    assert line.answers == [BODY]


@given(st.binary(max_size=300))
def test_garbage_never_becomes_a_value(garbage: bytes) -> None:
    line = RtuLine()
    line.begin(0x11, [READ])
    line.receive(garbage)
    assert line.missing == (line.answers == [NOT_SENT])


@given(st.integers(0, len(RIGHT) * 8 - 1))
def test_one_wrong_bit_is_noticed(bit: int) -> None:
    wrong = bytearray(RIGHT)
    wrong[bit // 8] ^= 1 << bit % 8
    line = RtuLine()
    line.begin(0x11, [READ])
    line.receive(bytes(wrong))
    assert line.garbage == len(RIGHT)
    line.give_up()
    assert line.answers == [SILENT]
    line.begin(0x11, [READ])
    for _ in range(2):  # after silence it waits whether a late answer was first, and asks again
        line.receive(RIGHT)
        line.trust()
    assert line.answers == [BODY]


def test_an_echo_is_no_answer() -> None:
    line = RtuLine()
    line.receive(line.begin(0x11, [READ]) + RIGHT)
    assert line.answers == [BODY]
    write = codec.write_register(1, b"\0\3")
    line.receive(line.begin(0x11, [write]))
    assert line.missing == 1  # its own echo looks like the confirmation
    line.receive(frame(0x11, write.pdu))
    assert line.missing == 0


def test_answers_of_others_and_late_ones_are_passed_over() -> None:
    line = RtuLine()
    line.begin(0x11, [READ])
    line.give_up()
    line.receive(RIGHT)  # nothing is open
    assert line.late == 1
    line.begin(0x12, [READ])
    line.receive(RIGHT)
    assert line.missing == 1
    line.receive(whole(b"\x12\x03\x06" + BODY))
    assert line.answers == [BODY]


OTHER = codec.read(Table.HOLDING, 0x200, 3)
ITS_BODY = bytes.fromhex("0001 0002 0003")
ITS_RIGHT = whole(b"\x11\x03\x06" + ITS_BODY)


@pytest.mark.parametrize("is_in_one_piece", [True, False])
def test_an_answer_that_comes_twice_is_not_that_of_the_next_request(is_in_one_piece: bool) -> None:
    """As behind a repeater: nothing in it says that it belongs to the request before."""
    line = RtuLine()
    line.begin(0x11, [READ, OTHER])
    line.receive(RIGHT)
    for piece in [RIGHT + ITS_RIGHT] if is_in_one_piece else [RIGHT, ITS_RIGHT]:
        assert not line.receive(piece)
        assert line.missing == 1  # it waits whether another one follows
    assert not line.trust()
    assert line.answers == [BODY, ITS_BODY]


def test_equal_values_are_believed_after_a_while() -> None:
    line = RtuLine()
    line.begin(0x11, [READ, OTHER] * 3)
    line.receive(RIGHT)
    for _ in range(3):
        line.receive(RIGHT)
        assert line.doubted == BODY
        assert line.trust() in {frame(0x11, READ.pdu), frame(0x11, OTHER.pdu)}  # once more
        line.receive(RIGHT)
        assert line.doubted == BODY
        line.trust()
    line.receive(RIGHT)
    line.receive(RIGHT)
    assert line.answers == [BODY] * 6


@pytest.mark.parametrize("is_right_first", [True, False])
@pytest.mark.parametrize("late", [RIGHT, whole(b"\x11\x83\x06")])
def test_after_silence_neither_of_two_answers_that_differ_is_believed(
    late: bytes, is_right_first: bool
) -> None:
    """The late one may come before the right one or after it, and nothing tells them apart."""
    line = RtuLine()
    line.begin(0x11, [READ])
    line.give_up()
    line.begin(0x11, [OTHER])
    for answer in [ITS_RIGHT, late] if is_right_first else [late, ITS_RIGHT]:
        line.receive(answer)
        assert line.missing == 1
    line.trust()
    assert line.answers == [SILENT]
    line.begin(0x11, [OTHER])
    for _ in range(2):
        line.receive(ITS_RIGHT)
        line.trust()
    assert line.answers == [ITS_BODY]
    line.begin(0x11, [OTHER])
    line.receive(ITS_RIGHT)
    assert not line.missing  # the line is in step again


BLOCKS = [codec.read(Table.HOLDING, 100 * at, 5) for at in range(5)]
BODIES = [bytes(range(10 * at, 10 * at + 10)) for at in range(5)]


def block_answer(body: bytes) -> bytes:
    return whole(b"\x11\x03\x0a" + body)


@pytest.mark.parametrize("between", [1, 2, 3])
def test_an_answer_that_comes_again_after_others_is_not_that_of_a_later_request(
    between: int,
) -> None:
    line = RtuLine()
    line.begin(0x11, BLOCKS)
    for body in BODIES[: between + 1]:
        line.receive(block_answer(body))
    line.receive(block_answer(BODIES[0]))  # through a slower way, or from a second repeater
    assert (line.doubted, line.answers[between + 1]) == (BODIES[0], NOT_SENT)
    line.receive(block_answer(BODIES[between + 1]))
    line.trust()
    assert line.answers[: between + 2] == BODIES[: between + 2]
    assert line.comes_twice


def test_requests_that_have_nothing_but_zeros_are_soon_believed_at_once() -> None:
    line = RtuLine()
    line.begin(0x11, BLOCKS)
    line.receive(block_answer(bytes(10)))
    for _ in range(3):
        line.receive(block_answer(bytes(10)))
        assert line.doubted == bytes(10)
        line.trust()  # asks once more
        line.receive(block_answer(bytes(10)))
        if line.doubted is not None:
            line.trust()
    line.receive(block_answer(bytes(10)))
    assert (line.doubted, line.missing) == (None, 0)


@pytest.mark.parametrize("is_late", [True, False], ids=["late", "repeated"])
def test_an_answer_in_doubt_whose_successor_is_lost_is_not_believed(is_late: bool) -> None:
    """It alone came: the request is sent again, and what comes then counts."""
    line = RtuLine()
    line.begin(0x11, [READ])
    if is_late:
        line.give_up()
    else:
        line.receive(RIGHT)
    line.begin(0x11, [OTHER])
    line.receive(RIGHT)
    assert line.trust() == frame(0x11, OTHER.pdu)
    line.receive(ITS_RIGHT)
    if is_late:
        line.trust()
    assert line.answers == [ITS_BODY]


def test_a_write_in_doubt_is_not_repeated() -> None:
    write = codec.write_registers(7, b"\0\1")
    line = RtuLine()
    line.begin(0x11, [write])
    line.give_up()
    line.begin(0x11, [write])
    line.receive(whole(b"\x11" + write.head))
    assert line.trust() == b""
    assert not line.missing


def test_a_unit_that_answers_twice_has_each_answer_doubted() -> None:
    """Two devices with one number: the second one's answer differs, and comes when none is open."""
    line = RtuLine()
    line.begin(0x11, [READ])
    line.receive(RIGHT)
    line.receive(ITS_RIGHT)
    assert line.comes_twice
    line.begin(0x11, [READ])
    line.receive(whole(b"\x11\x03\x06" + bytes(6)))  # equal to nothing that came before
    assert line.doubted == bytes(6)


@pytest.mark.parametrize("body", [b"\x12\x03\x06" + BODY, b"\x12\x83\x02"])
def test_who_answers_for_another_unit_is_named(body: bytes) -> None:
    line = RtuLine()
    line.begin(0x11, [READ])
    line.receive(b"\xff" + whole(body))
    line.give_up()
    assert (line.answers, line.stranger) == ([SILENT], 0x12)
    line.begin(0x11, [READ])
    assert line.stranger is None


async def test_a_line_that_repeats_its_answers_is_read_right_and_said_to() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, ConnectionError):
            while request := await reader.readexactly(8):
                answer = whole(request[:2] + b"\2" + request[2:4])  # a register holds its address
                writer.write(answer)
                await asyncio.sleep(0.01)  # the next request is on its way meanwhile
                writer.write(answer)

    wanted = points("holding:7", "holding:300", "holding:600")
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connected(port, framing=Framing.RTU) as driver:
            plan = driver.plan(wanted)
            remarks: set[str] = set()
            for _ in range(3):
                assert values_of(wanted, await driver.read(plan)) == [7, 300, 600]
                remarks.update(driver.remarks())
    assert any("answers twice" in remark for remark in remarks)


def test_noise_after_an_answer_in_doubt_is_no_second_answer() -> None:
    """As the stray byte with which an adapter ends its sending."""
    line = RtuLine()
    line.begin(0x11, [READ, OTHER])
    line.receive(RIGHT)
    line.receive(RIGHT)
    assert line.doubted == BODY
    line.receive(b"\0")
    line.trust()  # asks once more
    line.receive(RIGHT)
    line.trust()
    assert (line.answers, line.comes_twice) == ([BODY, BODY], False)
