"""Messages in words; the bytes are those of the examples in SH-080956ENG."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.frames import Direction, Frame, FrameLog
from gateway.drivers.mc import SPEC
from gateway.drivers.mc.explaining import explain
from tests.drivers.mc.test_hostile import connected, points
from tests.drivers.trial import values


def words(data: bytes) -> str:
    return explain(Frame(0.0, Direction.SENT, data))


ROUTE = "00ff ff03 00"
DONE = f"d000 {ROUTE} 0800 0000 3412 0200 ef1d"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            f"5000 {ROUTE} 0c00 0400 0104 0000 640000c2 0300",
            "read 3 from TN100 (command 0401 0000)",
        ),
        (
            f"5400 3412 0000 {ROUTE} 1200 0400 0114 0000 640000a8 0300 9519 0212 3011",
            "number 4660: write 3 from D100: 1995 1202 1130 (command 1401 0000)",
        ),
        (
            f"5000 {ROUTE} 1000 0400 0304 0000 0200 000000a8 2000009c",
            "read D0, X20 (command 0403 0000)",
        ),
        (f"5000 {ROUTE} 0e00 0400 0104 0200 64000000a800 0300", "read 3 from D100"),
        (DONE, "done: 1234 0002 1def"),
        (f"d000 {ROUTE} 0b00 51c0 00ff ff03 00 0104 0000", "end code C051H: too many words"),
        (f"d000 {ROUTE} 0b00 51c0", "11 bytes that are no whole frame"),
        (DONE + DONE, "; done"),
        (f"5000 {ROUTE} 0000", "cut short"),
        ("474554202f", "5 bytes that are no whole frame"),
    ],
)
def test_a_message_in_words(message: str, said: str) -> None:
    assert said in words(bytes.fromhex(message))


@given(st.binary(max_size=60), st.sampled_from(["5000", "5400", "d000", "d400", ""]))
def test_any_bytes_have_words(noise: bytes, begin: str) -> None:
    data = bytes.fromhex(begin) + noise
    assert bool(words(data)) == bool(data)


async def test_the_frames_of_a_reading_are_kept() -> None:
    frames = FrameLog()
    async with connected(lambda asked: (asked.answer(asked.words),)) as driver:
        driver.record(frames)
        await driver.connect()
        await values(driver, points("D100"))
    said = [SPEC.explain(frame) or frame.note for _, frame in frames.since()]
    assert said[:2] == ["read 1 from D100 (command 0401 0000)", "done: 0064"]
    assert "closed" in said[2]
