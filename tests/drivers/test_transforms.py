"""Numbers that NumPy has no type for: whatever is written is read, and what is none is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.drivers.toolkit.transforms import (
    BitField,
    Modulo,
    PackedDecimal,
    SignMagnitude,
    Transform,
)


def read(transform: Transform, raw: int, code: str = "u8") -> tuple[int, bool]:
    values, wrong = transform(np.array([raw, 0], code))
    assert wrong is None or not wrong[1]
    return int(values[0]), wrong is not None and bool(wrong[0])


@pytest.mark.parametrize(
    ("raw", "code", "digits", "value"),
    [
        (0x1234, "u2", 4, 1234),
        (0x9999, "u2", 4, 9999),
        (0x0022_9500, "u4", 8, 229_500),
        (0x99_99, "u8", 16, 9999),
        (0x9999_9999_9999_9999, "u8", 16, 9_999_999_999_999_999),
        (0x42, "u1", 2, 42),
    ],
)
def test_packed_decimals(raw: int, code: str, digits: int, value: int) -> None:
    assert read(PackedDecimal(digits), raw, code) == (value, False)


@given(st.integers(0, 2**64 - 1))
def test_a_packed_decimal_has_digits_only(raw: int) -> None:
    text = f"{raw:016x}"
    value, wrong = read(PackedDecimal(16), raw)
    assert wrong is not text.isdecimal()
    assert wrong or value == int(text)


@given(st.integers(0, 10**16 - 1))
def test_a_packed_decimal_comes_back(value: int) -> None:
    assert read(PackedDecimal(16), PackedDecimal(16).raw_of(value)) == (value, False)


@given(st.sampled_from([(8, "u1"), (16, "u2"), (32, "u4"), (48, "u8"), (64, "u8")]), st.data())
def test_sign_and_magnitude_come_back(form: tuple[int, str], data: st.DataObject) -> None:
    bits, code = form
    most = 2 ** (bits - 1) - 1
    value = data.draw(st.integers(-most, most))
    transform = SignMagnitude(bits)
    assert read(transform, transform.raw_of(value), code) == (value, False)


def test_both_zeros_of_sign_and_magnitude_are_zero() -> None:
    assert read(SignMagnitude(16), 0x8000, "u2") == (0, False)
    assert read(SignMagnitude(16), 0x8001, "u2") == (-1, False)


@given(st.integers(2, 4), st.booleans(), st.data())
def test_words_of_base_10000_come_back(words: int, signed: bool, data: st.DataObject) -> None:
    most = 10_000**words - 1
    value = data.draw(st.integers(-most if signed else 0, most))
    transform = Modulo(words, signed)
    assert read(transform, transform.raw_of(value)) == (value, False)


@given(st.lists(st.integers(-32_768, 32_767), min_size=4, max_size=4), st.booleans())
def test_words_beyond_9999_or_of_two_signs_are_no_number(words: list[int], signed: bool) -> None:
    raw = sum((word & 0xFFFF) << 16 * at for at, word in enumerate(words))
    value, wrong = read(Modulo(4, signed), raw)
    two_signs = min(words) < 0 < max(words) if signed else min(words) < 0
    assert wrong == (two_signs or max(map(abs, words)) > 9_999)
    assert wrong or value == sum(word * 10_000**at for at, word in enumerate(words))


@given(st.integers(0, 2**64 - 1), st.integers(0, 63), st.data())
def test_bits_of_a_number(raw: int, first: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 64 - first))
    assert read(BitField(first, count), raw) == (raw >> first & (1 << count) - 1, False)


@pytest.mark.parametrize(
    ("transform", "value"),
    [
        (PackedDecimal(4), 10_000),
        (PackedDecimal(4), -1),
        (SignMagnitude(16), 32_768),
        (SignMagnitude(16), -32_768),
        (Modulo(2, signed=True), 100_000_000),
        (Modulo(2, signed=False), -1),
        (BitField(0, 4), 1),
    ],
)
def test_what_does_not_fit_is_refused(transform: Transform, value: int) -> None:
    with pytest.raises(ValueError, match=str(value)):
        transform.raw_of(value)
