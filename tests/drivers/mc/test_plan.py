"""Requests hold every point once, keep the limits, and give each point its own bits."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_config.models.validation import validated
from gateway.drivers.api import DriverError, Point
from gateway.drivers.mc import codec
from gateway.drivers.mc.address import Address, kind
from gateway.drivers.mc.config import Connection, Series
from gateway.drivers.mc.devices import DEVICES
from gateway.drivers.mc.plan import Read, layout, messages, parted, request, write_request

MEMORY = {
    name: np.random.default_rng(place).integers(0, 65_536, 3_000, dtype=np.uint16)
    for place, name in enumerate(sorted(DEVICES))
}
"""What a controller holds: of bit devices 16 a word, the lowest first."""


def connection(**more: object) -> Connection:
    return validated(Connection, {"host": "192.0.2.1", "port": 5007, **more})


def point(written: str) -> Point:
    address = validated(Address, written)
    return Point(written, kind(address), address)


def served(reads: Sequence[Read]) -> bytes:
    """What a controller answers to requests that share a message."""
    body = b""
    for device, first, length in (read.words for read in reads):
        start = first // 16 if DEVICES[device].is_bits else first
        body += MEMORY[device][start : start + length].astype("<u2").tobytes()
    return body


def truth(address: Address) -> float | int | bool | str:
    words = MEMORY[address.device]
    if DEVICES[address.device].is_bits:
        return bool(words[address.number // 16] >> address.number % 16 & 1)
    if address.bit is not None:
        return bool(words[address.number] >> address.bit & 1)
    raw = words[address.number : address.stop].astype("<u2").tobytes()
    value: float | int = np.frombuffer(raw, f"<{address.type.code}")[0].item()
    return value


WRITTEN = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["M", "L", "SM"]), st.integers(0, 20_000)),
    st.builds("{}{:X}".format, st.sampled_from(["X", "Y", "B"]), st.integers(0, 20_000)),
    st.builds("D{}.{:X}".format, st.integers(0, 2_900), st.integers(0, 15)),
    st.builds(
        "{}{}:{}".format,
        st.sampled_from(["D", "R", "TN"]),
        st.integers(0, 2_900),
        st.sampled_from(["int16", "uint16", "int32", "uint32", "int64", "uint64"]),
    ),
)


@given(
    st.lists(WRITTEN, min_size=1, max_size=40),
    st.integers(4, 960),
    st.integers(0, 900),
    st.sampled_from([0, 96, 192]),
)
def test_every_point_gets_its_own_value(
    written: list[str], max_words: int, max_gap: int, most: int
) -> None:
    points = [point(one) for one in written]
    made = layout(points, connection(max_words=max_words, max_gap=max_gap))
    reads = made.requests
    assert all(read.words.length <= max_words for read in reads)
    image: list[bytes] = [b""] * len(reads)
    asked = list(messages(reads, most))
    assert sorted(place for places in asked for place in places) == list(range(len(reads)))
    for places in asked:
        together = [reads[place] for place in places]
        message = request(together, Series.Q)
        assert message.size == len(served(together))
        for place, part in zip(places, parted(together, served(together)), strict=True):
            image[place] = part
    status = np.zeros(len(points), np.uint8)
    columns = made.decoder.columns(b"".join(image), status)
    values = [value for column in columns for value in column.tolist()]
    assert values == [truth(one.address) for one in points]
    assert not status.any()


def test_scattered_words_share_one_message() -> None:
    points = [point(f"D{number}") for number in range(0, 10_000, 500)]
    reads = layout(points, connection()).requests
    assert len(reads) == 20
    assert list(messages(reads, 192)) == [list(range(20))]
    assert len(list(messages(reads, 0))) == 20


def test_long_blocks_have_messages_of_their_own() -> None:
    points = [point(f"D{number}") for number in (*range(100), 5_000)]
    assert list(messages(layout(points, connection()).requests, 192)) == [[0], [1]]


@pytest.mark.parametrize(
    ("written", "value", "why"),
    [
        ("X0", True, "read only"),
        ("D0.3", True, "bit of a word"),
        ("M0", 1, "no bool"),
        ("D0", 40_000, "does not fit"),
        ("D0", 1.5, "no whole number"),
        ("D0", True, "no finite number"),
        ("D0:float32", float("nan"), "no finite number"),
        ("D0:float32", 1e39, "does not fit"),
        ("D0:string[2]", "abc", "needs 3 bytes"),
        ("D0:string[2]", "轴", "cannot be written"),
        ("D0:string[2]", 12, "no text"),
        ("D0:string[9]", "abc ", "would not be read back"),
        ("D0:string[9]", "a\0b", "would not be read back"),
        ("D0:string[9]:gbk", "轴承\u3000", "would not be read back"),
    ],
)
def test_what_cannot_be_written_is_noticed_before(written: str, value: object, why: str) -> None:
    with pytest.raises(DriverError, match=why):
        write_request(point(written), value, Series.Q)  # type: ignore[arg-type]


def test_a_float_is_written_low_word_first() -> None:
    made = write_request(point("D200:float32"), 12.5, Series.Q)
    assert made.command == codec.WRITE
    assert made.data == bytes.fromhex("c80000 a8 0200 0000 4841")
