"""The map of a table is what the device has, whatever it refuses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drivers.modbus.codec import SILENT, Answer
from gateway.drivers.modbus.search.mapping import MOST_SILENT, RangeMap, joined, numbers

SPANS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 40)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=6,
)


def mapped(found: RangeMap, there: set[int], most: int, too_much: int = 3) -> int:
    """Answer until nothing is asked; how many requests it took."""
    for sent in range(20_000):
        span = found.next()
        if span is None:
            return sent
        asked = set(range(*span))
        answer: Answer = bytes(2 * len(asked))
        if len(asked) > most:
            answer = too_much
        elif not asked <= there:
            answer = 2
        found.answered(answer)
    raise AssertionError("it does not end")


@given(
    there=SPANS,
    wanted=SPANS,
    most=st.integers(1, 125),
    too_much=st.sampled_from([2, 3]),
)
@settings(deadline=None)
def test_everything_wanted_is_found_and_nothing_else(
    there: list[tuple[int, int]], wanted: list[tuple[int, int]], most: int, too_much: int
) -> None:
    has = {at for span in there for at in range(*span)}
    asked = {at for span in wanted for at in range(*span)}
    found = RangeMap(wanted, 125)
    sent = mapped(found, has, most, too_much)
    assert found.readable == has & asked
    assert found.undecided == 0
    assert sent <= 2 * len(asked) + 1
    assert found.spans() == joined((at, at + 1) for at in has & asked)


def test_a_readable_table_costs_a_request_a_block() -> None:
    found = RangeMap([(0, 1_000)], 125)
    assert mapped(found, set(range(1_000)), 125) == 8
    assert found.most == 125


@pytest.mark.parametrize("too_much", [2, 3])
def test_what_a_unit_gives_at_once_is_learnt_and_kept_to(too_much: int) -> None:
    found = RangeMap([(0, 1_000)], 125)
    sent = mapped(found, set(range(1_000)), 50, too_much)
    assert 25 <= found.most <= 50
    assert sent < 60


def test_a_table_that_is_not_there_costs_one_request() -> None:
    found = RangeMap([(0, 1_000)], 125)
    assert found.next() == (0, 125)
    found.answered(1)
    assert found.next() is None
    assert "no such table" in found.why


def test_silence_ends_a_table() -> None:
    found = RangeMap([(0, 1_000)], 125)
    for _ in range(MOST_SILENT):
        assert found.next() is not None
        found.answered(SILENT)
    assert found.next() is None
    assert "had no answer" in found.why


def test_an_early_end_has_decided_the_most() -> None:
    found = RangeMap([(0, 250)], 125)
    for _ in range(2):
        found.next()
        found.answered(2)
    sizes = []
    while (span := found.next()) is not None and len(sizes) < 20:
        sizes.append(span[1] - span[0])
        found.answered(2)
    assert sizes == sorted(sizes, reverse=True)


def test_lists_of_numbers() -> None:
    assert list(numbers("1-3, 9，11", 20)) == [1, 2, 3, 9, 11]
    for wrong in ("", "a", "3-1", "1-", "-1", "1-300", "1;2"):
        with pytest.raises(ValueError, match=r"is no list|numbers go up"):
            list(numbers(wrong, 255))
