"""What is settled, what is not, and what is told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.ingest import progress as module
from gateway.city.ingest.progress import Progress

NUMBERS = st.integers(1, 40)
WORDS = st.lists(st.integers(1, 41), min_size=2, max_size=2).map(sorted).map(tuple)
STEPS = st.lists(st.one_of(NUMBERS, WORDS), max_size=60)


def after(steps: list[int | tuple[int, int]]) -> tuple[Progress, set[int], int, int]:
    """A progress, what a set says that it holds, and what the edge has given up."""
    progress, held, settled, closed = Progress(), set[int](), 0, 0
    for step in steps:
        if isinstance(step, tuple):
            progress.give_up(*step)
            settled, closed = max(settled, step[0]), max(closed, step[1])
        elif step not in progress:
            progress.add(step)
            held.add(step)
    return progress, held, settled, closed


@given(STEPS)
def test_it_is_a_set_of_numbers(steps: list[int | tuple[int, int]]) -> None:
    progress, held, settled, closed = after(steps)
    for one in (progress, progress.copy()):
        assert {n for n in range(1, 45) if n in one} == held | set(range(1, closed))
        assert all(n in held or n < settled for n in range(1, one.upto + 1))
        assert one.upto + 1 not in held
        assert one.newest == max({one.upto, *held})
        edges = [one.upto, *(edge for span in one.ranges for edge in span)]
        pairs = zip(edges[1::2], edges[::2][:-1], strict=True)
        assert all(start > end + 1 for start, end in pairs)


@given(STEPS, st.lists(NUMBERS, max_size=4), st.integers(0, 4))
def test_what_is_told_is_true_and_tells_what_was_asked(
    steps: list[int | tuple[int, int]], asked: list[int], most: int
) -> None:
    """An edge takes for lost what lies below ``closed`` and is not named, for stored the rest."""
    progress, held, settled, closed = after(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_NAMED", most)
        ranges, told = progress.named(asked)
    named = {n for low, high in ranges for n in range(low, high + 1)}
    assert all(n in held or n < settled for n in named)
    assert told <= closed
    assert not {n for n in held if progress.upto < n < told} - named
    assert {n for n in asked if n in held} <= named | set(range(1, progress.upto + 1))


@given(STEPS, NUMBERS, st.integers(0, 3), st.integers(0, 41))
def test_room_is_room_for_one_more_after_the_word_of_the_edge(
    steps: list[int | tuple[int, int]], seq: int, most: int, settled: int
) -> None:
    progress, *_ = after(steps)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_RANGES", most)
        has_room = progress.has_room(seq, settled)
    before = len(progress.ranges)
    progress.give_up(settled, settled)
    progress.add(seq)
    if has_room:
        assert len(progress.ranges) <= max(most, before)
