"""Parts of messages keep the limits of a controller; what does not fit is never a value."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.status import Reason
from gateway.drivers.s7.address import Area
from gateway.drivers.s7.codec import (
    CODES,
    MOST_ITEMS,
    TOO_LONG,
    Body,
    Item,
    RefusedAnswerError,
    WrongAnswerError,
    body,
    is_too_long,
    messages,
    parts,
    reason_for,
    words_for,
)

AREAS = st.sampled_from([Area.DB, Area.MEMORY, Area.TIMER])
ITEMS = st.lists(
    st.builds(Item, AREAS, st.just(1), st.integers(0, 9), st.integers(1, 260)), max_size=60
)


@given(ITEMS, st.sampled_from([112, 240, 480, 960]))
def test_every_part_is_in_one_message_within_the_limits(items: list[Item], pdu: int) -> None:
    asked = list(messages(items, pdu))
    assert [place for places in asked for place in places] == list(range(len(items)))
    for places in asked:
        together = [items[place] for place in places]
        assert len(places) <= MOST_ITEMS
        assert 12 + 12 * len(places) <= pdu
        data = [4 + item.size + item.size % 2 for item in together]
        assert 14 + sum(data) <= pdu or len(places) == 1
        assert len(places) == 1 or not any(item.area.is_element for item in together)


def test_a_value_that_no_message_holds_is_not_put_together() -> None:
    assert not is_too_long(Item(Area.DB, 1, 0, 222), 240)
    assert is_too_long(Item(Area.DB, 1, 0, 223), 240)


def answered(answers: Sequence[bytes | int], *, is_filled: bool = True) -> bytes:
    data = b""
    for answer in answers:
        if isinstance(answer, int):
            data += bytes((answer, 0, 0, 0))
        else:
            data += b"\xff\x04" + (8 * len(answer)).to_bytes(2, "big") + answer
            data += b"\0" * (len(answer) % 2)
    if not is_filled and answers and isinstance(answers[-1], bytes) and len(answers[-1]) % 2:
        return data[:-1]
    return data


ANSWERS = st.lists(
    st.one_of(st.binary(min_size=1, max_size=30), st.sampled_from([1, 3, 5, 6, 7, 10])),
    min_size=1,
    max_size=MOST_ITEMS,
)


def held(data: bytes, items: Sequence[Item]) -> list[bytes | int]:
    """Parts of an answer that says how many it has."""
    return parts(Body(bytes((len(items),)), data), items)


def asked_for(answers: Sequence[bytes | int]) -> list[Item]:
    sizes = [len(answer) if isinstance(answer, bytes) else 4 for answer in answers]
    return [Item(Area.DB, 1, 0, size) for size in sizes]


@given(ANSWERS, st.booleans())
def test_each_part_has_its_data_or_its_code(answers: list[bytes | int], is_filled: bool) -> None:
    data = answered(answers, is_filled=is_filled)
    assert held(data, asked_for(answers)) == answers


@given(ANSWERS, st.data())
def test_a_cut_answer_is_none(answers: list[bytes | int], data: st.DataObject) -> None:
    whole = answered(answers, is_filled=False)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(WrongAnswerError):
        held(cut, asked_for(answers))


@given(st.binary(max_size=80), ANSWERS)
def test_any_bytes_are_parts_or_said_to_be_none(noise: bytes, answers: list[bytes | int]) -> None:
    items = asked_for(answers)
    try:
        found = held(noise, items)
    except WrongAnswerError:
        return
    for item, part in zip(items, found, strict=True):
        assert isinstance(part, int) or len(part) == item.size


@pytest.mark.parametrize(
    "head",
    [
        "ff04 0010",  # 2 bytes where 4 were asked for
        "ff04 0040",  # 8
        "ff04 001f",  # no whole bytes
        "ff11 0004",  # an unknown unit
    ],
)
def test_a_part_of_another_length_is_wrong(head: str) -> None:
    with pytest.raises(WrongAnswerError):
        held(bytes.fromhex(head) + bytes(8), [Item(Area.DB, 1, 0, 4)])


REQUEST = bytes.fromhex("3201 0000 0001 000e 0000 0401 120a 10 02 0004 0001 84 000000")
ANSWER = bytes.fromhex("3203 0000 0001 0002 0008 0000 0401 ff04 0020 01020304")


def test_an_answer_is_that_of_its_request() -> None:
    assert parts(body(ANSWER, REQUEST), [Item(Area.DB, 1, 0, 4)]) == [b"\x01\x02\x03\x04"]
    with pytest.raises(RefusedAnswerError) as caught:
        body(ANSWER[:10] + b"\x81\x04" + ANSWER[12:], REQUEST)
    assert caught.value.code == 0x8104


def test_a_refused_part_may_say_a_length() -> None:
    """Whatever length stands beside a refusal, no data comes with it."""
    answer = bytes.fromhex("3203 0000 0001 0002 0004 0000 0401 0a00 0004")
    assert parts(body(answer, REQUEST), [Item(Area.DB, 1, 0, 4)]) == [0x0A]


@given(st.integers(0, len(ANSWER) - 1), st.integers(1, 255))
def test_any_spoilt_byte_of_a_head_is_noticed(at: int, change: int) -> None:
    spoilt = ANSWER[:at] + bytes((ANSWER[at] ^ change,)) + ANSWER[at + 1 :]
    ignored = {2, 3, *range(18, 22)}  # reserved; the data themselves
    try:
        (part,) = parts(body(spoilt, REQUEST), [Item(Area.DB, 1, 0, 4)])
    except (WrongAnswerError, RefusedAnswerError):
        return
    means_the_same = (at == 1 and spoilt[1] in (2, 3)) or (at == 15 and spoilt[15] == 5)
    assert at in ignored or means_the_same or isinstance(part, int)


def test_timers_are_counted_in_bytes() -> None:
    assert held(bytes.fromhex("ff09 0002 1127"), [Item(Area.TIMER, 0, 5, 1)]) == [b"\x11\x27"]


def test_every_code_has_a_reason_and_words() -> None:
    assert "Optimized block access" in words_for(0x0A)
    assert "Permit access with PUT/GET" in words_for(0x8104)
    assert reason_for(0x05) is Reason.ILLEGAL_ADDRESS
    assert reason_for(0x77) is Reason.DEVICE_FAILURE
    assert words_for(0x77) == "code 0x77"
    assert CODES.reason(TOO_LONG) is Reason.OVERFLOW
