"""Texts, times, timers and counters; a pattern that no value has is none."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.s7 import values
from gateway.drivers.s7.values import DataType, Encoding
from gateway.drivers.toolkit.numbers import packed, size_of

NUMBERS = [one for one in DataType if one.code]


@given(st.sampled_from(Encoding), st.integers(0, 10), st.data())
def test_a_string_reads_back(encoding: Encoding, more: int, data: st.DataObject) -> None:
    text = data.draw(st.text(alphabet=st.characters(codec=encoding.value), max_size=40))
    longest = len(text.encode(encoding)) + more
    body = bytes((longest,)) + values.encode_text(encoding, text, longest)
    assert values.decode_string(body.ljust(2 + longest, b"\xaa"), encoding) == text


@given(st.text(max_size=40), st.integers(0, 10))
def test_a_wstring_reads_back(text: str, more: int) -> None:
    longest = len(text.encode("utf-16-be", "replace")) // 2 + more
    try:
        written = values.encode_text(None, text, longest)
    except ValueError:
        assert any("\ud800" <= one <= "\udfff" for one in text)  # half a character
        return
    body = longest.to_bytes(2, "big") + written
    assert values.decode_wstring(body.ljust(4 + 2 * longest, b"\xaa")) == text


def _ascii(body: bytes) -> str:
    return values.decode_string(body, Encoding.ASCII)


@pytest.mark.parametrize(
    ("decode", "body"),
    [
        (_ascii, b"\x04\x05abcde"),  # longer than it can be
        (_ascii, b"\xfe\x05abc"),  # longer than was read
        (_ascii, b"\x04\x02\xd6\xe1"),  # GBK in a text of ASCII
        (values.decode_wstring, b"\0\x04\0\x05" + bytes(10)),
        (values.decode_wstring, b"\0\x04\0\x01\xd8\x00"),  # half a character
        (values.decode_date_and_time, bytes.fromhex("2413 01 00 00 00 00 01")),  # month 13
        (values.decode_date_and_time, bytes.fromhex("24 01 0a 00 00 00 00 01")),  # no digits
        (values.decode_date_and_time, bytes.fromhex("24 01 01 00 00 00 12 f1")),  # 12F ms
        (values.decode_date_and_time, bytes(8)),
        (values.decode_dtl, bytes(12)),
        (values.decode_dtl, bytes.fromhex("07e8 02 1e 01 00 00 00 00000000")),  # 30 February
    ],
)
def test_what_is_no_text_or_time_is_none(decode: object, body: bytes) -> None:
    assert callable(decode)
    with pytest.raises(UnicodeDecodeError):
        decode(body)


def test_times_are_iso_texts() -> None:
    body = bytes.fromhex("24 02 29 23 59 58 98 71")
    assert values.decode_date_and_time(body) == "2024-02-29T23:59:58.987"
    assert values.decode_date_and_time(bytes.fromhex("90 01 01 00 00 00 00 02"))[:4] == "1990"
    body = bytes.fromhex("07e8 02 1d 05 17 3b 3a 3ada5ec0")
    assert values.decode_dtl(body) == "2024-02-29T23:59:58.987"


@given(st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31)))  # noqa: DTZ001 - no zone
def test_every_date_and_time_is_understood(moment: datetime) -> None:
    digits = f"{moment:%y%m%d%H%M%S}{moment.microsecond // 1000:03d}{moment.isoweekday() % 7 + 1}"
    expected = moment.isoformat(timespec="milliseconds")
    assert values.decode_date_and_time(bytes.fromhex(digits)) == expected


def test_a_timer_is_in_seconds() -> None:
    raw = np.array([0x0127, 0x1127, 0x2127, 0x3127, 0x0FFF], np.uint16)
    seconds, wrong = values.S5Time()(raw)
    assert seconds[:4].tolist() == pytest.approx([1.27, 12.7, 127.0, 1270.0])
    assert wrong is not None
    assert wrong.tolist() == [False, False, False, False, True]


@given(st.sampled_from(NUMBERS), st.data())
def test_a_number_reads_back(data_type: DataType, data: st.DataObject) -> None:
    bits = 8 * size_of(data_type.code)
    if data_type.code[0] == "f":
        value = data.draw(st.floats(allow_nan=False, allow_infinity=False, width=32))
    elif data_type.code[0] == "u":
        value = data.draw(st.integers(0, 2**bits - 1))
    else:
        value = data.draw(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
    body = packed(data_type.code, value)
    assert np.frombuffer(body, f"<{data_type.code}")[0] == value


@pytest.mark.parametrize(
    ("encoding", "value", "why"),
    [
        (Encoding.ASCII, "abcde", "room for 4"),
        (Encoding.ASCII, "轴", "ascii"),
        (Encoding.GBK, "轴承轴", "room for 4"),
        (Encoding.ASCII, 7, "no text"),
        (None, "轴承轴承轴", "room for 4"),
    ],
)
def test_what_has_no_room_is_not_written(
    encoding: Encoding | None, value: float | str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        values.encode_text(encoding, value, 4)
