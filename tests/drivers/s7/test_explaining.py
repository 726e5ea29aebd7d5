"""Messages in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.frames import Direction, Frame, FrameLog
from gateway.drivers.s7 import SPEC
from gateway.drivers.s7.codec import framed
from gateway.drivers.s7.explaining import explain
from tests.drivers.s7.test_hostile import connected, points
from tests.drivers.trial import values


def words(data: bytes) -> str:
    return explain(Frame(0.0, Direction.SENT, data))


READ = "3201 0000 0007 001a 0000 0402 120a10 02 0004 000a 84 000040 120a10 1d 0001 0000 1d 000005"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (READ, "number 7: read DB10 4 bytes from 8, 1 from T5"),
        (
            "3203 0000 0007 0002 000c 0000 0402 ff04 0020 41480000 0a00 0000",
            "41 48 00 00, code 0x0a",
        ),
        ("3203 0000 0007 0000 0000 8104", "Permit access with PUT/GET"),
        (
            "3201 0000 0008 000e 0005 0501 120a10 01 0001 000a 84 00001d 0003 0001 01",
            "number 8: write DB10 bit 3.5: 01",
        ),
        ("3203 0000 0008 0002 0001 0000 0501 ff", "number 8: written"),
        ("3203 0000 0008 0002 0001 0000 0501 05", "beyond the end"),
        ("3201 0000 0001 0008 0000 f000 0001 0001 03c0", "agree on the length"),
        ("3203 0000 0001 0008 0000 0000 f000 0001 0001 00f0", "messages of 240 bytes"),
        ("3207 0000 0001", "kind 0x07"),
        ("3203 0000 0001 0002 0004 0000", "cut short"),
    ],
)
def test_a_message_in_words(message: str, said: str) -> None:
    assert said in words(framed(bytes.fromhex(message)))


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_have_words(noise: bytes, is_framed: bool) -> None:
    data = framed(b"\x32\x03" + noise) if is_framed else noise
    assert bool(words(data)) == bool(data)


async def test_the_frames_of_a_reading_are_kept() -> None:
    frames = FrameLog()
    async with connected(lambda asked: (asked.answer(asked.data),)) as driver:
        driver.record(frames)
        await driver.connect()
        await values(driver, points("DB1.DBB7"))
    said = [SPEC.explain(frame) or frame.note for _, frame in frames.since()]
    assert "agree on the length" in said[0]
    assert "messages of 240 bytes" in said[1]
    assert "read DB1 1 bytes from 7" in said[2]
    assert "1 bytes: 07" in said[3]
    assert "closed" in said[4]
